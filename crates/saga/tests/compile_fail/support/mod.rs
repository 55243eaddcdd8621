//! Declarations that the cases share: a saga with a step of each kind.
#![allow(dead_code, unused_imports, unused_macros)]

pub use saga::*;
pub use schemars::JsonSchema;
pub use serde::{Deserialize, Serialize};
pub use std::time::Duration;

macro_rules! value {
    ($value:ident $name:literal from $producer:ty) => {
        #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Value)]
        #[value(name = $name, max_bytes = 100, producer = $producer)]
        pub struct $value {}
    };
}

macro_rules! step {
    ($step:ident $name:literal: $kind:ty, $input:ty => $output:ty, $rejection:ty, $participant:ty) => {
        #[derive(Step)]
        #[step(name = $name, participant = $participant, kind = $kind, timeout = Duration::from_mins(15))]
        #[step(input = $input, output = $output, rejection = $rejection)]
        pub struct $step;
    };
}

macro_rules! notice {
    ($notice:ident, $input:ty) => {
        #[derive(Notice)]
        #[notice(input = $input)]
        pub struct $notice;
    };
}

macro_rules! handle {
    ($service:ty, $step:ty) => {
        impl Handle<$step> for $service {
            async fn run(
                &self,
                _: &Context,
                _: <$step as Step>::Input,
            ) -> Result<Commit<$step>, Fault<<$step as Step>::Rejection>> {
                Err(Fault::retry("not today"))
            }
        }
    };
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Rejection)]
pub struct OutOfStock;

value!(Order "order" from Start);
value!(Reservation "reservation" from Reserve);
value!(Charge "charge" from Pay);
value!(Confirmation "confirmation" from Confirm);
value!(Shipment "shipment" from Ship);

step!(Reserve "reserve": Compensable, (Order,) => Reservation, OutOfStock, Shop);
step!(Pay "pay": CompensableOutside, (Reservation,) => Charge, Never, Shop);
step!(Confirm "confirm": Pivot, (Order,) => Confirmation, Never, Shop);
step!(Ship "ship": Retriable, (Confirmation,) => Shipment, Never, Shop);

notice!(Confirmed, (Order, Confirmation));
notice!(Rejected, (Order,));

pub struct Shop;
impl Participant for Shop {
    const NAME: &'static str = "shop";
    type Steps = (Reserve, Pay, Confirm, Ship);
    type Entities = (Stock, Ledger);
}

#[derive(Entity)]
#[entity(name = "stock")]
pub struct Stock {
    #[entity(key)]
    pub sku: String,
    pub available: u32,
}

#[derive(Entity)]
#[entity(name = "ledger")]
pub struct Ledger {
    #[entity(key)]
    pub order_id: String,
    pub amount: i64,
}
