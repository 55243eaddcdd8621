//! The services that take part in the sagas.

use crate::{
    cancel::CancelPendingOrder,
    entities::{LedgerEntry, Order, Stock},
    order::{ChargePayment, ConfirmOrder, CreateOrder, ReserveStock},
};
use saga::Participant;

/// Keeps the orders.
#[derive(Debug)]
pub struct Orders;

impl Participant for Orders {
    const NAME: &'static str = "orders";
    type Steps = (CreateOrder, ConfirmOrder, CancelPendingOrder);
    type Entities = (Order,);
}

/// Keeps the stock.
#[derive(Debug)]
pub struct Inventory;

impl Participant for Inventory {
    const NAME: &'static str = "inventory";
    type Steps = (ReserveStock,);
    type Entities = (Stock,);
}

/// Charges customers through the payment gateway and keeps the ledger.
#[derive(Debug)]
pub struct Payment;

impl Participant for Payment {
    const NAME: &'static str = "payment";
    type Steps = (ChargePayment,);
    type Entities = (LedgerEntry,);
}
