//! What to write to whom about a notice. Pure.

use saga::{Notice, NoticeMessage, OLDEST_WIRE_VERSION, OTHER_RUN, Value, WIRE_VERSION};
use saga_lambda::redacted;
use sagas::{
    cancel::{ASKED_BEFORE, CancelOrder, CancellationAccepted, CancellationRefused, NotCancelled},
    customer::Customer,
    money::Money,
    order::{
        Confirmation, DuplicateOrder, OrderCancelled, OrderConfirmed, OrderRejected, OutOfStock,
        PaymentDeclined, PlaceOrder,
    },
};

/// A message to a customer. The body alone says it all, for an SMS has no subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// To whom.
    pub to: Customer,
    /// The subject.
    pub subject: String,
    /// The text.
    pub body: String,
}

/// A notice that cannot be told. Never says what was given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Untellable {
    /// It is of another version.
    #[error("version {0} is not told: this release tells {OLDEST_WIRE_VERSION} to {WIRE_VERSION}")]
    Version(u8),
    /// It is no notice of this deployment.
    #[error(
        "the notice is of an unknown type: `sagas::notices` names those that this function handles, and those that are for \
         others"
    )]
    Unknown,
    /// A value it needs is missing or does not fit.
    #[error("its `input.{name}` does not fit: {why}")]
    Value {
        /// The value's wire name.
        name: &'static str,
        /// What does not fit.
        why: String,
    },
}

/// What to write about a notice; `None` when there is nothing to say.
///
/// # Errors
/// When the notice is not understood.
pub fn about(notice: &NoticeMessage) -> Result<Option<Letter>, Untellable> {
    if !(OLDEST_WIRE_VERSION..=WIRE_VERSION).contains(&notice.v) {
        return Err(Untellable::Version(notice.v));
    }
    let letter = match notice.notice.as_str() {
        OrderConfirmed::NAME => {
            let (order, confirmation) = (value::<PlaceOrder>(notice)?, value::<Confirmation>(notice)?);
            let PlaceOrder { order_id, customer, .. } = order;
            let body =
                format!("Your order {order_id} is confirmed. We charged {}.", shown(&confirmation.total));
            Letter { to: customer, subject: format!("Order {order_id} is confirmed"), body }
        }
        OrderRejected::NAME => {
            let PlaceOrder { order_id, customer, .. } = value(notice)?;
            let error = notice.reason.as_ref().map_or("", |reason| reason.error.as_str());
            let cancelled = error == OrderCancelled::NAME;
            let end = if cancelled { "is cancelled" } else { "could not be completed" };
            let body = format!("Your order {order_id} {end}. {}", sentence(error));
            Letter { to: customer, subject: format!("Order {order_id} {end}"), body }
        }
        CancellationRefused::NAME => {
            let CancelOrder { order_id, customer } = value(notice)?;
            let error = notice.reason.as_ref().map_or("", |reason| reason.error.as_str());
            let body = format!("We could not cancel the order {order_id}{}", why_not_cancelled(error));
            Letter { to: customer, subject: format!("Order {order_id} was not cancelled"), body }
        }
        // The order's own saga tells how it ended.
        CancellationAccepted::NAME => return Ok(None),
        _ => return Err(Untellable::Unknown),
    };
    Ok(Some(letter))
}

/// Why an order was rejected, for a customer: by the wire name of the rejection or error.
fn sentence(error: &str) -> &'static str {
    match error {
        OutOfStock::NAME => "A product is out of stock. You have not been charged.",
        PaymentDeclined::NAME => "Your payment was declined. You have not been charged.",
        DuplicateOrder::NAME | OTHER_RUN => {
            "Another order has this number, and stays as it is. You have not been charged for this one."
        }
        OrderCancelled::NAME => "You cancelled it. If you were charged, you have your money back.",
        _ => "Something went wrong on our side. If you were charged, you have your money back.",
    }
}

/// Why an order was not cancelled, for a customer: by the wire name of the rejection or error.
fn why_not_cancelled(error: &str) -> &'static str {
    match error {
        NotCancelled::TOO_LATE_TO_CANCEL => ": it was completed before you asked.",
        ASKED_BEFORE | OTHER_RUN => ": you asked before, and the answer stands.",
        NotCancelled::NOT_YOUR_ORDER => ": you have placed no order of this name.",
        // Nothing is known of the order here: it may be on its way, or have ended in any way.
        _ => " now: something went wrong on our side. Another message tells you how the order itself ends.",
    }
}

fn value<V: Value>(notice: &NoticeMessage) -> Result<V, Untellable> {
    let unfit = |why: String| Untellable::Value { name: V::NAME, why };
    let json = notice.input.get(V::NAME).ok_or_else(|| unfit("it is missing".into()))?;
    serde_json::from_value(json.clone()).map_err(|error| unfit(redacted(&error.to_string()).into_owned()))
}

/// `12.34 EUR`, with as many decimals as the currency has.
fn shown(money: &Money) -> String {
    let Money { minor, currency } = money;
    let exponent = iso_currency::Currency::from_code(currency).and_then(iso_currency::Currency::exponent);
    let decimals = usize::from(exponent.unwrap_or(0));
    let digits = format!("{minor:0width$}", width = decimals + 1);
    let (whole, part) = digits.split_at(digits.len() - decimals);
    let point = if decimals == 0 { "" } else { "." };
    format!("{whole}{point}{part} {currency}")
}

#[cfg(test)]
mod tests;
