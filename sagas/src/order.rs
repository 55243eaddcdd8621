//! The order saga: create the order, reserve the stock, charge the customer, confirm; or undo it all.

use crate::{
    customer::Customer,
    money::Money,
    participants::{Inventory, Orders, Payment},
};
use saga::{
    Compensable, CompensableOutside, Notice, Pivot, Redacted, Rejection, Saga, Start, Startable, Step, Value,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The most lines an order has after equal SKUs are merged. Each is one item of a transaction.
pub const MAX_LINES: usize = 50;

/// The most an order may cost, in minor units: ten thousand million euros.
///
/// What the payment gateway charges at once. It is far below 2^53, above which a number loses digits on its way through
/// a state machine: JSONata has no other numbers than 64-bit floating point.
pub const MAX_TOTAL_MINOR: i64 = 1_000_000_000_000;

/// How long a step may wait for its answer: a flood of orders is worked off in its time, and none is turned back for it.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_hours(2);

// ---- the chain ----

/// The saga's name.
pub const ORDER_SAGA: &str = "order";

/// The saga as a type, for who starts it.
#[derive(Debug)]
pub struct OrderSaga;

impl Startable for OrderSaga {
    const NAME: &'static str = ORDER_SAGA;
    type Input = PlaceOrder;
}

/// The saga.
pub fn order_saga() -> Saga<PlaceOrder> {
    OrderSaga::chain()
        .step(CreateOrder)
        .step(ReserveStock)
        .step(ChargePayment)
        .pivot(ConfirmOrder)
        .on_commit(OrderConfirmed)
        .on_compensate(OrderRejected)
        .build()
}

// ---- values ----

/// A valid order: the saga's input.
#[derive(Redacted, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Value)]
#[value(name = "order", max_bytes = 10_000, producer = Start)]
pub struct PlaceOrder {
    /// The order's id, which is also the saga id.
    pub order_id: String,
    /// Who orders.
    pub customer: Customer,
    /// 1 to [`MAX_LINES`] lines, each SKU once.
    pub lines: Vec<Line>,
    /// The sum of all lines, at most [`MAX_TOTAL_MINOR`].
    pub total: Money,
    /// What the payment gateway charges.
    #[redact]
    pub payment_token: String,
}

/// One line of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Line {
    /// The product, 1 to 64 characters.
    pub sku: String,
    /// How many, 1 or more.
    pub quantity: u32,
}

/// The order is kept, as pending.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Value)]
#[value(name = "created", max_bytes = 200, producer = CreateOrder)]
pub struct OrderCreated {
    /// The order.
    pub order_id: String,
}

/// Units are set aside for the order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Value)]
#[value(name = "reservation", max_bytes = 200, producer = ReserveStock)]
pub struct Reservation {
    /// How many units of all products.
    #[schemars(range(max = saga::MAX_EXACT))]
    pub units: u64,
}

/// The customer is charged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Value)]
#[value(name = "charge", max_bytes = 400, producer = ChargePayment)]
pub struct Charge {
    /// The gateway's id of the charge.
    pub charge_id: String,
    /// What was charged.
    pub amount: Money,
}

/// The order is confirmed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Value)]
#[value(name = "confirmation", max_bytes = 400, producer = ConfirmOrder)]
pub struct Confirmation {
    /// The order.
    pub order_id: String,
    /// What was charged.
    pub total: Money,
}

// ---- rejections ----

/// There is an order with this id already.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Rejection)]
pub struct DuplicateOrder {}

/// A product is not there in the quantity ordered.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Rejection)]
pub struct OutOfStock {
    /// The product.
    pub sku: String,
}

/// The gateway will not charge.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Rejection)]
pub struct PaymentDeclined {
    /// The gateway's reason, for example `insufficient_funds`.
    pub reason: String,
}

/// The customer cancelled in time.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Rejection)]
pub struct OrderCancelled {}

// ---- steps ----

/// Keeps the order as PENDING: the semantic lock that others can see. Undone by marking it REJECTED with the reason.
#[derive(Debug, Step)]
#[step(participant = Orders, kind = Compensable, timeout = LONGEST_WAIT, max_writes = 1)]
#[step(input = (PlaceOrder,), output = OrderCreated, rejection = DuplicateOrder)]
pub struct CreateOrder;

/// Sets aside the units of all lines, or of none.
#[derive(Debug, Step)]
#[step(participant = Inventory, kind = Compensable, timeout = LONGEST_WAIT, max_writes = MAX_LINES)]
#[step(input = (PlaceOrder,), output = Reservation, rejection = OutOfStock)]
pub struct ReserveStock;

/// Charges the customer through the gateway. Undone by refunding by the idempotency key.
#[derive(Debug, Step)]
#[step(participant = Payment, kind = CompensableOutside, timeout = LONGEST_WAIT, max_writes = 1)]
#[step(input = (PlaceOrder,), output = Charge, rejection = PaymentDeclined)]
pub struct ChargePayment;

/// PENDING becomes CONFIRMED, unless the customer cancelled meanwhile.
#[derive(Debug, Step)]
#[step(participant = Orders, kind = Pivot, timeout = LONGEST_WAIT, max_writes = 1)]
#[step(input = (PlaceOrder, Reservation, Charge), output = Confirmation, rejection = OrderCancelled)]
pub struct ConfirmOrder;

// ---- notices ----

/// Published when an order is confirmed.
#[derive(Debug, Notice)]
#[notice(input = (PlaceOrder, Confirmation))]
pub struct OrderConfirmed;

/// Published, with the reason, when an order could not be carried out and all is undone.
#[derive(Debug, Notice)]
#[notice(input = (PlaceOrder,))]
pub struct OrderRejected;
