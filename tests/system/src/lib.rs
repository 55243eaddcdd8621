//! A running deployment: the emulator, the payment gateway and the stacks of the development stage, with everything
//! that a test or the demo puts in and asks from outside.
//!
//! [`System::start`] brings it up and [`System::stop`], or dropping it, leaves nothing running. What it holds is read
//! from the tables, the queues, the state machines and the gateway themselves, never from inside a function.
//! [`Books`] remembers what was put in, and [`System::conservation`] proves that none of it was lost.
//! `tests/e2e/fulfilment.rs` shows it in use.
#![forbid(unsafe_code)]

mod books;
mod clients;
mod config;
mod conservation;
mod deploy;
mod eventually;
mod executions;
mod fences;
mod mailbox;
mod operations;
mod parked;
mod payments;
mod peer;
mod publish;
mod queues;
mod rules;
mod start;
mod tables;
#[cfg(feature = "trips")]
mod trips;

pub use books::Books;
pub use clients::{Clients, is_local};
pub use config::{Packaging, SystemConfig};
pub use conservation::{Conservation, Moment, MoneyTotals};
pub use eventually::eventually;
pub use executions::{Execution, ExecutionSummary};
pub use fences::FenceRow;
pub use mailbox::Mail;
pub use parked::{Decision, Parked};
pub use payments::charge_step;
pub use peer::Peer;
pub use queues::Depth;
pub use start::System;
pub use tables::{LedgerRow, OrderRow, StockLevel};
#[cfg(feature = "trips")]
pub use trips::{
    Pool, TRIP_PARTICIPANTS, TRIPS, TripBooks, cars_of, rooms_of, seats_of, synth_trips, tickets_of,
};
