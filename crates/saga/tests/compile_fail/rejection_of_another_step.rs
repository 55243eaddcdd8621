// A guard stands for a rejection of its own step.
#[macro_use]
mod support;
use support::*;

fn decide(commit: &mut Commit<Confirm>) {
    commit.insert(Stock::row("nw-1".to_owned())).or_reject(OutOfStock);
}

fn main() {}
