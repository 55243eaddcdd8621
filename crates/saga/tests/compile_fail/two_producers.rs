// A value has one producer.
#[macro_use]
mod support;
use support::*;

fn main() {}

step!(Borrow "borrow": Compensable, (Order,) => Reservation, Never, Shop);
