// Steps of a parallel group do not see each other's outputs.
#[macro_use]
mod support;
use support::*;

fn main() {
    let _ = saga::<Order>("order").parallel((Reserve, Pay)).pivot(Confirm);
}
