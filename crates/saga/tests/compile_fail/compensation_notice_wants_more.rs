// A compensated saga is only certain to have its input.
#[macro_use]
mod support;
use support::*;

notice!(Refunded, (Order, Reservation));

fn main() {
    let _ = saga::<Order>("order").step(Reserve).pivot(Confirm).on_compensate(Refunded);
}
