// A participant's function serves every step it owns.
#[macro_use]
mod support;
use support::*;

struct Service;
impl saga::Service for Service {
    type Participant = Store;
}

async fn main_loop(store: MemoryStore, request: Request) {
    let _ = serve(&Service, &store, &Deployment::in_memory(), &request).await;
}

fn main() {}

struct Store;
impl Participant for Store {
    const NAME: &'static str = "store";
    type Steps = (Restock,);
    type Entities = ();
}
value!(Restocked "restocked" from Restock);
step!(Restock "restock": Retriable, (Order,) => Restocked, Never, Store);
