// Less than nothing would be added.
#[macro_use]
mod support;
use support::*;

fn decide(commit: &mut Commit<Reserve>) {
    let _ = commit.update::<Ledger>("o-1".to_owned()).subtract(Ledger::AMOUNT, -5).or_retry();
}

fn main() {}
