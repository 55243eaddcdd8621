//! Each of these mistakes is found, with the shortest history that shows it. Those of stores that somebody else writes to
//! too are in `crates/saga-check/tests/trip/exact.rs`.
//!
//! Not in the model, so that a mistake there is found elsewhere: what intake does with a taken id (`order-intake` and the
//! end-to-end cases `ids`), whose charges reconciliation looks at and its brake (`reconciliation`), how long a state is
//! tried again (the machine's own tests, `crates/saga/tests/behaviour/asl.rs`), and that a peer's key names the run (`saga`,
//! `identity`). What is abandoned by an execution whose turn is over takes three faults, more than are searched here: it is
//! in the tests of `saga`'s fence.

use crate::{
    bugs::{Bug, BuggyStore, LateChargeStays},
    machines::{cancel, order, order_with},
};
use checks::{Bank, BankClient, Scenario, handlers, order_check};
use inventory::Inventory;
use orders::Orders;
use payment::Payment;
use saga_check::{Check, Handlers};
use serde_json::{Value as Json, json};

mod deaths;
mod exact;
mod ids;
mod skips;

/// Finds the shortest history, with as few faults as are enough.
fn found(scenario: Scenario, handlers: &Handlers, machine: &str) -> String {
    found_in(|| order_check(scenario, handlers.clone(), machine, &cancel()), 2)
}

/// As [`found`], in any check.
fn found_in(check: impl Fn() -> Check, most_faults: u8) -> String {
    for faults in 0..=most_faults {
        let report = check().faults(faults).threads(1).run().expect("the check is set up right");
        if let Some(timeline) = report.counterexample() {
            return format!("{faults} fault(s)\n{timeline}");
        }
    }
    panic!("not found with up to {most_faults} faults");
}

fn with_bug_in_inventory(bug: Bug) -> Handlers {
    handlers(Bank::FORGETS).service_on(|_| Inventory, BuggyStore::with(bug))
}

fn catch_all<'a>(states: &'a mut Json, state: &str) -> &'a mut Json {
    let catchers = states[state]["Catch"].as_array_mut().expect("a list");
    catchers.iter_mut().find(|catcher| catcher["ErrorEquals"] == json!(["States.ALL"])).expect("a catch-all")
}

#[test]
fn fence_without_the_recorded_rejection() {
    let handlers = with_bug_in_inventory(Bug::RejectionNotRecorded);
    insta::assert_snapshot!(found(Scenario::of_orders(2), &handlers, &order()));
}

#[test]
fn no_tombstone() {
    let handlers = with_bug_in_inventory(Bug::NoTombstone);
    insta::assert_snapshot!(found(Scenario::of_orders(1), &handlers, &order()));
}

#[test]
fn undo_that_skips_the_failed_step() {
    let machine = order_with(|states| {
        catch_all(states, "reserve-stock")["Next"] = json!("undo create-order");
    });
    insta::assert_snapshot!(found(Scenario::of_orders(1), &handlers(Bank::FORGETS), &machine));
}

#[test]
fn commit_and_fence_in_two_writes() {
    let handlers = with_bug_in_inventory(Bug::CommitInTwoWrites);
    insta::assert_snapshot!(found(Scenario::of_orders(1), &handlers, &order()));
}

#[test]
fn reply_before_commit() {
    let handlers = with_bug_in_inventory(Bug::ReplyBeforeCommit);
    insta::assert_snapshot!(found(Scenario::of_orders(2), &handlers, &order()));
}

#[test]
fn undo_that_is_not_idempotent() {
    let handlers = handlers(Bank::FORGETS).service_on(|_| Orders, BuggyStore::with(Bug::UndoInTwoWrites));
    insta::assert_snapshot!(found(Scenario::of_orders(1), &handlers, &order()));
}

#[test]
fn conflict_that_counts_as_rejection() {
    let handlers = with_bug_in_inventory(Bug::ConflictIsRejection);
    insta::assert_snapshot!(found(Scenario::of_orders(1), &handlers, &order()));
}

#[test]
fn pivot_that_is_compensated() {
    let machine = order_with(|states| {
        catch_all(states, "confirm-order")["Next"] = json!("undo charge-payment");
    });
    insta::assert_snapshot!(found(Scenario::of_orders(1), &handlers(Bank::FORGETS), &machine));
}

#[test]
fn unknown_outcome_that_does_not_ask_the_pivot() {
    let machine = order_with(|states| {
        catch_all(states, "reserve-stock")["Next"] = json!("undo reserve-stock");
    });
    insta::assert_snapshot!(found(Scenario::of_orders(1), &handlers(Bank::FORGETS), &machine));
}

#[test]
fn parked_undo_that_is_dropped() {
    let machine = order_with(|states| {
        states["all undone?"]["Choices"][0]["Condition"] = json!("{% false %}");
    });
    insta::assert_snapshot!(found(Scenario::of_orders(1), &handlers(Bank::FORGETS), &machine));
}

#[test]
fn late_charge_that_is_not_reversed() {
    let handlers =
        handlers(Bank::FORGETS).service(|outside| LateChargeStays(Payment::new(BankClient(outside))));
    insta::assert_snapshot!(found(Scenario::of_orders(1), &handlers, &order()));
}

#[test]
fn two_lines_of_one_product_that_are_not_merged() {
    let handlers = with_bug_in_inventory(Bug::LinesNotMerged);
    insta::assert_snapshot!(found(Scenario::of_orders(1), &handlers, &order()));
}
