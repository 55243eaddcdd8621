// A compensable step does not decide the saga.
#[macro_use]
mod support;
use support::*;

fn main() {
    let _ = saga::<Order>("order").pivot(Reserve);
}
