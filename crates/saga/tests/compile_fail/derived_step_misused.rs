// A step says whose it is, of what kind, what it takes and gives, and how long it is waited for.
#[macro_use]
mod support;
use support::*;

fn main() {}

#[derive(Step)]
struct Bare;

#[derive(Step)]
#[step(participant = Shop, kind = Compensable, input = (Order,), output = Reservation)]
struct Endless;

#[derive(Step)]
#[step(participant = Shop, kind = Compensable, input = (Order,), output = Reservation)]
#[step(timeout = Duration::from_mins(15), retries = 3)]
struct Unknown;

#[derive(Step)]
#[step(participant = Shop, kind = Compensable, input = (Order), output = Reservation)]
#[step(timeout = Duration::from_mins(15))]
struct NoTuple;

#[derive(Step)]
#[step(participant = Shop, kind = Compensable, input = (Order,), output = Reservation)]
#[step(timeout = Duration::from_mins(15))]
struct WithFields {
    sku: String,
}

#[derive(Step)]
#[step(participant = Shop, kind = Compensable, input = (Order,), output = Reservation)]
#[step(timeout = Duration::from_mins(15))]
enum Either {
    One,
}

#[derive(Step)]
#[step(participant = Shop, kind = Compensable, input = (Order,), output = Reservation)]
#[step(timeout = Duration::from_mins(15))]
struct Generic<const N: usize>;
