// A step's output is not the input of a saga.
#[macro_use]
mod support;
use support::*;

fn main() {
    let _ = saga::<Reservation>("order");
}
