// After the pivot nobody can say no.
#[macro_use]
mod support;
use support::*;

fn main() {}

value!(Mail "mail" from Send);
step!(Send "send": Retriable, (Order,) => Mail, OutOfStock, Shop);
