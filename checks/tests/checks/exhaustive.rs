//! The real machines with the real handlers: every history within these bounds.

use crate::machines::{cancel, order};
use checks::{Bank, Scenario, handlers, order_check};
use saga_check::Report;

fn explore(scenario: Scenario, faults: u8) -> Report {
    explore_with(Bank::DECLINES, scenario, faults)
}

fn explore_with(bank: Bank, scenario: Scenario, faults: u8) -> Report {
    let check = order_check(scenario, handlers(bank), &order(), &cancel());
    check.faults(faults).run().expect("the check is set up right")
}

#[test]
fn one_order_with_two_faults() {
    let report = explore(Scenario::of_orders(1), 2);
    report.assert_holds();
    assert!(report.unique > 10_000, "only {} states: the search is cut short", report.unique);
    let tried = |what: &str, fault: &str| {
        let covered = report.coverage.iter().find(|covered| covered.what == what);
        covered.is_some_and(|covered| covered.faults.contains_key(fault))
    };
    for fault in ["delivered", "delivered twice", "event lost", "busy", "answer lost", "told what was"] {
        assert!(tried("rescue", fault), "`{fault}` is never tried at rescue:\n{report}");
    }
    let others = [
        ("execution", "execution redriven"),
        ("execution", "joined by another"),
        ("sweep", "swept"),
        ("reconciliation", "examined"),
        ("saga id", "used again"),
        ("saga id", "used again late"),
        ("saga id", "taken meanwhile"),
    ];
    for (what, fault) in others {
        assert!(tried(what, fault), "`{fault}` is never tried:\n{report}");
    }
}

#[test]
fn one_order_with_two_faults_and_a_bank_that_forgets_reversals() {
    explore_with(Bank::FORGETS, Scenario::of_orders(1), 2).assert_holds();
}

#[test]
fn two_orders_for_one_unit_with_one_fault() {
    explore(Scenario::of_orders(2), 1).assert_holds();
}

#[test]
fn an_order_and_its_cancel_with_one_fault() {
    explore(Scenario { cancels: true, ..Scenario::of_orders(1) }, 1).assert_holds();
}

#[test]
fn every_fault_is_tried_at_every_step() {
    let report = explore(Scenario { cancels: true, ..Scenario::of_orders(1) }, 1);
    for step in ["create-order", "reserve-stock", "charge-payment", "confirm-order", "undo charge-payment"] {
        let covered = report.coverage.iter().find(|covered| covered.what == step).expect(step);
        let mut all = vec!["delivered", "delivered twice", "dies before", "late answer", "busy", "times out"];
        all.extend(["dies after", "answer lost", "send fails", "aborted", "told its own fence"]);
        all.extend(["dies, request adrift", "adrift request lands"]);
        for fault in all {
            assert!(covered.faults.contains_key(fault), "`{fault}` is never tried at `{step}`:\n{report}");
        }
    }
}

#[test]
fn an_order_and_its_cancel_with_two_faults() {
    explore(Scenario { cancels: true, ..Scenario::of_orders(1) }, 2).assert_holds();
}
