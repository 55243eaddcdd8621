//! Serving a participant: from a message to a reply.

use crate::{
    engine,
    handler::{Context, Handle, HandleOutside, Retry},
    identity::Deployment,
    input::Inputs,
    message::{IfAbsent, Malformed, Op, Request},
    rejection::Refusal,
    step::{Compensable, CompensableOutside, Participant, Pivot, Retriable, Step},
    store::Store,
    tuples::all_the_tuples,
};
use serde_json::Value as Json;

/// The handlers of one participant, usually a unit struct with one `impl Handle<Step>` for each step.
pub trait Service: Send + Sync + 'static {
    /// Whose steps it handles.
    type Participant: Participant;
}

/// Carries out one message: exactly once in effect, however often it is delivered. `deployment`: the one that the
/// service belongs to; outside peers know its steps by it.
///
/// # Errors
/// [`Unserved::Malformed`] when the message can never be served; [`Unserved::Retry`] when it must be delivered again.
pub async fn serve<H>(
    service: &H,
    store: &impl Store,
    deployment: &Deployment,
    request: &Request,
) -> Result<Handled, Unserved>
where
    H: Service + HandleAll<<H::Participant as Participant>::Steps>,
{
    service.dispatch(store, deployment, request, false).await
}

/// As [`serve`], for a message that was delivered before. What its step has recorded since is answered without asking the
/// handler, so that one that fails now, panics or takes its process along keeps from no saga what is settled: not that the
/// step is done, nor that it is undone. Only a step with an outside effect that must have none is reversed by its handler
/// again: the request of a dead process may have landed since.
///
/// # Errors
/// As [`serve`].
pub async fn serve_again<H>(
    service: &H,
    store: &impl Store,
    deployment: &Deployment,
    request: &Request,
) -> Result<Handled, Unserved>
where
    H: Service + HandleAll<<H::Participant as Participant>::Steps>,
{
    service.dispatch(store, deployment, request, true).await
}

/// A message that got no reply.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unserved {
    /// It can never be served.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// It must be delivered again.
    #[error(transparent)]
    Retry(#[from] Retry),
}

/// A message that was carried out.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Handled {
    /// What to answer.
    pub reply: Reply,
    /// What happened, for logs and tests.
    pub outcome: Outcomes,
}

impl Handled {
    pub(crate) fn success(outcome: Outcomes, output: Json) -> Self {
        Self { reply: Reply::Success(output), outcome }
    }

    pub(crate) fn rejected(outcome: Outcomes, refusal: &Refusal) -> Self {
        let Refusal { error, cause } = refusal.clone();
        Self { reply: Reply::Failure { error, cause }, outcome }
    }

    pub(crate) fn too_late() -> Self {
        Self::refused(TOO_LATE, "the saga is compensating without this step", Outcomes::TooLate)
    }

    pub(crate) fn abandoned() -> Self {
        Self::refused(ABANDONED, "an operator went on without this step", Outcomes::AbandonedBefore)
    }

    pub(crate) fn other_run() -> Self {
        let cause = "another saga had this id and this step: what it did stays as it is";
        Self::refused(OTHER_RUN, cause, Outcomes::OtherRun)
    }

    pub(crate) fn fence_gone() -> Self {
        let cause = "the fence of the pivot is not there, and it may have expired: look what became of the saga, then \
                     skip to turn it back";
        Self::refused(FENCE_GONE, cause, Outcomes::FenceGone)
    }

    pub(crate) fn nothing_recorded() -> Self {
        let cause = "no fence says what this step did, and it may have expired: when the step is known to be done, bring \
                     its fence back and retry";
        Self::refused(FENCE_GONE, cause, Outcomes::FenceGone)
    }

    fn refused(error: &str, cause: &str, outcome: Outcomes) -> Self {
        Self { reply: Reply::Failure { error: error.into(), cause: cause.into() }, outcome }
    }

    /// The same reply, given for the first time.
    pub(crate) fn first(self) -> Self {
        let outcome = match self.outcome {
            Outcomes::DoneBefore => Outcomes::Done,
            Outcomes::RejectedBefore => Outcomes::Rejected,
            other => other,
        };
        Self { outcome, ..self }
    }
}

/// The answer to the state machine.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Reply {
    /// `SendTaskSuccess` with this output.
    Success(Json),
    /// `SendTaskFailure`.
    Failure {
        /// A rejection's wire name, [`TOO_LATE`], [`ABANDONED`], [`OTHER_RUN`], [`FENCE_GONE`] or
        /// [`DELIVERIES_EXHAUSTED`].
        error: String,
        /// Details as text.
        cause: String,
    },
}

/// The error of a run that came after its undo.
pub const TOO_LATE: &str = "Flyover.TooLate";

/// The error of a run whose step an operator went on without.
pub const ABANDONED: &str = "Flyover.Abandoned";

/// The error of a run whose saga id belonged to another run before: nothing is done, and nothing of the other is
/// answered or touched.
pub const OTHER_RUN: &str = "Flyover.OtherRun";

/// The error of a settle that must not decide by a fence that is not there: see
/// [`IfAbsent::Refuse`](crate::IfAbsent::Refuse).
pub const FENCE_GONE: &str = "Flyover.FenceGone";

/// The error of a message that was delivered as often as its queue allows and could not be served.
pub const DELIVERIES_EXHAUSTED: &str = "Flyover.DeliveriesExhausted";

/// What serving a message did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcomes {
    /// The step took effect.
    Done,
    /// It had taken effect before: replied again.
    DoneBefore,
    /// The step was rejected.
    Rejected,
    /// It had been rejected before: replied again.
    RejectedBefore,
    /// A run came after its undo: no effect.
    TooLate,
    /// The effect was reversed.
    Undone,
    /// There was no effect, and none can come any more.
    NothingToUndo,
    /// It had been undone before: replied again.
    UndoneBefore,
    /// The pivot was done.
    SettledForward,
    /// The pivot was not done and never will be.
    SettledBackward,
    /// The step is left as it is, for good.
    Abandoned,
    /// It had been abandoned before: nothing was done.
    AbandonedBefore,
    /// The fence is of another run of the saga id: nothing was done.
    OtherRun,
    /// The fence that must say what was done is not there: nothing was done.
    FenceGone,
}

impl Outcomes {
    /// The name in logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::DoneBefore => "done_before",
            Self::Rejected => "rejected",
            Self::RejectedBefore => "rejected_before",
            Self::TooLate => "too_late",
            Self::Undone => "undone",
            Self::NothingToUndo => "nothing_to_undo",
            Self::UndoneBefore => "undone_before",
            Self::SettledForward => "settled_forward",
            Self::SettledBackward => "settled_backward",
            Self::Abandoned => "abandoned",
            Self::AbandonedBefore => "abandoned_before",
            Self::OtherRun => "other_run",
            Self::FenceGone => "fence_gone",
        }
    }
}

/// Handles every step of the tuple `Steps`. Holds when there is a handler for each; never implemented by hand.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not handle every step that its participant owns: `{Steps}`",
    label = "the `Handle` or `HandleOutside` named below is missing for this service",
    note = "a participant handles every step in its `type Steps`: write the missing `impl saga::Handle<Step>`, or `impl saga::HandleOutside<Step>` for a step with an outside effect"
)]
pub trait HandleAll<Steps>: Send + Sync {
    /// Carries out the request with the handler of its step. `again`: it was delivered before.
    fn dispatch<St: Store>(
        &self,
        store: &St,
        deployment: &Deployment,
        request: &Request,
        again: bool,
    ) -> impl Future<Output = Result<Handled, Unserved>> + Send;
}

macro_rules! handle_all {
    () => {};
    ($(($step:ident $_in:ident $_at:ident $_n:literal))+) => {
        impl<Handler, $($step),+> HandleAll<($($step,)+)> for Handler
        where
            Handler: Send + Sync,
            $($step: Step, Handler: ServeAs<$step, $step::Kind>,)+
        {
            async fn dispatch<St: Store>(
                &self,
                store: &St,
                deployment: &Deployment,
                request: &Request,
                again: bool,
            ) -> Result<Handled, Unserved> {
                $(
                    if request.step == $step::NAME {
                        let cx = Context::of(deployment, request, $step::NAME);
                        return serve_step::<$step, Self, $step::Kind>(self, store, &cx, request, again).await;
                    }
                )+
                let owned = &[$($step::NAME),+];
                Err(Malformed::Step { given: request.step.clone(), owned }.into())
            }
        }
    };
}

all_the_tuples! { handle_all }

async fn serve_step<S: Step, H: ServeAs<S, K>, K>(
    handler: &H,
    store: &impl Store,
    cx: &Context,
    request: &Request,
    again: bool,
) -> Result<Handled, Unserved> {
    let no_such_op = || Malformed::Op { step: S::NAME, op: request.op.as_str() };
    match request.op {
        Op::Run if request.if_absent == IfAbsent::Refuse => Ok(engine::recall(store, cx).await?),
        Op::Run => {
            if again && let Some(handled) = engine::recorded(store, cx, H::IS_OUTSIDE).await? {
                return Ok(handled);
            }
            let input =
                S::Input::decode(&request.input).map_err(|why| Malformed::Input { step: S::NAME, why })?;
            Ok(handler.run(store, cx, input).await?)
        }
        Op::Undo if H::HAS_UNDO => Ok(handler.undo(store, cx).await?),
        Op::Settle if H::HAS_SETTLE => Ok(engine::settle(store, cx).await?),
        // A pivot decides the saga: it is settled, and nobody goes on without it.
        Op::Abandon if !H::HAS_SETTLE => Ok(engine::abandon(store, cx).await?),
        Op::Undo | Op::Settle | Op::Abandon => Err(no_such_op().into()),
    }
}

/// Serves the step `S` as a step of kind `K`.
pub trait ServeAs<S: Step, K>: Send + Sync {
    /// It can be undone.
    const HAS_UNDO: bool;
    /// It can be settled.
    const HAS_SETTLE: bool;
    /// It has an effect outside the store.
    const IS_OUTSIDE: bool;

    /// Carries out a run.
    fn run(
        &self,
        store: &impl Store,
        cx: &Context,
        input: S::Input,
    ) -> impl Future<Output = Result<Handled, Retry>> + Send;

    /// Carries out an undo; only called when it [can be undone](Self::HAS_UNDO).
    fn undo(&self, store: &impl Store, cx: &Context) -> impl Future<Output = Result<Handled, Retry>> + Send;
}

macro_rules! serve_local {
    ($($kind:ty: undo $undo:literal, settle $settle:literal;)+) => {$(
        impl<S: Step, H: Handle<S>> ServeAs<S, $kind> for H {
            const HAS_UNDO: bool = $undo;
            const HAS_SETTLE: bool = $settle;
            const IS_OUTSIDE: bool = false;

            async fn run(&self, store: &impl Store, cx: &Context, input: S::Input) -> Result<Handled, Retry> {
                engine::run::<S, H>(self, store, cx, input, $undo).await
            }

            async fn undo(&self, store: &impl Store, cx: &Context) -> Result<Handled, Retry> {
                engine::undo::<S, H>(self, store, cx).await
            }
        }
    )+};
}

serve_local! {
    Compensable: undo true, settle false;
    Pivot: undo false, settle true;
    Retriable: undo false, settle false;
}

impl<S: Step, H: HandleOutside<S>> ServeAs<S, CompensableOutside> for H {
    const HAS_UNDO: bool = true;
    const HAS_SETTLE: bool = false;
    const IS_OUTSIDE: bool = true;

    async fn run(&self, store: &impl Store, cx: &Context, input: S::Input) -> Result<Handled, Retry> {
        engine::run_outside::<S, H>(self, store, cx, input).await
    }

    async fn undo(&self, store: &impl Store, cx: &Context) -> Result<Handled, Retry> {
        engine::undo_outside::<S, H>(self, store, cx).await
    }
}
