//! An id means one run.

use super::{catch_all, found};
use crate::{
    edges::{Edge, Edged},
    machines::{order, order_with},
};
use checks::{Bank, BankClient, Scenario, handlers};
use inventory::Inventory;
use orders::Orders;
use payment::Payment;
use serde_json::json;

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
fn pivot_that_is_asked_before_it_is_known_whose_the_id_is() {
    let machine = order_with(|states| {
        states["settling?"]["Choices"][0]["Next"] = json!("rescue confirm-order");
        catch_all(states, "create-order")["Next"] = json!("rescue confirm-order");
    });
    insta::assert_snapshot!(found(Scenario::of_orders(1), &handlers(Bank::FORGETS), &machine));
}
