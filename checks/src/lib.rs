//! What the checker tries of this deployment: its sagas with the real handlers, a payment gateway in memory, and what
//! must hold of orders, stock and money.
//!
//! `cargo run -p infra-gen -- check` runs these, and so does `cargo test`. To add a saga, say in [`check`] what starts it
//! and what must hold: one that is left out is refused, not passed over.
#![forbid(unsafe_code)]

mod bank;
mod order;

pub use bank::{Bank, BankClient};
pub use order::{Scenario, customer, handlers, order_check, place_order, reconcile};

use saga_check::Check;
use sagas::{cancel::CANCEL_SAGA, order::ORDER_SAGA};
use std::collections::BTreeMap;

/// The emitted state machines of the deployment, by their sagas' names.
pub type Machines = BTreeMap<&'static str, String>;

/// Why a saga cannot be checked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unchecked {
    /// Nobody has said what starts it, and what must hold.
    #[error("saga `{0}` has no check: add what starts it and what must hold to `check` in checks/src/lib.rs")]
    NoCheck(String),
    /// It is checked, or checked together with one, that has no state machine.
    #[error("saga `{0}` has no state machine among those that are checked: list it in `sagas::all()`")]
    NoMachine(&'static str),
}

/// Checks a saga: orders for one product, of which one finds nothing left when there are several, and of `cancel-order`
/// also a customer who cancels the first of them.
///
/// # Errors
/// When the saga has no check, or no state machine is given for one that takes part in it.
pub fn check(saga: &str, orders: u32, machines: &Machines) -> Result<Check, Unchecked> {
    let scenario = match saga {
        ORDER_SAGA => Scenario::of_orders(orders),
        CANCEL_SAGA => Scenario { cancels: true, ..Scenario::of_orders(orders) },
        other => return Err(Unchecked::NoCheck(other.to_owned())),
    };
    let machine = |saga| machines.get(saga).ok_or(Unchecked::NoMachine(saga));
    Ok(order_check(scenario, handlers(Bank::DECLINES), machine(ORDER_SAGA)?, machine(CANCEL_SAGA)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machines() -> Machines {
        sagas::all().iter().map(|saga| (saga.name, "{}".to_owned())).collect()
    }

    #[test]
    fn every_saga_of_the_deployment_has_a_check() {
        for saga in sagas::all() {
            assert!(check(saga.name, 1, &machines()).is_ok(), "{}", saga.name);
        }
    }

    #[test]
    fn a_saga_without_a_check_or_a_machine_is_refused() {
        let error = check("refund", 1, &machines()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "saga `refund` has no check: add what starts it and what must hold to `check` in checks/src/lib.rs"
        );
        let mut machines = machines();
        machines.remove(CANCEL_SAGA);
        assert_eq!(check(ORDER_SAGA, 1, &machines).unwrap_err(), Unchecked::NoMachine(CANCEL_SAGA));
    }
}
