// A participant lists every step it owns.
#[macro_use]
mod support;
use support::*;

value!(Mail "mail" from Send);
step!(Send "send": Compensable, (Order,) => Mail, Never, Shop);

fn main() {
    let _ = saga::<Order>("order").step(Send);
}
