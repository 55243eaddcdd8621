//! One message of the intake queue: a saga is started, or the event is refused and kept.

use crate::{
    event,
    refused::RefusedOrders,
    start::{Started, StateMachine},
    validate::{self, Problem},
};
use aws_types::SdkConfig;
use saga::{SagaId, environment};
use saga_lambda::{Deadline, Error, Message, Variables, Verdict, aws, elapsed_ms};
use sagas::{
    cancel::{self, CANCEL_SAGA, CancelOrder},
    environment::{ORDER_REFUSED_EVENT, REFUSED_ORDERS},
    events::OrderEvent,
    order::{ORDER_SAGA, PlaceOrder},
};
use std::time::Instant;

/// Takes order events.
#[derive(Debug)]
pub struct Intake {
    orders: StateMachine,
    cancels: StateMachine,
    refused: RefusedOrders,
    max_receive_count: u32,
}

/// What became of an event.
enum Outcome {
    Started {
        saga: &'static str,
        id: SagaId,
        started: Started,
    },
    Refused(Vec<Problem>),
    /// Not now: the message is delivered again.
    Later(String),
}

impl Intake {
    /// Starts the sagas and keeps refused orders where the stack says.
    ///
    /// # Errors
    /// When a variable is missing or invalid.
    pub fn from_variables(variables: &Variables) -> Result<Self, Error> {
        Self::new(&aws::config(variables)?, variables)
    }

    fn new(config: &SdkConfig, variables: &Variables) -> Result<Self, Error> {
        let client = aws_sdk_sfn::Client::new(config);
        let refused = RefusedOrders {
            client: aws_sdk_sqs::Client::new(config),
            url: variables.text(&environment::queue(REFUSED_ORDERS))?.into(),
        };
        Ok(Self {
            orders: StateMachine::from_variables(client.clone(), variables, ORDER_SAGA)?,
            cancels: StateMachine::from_variables(client, variables, CANCEL_SAGA)?,
            refused,
            max_receive_count: variables.parsed(environment::MAX_RECEIVE_COUNT, "a whole number")?,
        })
    }

    /// Handles one message.
    pub async fn handle(&self, message: &Message, deadline: Deadline) -> Verdict {
        let began = Instant::now();
        let outcome = match event::decode(&message.body) {
            Ok(OrderEvent::OrderPlaced(placed)) => match validate::place_order(&placed) {
                Ok(order) => self.place(order, deadline).await,
                Err(problems) => Outcome::Refused(problems),
            },
            Ok(OrderEvent::CancelOrder(wish)) => match validate::cancel_order(&wish) {
                Ok(cancel) => self.cancel(cancel, message.receive_count, deadline).await,
                Err(problems) => Outcome::Refused(problems),
            },
            Err(problems) => Outcome::Refused(problems),
        };
        self.conclude(outcome, message, began, deadline).await
    }

    async fn place(&self, order: PlaceOrder, deadline: Deadline) -> Outcome {
        start(&self.orders, ORDER_SAGA, &order.order_id, &order, deadline).await
    }

    /// Events may overtake each other: an order that is not known yet is waited for until the last delivery.
    async fn cancel(&self, cancel: CancelOrder, receive_count: u32, deadline: Deadline) -> Outcome {
        match self.orders.has(&cancel.order_id, deadline).await {
            Ok(true) => {
                let id = cancel::saga_id(&cancel.order_id, &cancel.customer.id);
                start(&self.cancels, CANCEL_SAGA, &id, &cancel, deadline).await
            }
            Ok(false) if receive_count >= self.max_receive_count => {
                Outcome::Refused(vec![Problem::new("order_id", "no such order")])
            }
            Ok(false) => Outcome::Later("the order is not known yet".into()),
            Err(error) => Outcome::Later(error.to_string()),
        }
    }

    /// Keeps a refused event and writes the log line, which has neither the event nor the reasons in it: both can hold
    /// personal data.
    async fn conclude(
        &self,
        outcome: Outcome,
        message: &Message,
        began: Instant,
        deadline: Deadline,
    ) -> Verdict {
        let (message_id, receive_count) = (message.id.as_str(), message.receive_count);
        let duration_ms = || elapsed_ms(began);
        let why = match outcome {
            Outcome::Started { saga, id, started } => {
                let (saga_id, duration_ms) = (id.as_str(), duration_ms());
                let outcome = match started {
                    Started::Now => "started",
                    Started::Before => "started_before",
                };
                tracing::info!(saga, saga_id, outcome, duration_ms, receive_count, message_id, "event taken");
                return Verdict::Acknowledge;
            }
            Outcome::Refused(problems) => match self.refused.keep(&message.body, &problems, deadline).await {
                Ok(()) => {
                    let (event, reasons, duration_ms) = (ORDER_REFUSED_EVENT, problems.len(), duration_ms());
                    tracing::warn!(event, reasons, duration_ms, receive_count, message_id, "event refused");
                    return Verdict::Acknowledge;
                }
                Err(error) => error.to_string(),
            },
            Outcome::Later(why) => why,
        };
        let (outcome, reason, duration_ms) = ("retry", why.as_str(), duration_ms());
        tracing::warn!(outcome, reason, duration_ms, receive_count, message_id, "delivered again");
        Verdict::deliver_again(why)
    }
}

async fn start<V: saga::Value>(
    machine: &StateMachine,
    saga: &'static str,
    saga_id: &str,
    input: &V,
    deadline: Deadline,
) -> Outcome {
    let id = match SagaId::try_from(saga_id.to_owned()) {
        Ok(id) => id,
        Err(error) => return Outcome::Refused(vec![Problem::new("order_id", error.to_string())]),
    };
    match machine.start(id.clone(), input, deadline).await {
        Ok(started) => Outcome::Started { saga, id, started },
        Err(error) => Outcome::Later(error.to_string()),
    }
}

#[cfg(test)]
mod tests;
