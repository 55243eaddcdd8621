//! What is derived is what would be written by hand.

use saga::{
    Entities, FieldSpec, FieldType, MemoryStore, NoticeSpec, Participant, Rejection, Scalar, StepSpec, Value,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A saga whose contracts are derived. Nothing of `saga` is imported, and what generated code could mistake for something else
/// has another meaning here.
mod derived {
    use ::schemars::JsonSchema;
    use ::serde::{Deserialize, Serialize};
    use ::std::time::Duration;

    #[allow(dead_code, reason = "stand in the way of generated code that says `String`, `Option` or `saga`")]
    mod in_the_way {
        pub(super) struct Option;
        pub(super) struct Some;
        pub(super) struct None;
        pub(super) struct Result;
        pub(super) struct Scalar;
        pub(super) struct Field;
        pub(super) mod saga {}
        pub(super) mod core {}
        pub(super) mod std {}
    }
    #[allow(unused_imports, reason = "as above")]
    use in_the_way::*;

    const ORDER: &str = "order";
    const LONGEST: Duration = Duration::from_mins(20);
    const MOST: usize = 50;
    // As generated code names it.
    const MAX_BYTES: usize = 2_000;

    pub(super) fn order_saga() -> ::saga::Saga<PlaceOrder> {
        ::saga::saga::<PlaceOrder>("order")
            .step(ReserveStock)
            .pivot(Confirm)
            .step(Ship)
            .on_commit(OrderConfirmed)
            .on_compensate(Regret)
            .build()
    }

    /// An order.
    #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, ::saga::Value)]
    #[value(name = ORDER, max_bytes = MAX_BYTES, producer = ::saga::Start)]
    pub(super) struct PlaceOrder {
        pub(super) order_id: String,
    }

    /// How it is set aside.
    #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, ::saga::Value)]
    #[value(name = "reservation", max_bytes = 200, producer = ReserveStock)]
    pub(super) enum Reservation {
        Whole,
        Part { units: u32 },
    }

    #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, ::saga::Value)]
    #[value(name = "confirmation", max_bytes = 100, producer = Confirm)]
    pub(super) struct Confirmation(bool);

    #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, ::saga::Value)]
    #[value(name = "shipment", max_bytes = 100, producer = Ship)]
    pub(super) struct Shipment;

    #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, ::saga::Rejection)]
    pub(super) struct OutOfStock {
        pub(super) sku: String,
    }

    #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, ::saga::Rejection)]
    pub(super) enum NotConfirmed {
        A,
        TooLate {
            by: u32,
        },
        #[rejection(name = "OrderCancelled")]
        Cancelled(String),
    }

    #[derive(::saga::Step)]
    #[step(participant = Shop, kind = ::saga::Compensable, timeout = LONGEST, max_writes = MOST)]
    #[step(input = (PlaceOrder,), output = Reservation, rejection = OutOfStock)]
    pub(super) struct ReserveStock;

    #[derive(::saga::Step)]
    #[step(
        name = "confirm-order",
        participant = Shop,
        kind = ::saga::Pivot,
        input = (PlaceOrder, Reservation),
        output = Confirmation,
        rejection = NotConfirmed,
        timeout = Duration::from_mins(15),
        max_writes = 0,
    )]
    pub(super) struct Confirm;

    #[derive(::saga::Step)]
    #[step(participant = Shop, kind = ::saga::Retriable, timeout = LONGEST)]
    #[step(input = (Confirmation,), output = Shipment)]
    pub(super) struct Ship;

    #[derive(::saga::Notice)]
    #[notice(input = (PlaceOrder, Shipment))]
    pub(super) struct OrderConfirmed;

    #[derive(::saga::Notice)]
    #[notice(name = "OrderRejected", input = (PlaceOrder,))]
    pub(super) struct Regret;

    pub(super) struct Shop;

    impl ::saga::Participant for Shop {
        const NAME: &'static str = "shop";
        type Steps = (ReserveStock, Confirm, Ship);
        type Entities = (Stock,);
    }

    #[derive(::saga::Entity)]
    #[entity(name = "stock")]
    pub(super) struct Stock {
        #[entity(key, rename = "sku")]
        product: String,
        /// Units that can be reserved.
        pub(super) available: u32,
        #[entity(rename = "type")]
        pub(super) kind: StockKind,
        pub(super) r#in: i64,
    }

    #[derive(Debug, PartialEq, ::saga::FieldType)]
    pub(super) enum StockKind {
        Plain,
        MadeToOrder,
        #[field(rename = "second-hand")]
        Used,
    }

    #[derive(::saga::Redacted)]
    pub(super) struct Customer<T> {
        pub(super) id: T,
        #[redact]
        pub(super) email: String,
        pub(super) orders: Vec<T>,
    }

    #[derive(::saga::Redacted)]
    pub(super) struct Card(pub(super) u8, #[redact] pub(super) String);
}

/// The same, by hand.
mod by_hand {
    use super::*;
    use saga::{
        Compensable, Entity, Field, FieldKind, Never, Notice, Pivot, Retriable, Saga, Start, Step, saga,
    };
    use std::time::Duration;

    pub(super) fn order_saga() -> Saga<PlaceOrder> {
        saga::<PlaceOrder>("order")
            .step(ReserveStock)
            .pivot(Confirm)
            .step(Ship)
            .on_commit(OrderConfirmed)
            .on_compensate(Regret)
            .build()
    }

    /// An order.
    #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
    pub(super) struct PlaceOrder {
        order_id: String,
    }

    impl Value for PlaceOrder {
        const NAME: &'static str = "order";
        const MAX_BYTES: usize = 2_000;
        type Producer = Start;
    }

    /// How it is set aside.
    #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
    pub(super) enum Reservation {
        Whole,
        Part { units: u32 },
    }

    impl Value for Reservation {
        const NAME: &'static str = "reservation";
        const MAX_BYTES: usize = 200;
        type Producer = ReserveStock;
    }

    #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
    pub(super) struct Confirmation(bool);

    impl Value for Confirmation {
        const NAME: &'static str = "confirmation";
        const MAX_BYTES: usize = 100;
        type Producer = Confirm;
    }

    #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
    pub(super) struct Shipment;

    impl Value for Shipment {
        const NAME: &'static str = "shipment";
        const MAX_BYTES: usize = 100;
        type Producer = Ship;
    }

    #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
    pub(super) struct OutOfStock {
        sku: String,
    }

    impl Rejection for OutOfStock {
        const NAMES: &'static [&'static str] = &["OutOfStock"];

        fn name(&self) -> &'static str {
            "OutOfStock"
        }
    }

    #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
    pub(super) enum NotConfirmed {
        A,
        TooLate { by: u32 },
        Cancelled(String),
    }

    impl Rejection for NotConfirmed {
        const NAMES: &'static [&'static str] = &["A", "TooLate", "OrderCancelled"];

        fn name(&self) -> &'static str {
            match self {
                Self::A => "A",
                Self::TooLate { .. } => "TooLate",
                Self::Cancelled(_) => "OrderCancelled",
            }
        }
    }

    pub(super) struct ReserveStock;

    impl Step for ReserveStock {
        const NAME: &'static str = "reserve-stock";
        type Participant = Shop;
        type Kind = Compensable;
        type Input = (PlaceOrder,);
        type Output = Reservation;
        type Rejection = OutOfStock;
        const TIMEOUT: Duration = Duration::from_mins(20);
        const MAX_WRITES: usize = 50;
    }

    pub(super) struct Confirm;

    impl Step for Confirm {
        const NAME: &'static str = "confirm-order";
        type Participant = Shop;
        type Kind = Pivot;
        type Input = (PlaceOrder, Reservation);
        type Output = Confirmation;
        type Rejection = NotConfirmed;
        const TIMEOUT: Duration = Duration::from_mins(15);
        const MAX_WRITES: usize = 0;
    }

    pub(super) struct Ship;

    impl Step for Ship {
        const NAME: &'static str = "ship";
        type Participant = Shop;
        type Kind = Retriable;
        type Input = (Confirmation,);
        type Output = Shipment;
        type Rejection = Never;
        const TIMEOUT: Duration = Duration::from_mins(20);
    }

    pub(super) struct OrderConfirmed;

    impl Notice for OrderConfirmed {
        const NAME: &'static str = "OrderConfirmed";
        type Input = (PlaceOrder, Shipment);
    }

    pub(super) struct Regret;

    impl Notice for Regret {
        const NAME: &'static str = "OrderRejected";
        type Input = (PlaceOrder,);
    }

    pub(super) struct Shop;

    impl Participant for Shop {
        const NAME: &'static str = "shop";
        type Steps = (ReserveStock, Confirm, Ship);
        type Entities = (Stock,);
    }

    pub(super) struct Stock;

    impl Entity for Stock {
        const NAME: &'static str = "stock";
        const KEY: &'static str = "sku";
        type Key = String;
        const FIELDS: &'static [FieldSpec] = &[
            Stock::AVAILABLE.spec(),
            FieldSpec { name: "type", kind: FieldKind::Text },
            FieldSpec { name: "in", kind: FieldKind::Number },
        ];
    }

    impl Stock {
        const AVAILABLE: Field<Stock, u32> = Field::new("available");
    }
}

#[test]
fn a_derived_saga_is_the_one_written_by_hand() {
    // With the schemas of its values and rejections.
    assert_eq!(derived::order_saga().definition(), by_hand::order_saga().definition());
    assert_eq!(StepSpec::of::<derived::Ship>(), StepSpec::of::<by_hand::Ship>());
    assert_eq!(NoticeSpec::of::<derived::Regret>(), NoticeSpec::of::<by_hand::Regret>());
    assert_eq!(derived::PlaceOrder::MAX_BYTES, by_hand::PlaceOrder::MAX_BYTES);
}

#[test]
fn a_derived_rejection_has_its_names() {
    use derived::{NotConfirmed, OutOfStock};
    assert_eq!(OutOfStock { sku: "nw-1".into() }.name(), OutOfStock::NAME);
    assert_eq!((OutOfStock::NAME, OutOfStock::NAMES), ("OutOfStock", by_hand::OutOfStock::NAMES));
    let said = [NotConfirmed::A, NotConfirmed::TooLate { by: 1 }, NotConfirmed::Cancelled("o-1".into())];
    assert_eq!(said.map(|rejection| rejection.name()), NotConfirmed::NAMES);
    assert_eq!((NotConfirmed::TOO_LATE, NotConfirmed::CANCELLED), ("TooLate", "OrderCancelled"));
}

#[test]
fn a_derived_entity_is_the_one_written_by_hand() {
    use derived::{Stock, StockKind};
    type Of<P> = <P as Participant>::Entities;
    assert_eq!(<Of<derived::Shop> as Entities>::SPECS, <Of<by_hand::Shop> as Entities>::SPECS);
    let store = MemoryStore::default();
    let row = <Stock as saga::Entity>::row("nw-1")
        .with(Stock::AVAILABLE, 3_u32)
        .with(Stock::KIND, StockKind::Used)
        .with(Stock::IN, -1);
    let (key, fields) = row.into_parts();
    store.put(key.clone(), fields);
    let row = &store.rows()[&key];
    assert_eq!((key.attribute.as_ref(), key.value.as_ref()), ("sku", "nw-1"));
    assert_eq!((Stock::AVAILABLE.read(row), Stock::IN.read(row)), (Some(3), Some(-1)));
    assert_eq!(Stock::KIND.read(row), Some(StockKind::Used));
}

#[test]
fn a_derived_field_type_is_read_as_it_is_stored() {
    use derived::StockKind::{self, MadeToOrder, Plain, Used};
    for (kind, stored) in [(Plain, "PLAIN"), (MadeToOrder, "MADE_TO_ORDER"), (Used, "second-hand")] {
        assert_eq!((kind.as_str(), kind.to_scalar()), (stored, Scalar::Text(stored.into())));
        assert_eq!(StockKind::from_scalar(&kind.to_scalar()), Some(kind));
    }
    for other in [Scalar::Text("USED".into()), Scalar::Text(String::new()), Scalar::Number(0)] {
        assert_eq!(StockKind::from_scalar(&other), None, "{other:?}");
    }
}

#[test]
fn what_is_redacted_is_not_printed() {
    let customer = derived::Customer { id: 7, email: "ada@example.com".into(), orders: vec![1] };
    assert_eq!(format!("{customer:?}"), "Customer { id: 7, orders: [1], .. }");
    let derived::Customer { id, email, orders } = customer;
    assert_eq!((id, email.len(), orders), (7, 15, vec![1]));
    let card = derived::Card(12, "4111".into());
    assert_eq!(format!("{card:?}, {} and {}", card.0, card.1), "Card(12, ..), 12 and 4111");
}
