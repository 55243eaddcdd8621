// An intake starts the sagas that it lists.
#[macro_use]
mod support;
use support::*;

struct Orders;
impl Startable for Orders {
    const NAME: &'static str = "order";
    type Input = Order;
}

struct Refunds;
impl Startable for Refunds {
    const NAME: &'static str = "refund";
    type Input = Order;
}

struct Website;
impl Intake for Website {
    const NAME: &'static str = "website";
    type Sagas = (Orders,);
}

fn begin<I: Intake, S: Startable, P>()
where
    I::Sagas: Starts<S, P>,
{
}

fn main() {
    begin::<Website, Refunds, _>();
}
