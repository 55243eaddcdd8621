//! What participants and the operator answer, the same to both sides.

use serde_json::{Value as Json, json};

/// An answer to a task.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Answer {
    Success(Json),
    Failure(&'static str),
}

/// Answers that differ from success.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Script {
    pub(crate) name: &'static str,
    /// For which operation (`run reserve-stock`), how many times, with which error.
    pub(crate) failures: &'static [(&'static str, usize, &'static str)],
    /// What the operator says to something parked.
    pub(crate) operator: &'static str,
    /// Where a settled pivot goes.
    pub(crate) direction: &'static str,
}

const ALL_WELL: Script = Script { name: "all-well", failures: &[], operator: "retry", direction: "backward" };

/// More than every retry of an undo.
const FOR_GOOD: usize = 7;

pub(crate) const SCRIPTS: [Script; 9] = [
    ALL_WELL,
    Script { name: "duplicate", failures: &[("run create-order", 1, "DuplicateOrder")], ..ALL_WELL },
    Script { name: "no-stock", failures: &[("run reserve-stock", 1, "OutOfStock")], ..ALL_WELL },
    Script { name: "declined", failures: &[("run charge-payment", 1, "PaymentDeclined")], ..ALL_WELL },
    Script { name: "cancelled", failures: &[("run confirm-order", 1, "OrderCancelled")], ..ALL_WELL },
    Script {
        name: "exhausted",
        failures: &[
            ("run reserve-stock", 1, "Flyover.DeliveriesExhausted"),
            ("undo create-order", 2, "Passing"),
        ],
        ..ALL_WELL
    },
    Script {
        name: "settled-back",
        failures: &[("run confirm-order", 1, "Flyover.DeliveriesExhausted")],
        ..ALL_WELL
    },
    Script {
        name: "settled-on",
        failures: &[("run confirm-order", 1, "Flyover.DeliveriesExhausted")],
        direction: "forward",
        ..ALL_WELL
    },
    Script {
        name: "skipped",
        failures: &[("run charge-payment", 1, "PaymentDeclined"), ("undo reserve-stock", FOR_GOOD, "Stuck")],
        operator: "skip",
        ..ALL_WELL
    },
];

pub(crate) const TRIP_SCRIPTS: [Script; 8] = [
    ALL_WELL,
    Script { name: "no-room", failures: &[("run book-hotel", 1, "NoRoom")], ..ALL_WELL },
    Script {
        name: "exhausted",
        failures: &[("run book-flight", 1, "Flyover.DeliveriesExhausted")],
        ..ALL_WELL
    },
    // Another execution has got further, so that every value is recalled.
    Script {
        name: "joined",
        failures: &[("run book-flight", 1, "Flyover.TooLate")],
        direction: "forward",
        ..ALL_WELL
    },
    Script {
        name: "first-unknown",
        failures: &[("run open-booking", 1, "Flyover.DeliveriesExhausted")],
        ..ALL_WELL
    },
    Script { name: "taken", failures: &[("run open-booking", 2, "Flyover.OtherRun")], ..ALL_WELL },
    Script { name: "retried", failures: &[("run collect-miles", FOR_GOOD, "Stuck")], ..ALL_WELL },
    Script {
        name: "skipped",
        failures: &[("run send-itinerary", FOR_GOOD, "Stuck")],
        operator: "skip",
        ..ALL_WELL
    },
];

impl Script {
    /// The answer to an operation that was asked for `asked` times before.
    pub(crate) fn answer(&self, what: &str, asked: usize) -> Answer {
        let failure = self.failures.iter().find(|(failing, times, _)| *failing == what && asked < *times);
        if let Some((_, _, error)) = failure {
            return Answer::Failure(error);
        }
        if what.starts_with("settle ") {
            let output = json!({ "order_id": "o-1" });
            return Answer::Success(if self.direction == "forward" {
                json!({ "direction": "forward", "output": output })
            } else {
                json!({ "direction": "backward" })
            });
        }
        Answer::Success(json!({ "of": what }))
    }

    pub(crate) fn decision(&self) -> Json {
        json!({ "action": self.operator, "reason": "looked into it", "by": "operator" })
    }
}
