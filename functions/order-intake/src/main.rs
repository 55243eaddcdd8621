//! The function that takes order events.

fn main() -> Result<(), saga_lambda::Error> {
    saga_lambda::intake::run::<order_intake::OrderEvents>()
}
