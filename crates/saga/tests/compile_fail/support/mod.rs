//! Declarations that the cases share: a saga with a step of each kind.
#![allow(dead_code, unused_imports, unused_macros)]

pub use saga::*;
pub use schemars::JsonSchema;
pub use serde::{Deserialize, Serialize};
pub use std::time::Duration;

macro_rules! value {
    ($value:ident $name:literal from $producer:ty) => {
        #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
        pub struct $value {}
        impl Value for $value {
            const NAME: &'static str = $name;
            const MAX_BYTES: usize = 100;
            type Producer = $producer;
        }
    };
}

macro_rules! step {
    ($step:ident $name:literal: $kind:ty, $input:ty => $output:ty, $rejection:ty, $participant:ty) => {
        pub struct $step;
        impl Step for $step {
            const NAME: &'static str = $name;
            type Participant = $participant;
            type Kind = $kind;
            type Input = $input;
            type Output = $output;
            type Rejection = $rejection;
            const TIMEOUT: Duration = Duration::from_mins(15);
        }
    };
}

macro_rules! notice {
    ($notice:ident, $input:ty) => {
        pub struct $notice;
        impl Notice for $notice {
            const NAME: &'static str = stringify!($notice);
            type Input = $input;
        }
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

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct OutOfStock;
impl Rejection for OutOfStock {
    const NAMES: &'static [&'static str] = &["OutOfStock"];
    fn name(&self) -> &'static str {
        "OutOfStock"
    }
}

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

pub struct Stock;
impl Entity for Stock {
    const NAME: &'static str = "stock";
    const KEY: &'static str = "sku";
    type Key = String;
    const FIELDS: &'static [FieldSpec] = &[Stock::AVAILABLE.spec()];
}
impl Stock {
    pub const AVAILABLE: Field<Stock, u32> = Field::new("available");
}

pub struct Ledger;
impl Entity for Ledger {
    const NAME: &'static str = "ledger";
    const KEY: &'static str = "order_id";
    type Key = String;
    const FIELDS: &'static [FieldSpec] = &[Ledger::AMOUNT.spec()];
}
impl Ledger {
    pub const AMOUNT: Field<Ledger, i64> = Field::new("amount");
}
