//! A second saga, so that nothing is made for orders alone: flight and hotel at the same time, a car, a card, and a
//! traveller who may cancel.

mod booking;
mod checks;
mod exact;
mod handlers;
mod teeth;
