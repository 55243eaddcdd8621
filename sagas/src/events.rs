//! What customers publish to the order topic, before anybody has looked at it.

use crate::customer::Customer;
use saga::Redacted;
use serde::{Deserialize, Serialize};

/// An event on the order topic. Members it does not know are ignored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum OrderEvent {
    /// Somebody orders.
    OrderPlaced(OrderPlaced),
    /// Somebody wants an order cancelled.
    CancelOrder(CancelRequested),
}

/// An order as a customer places it: not validated, so numbers may be anything.
#[derive(Redacted, Clone, PartialEq, Serialize, Deserialize)]
pub struct OrderPlaced {
    /// The order's id, chosen by the customer's side.
    pub order_id: String,
    /// Who orders.
    pub customer: Customer,
    /// The ISO 4217 code of all prices.
    pub currency: String,
    /// What is ordered.
    pub lines: Vec<LinePlaced>,
    /// What the payment gateway charges.
    #[redact]
    pub payment_token: String,
}

/// One line of an order as placed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LinePlaced {
    /// The product.
    pub sku: String,
    /// How many.
    pub quantity: i64,
    /// The price of one, in minor units.
    pub unit_price_minor: i64,
    /// The discount in percent. Default: none.
    #[serde(default)]
    pub discount_percent: i64,
    /// The ISO 4217 code of this line's price. Default: the order's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
}

/// A wish to cancel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CancelRequested {
    /// Which order.
    pub order_id: String,
    /// Who asks, and how to answer them.
    pub customer: Customer,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_read_as_published() {
        let placed = r#"{"type":"OrderPlaced","order_id":"o-1","customer":{"id":"c-1","email":"ada@example.com"},"currency":"USD","lines":[{"sku":"nw-1","quantity":2,"unit_price_minor":1250}],"payment_token":"tok","unknown":1}"#;
        let OrderEvent::OrderPlaced(order) = serde_json::from_str(placed).unwrap() else {
            panic!("{placed}")
        };
        let line = LinePlaced {
            sku: "nw-1".into(),
            quantity: 2,
            unit_price_minor: 1_250,
            discount_percent: 0,
            currency: None,
        };
        assert_eq!((order.order_id.as_str(), &order.lines), ("o-1", &vec![line]));
        assert_eq!(
            format!("{order:?}"),
            r#"OrderPlaced { order_id: "o-1", customer: Customer { id: "c-1", .. }, currency: "USD", lines: [LinePlaced { sku: "nw-1", quantity: 2, unit_price_minor: 1250, discount_percent: 0, currency: None }], .. }"#
        );
        let cancel =
            r#"{"type":"CancelOrder","order_id":"o-1","customer":{"id":"c-1","email":"ada@example.com"}}"#;
        assert!(matches!(serde_json::from_str(cancel), Ok(OrderEvent::CancelOrder(_))));
    }
}
