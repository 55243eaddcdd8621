//! Intakes: the functions that start sagas, and which.

use crate::{
    builder::{Open, saga},
    environment,
    input::{Nil, With},
    step::Place,
    value::{ProducedBy, Start},
};

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
/// assert_eq!(Shop::state_machine_variable::<OrderSaga, _>(), "FLYOVER_SAGA_ORDER");
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

    /// The variable with the ARN of the state machine of one of its sagas.
    fn state_machine_variable<S, P>() -> String
    where
        S: Startable,
        Self::Sagas: Starts<S, P>,
    {
        environment::state_machine(S::NAME)
    }
}

/// A tuple of [`Startable`]s.
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

macro_rules! startables {
    ($(($($saga:ident),+))+) => {$(
        impl<$($saga: Startable),+> Startables for ($($saga,)+) {
            const NAMES: &'static [&'static str] = &[$($saga::NAME),+];
        }
    )+};
}

startables! { (A) (A, B) (A, B, C) (A, B, C, D) }

macro_rules! starts {
    ($([$($all:ident),+] $one:ident $n:literal;)+) => {
        $(impl<$($all),+> Starts<$one, Place<$n>> for ($($all,)+) {})+
    };
}

starts! {
    [A] A 0;
    [A, B] A 0; [A, B] B 1;
    [A, B, C] A 0; [A, B, C] B 1; [A, B, C] C 2;
    [A, B, C, D] A 0; [A, B, C, D] B 1; [A, B, C, D] C 2; [A, B, C, D] D 3;
}
