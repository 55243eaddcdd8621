//! What is wrong with something that is nearly an event: every member that is missing or of another kind, and what
//! validation finds in the others. Never quotes a value: it can be personal. Pure.

use crate::validate::{cancel_order, place_order};
use saga_lambda::intake::{Members, Problem};
use sagas::{
    customer::{Channel, Customer},
    events::{CancelRequested, LinePlaced, OrderPlaced},
};
use serde_json::Value as Json;

const WHOLE_NUMBER: &str = "a whole number of at most 64 bits is needed";

/// The problems; none when it is not even nearly an event.
pub(crate) fn problems(json: &Json) -> Vec<Problem> {
    let mut problems = Vec::new();
    // What cannot be read is filled in with what is valid, so that validation speaks of the rest only.
    let invalid = match json.get("type").and_then(Json::as_str) {
        Some("OrderPlaced") => place_order(&order(&mut problems, json)).err(),
        Some("CancelOrder") => cancel_order(&cancel(&mut problems, json)).err(),
        _ => None,
    };
    for problem in invalid.unwrap_or_default() {
        let is_filled_in = problems.iter().any(|unread| is_in(&problem.field, &unread.field));
        if !is_filled_in {
            problems.push(problem);
        }
    }
    problems
}

/// Whether a field is the other, or in it.
fn is_in(field: &str, other: &str) -> bool {
    field.strip_prefix(other).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

fn order(problems: &mut Vec<Problem>, json: &Json) -> OrderPlaced {
    let mut of = Members::of(problems, json);
    let order_id = of.text("order_id", "o");
    let customer = customer(&mut of);
    let currency = of.required("currency", Members::TEXT, Json::as_str);
    let payment_token = of.text("payment_token", "t");
    let mut lines = lines(&mut of);
    if currency.is_none() {
        // No line's currency is another than one that is not known.
        lines.iter_mut().for_each(|line| line.currency = None);
    }
    OrderPlaced { order_id, customer, currency: currency.unwrap_or("EUR").into(), lines, payment_token }
}

fn cancel(problems: &mut Vec<Problem>, json: &Json) -> CancelRequested {
    let mut of = Members::of(problems, json);
    CancelRequested { order_id: of.text("order_id", "o"), customer: customer(&mut of) }
}

fn customer(of: &mut Members<'_, '_>) -> Customer {
    let filled_in = ("c", "a@example.com");
    let Some(json) = of.required("customer", "an object is needed", object) else {
        let (id, email) = (filled_in.0.into(), filled_in.1.into());
        return Customer { id, email, phone: None, prefers: Channel::Email };
    };
    let mut of = of.within(json, "customer");
    let id = of.text("id", filled_in.0);
    let email = of.text("email", filled_in.1);
    let phone = of.nullable_text("phone");
    let channel = |json: &Json| serde_json::from_value(json.clone()).ok();
    let prefers = of.optional("prefers", "`email` or `sms` is needed", channel).unwrap_or_default();
    Customer { id, email, phone, prefers }
}

fn lines(of: &mut Members<'_, '_>) -> Vec<LinePlaced> {
    let lines = of.required("lines", "a list is needed", Json::as_array).into_iter().flatten();
    lines.enumerate().map(|(index, json)| line(of, index, json)).collect()
}

fn line(of: &mut Members<'_, '_>, index: usize, json: &Json) -> LinePlaced {
    let (path, sku) = (format!("lines[{index}]"), format!("sku-{index}"));
    if !json.is_object() {
        of.refuse(&path, "an object is needed");
        return LinePlaced { sku, quantity: 1, unit_price_minor: 0, discount_percent: 0, currency: None };
    }
    let mut of = of.within(json, &path);
    LinePlaced {
        sku: of.text("sku", &sku),
        quantity: of.required("quantity", WHOLE_NUMBER, Json::as_i64).unwrap_or(1),
        unit_price_minor: of.required("unit_price_minor", WHOLE_NUMBER, Json::as_i64).unwrap_or(0),
        discount_percent: of.optional("discount_percent", WHOLE_NUMBER, Json::as_i64).unwrap_or(0),
        currency: of.nullable_text("currency"),
    }
}

fn object(json: &Json) -> Option<&Json> {
    json.is_object().then_some(json)
}
