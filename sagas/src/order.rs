//! The order saga: create the order, reserve the stock, charge the customer, confirm; or undo it all.

use crate::{
    customer::Customer,
    money::Money,
    participants::{Inventory, Orders, Payment},
};
use saga::{Compensable, CompensableOutside, Notice, Pivot, Rejection, Saga, Start, Startable, Step, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{fmt, time::Duration};

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
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
    pub payment_token: String,
}

// Not derived: a debug line must not leak the payment token.
impl fmt::Debug for PlaceOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { order_id, customer, lines, total, payment_token: _ } = self;
        f.debug_struct("PlaceOrder")
            .field("order_id", order_id)
            .field("customer", customer)
            .field("lines", lines)
            .field("total", total)
            .finish_non_exhaustive()
    }
}

impl Value for PlaceOrder {
    const NAME: &'static str = "order";
    const MAX_BYTES: usize = 10_000;
    type Producer = Start;
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderCreated {
    /// The order.
    pub order_id: String,
}

impl Value for OrderCreated {
    const NAME: &'static str = "created";
    const MAX_BYTES: usize = 200;
    type Producer = CreateOrder;
}

/// Units are set aside for the order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reservation {
    /// How many units of all products.
    #[schemars(range(max = saga::MAX_EXACT))]
    pub units: u64,
}

impl Value for Reservation {
    const NAME: &'static str = "reservation";
    const MAX_BYTES: usize = 200;
    type Producer = ReserveStock;
}

/// The customer is charged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Charge {
    /// The gateway's id of the charge.
    pub charge_id: String,
    /// What was charged.
    pub amount: Money,
}

impl Value for Charge {
    const NAME: &'static str = "charge";
    const MAX_BYTES: usize = 400;
    type Producer = ChargePayment;
}

/// The order is confirmed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Confirmation {
    /// The order.
    pub order_id: String,
    /// What was charged.
    pub total: Money,
}

impl Value for Confirmation {
    const NAME: &'static str = "confirmation";
    const MAX_BYTES: usize = 400;
    type Producer = ConfirmOrder;
}

// ---- rejections ----

/// There is an order with this id already.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct DuplicateOrder {}

impl Rejection for DuplicateOrder {
    const NAMES: &'static [&'static str] = &["DuplicateOrder"];

    fn name(&self) -> &'static str {
        "DuplicateOrder"
    }
}

/// A product is not there in the quantity ordered.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct OutOfStock {
    /// The product.
    pub sku: String,
}

impl Rejection for OutOfStock {
    const NAMES: &'static [&'static str] = &["OutOfStock"];

    fn name(&self) -> &'static str {
        "OutOfStock"
    }
}

/// The gateway will not charge.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct PaymentDeclined {
    /// The gateway's reason, for example `insufficient_funds`.
    pub reason: String,
}

impl Rejection for PaymentDeclined {
    const NAMES: &'static [&'static str] = &["PaymentDeclined"];

    fn name(&self) -> &'static str {
        "PaymentDeclined"
    }
}

/// The customer cancelled in time.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct OrderCancelled {}

impl Rejection for OrderCancelled {
    const NAMES: &'static [&'static str] = &["OrderCancelled"];

    fn name(&self) -> &'static str {
        "OrderCancelled"
    }
}

// ---- steps ----

/// Keeps the order as PENDING: the semantic lock that others can see. Undone by marking it REJECTED with the reason.
#[derive(Debug)]
pub struct CreateOrder;

impl Step for CreateOrder {
    const NAME: &'static str = "create-order";
    type Participant = Orders;
    type Kind = Compensable;
    type Input = (PlaceOrder,);
    type Output = OrderCreated;
    type Rejection = DuplicateOrder;
    const TIMEOUT: Duration = LONGEST_WAIT;
    const MAX_WRITES: usize = 1;
}

/// Sets aside the units of all lines, or of none.
#[derive(Debug)]
pub struct ReserveStock;

impl Step for ReserveStock {
    const NAME: &'static str = "reserve-stock";
    type Participant = Inventory;
    type Kind = Compensable;
    type Input = (PlaceOrder,);
    type Output = Reservation;
    type Rejection = OutOfStock;
    const TIMEOUT: Duration = LONGEST_WAIT;
    const MAX_WRITES: usize = MAX_LINES;
}

/// Charges the customer through the gateway. Undone by refunding by the idempotency key.
#[derive(Debug)]
pub struct ChargePayment;

impl Step for ChargePayment {
    const NAME: &'static str = "charge-payment";
    type Participant = Payment;
    type Kind = CompensableOutside;
    type Input = (PlaceOrder,);
    type Output = Charge;
    type Rejection = PaymentDeclined;
    const TIMEOUT: Duration = LONGEST_WAIT;
    const MAX_WRITES: usize = 1;
}

/// PENDING becomes CONFIRMED, unless the customer cancelled meanwhile.
#[derive(Debug)]
pub struct ConfirmOrder;

impl Step for ConfirmOrder {
    const NAME: &'static str = "confirm-order";
    type Participant = Orders;
    type Kind = Pivot;
    type Input = (PlaceOrder, Reservation, Charge);
    type Output = Confirmation;
    type Rejection = OrderCancelled;
    const TIMEOUT: Duration = LONGEST_WAIT;
    const MAX_WRITES: usize = 1;
}

// ---- notices ----

/// Published when an order is confirmed.
#[derive(Debug)]
pub struct OrderConfirmed;

impl Notice for OrderConfirmed {
    const NAME: &'static str = "OrderConfirmed";
    type Input = (PlaceOrder, Confirmation);
}

/// Published, with the reason, when an order could not be carried out and all is undone.
#[derive(Debug)]
pub struct OrderRejected;

impl Notice for OrderRejected {
    const NAME: &'static str = "OrderRejected";
    type Input = (PlaceOrder,);
}
