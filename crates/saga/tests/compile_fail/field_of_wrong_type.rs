// A field is written with its own type.
#[macro_use]
mod support;
use support::*;

fn decide(commit: &mut Commit<Reserve>) {
    commit.update::<Stock>("nw-1".to_owned()).set(Stock::AVAILABLE, "three");
    commit.insert(Stock::row("nw-2".to_owned()).with(Stock::AVAILABLE, -3_i64)).or_reject(OutOfStock);
}

fn main() {}
