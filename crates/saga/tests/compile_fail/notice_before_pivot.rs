// A notice tells how a saga ended, so it comes after the pivot.
#[macro_use]
mod support;
use support::*;

fn main() {
    let _ = saga::<Order>("order").step(Reserve).on_commit(Confirmed);
}
