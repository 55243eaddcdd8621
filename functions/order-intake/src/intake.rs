//! One message of the intake queue: a saga is started, or the event is refused and kept.

use crate::{
    brake::{Brake, waits_since},
    event::{self, Came},
    refused::RefusedOrders,
    start::{Started, StateMachine},
    told::{Notifications, Telling},
    validate::{self, Problem},
};
use aws_types::SdkConfig;
use saga::{Definition, Notice, Reason, RunDigest, SagaId, SagaName, Startable, environment};
use saga_lambda::{Deadline, Error, Message, Variables, Verdict, aws, elapsed_ms};
use sagas::{
    cancel::{self, ASKED_BEFORE, CancelOrder, CancelSaga, CancellationRefused, cancel_saga},
    environment::{HELD_BACK_EVENT, NOTIFICATION, ORDER_INTAKE, ORDER_REFUSED_EVENT, REFUSED_ORDERS},
    events::OrderEvent,
    order::{DuplicateOrder, OrderRejected, OrderSaga, PlaceOrder, order_saga},
};
use std::time::{Instant, SystemTime};

/// Takes order events.
#[derive(Debug)]
pub struct Intake {
    orders: StateMachine<OrderSaga>,
    cancels: StateMachine<CancelSaga>,
    refused: RefusedOrders,
    notifications: Notifications,
    brake: Brake,
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
    /// Refused, and the customer is told.
    RefusedAndTold(Problem, Box<Telling>),
    /// Participants have enough to do: it comes again as a new message.
    HeldBack,
    /// What it waits for may still be under way: it comes again as a new message.
    BeginsAgain {
        why: &'static str,
        waits_since: SystemTime,
    },
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
        let notifications = Notifications {
            client: refused.client.clone(),
            url: variables.text(&environment::queue(NOTIFICATION))?.into(),
        };
        let orders = StateMachine::from_variables(client.clone(), variables)?;
        let cancels = StateMachine::from_variables(client, variables)?;
        let sagas = [order_saga().definition().clone(), cancel_saga().definition().clone()];
        let participants = sagas.iter().flat_map(Definition::steps).map(|step| step.participant).collect();
        let brake = Brake::from_variables(refused.client.clone(), variables, &participants, ORDER_INTAKE)?;
        Ok(Self {
            orders,
            cancels,
            refused,
            notifications,
            brake,
            max_receive_count: variables.parsed(environment::MAX_RECEIVE_COUNT, "a whole number")?,
        })
    }

    /// Handles one message.
    pub async fn handle(&self, message: &Message, deadline: Deadline) -> Verdict {
        let began = Instant::now();
        let outcome = match event::decode(&message.body) {
            Ok(came) => self.take(came, message, deadline).await,
            Err(problems) => Outcome::Refused(problems),
        };
        self.conclude(outcome, message, began, deadline).await
    }

    async fn take(&self, Came { event, digest }: Came, message: &Message, deadline: Deadline) -> Outcome {
        match event {
            OrderEvent::OrderPlaced(placed) => match validate::place_order(&placed) {
                Ok(order) => self.place(order, digest, deadline).await,
                Err(problems) => Outcome::Refused(problems),
            },
            OrderEvent::CancelOrder(wish) => match validate::cancel_order(&wish) {
                Ok(cancel) => self.cancel(cancel, digest, message, deadline).await,
                Err(problems) => Outcome::Refused(problems),
            },
        }
    }

    async fn place(&self, order: PlaceOrder, asked: RunDigest, deadline: Deadline) -> Outcome {
        if !self.brake.is_released(deadline).await {
            return Outcome::HeldBack;
        }
        let taken = DuplicateOrder::NAME;
        let start = Start { id: &order.order_id, input: &order, asked };
        start.on::<OrderRejected>(&self.orders, taken, deadline).await
    }

    /// Events may overtake each other: an order that is not known yet is waited for until the last delivery, and longer
    /// while it may stand in line, or be under way. Deliveries alone do not tell: some come sooner than others.
    async fn cancel(
        &self,
        cancel: CancelOrder,
        asked: RunDigest,
        message: &Message,
        deadline: Deadline,
    ) -> Outcome {
        match self.orders.has(&cancel.order_id, deadline).await {
            Ok(true) => self.start_cancel(&cancel, asked, deadline).await,
            Ok(false) if message.receive_count < self.max_receive_count => {
                Outcome::Later("the order is not known yet".into())
            }
            Ok(false) if self.brake.has_line(deadline).await => {
                Outcome::BeginsAgain { why: "in_line", waits_since: SystemTime::now() }
            }
            Ok(false) if !self.has_waited(message, deadline).await => {
                Outcome::BeginsAgain { why: "under_way", waits_since: waits_since(message) }
            }
            // What was in line may have begun since it was asked for.
            Ok(false) => match self.orders.has(&cancel.order_id, deadline).await {
                Ok(true) => self.start_cancel(&cancel, asked, deadline).await,
                Ok(false) => Outcome::Refused(vec![Problem::new("order_id", "no such order")]),
                Err(error) => Outcome::Later(error.to_string()),
            },
            Err(error) => Outcome::Later(error.to_string()),
        }
    }

    /// An event that was sent before this one is not under way any more.
    async fn has_waited(&self, message: &Message, deadline: Deadline) -> bool {
        let longest = self.brake.longest_under_way(self.max_receive_count, deadline).await;
        let waited = waits_since(message).elapsed().unwrap_or_default();
        longest.is_some_and(|longest| waited >= longest)
    }

    async fn start_cancel(&self, cancel: &CancelOrder, asked: RunDigest, deadline: Deadline) -> Outcome {
        let id = cancel::saga_id(&cancel.order_id, &cancel.customer.id);
        let start = Start { id: &id, input: cancel, asked };
        start.on::<CancellationRefused>(&self.cancels, ASKED_BEFORE, deadline).await
    }

    /// Keeps a refused event, and before that has the customer told; in this order, because what fails is done again as
    /// a whole, and a notice that comes twice is known again. Telling may take half of the time, so that there is some left.
    async fn refuse(
        &self,
        body: &str,
        problems: &[Problem],
        telling: Option<&Telling>,
        deadline: Deadline,
    ) -> Result<(), String> {
        if let Some(telling) = telling {
            let told = self.notifications.tell(telling, deadline.earlier(deadline.remaining() / 2)).await;
            told.map_err(|error| error.to_string())?;
        }
        self.refused.keep(body, problems, deadline).await.map_err(|error| error.to_string())
    }

    /// Concludes an event and writes the log line, which has neither the event nor the reasons in it: both can hold
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
        let (problems, telling) = match outcome {
            Outcome::Started { saga, id, started } => {
                let (saga_id, duration_ms) = (id.as_str(), duration_ms());
                let outcome = if started == Started::Now { "started" } else { "started_before" };
                tracing::info!(saga, saga_id, outcome, duration_ms, receive_count, message_id, "event taken");
                return Verdict::Acknowledge;
            }
            Outcome::Refused(problems) => (problems, None),
            Outcome::RefusedAndTold(problem, telling) => (vec![problem], Some(telling)),
            Outcome::HeldBack => {
                return match self.brake.hold_back(&message.body, deadline).await {
                    Ok(()) => held_back(message, duration_ms()),
                    Err(why) => again(why.to_string(), message, duration_ms()),
                };
            }
            Outcome::BeginsAgain { why, waits_since } => {
                return match self.brake.begin_again(&message.body, waits_since, deadline).await {
                    Ok(()) => begun_again(why, message, duration_ms()),
                    Err(why) => again(why.to_string(), message, duration_ms()),
                };
            }
            Outcome::Later(why) => return again(why, message, duration_ms()),
        };
        let telling = telling.as_deref();
        match self.refuse(&message.body, &problems, telling, deadline).await {
            Ok(()) => {
                let (event, reasons, duration_ms) = (ORDER_REFUSED_EVENT, problems.len(), duration_ms());
                tracing::warn!(event, reasons, duration_ms, receive_count, message_id, "event refused");
                Verdict::Acknowledge
            }
            Err(why) => again(why, message, duration_ms()),
        }
    }
}

fn held_back(message: &Message, duration_ms: f64) -> Verdict {
    let (event, message_id, receive_count) = (HELD_BACK_EVENT, message.id.as_str(), message.receive_count);
    tracing::warn!(
        event,
        duration_ms,
        receive_count,
        message_id,
        "held back: participants have enough to do"
    );
    Verdict::Acknowledge
}

fn begun_again(outcome: &str, message: &Message, duration_ms: f64) -> Verdict {
    let (message_id, receive_count) = (message.id.as_str(), message.receive_count);
    tracing::info!(outcome, duration_ms, receive_count, message_id, "put back: its order may come yet");
    Verdict::Acknowledge
}

fn again(why: String, message: &Message, duration_ms: f64) -> Verdict {
    let (outcome, reason, message_id) = ("retry", why.as_str(), message.id.as_str());
    let receive_count = message.receive_count;
    tracing::warn!(outcome, reason, duration_ms, receive_count, message_id, "delivered again");
    Verdict::deliver_again(why)
}

/// A saga to start.
struct Start<'a, S: Startable> {
    id: &'a str,
    input: &'a S::Input,
    /// The digest of the event that asks for it.
    asked: RunDigest,
}

impl<S: Startable> Start<'_, S> {
    /// Starts it. When another has its id, the customer is told by the notice `N`, with `error` as the reason.
    async fn on<N: Notice>(self, machine: &StateMachine<S>, error: &str, deadline: Deadline) -> Outcome {
        let Self { id, input, asked } = self;
        let id = match SagaId::try_from(id.to_owned()) {
            Ok(id) => id,
            Err(error) => return Outcome::Refused(vec![Problem::new("order_id", error.to_string())]),
        };
        match machine.start(id.clone(), input, asked, deadline).await {
            Ok(Started::OtherHasId) => {
                let problem =
                    Problem::new("order_id", "another order or wish has this id, and stays as it is");
                let reason = Reason { step: ORDER_INTAKE.into(), error: error.into(), cause: "{}".into() };
                match SagaName::try_from(S::NAME.to_owned()) {
                    Ok(saga) => {
                        let telling = Telling::of::<N, S::Input>(saga, id, input, reason);
                        Outcome::RefusedAndTold(problem, Box::new(telling))
                    }
                    Err(error) => Outcome::Later(error.to_string()),
                }
            }
            Ok(started) => Outcome::Started { saga: S::NAME, id, started },
            Err(error) => Outcome::Later(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests;
