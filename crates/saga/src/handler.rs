//! Handlers: the code of a participant.

use crate::{
    commit::{Commit, Writes},
    identity::{Deployment, IdempotencyKey, ItemId, RunDigest, SagaId, SagaName, StepKey, StepOfRun},
    message::{IfAbsent, Op, Reason, Request},
    redact::redacted,
    rejection::{Never, Rejection},
    step::Step,
    store::Unavailable,
    write::Write,
};
use serde::Deserialize;
use serde_json::Value as Json;
use std::marker::PhantomData;

/// Handles a step whose effects are all in the participant's own store.
///
/// It returns *what to write*; the runtime writes it together with the fence. So it may be called any number of times
/// for one effect.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not handle the step `{S}` that its participant owns",
    label = "needs `impl saga::Handle<{S}> for {Self}`",
    note = "a participant handles every step in its `type Steps`; a step with an outside effect needs `saga::HandleOutside`"
)]
pub trait Handle<S: Step>: Send + Sync {
    /// Decides what the step does.
    ///
    /// # Errors
    /// A rejection, or a failure after which the message is delivered again.
    fn run(
        &self,
        cx: &Context,
        input: S::Input,
    ) -> impl Future<Output = Result<Commit<S>, Fault<S::Rejection>>> + Send;

    /// Decides how a step that took effect is undone. Default: the inverse recorded when it committed, which reverses
    /// what was really done, even after a new release changed `run`. Override it for a semantic undo.
    ///
    /// # Errors
    /// A failure after which the message is delivered again.
    fn undo(
        &self,
        cx: &Context,
        done: Undoing<S>,
    ) -> impl Future<Output = Result<Writes<Never>, Retry>> + Send {
        let _ = cx;
        async move { Ok(done.inverse()) }
    }
}

/// Handles a step with an effect outside the participant's store, such as an HTTP call.
///
/// The peer must give one key one effect, however often it is called. Best is a peer that, once a key is reversed,
/// refuses it for good, also when it was never charged: then even a request that lands after its sender has died and
/// its message was given up can do nothing. Against other peers such a request is reversed when the message is
/// delivered again, at the latest from the dead-letter queue.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not handle the step `{S}`, which has an outside effect",
    label = "needs `impl saga::HandleOutside<{S}> for {Self}`",
    note = "a participant handles every step in its `type Steps`"
)]
pub trait HandleOutside<S: Step>: Send + Sync {
    /// Makes the effect happen, passing [`Context::idempotency_key`], and decides what to write. It is called again
    /// with the same key whenever the outcome is unknown.
    ///
    /// # Errors
    /// A rejection when the peer said no for good, or when the step needs no call to know it; otherwise a failure after which the message is delivered again.
    fn call(
        &self,
        cx: &Context,
        input: S::Input,
    ) -> impl Future<Output = Result<Commit<S>, Fault<S::Rejection>>> + Send;

    /// Reverses the effect by its key, if there is one. Called any number of times, also when nothing is known to have
    /// happened.
    ///
    /// # Errors
    /// A failure after which the message is delivered again.
    fn reverse(&self, cx: &Context) -> impl Future<Output = Result<(), Retry>> + Send;

    /// Decides how the *writes* of a step that took effect are undone. Default: the recorded inverse.
    ///
    /// # Errors
    /// A failure after which the message is delivered again.
    fn undo(
        &self,
        cx: &Context,
        done: Undoing<S>,
    ) -> impl Future<Output = Result<Writes<Never>, Retry>> + Send {
        let _ = cx;
        async move { Ok(done.inverse()) }
    }
}

/// Which step of which saga is handled.
#[derive(Debug, Clone)]
pub struct Context {
    deployment: Deployment,
    key: StepKey,
    run: Option<RunDigest>,
    op: Op,
    reason: Option<Reason>,
    turn: u32,
    if_absent: IfAbsent,
}

impl Context {
    pub(crate) fn of(deployment: &Deployment, request: &Request, step: &'static str) -> Self {
        let Request { saga, id, run, item, op, reason, turn, if_absent, .. } = request;
        let key =
            StepKey { saga: saga.clone(), saga_id: id.clone(), step: step.to_owned(), item: item.clone() };
        Self {
            deployment: deployment.clone(),
            key,
            run: run.clone(),
            op: *op,
            reason: reason.clone(),
            turn: *turn,
            if_absent: *if_absent,
        }
    }

    /// The saga's name.
    pub fn saga(&self) -> &SagaName {
        &self.key.saga
    }

    /// The saga id.
    pub fn saga_id(&self) -> &SagaId {
        &self.key.saga_id
    }

    /// The step's name.
    pub fn step(&self) -> &str {
        &self.key.step
    }

    /// Which item, where the step runs once for each.
    pub fn item(&self) -> Option<&ItemId> {
        self.key.item.as_ref()
    }

    /// What is asked.
    pub fn op(&self) -> Op {
        self.op
    }

    /// Why the saga compensates; known when undoing.
    pub fn reason(&self) -> Option<&Reason> {
        self.reason.as_ref()
    }

    /// The key by which an outside peer recognises this step of this run of the saga.
    pub fn idempotency_key(&self) -> IdempotencyKey {
        IdempotencyKey::new(&self.deployment, &StepOfRun { key: self.key.clone(), run: self.run.clone() })
    }

    pub(crate) fn key(&self) -> &StepKey {
        &self.key
    }

    pub(crate) fn run(&self) -> Option<&RunDigest> {
        self.run.as_ref()
    }

    pub(crate) fn turn(&self) -> u32 {
        self.turn
    }

    pub(crate) fn if_absent(&self) -> IfAbsent {
        self.if_absent
    }
}

/// Why a handler did not commit.
#[derive(Debug, Clone)]
pub enum Fault<R> {
    /// A business 'no': recorded, final.
    Rejected(R),
    /// Anything else: the message is delivered again.
    Retry(Retry),
}

impl<R: Rejection> Fault<R> {
    /// A failure after which the message is delivered again. `why` is logged: no personal data.
    pub fn retry(why: impl Into<String>) -> Self {
        Self::Retry(Retry(why.into()))
    }
}

impl<R: Rejection> From<R> for Fault<R> {
    fn from(rejection: R) -> Self {
        Self::Rejected(rejection)
    }
}

/// A failure after which the message is delivered again. The text is logged: no personal data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Retry(pub String);

impl From<Unavailable> for Retry {
    fn from(unavailable: Unavailable) -> Self {
        Self(unavailable.to_string())
    }
}

/// A step that took effect and is to be undone.
#[derive(Debug, Clone)]
pub struct Undoing<S> {
    pub(crate) output: Json,
    pub(crate) inverse: Vec<Write>,
    pub(crate) step: PhantomData<fn() -> S>,
}

impl<S: Step> Undoing<S> {
    /// The writes that reverse what was committed.
    pub fn inverse(&self) -> Writes<Never> {
        Writes::from_recorded(self.inverse.clone())
    }

    /// What the step produced.
    ///
    /// # Errors
    /// When a release in between made the recorded output unreadable: says why, without what is recorded.
    pub fn output(&self) -> Result<S::Output, Retry> {
        S::Output::deserialize(&self.output).map_err(|error| {
            let why = redacted(&error.to_string()).into_owned();
            Retry(format!("the recorded output of `{}` does not fit: {why}", S::NAME))
        })
    }
}
