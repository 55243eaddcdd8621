//! What was put in, remembered by whoever put it in.

use sagas::events::OrderPlaced;
use std::collections::BTreeMap;

/// The stock that was loaded and the orders that were placed. The deployment may hold more, from others or from
/// earlier: only what is in the books is checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Books {
    pub(crate) stock: BTreeMap<String, i64>,
    pub(crate) orders: BTreeMap<String, BTreeMap<String, i64>>,
    pub(crate) left: BTreeMap<String, i64>,
}

impl Books {
    /// Notes that this many units of a product were loaded.
    pub fn stock(&mut self, sku: &str, units: u32) {
        self.stock.insert(sku.to_owned(), units.into());
    }

    /// Notes that a product was taken away for good.
    pub fn forget(&mut self, sku: &str) {
        self.stock.remove(sku);
    }

    /// Notes that an order was placed. Placing it again changes nothing.
    pub fn order(&mut self, order: &OrderPlaced) {
        let mut lines = BTreeMap::new();
        for line in &order.lines {
            *lines.entry(line.sku.clone()).or_default() += line.quantity;
        }
        self.orders.insert(order.order_id.clone(), lines);
    }

    /// Notes that an operator went on without undoing the charge of an order, and how much of it the gateway held when he
    /// looked, in minor units. He settles that with the customer elsewhere, so it is to stay exactly as it is.
    pub fn leave_money(&mut self, order_id: &str, held_minor: i64) {
        self.left.insert(order_id.to_owned(), held_minor);
    }
}
