//! One message of the intake's queue: a saga is started, or the event is refused and kept.

use super::{
    Begin, Came, IntakeService, Problem,
    begin::{After, ToldThen},
    brake::{Brake, waits_since},
    event::decode,
    refused::RefusedEvents,
    start::{Started, StateMachine},
    told::{Notifications, Telling},
};
use crate::{Deadline, Error, Message, Variables, Verdict, aws, elapsed_ms};
use aws_types::SdkConfig;
use saga::{
    HELD_BACK_EVENT, Intake, Reason, RunDigest, SagaId, SagaName, StartInput, Startables, environment,
};
use std::{
    collections::BTreeMap,
    marker::PhantomData,
    time::{Instant, SystemTime},
};

/// Takes the events of the intake `S`.
#[derive(Debug)]
pub struct Taking<S> {
    machines: BTreeMap<&'static str, StateMachine>,
    refused: RefusedEvents,
    notifications: Notifications,
    brake: Brake,
    max_receive_count: u32,
    service: PhantomData<fn() -> S>,
}

/// What became of an event.
enum Outcome {
    Started {
        saga: &'static str,
        id: SagaId,
        started: Started,
    },
    Refused(Vec<Problem>),
    /// Refused, and whoever published it is told.
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

impl<S: IntakeService> Taking<S> {
    /// Starts sagas and keeps refused events where the stack says.
    ///
    /// # Errors
    /// When a variable is missing or invalid.
    pub fn from_variables(variables: &Variables) -> Result<Self, Error> {
        Self::new(&aws::config(variables)?, variables)
    }

    /// The same, with this configuration of the AWS clients.
    ///
    /// # Errors
    /// When a variable is missing or invalid.
    pub fn new(config: &SdkConfig, variables: &Variables) -> Result<Self, Error> {
        let queue = |name: &str| variables.text(&environment::queue(name)).map(str::to_owned);
        let (client, steps) = (aws_sdk_sqs::Client::new(config), aws_sdk_sfn::Client::new(config));
        let refused = RefusedEvents { client: client.clone(), url: queue(S::REFUSED_QUEUE)? };
        let notifications = Notifications { client: client.clone(), url: queue(S::NOTICES_QUEUE)? };
        let machine =
            |saga: &&'static str| Ok((*saga, StateMachine::from_variables(steps.clone(), variables, saga)?));
        let machines = <S::Intake as Intake>::Sagas::NAMES.iter().map(machine).collect::<Result<_, _>>()?;
        let others = [refused.url.as_str(), notifications.url.as_str()];
        let brake = Brake::from_variables(client, variables, S::Intake::NAME, &others)?;
        let max_receive_count = variables.parsed(environment::MAX_RECEIVE_COUNT, "a whole number")?;
        Ok(Self { machines, refused, notifications, brake, max_receive_count, service: PhantomData })
    }

    /// Handles one message.
    pub async fn handle(&self, message: &Message, deadline: Deadline) -> Verdict {
        let began = Instant::now();
        let outcome = match decode::<S>(&message.body) {
            Ok(Came { event, digest }) => match S::begin(event) {
                Ok(begin) => self.begin(begin, digest, message, deadline).await,
                Err(problems) => Outcome::Refused(problems),
            },
            Err(problems) => Outcome::Refused(problems),
        };
        self.conclude(outcome, message, began, deadline).await
    }

    async fn begin(
        &self,
        begin: Begin<S::Intake>,
        asked: RunDigest,
        message: &Message,
        deadline: Deadline,
    ) -> Outcome {
        if let Some(after) = &begin.after
            && let Some(waits) = self.waits(after, message, deadline).await
        {
            return waits;
        }
        if begin.can_be_held_back && !self.brake.is_released(deadline).await {
            return Outcome::HeldBack;
        }
        self.start(begin, asked, deadline).await
    }

    /// Events may overtake each other: a saga that is not known yet is waited for until the last delivery, and longer while
    /// what begins it may stand in line, or be under way. Deliveries alone do not tell: some come sooner than others. `None`
    /// when it has begun.
    async fn waits(&self, after: &After, message: &Message, deadline: Deadline) -> Option<Outcome> {
        let has_begun = async || match self.machines.get(after.saga) {
            Some(machine) => machine.has(&after.id, deadline).await.map_err(|error| error.to_string()),
            None => Err(not_started(after.saga)),
        };
        match has_begun().await {
            Ok(true) => None,
            Ok(false) if message.receive_count < self.max_receive_count => {
                Some(Outcome::Later(format!("its saga `{}` is not known yet", after.saga)))
            }
            Ok(false) if self.brake.has_line(deadline).await => {
                Some(Outcome::BeginsAgain { why: "in_line", waits_since: SystemTime::now() })
            }
            Ok(false) if !self.has_waited(message, deadline).await => {
                Some(Outcome::BeginsAgain { why: "under_way", waits_since: waits_since(message) })
            }
            // What was in line may have begun since it was asked for.
            Ok(false) => match has_begun().await {
                Ok(true) => None,
                Ok(false) => Some(Outcome::Refused(vec![Problem::new(after.id_field, after.unknown)])),
                Err(why) => Some(Outcome::Later(why)),
            },
            Err(why) => Some(Outcome::Later(why)),
        }
    }

    /// An event that was sent before this one is not under way any more.
    async fn has_waited(&self, message: &Message, deadline: Deadline) -> bool {
        let longest = self.brake.longest_under_way(self.max_receive_count, deadline).await;
        let waited = waits_since(message).elapsed().unwrap_or_default();
        longest.is_some_and(|longest| waited >= longest)
    }

    /// Starts the saga. When another has its id, whoever published the event is told.
    async fn start(&self, begin: Begin<S::Intake>, asked: RunDigest, deadline: Deadline) -> Outcome {
        let Begin { saga, id_field, id, input, input_name, is_same, telling, .. } = begin;
        let id = match SagaId::try_from(id) {
            Ok(id) => id,
            Err(error) => return Outcome::Refused(vec![Problem::new(id_field, error.to_string())]),
        };
        let Some(machine) = self.machines.get(saga) else { return Outcome::Later(not_started(saga)) };
        let input = match input {
            Ok(input) => input,
            Err(why) => return Outcome::Later(why),
        };
        let start = StartInput::begin(id, input).asked_with(asked);
        match machine.start(&start, is_same, deadline).await {
            Ok(Started::OtherHasId) => {
                let problem = Problem::new(id_field, "another has this id, and stays as it is");
                let Some(ToldThen { notice, error }) = telling else {
                    return Outcome::Refused(vec![problem]);
                };
                let reason = Reason { step: S::Intake::NAME.into(), error: error.into(), cause: "{}".into() };
                match SagaName::try_from(saga.to_owned()) {
                    Ok(saga) => {
                        let StartInput { id, input, .. } = start;
                        let telling = Telling::new(notice, saga, id, (input_name, input), reason);
                        Outcome::RefusedAndTold(problem, Box::new(telling))
                    }
                    Err(error) => Outcome::Later(error.to_string()),
                }
            }
            Ok(started) => Outcome::Started { saga, id: start.id, started },
            Err(error) => Outcome::Later(error.to_string()),
        }
    }

    /// Keeps a refused event, and before that has whoever published it told; in this order, because what fails is done
    /// again as a whole, and a notice that comes twice is known again. Telling may take half of the time, so that there is
    /// some left.
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
                let (event, reasons, duration_ms) = (S::REFUSED_EVENT, problems.len(), duration_ms());
                tracing::warn!(event, reasons, duration_ms, receive_count, message_id, "event refused");
                Verdict::Acknowledge
            }
            Err(why) => again(why, message, duration_ms()),
        }
    }
}

/// Cannot be: an intake begins its own sagas only.
fn not_started(saga: &str) -> String {
    format!("the saga `{saga}` is none of this intake's")
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
    tracing::info!(
        outcome,
        duration_ms,
        receive_count,
        message_id,
        "put back: what it waits for may come yet"
    );
    Verdict::Acknowledge
}

fn again(why: String, message: &Message, duration_ms: f64) -> Verdict {
    let (outcome, reason, message_id) = ("retry", why.as_str(), message.id.as_str());
    let receive_count = message.receive_count;
    tracing::warn!(outcome, reason, duration_ms, receive_count, message_id, "delivered again");
    Verdict::deliver_again(why)
}
