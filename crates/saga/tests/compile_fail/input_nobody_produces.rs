// Every input of a step is produced by an earlier one.
#[macro_use]
mod support;
use support::*;

fn main() {
    let _ = saga::<Order>("order").step(Pay).pivot(Confirm);
}
