// Only numbers are added.
#[macro_use]
mod support;
use support::*;

const NAME: Field<Stock, String> = Field::new("name");

fn decide(commit: &mut Commit<Reserve>) {
    commit.update::<Stock>("nw-1".to_owned()).add(NAME, "x".to_owned());
}

fn main() {}
