// After the pivot nothing is undone.
#[macro_use]
mod support;
use support::*;

fn main() {
    let _ = saga::<Order>("order").pivot(Confirm).step(Reserve);
}
