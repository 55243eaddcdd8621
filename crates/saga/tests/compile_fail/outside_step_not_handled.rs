// A step with an outside effect needs its own kind of handler.
#[macro_use]
mod support;
use support::*;

struct Service;
impl saga::Service for Service {
    type Participant = Bank;
}
handle!(Service, Transfer);

fn main() {
    let order = saga::<Order>("order").pivot(Confirm).build();
    let _ = Runner::new(&order).service(Service, Default::default());
}

struct Bank;
impl Participant for Bank {
    const NAME: &'static str = "bank";
    type Steps = (Transfer,);
    type Entities = ();
}
value!(Transferred "transferred" from Transfer);
step!(Transfer "transfer": CompensableOutside, (Order,) => Transferred, Never, Bank);
