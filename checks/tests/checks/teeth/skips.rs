//! A skip is final.

use super::found;
use crate::{
    edges::{Edge, Edged},
    machines::{order, order_with},
};
use checks::{Bank, Scenario, handlers, reconcile};
use orders::Orders;
use saga_check::Handlers;
use sagas::participants;
use serde_json::json;

fn reconciles_with(edge: Edge) -> Handlers {
    handlers(Bank::FORGETS)
        .reconciliation::<participants::Payment, _>(Bank::charged, move |io, outside, key| {
            reconcile(Edged::alone(io, edge), outside, key)
        })
}

#[test]
fn skip_that_does_not_abandon() {
    let machine = order_with(|states| {
        states["answered create-order?"]["Choices"][2]["Next"] = json!("all undone?");
    });
    insta::assert_snapshot!(found(Scenario::of_orders(1), &handlers(Bank::FORGETS), &machine));
}

#[test]
fn skip_that_does_not_wait_until_it_is_abandoned() {
    let machine = order_with(|states| {
        let skipped = "{% $merge($append($skipped, {'create-order': $lookup($pending, 'create-order')})) %}";
        let skip = &mut states["answered create-order?"]["Choices"][2];
        skip["Assign"] = json!({ "skipped": skipped });
        skip["Next"] = json!("all undone?");
    });
    insta::assert_snapshot!(found(Scenario::of_orders(1), &handlers(Bank::FORGETS), &machine));
}

#[test]
fn abandoned_step_that_is_not_fenced_off() {
    let handlers = handlers(Bank::FORGETS).service_on(|_| Orders, Edged::with(Edge::AbandonNotWritten));
    insta::assert_snapshot!(found(Scenario::of_orders(1), &handlers, &order()));
}

#[test]
fn abandoned_charge_that_is_refunded_by_reconciliation() {
    insta::assert_snapshot!(found(
        Scenario::of_orders(1),
        &reconciles_with(Edge::AbandonedIsUndone),
        &order()
    ));
}

#[test]
fn charge_under_way_that_is_refunded_by_reconciliation() {
    insta::assert_snapshot!(found(Scenario::of_orders(1), &reconciles_with(Edge::StartedIsUndone), &order()));
}

#[test]
fn charge_without_a_fence_that_is_refunded_by_reconciliation() {
    insta::assert_snapshot!(found(Scenario::of_orders(1), &reconciles_with(Edge::AbsentIsUndone), &order()));
}

#[test]
fn answer_for_some_steps_that_drops_the_others() {
    let machine = order_with(|states| {
        for step in ["create-order", "reserve-stock", "charge-payment"] {
            states[format!("answered {step}?")]["Choices"][1]["Assign"] = json!({});
        }
    });
    insta::assert_snapshot!(found(Scenario::of_orders(1), &handlers(Bank::FORGETS), &machine));
}

#[test]
fn answer_that_drops_a_step() {
    let machine = order_with(|states| {
        // What was not answered counts as done, as if nothing had been pending.
        states["answered create-order?"]["Choices"][0]["Condition"] = json!("{% true %}");
    });
    insta::assert_snapshot!(found(Scenario::of_orders(1), &handlers(Bank::FORGETS), &machine));
}
