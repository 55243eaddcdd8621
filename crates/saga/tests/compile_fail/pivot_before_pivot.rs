// A pivot has no undo, so it cannot be an ordinary step.
#[macro_use]
mod support;
use support::*;

fn main() {
    let _ = saga::<Order>("order").step(Confirm);
}
