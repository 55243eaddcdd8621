// A guard says what it means before the next change.
#[macro_use]
mod support;
use support::*;

fn decide(commit: &mut Commit<Reserve>) {
    commit.update::<Stock>("nw-1".to_owned()).subtract(Stock::AVAILABLE, 3).add(Stock::AVAILABLE, 1);
}

fn main() {}
