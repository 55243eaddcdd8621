// What the traits ask of a step is said where the step says otherwise.
#[macro_use]
mod support;
use support::*;

fn main() {}

value!(Mail "mail" from Send);

// After the pivot nobody can say no.
#[derive(Step)]
#[step(participant = Shop, kind = Retriable, timeout = Duration::from_mins(15))]
#[step(input = (Order,), output = Mail, rejection = OutOfStock)]
struct Send;

// A value has one producer.
#[derive(Step)]
#[step(participant = Shop, kind = Compensable, timeout = Duration::from_mins(15))]
#[step(input = (Order,), output = Reservation)]
struct Borrow;

value!(Loan "loan" from Lend);

// An input is a tuple.
#[derive(Step)]
#[step(participant = Shop, kind = Compensable, timeout = Duration::from_mins(15))]
#[step(input = Order, output = Loan)]
struct Lend;

// A timeout has a unit.
value!(Gift "gift" from Give);
#[derive(Step)]
#[step(participant = Shop, kind = Compensable, timeout = 900)]
#[step(input = (Order,), output = Gift)]
struct Give;
