//! Reads an order event from a message of the intake queue.

use crate::validate::Problem;
use saga_lambda::redacted;
use sagas::events::OrderEvent;
use serde_json::Value as Json;

/// Reads an event. The topic delivers it raw; a subscription without raw delivery wraps it in an SNS notification,
/// which is unwrapped.
///
/// # Errors
/// What is wrong with it, as the one problem of a refused order.
pub fn decode(body: &str) -> Result<OrderEvent, Vec<Problem>> {
    let event = serde_json::from_str(body).and_then(|json: Json| match sns_message(&json) {
        Some(message) => serde_json::from_str(message),
        None => serde_json::from_value(json),
    });
    event.map_err(|error| {
        vec![Problem::new("event", format!("not an order event: {}", redacted(&error.to_string())))]
    })
}

fn sns_message(json: &Json) -> Option<&str> {
    let is_notification = json.get("Type").and_then(Json::as_str) == Some("Notification");
    if is_notification { json.get("Message")?.as_str() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn cancel() -> Json {
        json!({ "type": "CancelOrder", "order_id": "o-1", "customer": { "id": "ALFKI", "email": "a@example.com" } })
    }

    #[test]
    fn raw_and_wrapped_events_are_the_same() {
        let raw = decode(&cancel().to_string()).unwrap();
        let wrapped = json!({ "Type": "Notification", "MessageId": "m", "Message": cancel().to_string() });
        assert_eq!(decode(&wrapped.to_string()).unwrap(), raw);
        assert!(matches!(raw, OrderEvent::CancelOrder(cancel) if cancel.order_id == "o-1"));
    }

    #[test]
    fn what_is_no_event_has_a_reason_without_its_values() {
        let mut event = cancel();
        event["customer"]["prefers"] = json!("nancy@example.com");
        for (body, expected) in [
            ("{", "not an order event: EOF while parsing an object at line 1 column 1"),
            ("{\"type\":\"Other\"}", "not an order event: unknown variant …"),
            ("{\"type\":\"CancelOrder\"}", "not an order event: missing field `order_id`"),
            (&event.to_string(), "not an order event: unknown variant …"),
        ] {
            let problems = decode(body).unwrap_err();
            assert_eq!((&*problems[0].field, &*problems[0].problem), ("event", expected));
        }
    }
}
