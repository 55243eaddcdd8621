// A notice carries values that the saga has.
#[macro_use]
mod support;
use support::*;

notice!(Shipped, (Order, Shipment));

fn main() {
    let _ = saga::<Order>("order").step(Reserve).pivot(Confirm).on_commit(Shipped);
}
