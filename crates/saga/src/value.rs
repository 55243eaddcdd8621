//! Values: what a saga carries from step to step.

use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};
use std::fmt::Debug;

/// A piece of data a saga holds: its input or the output of one of its steps.
///
/// Steps find their inputs by the *type* of the value, so every value type has exactly one producer. What the derive of this
/// name writes:
///
/// ```
/// use schemars::JsonSchema;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
/// struct PlaceOrder {
///     order_id: String,
/// }
/// impl saga::Value for PlaceOrder {
///     const NAME: &'static str = "order";
///     const MAX_BYTES: usize = 2_000;
///     type Producer = saga::Start;
/// }
/// ```
pub trait Value: Serialize + DeserializeOwned + JsonSchema + Clone + Debug + Send + Sync + 'static {
    /// The stable name on the wire and of the state machine's variable: lower-case letters, digits and `_`,
    /// starting with a letter. Renaming it breaks executions in flight.
    const NAME: &'static str;

    /// The most bytes its JSON form may have. Messages are bounded from it when templates are synthesised, and a
    /// handler whose output is larger is refused before anything is written.
    const MAX_BYTES: usize;

    /// The one step that produces it, or [`Start`] when it is the input of a saga.
    type Producer;
}

/// The producer of a saga's input.
#[derive(Debug, Clone, Copy)]
pub enum Start {}

/// `S` is the one producer of this value. Holds for every [`Value`] whose `Producer` is `S`.
pub trait ProducedBy<S>: Value {}

impl<V, S> ProducedBy<S> for V
where
    V: Value,
    V::Producer: Same<S>,
{
}

/// Two types are one and the same.
#[diagnostic::on_unimplemented(
    message = "two producers of one value: its producer is `{Self}`, so `{S}` cannot produce it too",
    label = "`{S}` does not produce this value",
    note = "steps find their inputs by type: give each step an output type of its own, and a saga an input whose producer is `saga::Start`"
)]
pub trait Same<S> {}

impl<S> Same<S> for S {}
