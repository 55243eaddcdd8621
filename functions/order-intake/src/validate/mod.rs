//! Whether an event can become a saga: every reason why not, or the saga's input. Pure.

mod customer;
mod lines;
#[cfg(test)]
mod tests;

use saga::{SagaId, Value};
use saga_lambda::is_sendable;
use sagas::{
    cancel::CancelOrder,
    events::{CancelRequested, OrderPlaced},
    money::Money,
    order::PlaceOrder,
};
use serde::Serialize;

/// One reason why an event is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Where: for example `lines[2].quantity`.
    pub field: String,
    /// What was given, where that says something, and what is allowed.
    pub problem: String,
}

impl Problem {
    /// A reason.
    pub fn new(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { field: field.into(), problem: problem.into() }
    }
}

/// The problems found so far.
#[derive(Debug, Default)]
struct Problems(Vec<Problem>);

impl Problems {
    fn add(&mut self, field: impl Into<String>, problem: impl Into<String>) {
        self.0.push(Problem::new(field, problem));
    }

    /// Text of 1 to `most` characters, none of them a control character or one that no queue takes: it goes on into the
    /// messages of the saga, and SQS would refuse each of them each time.
    fn check_text(&mut self, field: impl Into<String>, text: &str, most: usize) {
        let count = text.chars().count();
        if !(1..=most).contains(&count) {
            self.add(field, format!("it has {count} characters: 1 to {most} are allowed"));
        } else if !text.chars().all(is_printable) {
            self.add(field, "it has control characters, U+FFFE or U+FFFF: none are allowed");
        }
    }

    fn check_order_id(&mut self, id: &str) {
        if SagaId::try_from(id.to_owned()).is_err() {
            self.add("order_id", "1 to 80 letters, digits, `-` and `_` are allowed");
        }
    }

    /// `value`, when no problem was found; it was only looked at, so it may be missing a part when one was.
    fn or<T>(self, value: Option<T>) -> Result<T, Vec<Problem>> {
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => Err(self.0),
        }
    }
}

/// The saga's input for an order as placed.
///
/// # Errors
/// Every reason why it is refused.
pub fn place_order(placed: &OrderPlaced) -> Result<PlaceOrder, Vec<Problem>> {
    let mut problems = Problems::default();
    problems.check_order_id(&placed.order_id);
    customer::check(&mut problems, &placed.customer);
    problems.check_text("payment_token", &placed.payment_token, 128);
    if iso_currency::Currency::from_code(&placed.currency).is_none() {
        problems.add("currency", "it is no ISO 4217 code: three capital letters like `EUR` are needed");
    }
    let lines = lines::merged(&mut problems, &placed.lines);
    let total = lines::total_minor(&mut problems, placed);
    let order = total.map(|minor| PlaceOrder {
        order_id: placed.order_id.clone(),
        customer: placed.customer.clone(),
        lines,
        total: Money { minor, currency: placed.currency.clone() },
        payment_token: placed.payment_token.clone(),
    });
    check_size(&mut problems, order.as_ref());
    problems.or(order)
}

/// The saga's input for a wish to cancel.
///
/// # Errors
/// Every reason why it is refused.
pub fn cancel_order(wish: &CancelRequested) -> Result<CancelOrder, Vec<Problem>> {
    let mut problems = Problems::default();
    problems.check_order_id(&wish.order_id);
    customer::check(&mut problems, &wish.customer);
    let cancel = CancelOrder { order_id: wish.order_id.clone(), customer: wish.customer.clone() };
    check_size(&mut problems, Some(&cancel));
    problems.or(Some(cancel))
}

/// Messages of the saga are bounded by the size of its input.
fn check_size<V: Value>(problems: &mut Problems, value: Option<&V>) {
    let bytes = value.and_then(|value| serde_json::to_string(value).ok()).map_or(0, |json| json.len());
    if bytes > V::MAX_BYTES {
        problems.add("event", format!("it has {bytes} bytes as JSON: at most {} are allowed", V::MAX_BYTES));
    }
}

/// Whether a character of an event can go into a saga.
fn is_printable(character: char) -> bool {
    !character.is_control() && is_sendable(character)
}
