//! Intakes: the functions that start sagas, and which.

use crate::{
    builder::{Open, saga},
    input::{Nil, With},
    tuples::{Contains, all_the_tuples},
    value::{ProducedBy, Start},
};

/// The `event` of the log line that an intake writes for each event that it holds back because participants have more to do
/// than they get done in time; a metric filter counts them.
pub const HELD_BACK_EVENT: &str = "held_back";

/// A saga as a type, so that it can be said who starts it.
///
/// ```
/// # use saga::{Intake, Startable, Value};
/// # use schemars::JsonSchema;
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)] struct PlaceOrder;
/// # impl Value for PlaceOrder { const NAME: &'static str = "order"; const MAX_BYTES: usize = 9; type Producer = saga::Start; }
/// struct OrderSaga;
/// impl Startable for OrderSaga {
///     const NAME: &'static str = "order";
///     type Input = PlaceOrder;
/// }
///
/// struct Shop;
/// impl Intake for Shop {
///     const NAME: &'static str = "shop";
///     type Sagas = (OrderSaga,);
/// }
/// let chain = OrderSaga::chain(); // `.step(..)` and so on
/// # let _ = chain;
/// ```
pub trait Startable: 'static {
    /// The saga's name.
    const NAME: &'static str;

    /// The saga's input.
    type Input: ProducedBy<Start>;

    /// Begins the chain of the saga.
    fn chain() -> Open<Self::Input, With<Self::Input, Nil>> {
        saga(Self::NAME)
    }
}

/// A function that starts sagas. The stacks let it start those it lists, and look at their executions, and no others.
pub trait Intake: 'static {
    /// The stable name: of the function, its crate and its queue.
    const NAME: &'static str;

    /// Every saga it starts, as a tuple.
    type Sagas: Startables;
}

/// A tuple of 1 to 16 [`Startable`]s.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no tuple of 1 to 16 sagas",
    label = "a tuple of 1 to 16 sagas is needed here",
    note = "write `(OrderSaga,)` for one; an intake of more than 16 is two intakes"
)]
pub trait Startables {
    /// The names of the sagas.
    const NAMES: &'static [&'static str];
}

/// The tuple of an intake's sagas has `S` in it, at place `P`.
#[diagnostic::on_unimplemented(
    message = "`{S}` is not among the sagas that this intake starts",
    label = "`{S}` is missing in `type Sagas = {Self}`",
    note = "add it to `type Sagas` of the intake, so that its function may start it"
)]
pub trait Starts<S, P> {}

#[diagnostic::do_not_recommend]
impl<S, P, Sagas: Contains<S, P>> Starts<S, P> for Sagas {}

macro_rules! startables {
    () => {};
    ($(($saga:ident $_in:ident $_at:ident $_n:literal))+) => {
        impl<$($saga: Startable),+> Startables for ($($saga,)+) {
            const NAMES: &'static [&'static str] = &[$($saga::NAME),+];
        }
    };
}

all_the_tuples! { startables }
