// A field belongs to one entity.
#[macro_use]
mod support;
use support::*;

fn decide(commit: &mut Commit<Reserve>) {
    commit.update::<Stock>("nw-1".to_owned()).add(Ledger::AMOUNT, 3);
    commit.insert(Stock::row("nw-2".to_owned()).with(Ledger::AMOUNT, 3)).or_reject(OutOfStock);
}

fn main() {}
