//! Contracts: steps, participants and notices.

use crate::{
    definition::Kind,
    entity::Entities,
    input::Inputs,
    rejection::{Never, Rejection},
    tuples::{Contains, List},
    value::{ProducedBy, Value},
};
use std::time::Duration;

/// A unit of work of one participant: a local transaction with a typed input, output and rejection. What the derive of this
/// name writes:
///
/// ```
/// # use schemars::JsonSchema;
/// # use serde::{Deserialize, Serialize};
/// # use std::time::Duration;
/// # #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)] struct PlaceOrder;
/// # impl saga::Value for PlaceOrder { const NAME: &'static str = "order"; const MAX_BYTES: usize = 9; type Producer = saga::Start; }
/// # #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)] struct Reservation;
/// # impl saga::Value for Reservation { const NAME: &'static str = "reservation"; const MAX_BYTES: usize = 9; type Producer = ReserveStock; }
/// # struct Inventory;
/// # impl saga::Participant for Inventory { const NAME: &'static str = "inventory"; type Steps = (ReserveStock,); type Entities = (); }
/// struct ReserveStock;
/// impl saga::Step for ReserveStock {
///     const NAME: &'static str = "reserve-stock";
///     type Participant = Inventory;
///     type Kind = saga::Compensable;
///     type Input = (PlaceOrder,);
///     type Output = Reservation;
///     type Rejection = saga::Never;
///     const TIMEOUT: Duration = Duration::from_mins(15);
///     const MAX_WRITES: usize = 50;
/// }
/// ```
pub trait Step: Sized + Send + Sync + 'static {
    /// The stable wire name: lower-case letters, digits and `-`, unique among all sagas of a deployment.
    const NAME: &'static str;

    /// Who does it.
    type Participant: Participant;

    /// [`Compensable`], [`CompensableOutside`], [`Pivot`] or [`Retriable`].
    type Kind: StepKind + Permits<Self::Rejection>;

    /// The values it needs, as a tuple: each is the saga's input or the output of an earlier step.
    type Input: Inputs;

    /// What it produces.
    type Output: Value + ProducedBy<Self>;

    /// How it can say no; [`Never`] if it cannot.
    type Rejection: Rejection;

    /// How long the saga waits for an answer. It covers queueing, every redelivery and the work: waiting is free, and
    /// a backlog must not compensate. Refused at synth when it is shorter than the deliveries can take.
    const TIMEOUT: Duration;

    /// The most items one commit of this step writes, not counting the fence: 0 to 99, since a
    /// [`TransactWriteItems`](https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html)
    /// takes 100. A larger commit is refused before anything is written.
    const MAX_WRITES: usize = 10;
}

/// A service: one Lambda function, one queue with its dead-letter queue, its own data.
pub trait Participant: Send + Sync + 'static {
    /// The stable name: of the function, its crate, its queue and its fence table.
    const NAME: &'static str;

    /// Every step it owns, as a tuple of up to 16. Its function must handle them all.
    type Steps: List;

    /// Every entity it owns, as a tuple.
    type Entities: Entities;
}

/// An event published when a saga ends. It never blocks or fails the saga. There is a derive of this name.
pub trait Notice: 'static {
    /// The stable wire name, the `type` of the published message.
    const NAME: &'static str;

    /// What it carries: on commit any value of the saga, on compensation its input.
    type Input: Inputs;
}

/// Has an undo and stands before the pivot.
#[derive(Debug, Clone, Copy)]
pub enum Compensable {}

/// Compensable, with an effect outside its own store (an HTTP call): undone by the idempotency key.
#[derive(Debug, Clone, Copy)]
pub enum CompensableOutside {}

/// The go/no-go step: before it a saga can only end by undoing, after it only by finishing.
#[derive(Debug, Clone, Copy)]
pub enum Pivot {}

/// After the pivot; cannot be rejected; retried until it is done.
#[derive(Debug, Clone, Copy)]
pub enum Retriable {}

/// One of the four kinds of step.
pub trait StepKind: Send + Sync + 'static {
    /// The kind as data.
    const KIND: Kind;
}

impl StepKind for Compensable {
    const KIND: Kind = Kind::Compensable;
}
impl StepKind for CompensableOutside {
    const KIND: Kind = Kind::CompensableOutside;
}
impl StepKind for Pivot {
    const KIND: Kind = Kind::Pivot;
}
impl StepKind for Retriable {
    const KIND: Kind = Kind::Retriable;
}

/// A step of this kind may be rejected with `R`.
#[diagnostic::on_unimplemented(
    message = "a `{Self}` step cannot be rejected, but this one has the rejection `{R}`",
    label = "not allowed for a `{Self}` step",
    note = "after the pivot a saga can only finish: make its rejection `saga::Never`, or move the check before the pivot"
)]
pub trait Permits<R> {}

impl<R: Rejection> Permits<R> for Compensable {}
impl<R: Rejection> Permits<R> for CompensableOutside {}
impl<R: Rejection> Permits<R> for Pivot {}
impl Permits<Never> for Retriable {}

/// A step `S` of this kind may stand before the pivot.
#[diagnostic::on_unimplemented(
    message = "`{S}` has no undo (it is `{Self}`), so it cannot stand before the pivot",
    label = "`{S}` cannot be undone",
    note = "move it to `.pivot(..)` or after it, or make its kind `saga::Compensable` and give its handler an undo"
)]
pub trait BeforePivot<S> {}

impl<S> BeforePivot<S> for Compensable {}
impl<S> BeforePivot<S> for CompensableOutside {}

/// A step `S` of this kind may be the pivot.
#[diagnostic::on_unimplemented(
    message = "`{S}` is `{Self}`, so it cannot be the pivot",
    label = "`{S}` does not decide the saga",
    note = "make its kind `saga::Pivot`: a pivot is decided in one local transaction and is never undone"
)]
pub trait AtPivot<S> {}

impl<S> AtPivot<S> for Pivot {}

/// A step `S` of this kind may stand after the pivot.
#[diagnostic::on_unimplemented(
    message = "`{S}` is `{Self}`, so it cannot stand after the pivot",
    label = "`{S}` is not retried until it is done",
    note = "after the pivot nothing is undone: move it before `.pivot(..)`, or make its kind `saga::Retriable`"
)]
pub trait AfterPivot<S> {}

impl<S> AfterPivot<S> for Retriable {}

/// The tuple of a participant's steps has `S` in it, at place `I`.
#[diagnostic::on_unimplemented(
    message = "`{S}` is not among the steps of its participant",
    label = "`{S}` is missing in `type Steps = {Self}`",
    note = "add it to `type Steps` of the participant, so that its function must handle it"
)]
pub trait Owns<S, I> {}

#[diagnostic::do_not_recommend]
impl<S, I, Steps: Contains<S, I>> Owns<S, I> for Steps {}
