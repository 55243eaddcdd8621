//! What is read as an event, and what is said where it is none.

use crate::OrderEvents;
use saga_lambda::intake::decode;
use sagas::events::OrderEvent;
use serde_json::{Value as Json, json};

fn cancel() -> Json {
    json!({ "type": "CancelOrder", "order_id": "o-1", "customer": { "id": "ALFKI", "email": "a@example.com" } })
}

#[test]
fn raw_and_wrapped_events_are_the_same() {
    let raw = decode::<OrderEvents>(&cancel().to_string()).unwrap();
    let wrapped = json!({ "Type": "Notification", "MessageId": "m", "Message": cancel().to_string() });
    assert_eq!(decode::<OrderEvents>(&wrapped.to_string()).unwrap(), raw);
    assert!(matches!(raw.event, OrderEvent::CancelOrder(cancel) if cancel.order_id == "o-1"));
}

#[test]
fn what_is_no_event_has_a_reason_without_its_values() {
    for (body, expected) in [
        ("{", "not an event of this intake: EOF while parsing an object at line 1 column 1"),
        (
            "{\"type\":\"Other\"}",
            "not an event of this intake: unknown variant …, expected `OrderPlaced` or `CancelOrder`",
        ),
    ] {
        let problems = decode::<OrderEvents>(body).unwrap_err();
        assert_eq!((&*problems[0].field, &*problems[0].problem), ("event", expected));
    }
}
fn told(event: &Json) -> Vec<(String, String)> {
    let problems = decode::<OrderEvents>(&event.to_string()).unwrap_err();
    problems.into_iter().map(|problem| (problem.field, problem.problem)).collect()
}

fn placed() -> Json {
    json!({
        "type": "OrderPlaced", "order_id": "o-1", "customer": { "id": "ALFKI", "email": "a@example.com" },
        "currency": "EUR", "payment_token": "tok_approve",
        "lines": [{ "sku": "nw-1", "quantity": 3, "unit_price_minor": 1_800 }],
    })
}

#[test]
fn every_member_that_does_not_fit_is_told_and_what_is_invalid_in_the_others() {
    let text = |text: &str| text.to_owned();
    let mut event = placed();
    event["order_id"] = json!("no good");
    event["customer"] = json!({ "id": 7, "email": "maria", "prefers": "nancy@example.com" });
    event["lines"][0]["quantity"] = json!(1.5);
    event["lines"][0]["discount_percent"] = json!(null);
    let lines = event["lines"].as_array_mut().unwrap();
    lines.push(json!(["nw-2"]));
    lines.push(json!({ "sku": "nw-3", "quantity": 0, "unit_price_minor": "4" }));
    event.as_object_mut().unwrap().remove("payment_token");
    let expected = [
        ("customer.id", "it is a whole number: a text is needed"),
        ("customer.prefers", "it is a text that does not fit: `email` or `sms` is needed"),
        ("payment_token", "it is missing: a text is needed"),
        ("lines[0].quantity", "it is a number: a whole number of at most 64 bits is needed"),
        ("lines[0].discount_percent", "it is null: a whole number of at most 64 bits is needed"),
        ("lines[1]", "an object is needed"),
        (
            "lines[2].unit_price_minor",
            "it is a text that does not fit: a whole number of at most 64 bits is needed",
        ),
        ("order_id", "1 to 80 letters, digits, `-` and `_` are allowed"),
        ("customer.email", "it is no e-mail address of at most 254 characters, like `name@example.com`"),
        ("lines[2].quantity", "it is 0: 1 to 4294967295 are allowed"),
    ];
    assert_eq!(told(&event), expected.map(|(field, problem)| (text(field), text(problem))));
}

#[test]
fn whatever_serde_refuses_has_a_field() {
    let paths = [
        "/order_id",
        "/customer",
        "/customer/id",
        "/customer/email",
        "/currency",
        "/payment_token",
        "/lines",
        "/lines/0",
        "/lines/0/sku",
        "/lines/0/quantity",
        "/lines/0/unit_price_minor",
    ];
    let optional = ["/customer/phone", "/customer/prefers", "/lines/0/discount_percent", "/lines/0/currency"];
    for path in paths.into_iter().chain(optional) {
        let mut event = placed();
        event["customer"]["prefers"] = json!("sms");
        event["customer"]["phone"] = json!("+4930123456");
        event["lines"][0]["discount_percent"] = json!(0);
        event["lines"][0]["currency"] = json!("EUR");
        assert!(decode::<OrderEvents>(&event.to_string()).is_ok(), "{event}");
        *event.pointer_mut(path).unwrap() = json!(true);
        let told = told(&event);
        let field = path.trim_start_matches('/').replace("/0", "[0]").replace('/', ".");
        assert_eq!(told.len(), 1, "{path}: {told:?}");
        assert_eq!(told[0].0, field);
    }
}
