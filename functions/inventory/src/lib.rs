//! The inventory service: keeps the stock and reserves it for orders.
#![forbid(unsafe_code)]

use saga::{Commit, Context, Fault, Handle, Service};
use sagas::{
    entities::Stock,
    order::{OutOfStock, PlaceOrder, Reservation, ReserveStock},
    participants,
};

/// The handlers of the inventory service.
#[derive(Debug, Clone, Copy)]
pub struct Inventory;

impl Service for Inventory {
    type Participant = participants::Inventory;
}

// Undone by the recorded inverse: what was reserved becomes available again.
impl Handle<ReserveStock> for Inventory {
    async fn run(
        &self,
        _: &Context,
        (order,): (PlaceOrder,),
    ) -> Result<Commit<ReserveStock>, Fault<OutOfStock>> {
        let units = order.lines.iter().map(|line| u64::from(line.quantity)).sum();
        let mut commit = Commit::of(Reservation { units });
        for line in order.lines {
            commit
                .update::<Stock>(line.sku.clone())
                .subtract(Stock::AVAILABLE, line.quantity)
                .or_reject(OutOfStock { sku: line.sku })
                .add(Stock::RESERVED, line.quantity);
        }
        Ok(commit)
    }
}

#[cfg(test)]
mod tests;
