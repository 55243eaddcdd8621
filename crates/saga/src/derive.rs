//! The derives, which have the names of their traits. They are documented here, and not where they are made, because their
//! examples need this crate, which that one must not.

/// A value of a saga: its input, or the output of a step.
///
/// | `#[value(..)]` | becomes | |
/// | --- | --- | --- |
/// | `name = "order"` | `Value::NAME` | needed |
/// | `max_bytes = 2_000` | `Value::MAX_BYTES`, 1 or more | needed |
/// | `producer = Start` | `Value::Producer`: `saga::Start`, or the step whose output it is | needed |
///
/// ```
/// use saga::{Start, Value};
/// use schemars::JsonSchema;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Value)]
/// #[value(name = "order", max_bytes = 2_000, producer = Start)]
/// struct PlaceOrder {
///     order_id: String,
/// }
/// assert_eq!((PlaceOrder::NAME, PlaceOrder::MAX_BYTES), ("order", 2_000));
/// ```
#[doc(inline)]
pub use saga_derive::Value;

/// Why a step says no: a struct is one rejection, an enum has one in each variant.
///
/// The wire name is that of the type or variant, so rename either with `#[rejection(name = "..")]` beside it: executions in
/// flight know the old name. `NAME`, or for variants a constant each, are the names for who compares with them.
///
/// ```
/// use saga::Rejection;
/// use schemars::JsonSchema;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Rejection)]
/// struct OutOfStock {
///     sku: String,
/// }
/// assert_eq!(OutOfStock::NAMES, [OutOfStock::NAME]);
/// assert_eq!(OutOfStock { sku: "nw-1".into() }.name(), "OutOfStock");
///
/// #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Rejection)]
/// enum NotCancelled {
///     TooLate {},
///     #[rejection(name = "NotYourOrder")]
///     SomebodyElses {},
/// }
/// assert_eq!(NotCancelled::NAMES, ["TooLate", "NotYourOrder"]);
/// assert_eq!(NotCancelled::TooLate {}.name(), NotCancelled::TOO_LATE);
/// ```
#[doc(inline)]
pub use saga_derive::Rejection;

/// What a participant stores, declared as a struct: its key, and its other fields with their types.
///
/// Each field but the key becomes a constant of its name in capitals, with its docs and its visibility: a
/// `Field<Self, Type>` by which handlers read and write. The struct itself is a declaration; nobody makes one.
///
/// | `#[entity(..)]` | on | says |
/// | --- | --- | --- |
/// | `name = "stock"` | the struct | `Entity::NAME`; needed |
/// | `key` | one field | it is the key: `Entity::KEY` and `Entity::Key`; needed |
/// | `rename = "free"` | a field | under which name it is stored; else its own |
///
/// ```
/// use saga::{Entity, Field};
///
/// #[derive(Entity)]
/// #[entity(name = "stock")]
/// struct Stock {
///     #[entity(key)]
///     sku: String,
///     /// Units that can be reserved.
///     available: u32,
///     /// Units that are reserved.
///     #[entity(rename = "held")]
///     reserved: u32,
/// }
/// let row = Stock::row("nw-1".to_owned()).with(Stock::AVAILABLE, 39_u32);
/// let reserved: Field<Stock, u32> = Stock::RESERVED;
/// assert_eq!((Stock::KEY, reserved.name()), ("sku", "held"));
/// # let _ = row;
/// ```
#[doc(inline)]
pub use saga_derive::Entity;

/// A type that a field of an entity can have: an enum of variants without data, stored as text.
///
/// A variant is stored in capitals, with a `_` where a word begins (`OnHold` as `ON_HOLD`), or as `#[field(rename = "..")]`
/// says. `as_str` tells the stored name; a stored text that is none of them is no such value.
///
/// ```
/// use saga::{FieldType, Scalar};
///
/// #[derive(Debug, PartialEq, FieldType)]
/// enum OrderStatus {
///     Pending,
///     #[field(rename = "WAITING")]
///     OnHold,
/// }
/// assert_eq!((OrderStatus::Pending.as_str(), OrderStatus::OnHold.as_str()), ("PENDING", "WAITING"));
/// assert_eq!(OrderStatus::from_scalar(&Scalar::Text("WAITING".into())), Some(OrderStatus::OnHold));
/// assert_eq!(OrderStatus::from_scalar(&Scalar::Text("ON_HOLD".into())), None);
/// ```
#[doc(inline)]
pub use saga_derive::FieldType;

/// A step of a participant.
///
/// | `#[step(..)]` | becomes | |
/// | --- | --- | --- |
/// | `name = "reserve"` | `Step::NAME` | else that of the type in kebab case: `ReserveStock` is `reserve-stock` |
/// | `participant = Inventory` | `Step::Participant` | needed |
/// | `kind = Compensable` | `Step::Kind` | needed |
/// | `input = (PlaceOrder,)` | `Step::Input`, a tuple | needed |
/// | `output = Reservation` | `Step::Output` | needed |
/// | `rejection = OutOfStock` | `Step::Rejection` | else `saga::Never` |
/// | `timeout = Duration::from_mins(15)` | `Step::TIMEOUT` | needed |
/// | `max_writes = 50` | `Step::MAX_WRITES` | else the trait's |
///
/// The name is a wire name, which executions in flight know: give it with `name` when the type is renamed.
///
/// ```
/// # use saga::{Participant, Start, Value};
/// # use schemars::JsonSchema;
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Value)]
/// # #[value(name = "order", max_bytes = 9, producer = Start)]
/// # struct PlaceOrder;
/// # #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Value)]
/// # #[value(name = "reservation", max_bytes = 9, producer = ReserveStock)]
/// # struct Reservation;
/// # struct Inventory;
/// # impl Participant for Inventory { const NAME: &'static str = "inventory"; type Steps = (ReserveStock,); type Entities = (); }
/// use saga::{Compensable, Step};
/// use std::time::Duration;
///
/// #[derive(Step)]
/// #[step(participant = Inventory, kind = Compensable, input = (PlaceOrder,), output = Reservation)]
/// #[step(timeout = Duration::from_mins(15), max_writes = 50)]
/// struct ReserveStock;
///
/// assert_eq!((ReserveStock::NAME, ReserveStock::MAX_WRITES), ("reserve-stock", 50));
/// ```
#[doc(inline)]
pub use saga_derive::Step;

/// An event published when a saga ends.
///
/// | `#[notice(..)]` | becomes | |
/// | --- | --- | --- |
/// | `name = "OrderConfirmed"` | `Notice::NAME` | else that of the type |
/// | `input = (PlaceOrder,)` | `Notice::Input`, a tuple | needed |
///
/// The name is a wire name, which who reads notices knows: give it with `name` when the type is renamed.
///
/// ```
/// # use saga::{Start, Value};
/// # use schemars::JsonSchema;
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Value)]
/// # #[value(name = "order", max_bytes = 9, producer = Start)]
/// # struct PlaceOrder;
/// use saga::Notice;
///
/// #[derive(Notice)]
/// #[notice(input = (PlaceOrder,))]
/// struct OrderRejected;
///
/// assert_eq!(OrderRejected::NAME, "OrderRejected");
/// ```
#[doc(inline)]
pub use saga_derive::Notice;

/// `Debug` without the fields marked `#[redact]`: a value has to be `Debug`, and what ends in a log line must be no token and
/// no address.
///
/// ```
/// use saga::Redacted;
///
/// #[derive(Redacted)]
/// struct Customer {
///     id: String,
///     #[redact]
///     email: String,
/// }
/// let customer = Customer { id: "c-1".into(), email: "ada@example.com".into() };
/// assert_eq!(format!("{customer:?}"), r#"Customer { id: "c-1", .. }"#);
/// # let _ = customer.email;
///
/// #[derive(Redacted)]
/// struct Token(#[redact] String);
/// assert_eq!(format!("{:?}", Token("secret".into())), "Token(..)");
/// # let _ = Token(String::new()).0;
/// ```
#[doc(inline)]
pub use saga_derive::Redacted;
