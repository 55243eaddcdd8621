// A notice says what it carries.
#[macro_use]
mod support;
use support::*;

fn main() {}

#[derive(Notice)]
struct Bare;

#[derive(Notice)]
#[notice(input = (Order,), output = Charge)]
struct Unknown;

#[derive(Notice)]
#[notice(input = (Order,))]
enum Either {
    One,
}

#[derive(Notice)]
#[notice(input = (Order,))]
struct Generic<const N: usize>;
