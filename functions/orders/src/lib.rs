//! The orders service: keeps an order from PENDING to CONFIRMED, CANCELLED or REJECTED.
#![forbid(unsafe_code)]

use saga::{Commit, Context, Fault, Handle, Never, Retry, Service, Undoing, Writes};
use sagas::{
    cancel::{CancelOrder, CancelPendingOrder, Cancellation, NotCancelled},
    entities::{Order, OrderStatus},
    order::{
        Charge, ConfirmOrder, Confirmation, CreateOrder, DuplicateOrder, OrderCancelled, OrderCreated,
        PlaceOrder, Reservation,
    },
    participants,
};

/// The handlers of the orders service.
#[derive(Debug, Clone, Copy)]
pub struct Orders;

impl Service for Orders {
    type Participant = participants::Orders;
}

impl Handle<CreateOrder> for Orders {
    async fn run(
        &self,
        _: &Context,
        (order,): (PlaceOrder,),
    ) -> Result<Commit<CreateOrder>, Fault<DuplicateOrder>> {
        let mut commit = Commit::of(OrderCreated { order_id: order.order_id.clone() });
        let row = <Order as saga::Entity>::row(order.order_id)
            .with(Order::STATUS, OrderStatus::Pending)
            .with(Order::CUSTOMER_ID, order.customer.id)
            .with(Order::TOTAL_MINOR, order.total.minor)
            .with(Order::CURRENCY, order.total.currency);
        commit.insert(row).or_reject(DuplicateOrder {});
        Ok(commit)
    }

    /// The order stays, so that the customer can see what became of it and why. One that the customer has cancelled
    /// meanwhile stays cancelled, whatever the saga turned back for: the cancel was accepted, and is not overwritten.
    async fn undo(&self, cx: &Context, done: Undoing<CreateOrder>) -> Result<Writes<Never>, Retry> {
        let order_id = done.output()?.order_id;
        let error = cx.reason().map_or("", |reason| reason.error.as_str());
        let ends = |from: OrderStatus, to: OrderStatus, reason: &str| {
            let mut writes = Writes::new();
            let update = writes.update::<Order>(order_id.clone());
            update.transition(Order::STATUS, from, to).or_retry().set(Order::REASON, reason);
            writes
        };
        let rejected = ends(OrderStatus::Pending, OrderStatus::Rejected, error);
        let cancelled = ends(OrderStatus::Cancelled, OrderStatus::Cancelled, OrderCancelled::NAME);
        Ok(rejected.otherwise(cancelled))
    }
}

impl Handle<ConfirmOrder> for Orders {
    async fn run(
        &self,
        _: &Context,
        (order, _, charge): (PlaceOrder, Reservation, Charge),
    ) -> Result<Commit<ConfirmOrder>, Fault<OrderCancelled>> {
        let confirmation = Confirmation { order_id: order.order_id.clone(), total: charge.amount };
        let mut commit = Commit::of(confirmation);
        commit
            .update::<Order>(order.order_id)
            .transition(Order::STATUS, OrderStatus::Pending, OrderStatus::Confirmed)
            .or_reject(OrderCancelled {});
        Ok(commit)
    }
}

impl Handle<CancelPendingOrder> for Orders {
    async fn run(
        &self,
        _: &Context,
        (cancel,): (CancelOrder,),
    ) -> Result<Commit<CancelPendingOrder>, Fault<NotCancelled>> {
        let mut commit = Commit::of(Cancellation { order_id: cancel.order_id.clone() });
        commit
            .update::<Order>(cancel.order_id)
            // Its saga has begun, so an order that is not there yet is on its way.
            .exists()
            .or_retry()
            .equals(Order::CUSTOMER_ID, cancel.customer.id)
            .or_reject(NotCancelled::NotYourOrder {})
            .transition(Order::STATUS, OrderStatus::Pending, OrderStatus::Cancelled)
            .or_reject(NotCancelled::TooLateToCancel {});
        Ok(commit)
    }
}

#[cfg(test)]
mod tests;
