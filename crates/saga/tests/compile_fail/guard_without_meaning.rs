// A guard says what it means when it fails.
#[macro_use]
mod support;
use support::*;

#[deny(unused_must_use)]
fn decide(commit: &mut Commit<Reserve>) {
    commit.update::<Stock>("nw-1".to_owned()).subtract(Stock::AVAILABLE, 3);
    commit.insert(Stock::row("nw-2".to_owned()));
}

fn main() {}
