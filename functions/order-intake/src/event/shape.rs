//! What is wrong with something that is nearly an event: every member that is missing or of another kind, and what
//! validation finds in the others. Never quotes a value: it can be personal. Pure.

use crate::validate::{Problem, cancel_order, place_order};
use sagas::{
    customer::{Channel, Customer},
    events::{CancelRequested, LinePlaced, OrderPlaced},
};
use serde_json::Value as Json;

const TEXT: &str = "a text is needed";
const WHOLE_NUMBER: &str = "a whole number of at most 64 bits is needed";

/// The problems; none when it is not even nearly an event.
pub(super) fn problems(json: &Json) -> Vec<Problem> {
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
    let mut of = Members { problems, json, path: String::new() };
    let order_id = of.text("order_id", "o");
    let customer = customer(&mut of);
    let currency = of.required("currency", TEXT, Json::as_str);
    let payment_token = of.text("payment_token", "t");
    let mut lines = lines(&mut of);
    if currency.is_none() {
        // No line's currency is another than one that is not known.
        lines.iter_mut().for_each(|line| line.currency = None);
    }
    OrderPlaced { order_id, customer, currency: currency.unwrap_or("EUR").into(), lines, payment_token }
}

fn cancel(problems: &mut Vec<Problem>, json: &Json) -> CancelRequested {
    let mut of = Members { problems, json, path: String::new() };
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
        of.problems.push(Problem::new(path, "an object is needed"));
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

/// The members of an object, and what is wrong with them.
struct Members<'p, 'j> {
    problems: &'p mut Vec<Problem>,
    json: &'j Json,
    /// Where the object is, with a dot behind it.
    path: String,
}

impl<'j> Members<'_, 'j> {
    fn within<'k>(&mut self, json: &'k Json, name: &str) -> Members<'_, 'k> {
        let path = format!("{}{name}.", self.path);
        Members { problems: self.problems, json, path }
    }

    fn required<T>(&mut self, name: &str, needed: &str, read: impl Fn(&'j Json) -> Option<T>) -> Option<T> {
        if self.json.get(name).is_none() {
            self.problems
                .push(Problem::new(format!("{}{name}", self.path), format!("it is missing: {needed}")));
        }
        self.optional(name, needed, read)
    }

    fn optional<T>(&mut self, name: &str, needed: &str, read: impl Fn(&'j Json) -> Option<T>) -> Option<T> {
        let json = self.json.get(name)?;
        let value = read(json);
        if value.is_none() {
            let problem = format!("it is {}: {needed}", kind(json));
            self.problems.push(Problem::new(format!("{}{name}", self.path), problem));
        }
        value
    }

    fn text(&mut self, name: &str, filled_in: &str) -> String {
        self.required(name, TEXT, Json::as_str).unwrap_or(filled_in).to_owned()
    }

    fn nullable_text(&mut self, name: &str) -> Option<String> {
        let given = self.json.get(name).filter(|json| !json.is_null())?;
        given.as_str().map(str::to_owned).or_else(|| self.optional(name, TEXT, |_| None))
    }
}

fn kind(json: &Json) -> &'static str {
    match json {
        Json::Null => "null",
        Json::Bool(_) => "true or false",
        Json::Number(number) if number.is_i64() => "a whole number",
        Json::Number(_) => "a number",
        Json::String(_) => "a text that does not fit",
        Json::Array(_) => "a list",
        Json::Object(_) => "an object",
    }
}
