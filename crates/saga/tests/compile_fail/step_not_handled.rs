// A participant handles every step it owns.
#[macro_use]
mod support;
use support::*;

struct Service;
impl saga::Service for Service {
    type Participant = Store;
}
handle!(Service, Restock);

fn main() {
    let order = saga::<Order>("order").pivot(Confirm).build();
    let _ = Runner::new(&order).service(Service, Default::default());
}

struct Store;
impl Participant for Store {
    const NAME: &'static str = "store";
    type Steps = (Restock, Count);
    type Entities = ();
}
value!(Restocked "restocked" from Restock);
value!(Counted "counted" from Count);
step!(Restock "restock": Retriable, (Order,) => Restocked, Never, Store);
step!(Count "count": Compensable, (Order,) => Counted, Never, Store);
