//! What is recorded is exact.

use super::{found, found_in};
use crate::{
    edges::{Edge, Edged},
    machines::{cancel, order},
};
use checks::{Bank, Scenario, handlers, order_check};
use inventory::Inventory;
use orders::Orders;
use saga_check::{Invariant, Outcome};
use sagas::entities::{Order, OrderStatus};

#[test]
fn inverse_that_leaves_a_field_out() {
    let handlers =
        handlers(Bank::FORGETS).service_on(|_| Inventory, Edged::with(Edge::InverseLeavesAFieldOut));
    insta::assert_snapshot!(found(Scenario::of_orders(1), &handlers, &order()));
}

#[test]
fn undo_that_deletes_what_the_item_has_become() {
    let stays = || {
        Invariant::at_end("an order whose cancel was accepted shows as CANCELLED", |world| {
            let accepted = |saga: &saga_check::SagaEnd<'_>| {
                saga.saga == "cancel-order" && matches!(saga.outcome, Outcome::Committed(_))
            };
            let status = world.row::<Order>("o-1").and_then(|row| Order::STATUS.read(row));
            let lost = world.sagas().iter().any(accepted) && status != Some(OrderStatus::Cancelled);
            if lost { Err(format!("it is {status:?}")) } else { Ok(()) }
        })
    };
    let check = || {
        let handlers = handlers(Bank::FORGETS).service_on(|_| Orders, Edged::with(Edge::UndoDeletes));
        let scenario = Scenario { cancels: true, ..Scenario::of_orders(1) };
        order_check(scenario, handlers, &order(), &cancel()).with(stays())
    };
    insta::assert_snapshot!(found_in(check, 2));
}
