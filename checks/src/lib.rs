//! What the checker tries of this deployment: its sagas with the real handlers, a payment gateway in memory, and what
//! must hold of orders, stock and money.
//!
//! `cargo run -p infra-gen -- check` runs these, and so does `cargo test`.
#![forbid(unsafe_code)]

mod bank;
mod order;

pub use bank::{Bank, BankClient};
pub use order::{Scenario, customer, handlers, order_check, place_order, reconcile};

use saga_check::Check;

/// The sagas that can be checked.
pub const SAGAS: [&str; 2] = ["order", "cancel-order"];

/// Checks one of [`SAGAS`]: orders for one product, of which one finds nothing left when there are several, and with
/// `cancel-order` also a customer who cancels the first of them. `order` and `cancel`: the emitted state machines.
pub fn check(saga: &str, orders: u32, order: &str, cancel: &str) -> Check {
    let scenario = Scenario { cancels: saga == "cancel-order", ..Scenario::of_orders(orders) };
    order_check(scenario, handlers(Bank::DECLINES), order, cancel)
}
