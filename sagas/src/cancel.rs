//! The cancel saga: a customer takes an order back, if it is not too late. One step, which is the pivot.
//!
//! A saga of its own, so that a cancel is fenced, visible and answered like everything else, and so that only state
//! machines send to the orders service.

use crate::{customer::Customer, order::LONGEST_WAIT, participants::Orders};
use saga::{Notice, Pivot, Rejection, Saga, Start, Startable, Step, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::time::Duration;

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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CancelOrder {
    /// Which order.
    pub order_id: String,
    /// Who asks, and how to answer them.
    pub customer: Customer,
}

impl Value for CancelOrder {
    const NAME: &'static str = "cancel";
    const MAX_BYTES: usize = 1_000;
    type Producer = Start;
}

/// The order is cancelled; its saga will find out at its pivot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Cancellation {
    /// The order.
    pub order_id: String,
}

impl Value for Cancellation {
    const NAME: &'static str = "cancellation";
    const MAX_BYTES: usize = 200;
    type Producer = CancelPendingOrder;
}

// ---- rejections ----

/// The order is not cancelled.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub enum NotCancelled {
    /// It is confirmed or rejected already.
    TooLateToCancel {},
    /// Another customer placed it.
    NotYourOrder {},
}

impl NotCancelled {
    /// The wire name of [`NotCancelled::TooLateToCancel`].
    pub const TOO_LATE_TO_CANCEL: &'static str = "TooLateToCancel";
    /// The wire name of [`NotCancelled::NotYourOrder`].
    pub const NOT_YOUR_ORDER: &'static str = "NotYourOrder";
}

impl Rejection for NotCancelled {
    const NAMES: &'static [&'static str] = &[Self::TOO_LATE_TO_CANCEL, Self::NOT_YOUR_ORDER];

    fn name(&self) -> &'static str {
        match self {
            Self::TooLateToCancel {} => Self::TOO_LATE_TO_CANCEL,
            Self::NotYourOrder {} => Self::NOT_YOUR_ORDER,
        }
    }
}

// ---- steps ----

/// PENDING becomes CANCELLED, if the customer who placed the order asks. An order that is not there yet is waited for.
#[derive(Debug)]
pub struct CancelPendingOrder;

impl Step for CancelPendingOrder {
    const NAME: &'static str = "cancel-pending-order";
    type Participant = Orders;
    type Kind = Pivot;
    type Input = (CancelOrder,);
    type Output = Cancellation;
    type Rejection = NotCancelled;
    const TIMEOUT: Duration = LONGEST_WAIT;
    const MAX_WRITES: usize = 1;
}

// ---- notices ----

/// Published when an order was cancelled in time.
#[derive(Debug)]
pub struct CancellationAccepted;

impl Notice for CancellationAccepted {
    const NAME: &'static str = "CancellationAccepted";
    type Input = (CancelOrder,);
}

/// Published, with the reason, when the order is not cancelled.
#[derive(Debug)]
pub struct CancellationRefused;

impl Notice for CancellationRefused {
    const NAME: &'static str = "CancellationRefused";
    type Input = (CancelOrder,);
}

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
