//! Takes order events from the order topic: validates each, and starts the saga it asks for.
//!
//! [`OrderEvents`] says which saga an event begins, [`validate`] whether what it asks for can be done. Both are pure;
//! `saga_lambda::intake` does the rest.
#![forbid(unsafe_code)]

mod shape;
pub mod validate;

use saga_lambda::intake::{Begin, IntakeService, Problem};
use sagas::{
    cancel::{self, ASKED_BEFORE, CancelSaga, CancellationRefused},
    environment::{NOTIFICATION, ORDER_REFUSED_EVENT, REFUSED_ORDERS},
    events::OrderEvent,
    intakes::OrderIntake,
    order::{DuplicateOrder, OrderRejected, OrderSaga},
};
use serde_json::Value as Json;

/// The events of the order topic.
#[derive(Debug)]
pub struct OrderEvents;

impl IntakeService for OrderEvents {
    type Intake = OrderIntake;
    type Event = OrderEvent;
    const REFUSED_QUEUE: &'static str = REFUSED_ORDERS;
    const REFUSED_EVENT: &'static str = ORDER_REFUSED_EVENT;
    const NOTICES_QUEUE: &'static str = NOTIFICATION;

    fn begin(event: OrderEvent) -> Result<Begin<OrderIntake>, Vec<Problem>> {
        match event {
            OrderEvent::OrderPlaced(placed) => {
                let order = validate::place_order(&placed)?;
                let begin = Begin::saga::<OrderSaga, _>("order_id", &order.order_id, &order);
                Ok(begin.or_tell::<OrderRejected>(DuplicateOrder::NAME))
            }
            OrderEvent::CancelOrder(wish) => {
                let cancel = validate::cancel_order(&wish)?;
                let id = cancel::saga_id(&cancel.order_id, &cancel.customer.id);
                let begin = Begin::saga::<CancelSaga, _>("order_id", id, &cancel);
                let begin = begin.or_tell::<CancellationRefused>(ASKED_BEFORE).never_held_back();
                Ok(begin.after::<OrderSaga, _>("order_id", &cancel.order_id, "no such order"))
            }
        }
    }

    fn misfits(json: &Json) -> Vec<Problem> {
        shape::problems(json)
    }
}

#[cfg(test)]
mod tests;
