// A saga decides somewhere.
#[macro_use]
mod support;
use support::*;

fn main() {
    let _ = saga::<Order>("order").step(Reserve).build();
}
