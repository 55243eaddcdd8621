// A step without an undo cannot stand before the pivot.
#[macro_use]
mod support;
use support::*;

fn main() {
    let _ = saga::<Order>("order").pivot(Confirm);
    let _ = saga::<Order>("order").step(Reserve).step(Early);
}

value!(Mail "mail" from Early);
step!(Early "early": Retriable, (Order,) => Mail, Never, Post);

struct Post;
impl Participant for Post {
    const NAME: &'static str = "post";
    type Steps = (Early,);
    type Entities = ();
}
