//! An id means one run.

use super::found;
use crate::{
    edges::{Edge, Edged},
    machines::order,
};
use checks::{Bank, BankClient, Scenario, handlers};
use inventory::Inventory;
use orders::Orders;
use payment::Payment;

#[test]
fn fences_that_do_not_compare_runs() {
    let handlers = handlers(Bank::FORGETS)
        .service_on(|_| Orders, Edged::with(Edge::RunsNotCompared))
        .service_on(|_| Inventory, Edged::with(Edge::RunsNotCompared))
        .service_on(|outside| Payment::new(BankClient(outside)), Edged::with(Edge::RunsNotCompared));
    insta::assert_snapshot!(found(Scenario::of_orders(1), &handlers, &order()));
}

#[test]
fn one_fence_that_does_not_compare_runs() {
    let handlers = handlers(Bank::FORGETS).service_on(|_| Orders, Edged::with(Edge::RunsNotCompared));
    insta::assert_snapshot!(found(Scenario::of_orders(1), &handlers, &order()));
}

#[test]
fn undo_that_reverses_the_charge_of_another_run() {
    let handlers = handlers(Bank::FORGETS)
        .service_on(|outside| Payment::new(BankClient(outside)), Edged::with(Edge::OtherRunIsReversed));
    insta::assert_snapshot!(found(Scenario::of_orders(1), &handlers, &order()));
}
