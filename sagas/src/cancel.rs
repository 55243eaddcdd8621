//! The cancel saga: a customer takes an order back, if it is not too late. One step, which is the pivot.
//!
//! A saga of its own, so that a cancel is fenced, visible and answered like everything else, and so that only state
//! machines send to the orders service.

use crate::{customer::Customer, participants::Orders};
use saga::{Notice, Pivot, Rejection, Saga, Start, Step, Value, saga};
use serde::{Deserialize, Serialize};
use std::time::Duration;

// ---- the chain ----

/// The saga. Its id is the order's id, so an order is cancelled once.
pub fn cancel_saga() -> Saga<CancelOrder> {
    saga::<CancelOrder>("cancel-order")
        .pivot(CancelPendingOrder)
        .on_commit(CancellationAccepted)
        .on_compensate(CancellationRefused)
        .build()
}

// ---- values ----

/// A wish to cancel: the saga's input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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

/// The order is confirmed or rejected already.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TooLateToCancel {}

impl Rejection for TooLateToCancel {
    const NAMES: &'static [&'static str] = &["TooLateToCancel"];

    fn name(&self) -> &'static str {
        "TooLateToCancel"
    }
}

// ---- steps ----

/// PENDING becomes CANCELLED. An order that is not there yet is waited for.
#[derive(Debug)]
pub struct CancelPendingOrder;

impl Step for CancelPendingOrder {
    const NAME: &'static str = "cancel-pending-order";
    type Participant = Orders;
    type Kind = Pivot;
    type Input = (CancelOrder,);
    type Output = Cancellation;
    type Rejection = TooLateToCancel;
    const TIMEOUT: Duration = Duration::from_mins(15);
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

/// Published, with the reason, when it was too late.
#[derive(Debug)]
pub struct CancellationRefused;

impl Notice for CancellationRefused {
    const NAME: &'static str = "CancellationRefused";
    type Input = (CancelOrder,);
}
