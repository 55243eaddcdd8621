// A step with an outside effect says how to reverse it.
#[macro_use]
mod support;
use support::*;

struct Service;

impl HandleOutside<Pay> for Service {
    async fn call(&self, _: &Context, _: (Reservation,)) -> Result<Commit<Pay>, Fault<Never>> {
        Ok(Commit::of(Charge {}))
    }
}

fn main() {}
