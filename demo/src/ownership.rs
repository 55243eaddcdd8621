//! Which messages and records are of this run: an emulator that was used before may still have others, and more of
//! them can come while this run is under way. Pure.

use crate::plan::Plan;
use saga::parked_table::DECISION;
use sagas::cancel;
use serde_json::Value as Json;
use std::collections::BTreeSet;

/// How many characters of the saga id the name of a settling execution shows.
const SETTLING_SHOWS: usize = 40;

/// The saga ids of this run.
#[derive(Debug)]
pub(crate) struct Ownership {
    orders: BTreeSet<String>,
    sagas: BTreeSet<String>,
}

/// Of which run something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    /// Of this one.
    Ours,
    /// Of an earlier one.
    Others,
    /// It does not tell.
    Unknown,
}

impl Ownership {
    /// What belongs to the orders of the plan.
    pub(crate) fn of(plan: &Plan) -> Self {
        let placed = || plan.orders.iter().map(|order| &order.placed);
        let orders: BTreeSet<String> = placed().map(|order| order.order_id.clone()).collect();
        let cancels = placed().map(|order| cancel::saga_id(&order.order_id, &order.customer.id));
        let sagas = orders.iter().cloned().chain(cancels).collect();
        Self { orders, sagas }
    }

    /// Whose a message is that a function did not work off, whichever function it was.
    pub(crate) fn whose(&self, body: &str) -> Whose {
        let Ok(json) = serde_json::from_str::<Json>(body) else { return Whose::Unknown };
        let execution = json.pointer("/detail/executionArn").and_then(Json::as_str);
        let execution = execution.and_then(|arn| arn.rsplit(':').next());
        // A request and a notice have the saga's id, an order event has the order's.
        let id = ["/id", "/order_id"].into_iter().find_map(|path| json.pointer(path)?.as_str());
        let ours = match (execution, id) {
            (Some(execution), _) => self.has_execution(execution),
            (None, Some(id)) => self.sagas.contains(id),
            (None, None) => return Whose::Unknown,
        };
        if ours { Whose::Ours } else { Whose::Others }
    }

    /// The order of this run that a message of the queue of refused orders is about.
    pub(crate) fn refused_order(&self, letter: &str) -> Option<String> {
        let letter: Json = serde_json::from_str(letter).ok()?;
        let event = letter.get("event")?;
        // A cancel that is refused says nothing of its order.
        let id = event.get("order_id").filter(|_| event["type"] == "OrderPlaced")?.as_str()?;
        self.orders.get(id).cloned()
    }

    /// Whether a record of the table of parked sagas, of this saga id about this, is a saga of this run that waits.
    pub(crate) fn is_parked(&self, saga_id: &str, what: &str) -> bool {
        self.sagas.contains(saga_id) && !what.starts_with(DECISION)
    }

    fn has_execution(&self, name: &str) -> bool {
        let settles = |id: &String| {
            let shown: String = id.chars().take(SETTLING_SHOWS).collect();
            name.strip_prefix(&shown).is_some_and(|rest| rest.starts_with(".settle-"))
        };
        self.sagas.contains(name) || self.sagas.iter().any(settles)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{arguments::Arguments, input};
    use clap::Parser;
    use serde_json::json;

    fn ownership() -> Ownership {
        let arguments = Arguments::parse_from(["demo", "--limit", "1"]);
        let orders = input::orders(&arguments.orders_file(), "r2-").unwrap();
        Ownership::of(&Plan::new(&orders, &[], "r2-", &arguments))
    }

    #[test]
    fn a_dead_letter_is_judged_by_its_saga_only() {
        let run = ownership();
        let arn = |name: &str| format!("arn:aws:states:us-east-1:000000000000:execution:order:{name}");
        let cancel = cancel::saga_id("r2-nw-10248", "VINET");
        for (body, whose) in [
            (json!({ "v": 1, "saga": "order", "id": "r2-nw-10248", "op": "run" }), Whose::Ours),
            (json!({ "v": 1, "saga": "cancel-order", "id": cancel, "op": "settle" }), Whose::Ours),
            (json!({ "type": "OrderPlaced", "order_id": "r2-nw-10248" }), Whose::Ours),
            (json!({ "detail": { "executionArn": arn("r2-nw-10248") } }), Whose::Ours),
            (
                json!({ "id": "event", "detail": { "executionArn": arn("r2-nw-10248.settle-0f") } }),
                Whose::Ours,
            ),
            (json!({ "v": 1, "saga": "order", "id": "r1-nw-10248", "op": "run" }), Whose::Others),
            (json!({ "v": 1, "saga": "order", "id": "nw-10248", "op": "run" }), Whose::Others),
            (json!({ "detail": { "executionArn": arn("r1-nw-10248") } }), Whose::Others),
            (json!({ "oops": 1 }), Whose::Unknown),
        ] {
            assert_eq!(run.whose(&body.to_string()), whose, "{body}");
        }
        assert_eq!(run.whose("{ oops"), Whose::Unknown);
    }

    #[test]
    fn refused_orders_of_this_run_are_counted_and_no_cancels() {
        let run = ownership();
        let letter = |kind: &str, id: &str| json!({ "event": { "type": kind, "order_id": id } }).to_string();
        assert_eq!(run.refused_order(&letter("OrderPlaced", "r2-nw-10248")).as_deref(), Some("r2-nw-10248"));
        assert_eq!(run.refused_order(&letter("OrderPlaced", "r1-nw-10248")), None);
        assert_eq!(run.refused_order(&letter("CancelOrder", "r2-nw-10248")), None);
        assert_eq!(run.refused_order(r#"{"event":"{ oops"}"#), None);
    }

    #[test]
    fn what_waits_for_an_operator_is_parked_and_a_decision_is_not() {
        let run = ownership();
        assert!(run.is_parked("r2-nw-10248", "undo order"));
        assert!(!run.is_parked("r1-nw-10248", "undo order"));
        assert!(!run.is_parked("r2-nw-10248", &format!("{DECISION}2026-11-25T00:00:00Z")));
    }
}
