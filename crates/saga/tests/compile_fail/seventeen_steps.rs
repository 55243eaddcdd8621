// A tuple has up to sixteen members, and who writes more is told where.
#[macro_use]
mod support;
use support::*;

struct Factory;
impl Participant for Factory {
    const NAME: &'static str = "factory";
    type Steps = (
        (), (), (), (), (), (), (), (), (), (), (), (), (), (), (), (), (),
    );
    type Entities = (
        Stock, Stock, Stock, Stock, Stock, Stock, Stock, Stock, Stock, Stock, Stock, Stock, Stock, Stock, Stock, Stock, Stock,
    );
}

notice!(Told, (
    Order, Order, Order, Order, Order, Order, Order, Order, Order, Order, Order, Order, Order, Order, Order, Order, Order,
));

fn main() {}
