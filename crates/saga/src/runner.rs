//! Drives the real handlers through a saga in memory: for unit tests in microseconds.
//!
//! It follows the definition as the state machine does (redelivery, compensation, settling, parking; whole numbers beyond
//! 2^53 lose digits), but one message at a time. The checker explores the emitted state machine with every order of messages.

use crate::{
    builder::Saga,
    definition::{Definition, Stage, StepSpec},
    identity::{Deployment, RunDigest, SagaId, SagaName, SagaNameError},
    memory::MemoryStore,
    message::{
        Direction, IfAbsent, Malformed, NoticeMessage, Op, Reason, Request, SettleReply, TaskToken,
        WIRE_VERSION,
    },
    number::rounded,
    redact::redacted,
    serve::{
        DELIVERIES_EXHAUSTED, HandleAll, Handled, OTHER_RUN, Reply, Service, Unserved, serve, serve_again,
    },
    step::Participant,
    value::Value,
};
use serde_json::{Map, Value as Json};
use std::{collections::BTreeMap, fmt, marker::PhantomData, pin::Pin, sync::Arc};

/// How often a message is delivered, and how often an undo, a settle or a retriable step is tried.
const DELIVERIES: usize = 5;

/// Runs a saga with the input `In` in memory.
pub struct Runner<In> {
    saga: Definition,
    hosts: BTreeMap<&'static str, Box<dyn Host>>,
    failures: Vec<Failure>,
    input: PhantomData<fn(In)>,
}

impl<In> fmt::Debug for Runner<In> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runner").field("saga", &self.saga.name).finish_non_exhaustive()
    }
}

impl<In: Value> Runner<In> {
    /// A runner without services yet.
    pub fn new(saga: &Saga<In>) -> Self {
        let saga = saga.definition().clone();
        Self { saga, hosts: BTreeMap::new(), failures: Vec::new(), input: PhantomData }
    }

    /// Adds the service of one participant, with its store.
    #[must_use]
    pub fn service<H>(mut self, service: H, store: Arc<MemoryStore>) -> Self
    where
        H: Service + HandleAll<<H::Participant as Participant>::Steps>,
    {
        let deployment = Deployment::in_memory();
        self.hosts.insert(H::Participant::NAME, Box::new(Hosted { service, store, deployment }));
        self
    }

    /// Makes one operation of one step fail in every run.
    #[must_use]
    pub fn failing(mut self, failure: Failure) -> Self {
        self.failures.push(failure);
        self
    }

    /// Runs the saga to its end.
    ///
    /// # Errors
    /// When the runner itself is not set up right: a service is missing, or a message does not fit.
    pub async fn run(&self, id: &SagaId, input: &In) -> Result<Outcome, RunError> {
        let input = serde_json::to_value(input).map_err(|error| RunError::Input(error.to_string()))?;
        let saga = self.saga.name.parse()?;
        let digest = RunDigest::of(&input);
        let values = Map::from_iter([(self.saga.input.to_owned(), rounded(input))]);
        let mut run = Run { runner: self, saga, id, digest, values, reached: 0, late: Vec::new() };
        let outcome = match run.forward().await? {
            Ok(()) => run.finish().await?,
            Err(Stop::Back(reason)) => run.backward(reason).await?,
            Err(Stop::Parked(unresolved)) => Outcome::Parked { unresolved: vec![unresolved] },
        };
        run.deliver_late().await?;
        Ok(outcome)
    }
}

/// A failure to inject: what happens to an operation of a step, each time it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failure {
    /// The step.
    pub step: &'static str,
    /// The operation.
    pub op: Op,
    /// What happens.
    pub kind: FailureKind,
}

/// What happens to an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// Every message is lost before it is handled.
    Lost,
    /// It is carried out, and every reply is lost.
    ReplyLost,
    /// It is carried out twice.
    Duplicated,
    /// It is answered by a timeout, and carried out when the saga has ended: a cold start or a backlog outlasted it.
    Late,
}

/// How a saga ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Every step was done.
    Committed {
        /// The values at the end, by name.
        values: Map<String, Json>,
        /// What was published.
        notices: Vec<NoticeMessage>,
    },
    /// Every effect was undone.
    Compensated {
        /// Why.
        reason: Reason,
        /// What was published.
        notices: Vec<NoticeMessage>,
    },
    /// It waits for an operator.
    Parked {
        /// The operations that could not be done, for example `undo reserve-stock`.
        unresolved: Vec<String>,
    },
}

/// A runner that is not set up right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RunError {
    /// No service for a participant.
    #[error("step `{step}` needs the service of `{participant}`: add it with `Runner::service`")]
    NoService {
        /// The step.
        step: &'static str,
        /// The participant.
        participant: &'static str,
    },
    /// The saga's input is not JSON.
    #[error("the saga's input is not JSON: {0}")]
    Input(String),
    /// The saga's name is not spelt as synth allows.
    #[error(transparent)]
    Name(#[from] SagaNameError),
    /// A value does not fit the step that needs it.
    #[error(transparent)]
    Malformed(#[from] Malformed),
}

/// What is known after asking for an operation as often as the state machine would.
enum Answer {
    Success(Json),
    /// A declared rejection, or the fence of another run: it is recorded and stays.
    Rejected(Reason),
    /// No answer, or one that says no more than that.
    Unknown(Reason),
}

/// Why a saga does not go forward.
enum Stop {
    /// It turns back.
    Back(Reason),
    /// This could not be done.
    Parked(String),
}

type Forward = Result<Result<(), Stop>, RunError>;

struct Run<'a, In> {
    runner: &'a Runner<In>,
    saga: SagaName,
    id: &'a SagaId,
    digest: RunDigest,
    values: Map<String, Json>,
    /// How many compensable steps may have taken effect.
    reached: usize,
    /// Messages that are still on their way, with their participants.
    late: Vec<(&'static str, Request)>,
}

impl<In: Value> Run<'_, In> {
    /// Runs up to and with the pivot.
    async fn forward(&mut self) -> Forward {
        for stage in &self.runner.saga.stages {
            let before = self.reached;
            self.reached += stage.steps().len();
            for step in stage.steps() {
                match self.ask(step, Op::Run, None).await? {
                    Answer::Success(output) => self.hold(step, output),
                    Answer::Rejected(reason) => {
                        // A group is undone as a whole; a single step that said no had no effect.
                        if matches!(stage, Stage::Step(_)) {
                            self.reached = before;
                        }
                        return Ok(Err(Stop::Back(reason)));
                    }
                    Answer::Unknown(reason) => {
                        return self.ask_pivot(reason, before == 0).await;
                    }
                }
            }
        }
        let pivot = &self.runner.saga.pivot;
        match self.ask(pivot, Op::Run, None).await? {
            Answer::Success(output) => self.hold(pivot, output),
            Answer::Rejected(reason) => return Ok(Err(Stop::Back(reason))),
            Answer::Unknown(reason) => return self.settle(reason).await,
        }
        Ok(Ok(()))
    }

    /// How far the saga has got is not known: the same run may have got further before. `whose`: nor is it known whether the
    /// id is that of another run.
    async fn ask_pivot(&mut self, unknown: Reason, whose: bool) -> Forward {
        let first = self.runner.saga.stages.first().filter(|_| whose).map_or(&[][..], Stage::steps);
        for step in first {
            match self.ask_for_recorded(step).await? {
                Answer::Rejected(reason) if reason.error == OTHER_RUN => {
                    self.reached = self.runner.saga.undone_when_turned_away();
                    return Ok(Err(Stop::Back(reason)));
                }
                Answer::Unknown(reason) if reason.error == DELIVERIES_EXHAUSTED => {
                    return Ok(Err(Stop::Parked(format!("ask {}", step.name))));
                }
                _ => {}
            }
        }
        self.reached = self.runner.saga.compensable_steps().count();
        if let Err(stop) = self.settle(unknown).await? {
            return Ok(Err(stop));
        }
        for step in self.runner.saga.steps_needed_after_pivot() {
            match self.ask_for_recorded(step).await? {
                Answer::Success(output) => self.hold(step, output),
                Answer::Rejected(_) | Answer::Unknown(_) => {
                    return Ok(Err(Stop::Parked(format!("recall {}", step.name))));
                }
            }
        }
        Ok(Ok(()))
    }

    async fn settle(&mut self, unknown: Reason) -> Forward {
        let pivot = &self.runner.saga.pivot;
        let Answer::Success(reply) = self.ask(pivot, Op::Settle, None).await? else {
            return Ok(Err(Stop::Parked(format!("settle {}", pivot.name))));
        };
        let reply: SettleReply = serde_json::from_value(reply).map_err(|error| Malformed::Input {
            step: pivot.name,
            why: redacted(&error.to_string()).into_owned(),
        })?;
        let reason = match (reply.direction, reply.output, reply.error, reply.cause) {
            (Direction::Forward, output, ..) => {
                self.hold(pivot, output.unwrap_or_default());
                return Ok(Ok(()));
            }
            (_, _, Some(error), Some(cause)) => Reason { step: pivot.name.into(), error, cause },
            _ => unknown,
        };
        Ok(Err(Stop::Back(reason)))
    }

    async fn finish(&mut self) -> Result<Outcome, RunError> {
        for step in &self.runner.saga.finish {
            match self.ask(step, Op::Run, None).await? {
                Answer::Success(output) => self.hold(step, output),
                Answer::Rejected(_) | Answer::Unknown(_) => {
                    return Ok(Outcome::Parked { unresolved: vec![format!("run {}", step.name)] });
                }
            }
        }
        let notices = self.notices(None);
        Ok(Outcome::Committed { values: std::mem::take(&mut self.values), notices })
    }

    async fn backward(&mut self, reason: Reason) -> Result<Outcome, RunError> {
        let undone: Vec<&StepSpec> = self.runner.saga.compensable_steps().take(self.reached).collect();
        let mut unresolved = Vec::new();
        for step in undone.into_iter().rev() {
            if !matches!(self.ask(step, Op::Undo, Some(&reason)).await?, Answer::Success(_)) {
                unresolved.push(format!("undo {}", step.name));
            }
        }
        if unresolved.is_empty() {
            let notices = self.notices(Some(&reason));
            return Ok(Outcome::Compensated { reason, notices });
        }
        Ok(Outcome::Parked { unresolved })
    }

    /// Delivers a message until it is answered, as often as its queue would.
    async fn ask(&mut self, step: &StepSpec, op: Op, reason: Option<&Reason>) -> Result<Answer, RunError> {
        let request = self.request(step, op, reason);
        self.send(step, request).await
    }

    /// Asks a step what it recorded; nothing is done.
    async fn ask_for_recorded(&mut self, step: &StepSpec) -> Result<Answer, RunError> {
        let request = Request { if_absent: IfAbsent::Refuse, ..self.request(step, Op::Run, None) };
        self.send(step, request).await
    }

    async fn send(&mut self, step: &StepSpec, mut request: Request) -> Result<Answer, RunError> {
        let answer = self.deliver(step, &request).await;
        // What the saga holds went with the message and comes back, so that nothing is copied.
        self.values.append(&mut request.input);
        answer
    }

    async fn deliver(&mut self, step: &StepSpec, request: &Request) -> Result<Answer, RunError> {
        let host = self.runner.hosts.get(step.participant);
        let host = host.ok_or(RunError::NoService { step: step.name, participant: step.participant })?;
        // A question does nothing, so it is no run.
        let is_run = |failure: &&Failure| failure.op != Op::Run || request.if_absent == IfAbsent::Decide;
        let mut failures = self.runner.failures.iter().filter(is_run);
        let failure = failures.find(|failure| failure.step == step.name && failure.op == request.op);
        let unknown = |error: &str| Reason {
            step: step.name.into(),
            error: error.into(),
            cause: "no answer in time".into(),
        };
        let kind = failure.map(|failure| failure.kind);
        if kind == Some(FailureKind::Lost) {
            return Ok(Answer::Unknown(unknown("States.Timeout")));
        }
        if kind == Some(FailureKind::Late) {
            self.late.push((step.participant, request.clone()));
            return Ok(Answer::Unknown(unknown("States.Timeout")));
        }
        if kind == Some(FailureKind::Duplicated) {
            host.serve(request).await.map(drop).or_else(ignore_retry)?;
        }
        for delivery in 1..=DELIVERIES {
            let served = if delivery == 1 { host.serve(request) } else { host.serve_again(request) };
            let handled = match served.await {
                Ok(handled) => handled,
                Err(Unserved::Malformed(malformed)) => return Err(malformed.into()),
                Err(Unserved::Retry(_)) => continue,
            };
            if kind == Some(FailureKind::ReplyLost) {
                return Ok(Answer::Unknown(unknown("States.Timeout")));
            }
            return Ok(match handled.reply {
                Reply::Success(output) => Answer::Success(output),
                Reply::Failure { error, cause } => {
                    let reason = Reason { step: step.name.into(), error, cause };
                    let error = reason.error.as_str();
                    let is_final = error == OTHER_RUN || step.rejections.contains(&error);
                    if is_final { Answer::Rejected(reason) } else { Answer::Unknown(reason) }
                }
            });
        }
        Ok(Answer::Unknown(unknown(DELIVERIES_EXHAUSTED)))
    }

    /// Nobody waits for what these answer.
    async fn deliver_late(&mut self) -> Result<(), RunError> {
        for (participant, request) in std::mem::take(&mut self.late) {
            if let Some(host) = self.runner.hosts.get(participant) {
                host.serve(&request).await.map(drop).or_else(ignore_retry)?;
            }
        }
        Ok(())
    }

    fn request(&mut self, step: &StepSpec, op: Op, reason: Option<&Reason>) -> Request {
        Request {
            v: WIRE_VERSION,
            saga: self.saga.clone(),
            id: self.id.clone(),
            run: Some(self.digest.clone()),
            execution: self.id.to_string(),
            step: step.name.into(),
            item: None,
            op,
            token: TaskToken::new("in-memory"),
            input: if op == Op::Run { self.take(step.inputs) } else { Map::new() },
            reason: reason.cloned(),
            turn: 0,
            if_absent: IfAbsent::Decide,
        }
    }

    fn notices(&self, reason: Option<&Reason>) -> Vec<NoticeMessage> {
        let saga = &self.runner.saga;
        let notices = if reason.is_some() { &saga.on_compensate } else { &saga.on_commit };
        let message = |notice: &crate::NoticeSpec| NoticeMessage {
            v: WIRE_VERSION,
            notice: notice.name.into(),
            saga: self.saga.clone(),
            id: self.id.clone(),
            input: self.pick(notice.inputs),
            reason: reason.cloned(),
        };
        notices.iter().map(message).collect()
    }

    fn pick(&self, names: &[&str]) -> Map<String, Json> {
        names.iter().filter_map(|name| Some(((*name).to_owned(), self.values.get(*name)?.clone()))).collect()
    }

    fn take(&mut self, names: &[&str]) -> Map<String, Json> {
        names.iter().filter_map(|name| self.values.remove_entry(*name)).collect()
    }

    fn hold(&mut self, step: &StepSpec, output: Json) {
        self.values.insert(step.output.to_owned(), rounded(output));
    }
}

fn ignore_retry(unserved: Unserved) -> Result<(), Malformed> {
    match unserved {
        Unserved::Malformed(malformed) => Err(malformed),
        Unserved::Retry(_) => Ok(()),
    }
}

type Served<'a> = Pin<Box<dyn Future<Output = Result<Handled, Unserved>> + Send + 'a>>;

/// A service with its store, without their types.
trait Host: Send + Sync {
    fn serve<'a>(&'a self, request: &'a Request) -> Served<'a>;
    fn serve_again<'a>(&'a self, request: &'a Request) -> Served<'a>;
}

struct Hosted<H> {
    service: H,
    store: Arc<MemoryStore>,
    deployment: Deployment,
}

impl<H> Host for Hosted<H>
where
    H: Service + HandleAll<<H::Participant as Participant>::Steps>,
{
    fn serve<'a>(&'a self, request: &'a Request) -> Served<'a> {
        Box::pin(serve(&self.service, &*self.store, &self.deployment, request))
    }

    fn serve_again<'a>(&'a self, request: &'a Request) -> Served<'a> {
        Box::pin(serve_again(&self.service, &*self.store, &self.deployment, request))
    }
}
