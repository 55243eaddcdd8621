//! The cancel saga: a customer takes an order back, if it is not too late. One step, which is the pivot.
//!
//! A saga of its own, so that a cancel is fenced, visible and answered like everything else, and so that only state
//! machines send to the orders service.

use crate::{customer::Customer, order::LONGEST_WAIT, participants::Orders};
use saga::{Notice, Pivot, Rejection, Saga, Start, Startable, Step, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

// ---- the chain ----

/// The saga's name.
pub const CANCEL_SAGA: &str = "cancel-order";

/// The reason why a wish is refused whose customer has asked before, with other words. Not a rejection: no step says so.
pub const ASKED_BEFORE: &str = "AskedBefore";

/// The saga as a type, for who starts it.
#[derive(Debug)]
pub struct CancelSaga;

impl Startable for CancelSaga {
    const NAME: &'static str = CANCEL_SAGA;
    type Input = CancelOrder;
}

/// The saga. It runs once for each order and customer, see [`saga_id`].
pub fn cancel_saga() -> Saga<CancelOrder> {
    CancelSaga::chain()
        .pivot(CancelPendingOrder)
        .on_commit(CancellationAccepted)
        .on_compensate(CancellationRefused)
        .build()
}

/// The saga id of a customer's wish to cancel an order: `<first 60 characters of the order id>-<16 hex digits>` of the
/// SHA-256 of both ids.
///
/// One customer's wishes to cancel one order are one saga: a duplicate message is not answered twice, and whoever asks
/// again has the first answer. The customer is in it so that nobody else can ask in their place and leave their own
/// wish unheard.
pub fn saga_id(order_id: &str, customer_id: &str) -> String {
    let shown: String = order_id.chars().take(60).collect();
    // A line feed is in neither, so no two pairs of ids give one text.
    let digest = Sha256::digest(format!("{order_id}\n{customer_id}"));
    let hash: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("{shown}-{hash}")
}

// ---- values ----

/// A wish to cancel: the saga's input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Value)]
#[value(name = "cancel", max_bytes = 1_000, producer = Start)]
pub struct CancelOrder {
    /// Which order.
    pub order_id: String,
    /// Who asks, and how to answer them.
    pub customer: Customer,
}

/// The order is cancelled; its saga will find out at its pivot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Value)]
#[value(name = "cancellation", max_bytes = 200, producer = CancelPendingOrder)]
pub struct Cancellation {
    /// The order.
    pub order_id: String,
}

// ---- rejections ----

/// The order is not cancelled.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Rejection)]
pub enum NotCancelled {
    /// It is confirmed or rejected already.
    TooLateToCancel {},
    /// Another customer placed it.
    NotYourOrder {},
}

// ---- steps ----

/// PENDING becomes CANCELLED, if the customer who placed the order asks. An order that is not there yet is waited for.
#[derive(Debug, Step)]
#[step(participant = Orders, kind = Pivot, timeout = LONGEST_WAIT, max_writes = 1)]
#[step(input = (CancelOrder,), output = Cancellation, rejection = NotCancelled)]
pub struct CancelPendingOrder;

// ---- notices ----

/// Published when an order was cancelled in time.
#[derive(Debug, Notice)]
#[notice(input = (CancelOrder,))]
pub struct CancellationAccepted;

/// Published, with the reason, when the order is not cancelled.
#[derive(Debug, Notice)]
#[notice(input = (CancelOrder,))]
pub struct CancellationRefused;

#[cfg(test)]
mod tests {
    use super::*;
    use saga::SagaId;

    #[test]
    fn each_customer_has_a_saga_to_cancel_an_order() {
        assert_eq!(saga_id("o-1", "ALFKI"), "o-1-a418cb5601568317");
        assert_ne!(saga_id("o-1", "ALFKI"), saga_id("o-1", "ANATR"));
        assert_ne!(saga_id("o-1", "ALFKI"), saga_id("o-2", "ALFKI"));
        let (one, other) = ("a".repeat(79) + "1", "a".repeat(79) + "2");
        assert_ne!(saga_id(&one, "ALFKI"), saga_id(&other, "ALFKI"));
        assert!(SagaId::try_from(saga_id(&one, "ALFKI")).is_ok());
    }
}
