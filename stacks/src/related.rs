//! Which sagas of this deployment belong together, for people who look at one of them.

use sagas::{cancel, customer::Customer, order::ORDER_SAGA};
use serde_json::Value as Json;

/// The ids of the sagas that belong to another one: from its name, its id and the input it began with.
pub type Related = fn(saga: &str, id: &str, input: &Json) -> Vec<String>;

/// To an order belongs its cancellation by the customer who placed it.
pub(crate) fn of_orders(saga: &str, id: &str, input: &Json) -> Vec<String> {
    let customer = || serde_json::from_value::<Customer>(input["customer"].clone()).ok();
    match saga {
        ORDER_SAGA => customer().map(|customer| cancel::saga_id(id, &customer.id)).into_iter().collect(),
        _ => Vec::new(),
    }
}

/// Where sagas have nothing to do with each other.
pub(crate) fn none(_: &str, _: &str, _: &Json) -> Vec<String> {
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;
    use sagas::cancel::CANCEL_SAGA;
    use serde_json::json;

    #[test]
    fn to_an_order_belongs_the_cancellation_by_its_customer() {
        let input = json!({ "order_id": "o-1", "customer": { "id": "c-1", "email": "ada@example.com" } });
        assert_eq!(of_orders(ORDER_SAGA, "o-1", &input), [cancel::saga_id("o-1", "c-1")]);
        assert!(of_orders(CANCEL_SAGA, "o-1", &input).is_empty(), "a cancellation has none of its own");
        assert!(of_orders(ORDER_SAGA, "o-1", &json!({})).is_empty(), "nobody is named");
    }
}
