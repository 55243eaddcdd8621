//! Which saga an event begins.

use super::start::is_same_run;
use saga::{Notice, StartInput, Startable, Starts, Value};
use serde_json::Value as Json;
use std::marker::PhantomData;

/// The saga that an event begins, one of those of the intake `I`.
#[derive(saga::Redacted)]
#[must_use = "it is what `IntakeService::begin` returns"]
pub struct Begin<I> {
    pub(super) saga: &'static str,
    pub(super) id_field: &'static str,
    pub(super) id: String,
    #[redact]
    pub(super) input: Result<Json, String>,
    pub(super) input_name: &'static str,
    /// Whether an execution was started for the same.
    pub(super) is_same: fn(&str, &StartInput) -> bool,
    pub(super) telling: Option<ToldThen>,
    pub(super) after: Option<After>,
    pub(super) can_be_held_back: bool,
    intake: PhantomData<fn() -> I>,
}

/// What somebody is told to whom it does not belong.
#[derive(Debug, Clone, Copy)]
pub(super) struct ToldThen {
    pub(super) notice: &'static str,
    pub(super) error: &'static str,
}

/// The saga that must have begun before.
#[derive(Debug)]
pub(super) struct After {
    pub(super) saga: &'static str,
    pub(super) id_field: &'static str,
    pub(super) id: String,
    pub(super) unknown: &'static str,
}

impl<I: saga::Intake> Begin<I> {
    /// The saga `S` with this id and this input. An event with the same id and input begins none again; one with the same id
    /// and another input is refused. `id_field`: the member of the event that the id is made of, where problems with it are
    /// told.
    ///
    /// The saga must be one of the intake's, so that its function may start it:
    ///
    /// ```compile_fail,E0277
    /// # use saga::{Intake, Start, Startable, Value};
    /// # use saga_lambda::intake::Begin;
    /// # #[derive(Clone, serde::Serialize, serde::Deserialize, schemars::JsonSchema, Value)]
    /// # #[value(name = "order", max_bytes = 9, producer = Start)]
    /// # struct Order {}
    /// # struct Orders;
    /// # impl Startable for Orders { const NAME: &'static str = "order"; type Input = Order; }
    /// # struct Refunds;
    /// # impl Startable for Refunds { const NAME: &'static str = "refund"; type Input = Order; }
    /// struct Website;
    /// impl Intake for Website {
    ///     const NAME: &'static str = "website";
    ///     type Sagas = (Orders,);
    /// }
    /// let _ = Begin::<Website>::saga::<Orders, _>("order_id", "o-1", &Order {});
    /// let _ = Begin::<Website>::saga::<Refunds, _>("order_id", "o-1", &Order {}); // not among `Sagas`
    /// ```
    pub fn saga<S, P>(id_field: &'static str, id: impl Into<String>, input: &S::Input) -> Self
    where
        S: Startable,
        I::Sagas: Starts<S, P>,
    {
        Self {
            saga: S::NAME,
            id_field,
            id: id.into(),
            input: serde_json::to_value(input).map_err(|error| error.to_string()),
            input_name: <S::Input as Value>::NAME,
            is_same: is_same_run::<S::Input>,
            telling: None,
            after: None,
            can_be_held_back: true,
            intake: PhantomData,
        }
    }

    /// When another has the id, whoever published the event is told so by the notice `N`, as if the saga had been
    /// compensated with `error` as the reason.
    pub fn or_tell<N: Notice>(self, error: &'static str) -> Self {
        Self { telling: Some(ToldThen { notice: N::NAME, error }), ..self }
    }

    /// It waits until the saga `S` with this id, which is told in the member `id_field`, has begun: events may
    /// overtake each other. When no event that could begin it is under way any more, this one is refused: `unknown` is the
    /// reason, for example `no such order`.
    pub fn after<S, P>(self, id_field: &'static str, id: impl Into<String>, unknown: &'static str) -> Self
    where
        S: Startable,
        I::Sagas: Starts<S, P>,
    {
        Self { after: Some(After { saga: S::NAME, id_field, id: id.into(), unknown }), ..self }
    }

    /// It is started also while participants have more to do than they get done in time: for what takes work off them, such
    /// as a cancel.
    pub fn never_held_back(self) -> Self {
        Self { can_be_held_back: false, ..self }
    }
}
