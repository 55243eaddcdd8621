//! Accounts to which the gateway cannot pay back, until somebody sees to it: the undos of their charges are parked.

use super::Weather;
use std::{
    collections::BTreeSet,
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Mutex, PoisonError},
};

/// Of so many orders, one has such an account.
const ONE_OF: u64 = 16;

/// The accounts, by the order that is paid from them.
#[derive(Debug, Default)]
pub(crate) struct Accounts {
    mended: Mutex<BTreeSet<String>>,
}

impl Accounts {
    /// Whether what was charged for an order cannot be paid back now.
    pub(crate) fn is_closed(&self, order_id: &str) -> bool {
        let mut hasher = DefaultHasher::new();
        order_id.hash(&mut hasher);
        let mended = self.mended.lock().unwrap_or_else(PoisonError::into_inner);
        hasher.finish().is_multiple_of(ONE_OF) && !mended.contains(order_id)
    }

    /// Sees to it that the account takes money from now on.
    pub(crate) fn mend(&self, order_id: &str, weather: &Weather) {
        if self.is_closed(order_id) {
            self.mended.lock().unwrap_or_else(PoisonError::into_inner).insert(order_id.to_owned());
            weather.count("(account opened by the operator)");
        }
    }
}
