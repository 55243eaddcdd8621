//! What the participants store.

use saga::{Entity, FieldType};

/// An order, owned by the orders service. `PENDING` is the saga's semantic lock: who reads it knows that the order may
/// still go either way.
#[derive(Debug, Entity)]
#[entity(name = "orders")]
pub struct Order {
    /// The order's id, which is also the saga id.
    #[entity(key)]
    pub order_id: String,
    /// Where it stands.
    pub status: OrderStatus,
    /// Who ordered.
    pub customer_id: String,
    /// The total in minor units of the currency.
    pub total_minor: i64,
    /// The ISO 4217 code.
    pub currency: String,
    /// Why it was rejected or cancelled: the wire name of the rejection or error.
    pub reason: String,
}

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FieldType)]
pub enum OrderStatus {
    /// The saga runs.
    Pending,
    /// The saga committed.
    Confirmed,
    /// The customer cancelled before the pivot.
    Cancelled,
    /// The saga was compensated.
    Rejected,
}

/// The stock of one product, owned by the inventory service.
#[derive(Debug, Entity)]
#[entity(name = "stock")]
pub struct Stock {
    /// The product.
    #[entity(key)]
    pub sku: String,
    /// Units that can be reserved.
    pub available: u32,
    /// Units reserved by pending and confirmed orders.
    pub reserved: u32,
}

/// A charge, owned by the payment service.
#[derive(Debug, Entity)]
#[entity(name = "ledger")]
pub struct LedgerEntry {
    /// The order that is paid.
    #[entity(key)]
    pub order_id: String,
    /// The gateway's id of the charge.
    pub charge_id: String,
    /// The amount in minor units of the currency.
    pub amount_minor: i64,
    /// The ISO 4217 code.
    pub currency: String,
    /// `charged` or `refunded`.
    pub status: String,
}

impl LedgerEntry {
    /// [`STATUS`](Self::STATUS) of a charge.
    pub const CHARGED: &'static str = "charged";
    /// [`STATUS`](Self::STATUS) of a charge that was given back.
    pub const REFUNDED: &'static str = "refunded";
}

#[cfg(test)]
mod tests {
    use super::*;
    use saga::Scalar;

    #[test]
    fn an_order_status_is_read_as_it_is_stored() {
        use OrderStatus::{Cancelled, Confirmed, Pending, Rejected};
        for (status, stored) in
            [(Pending, "PENDING"), (Confirmed, "CONFIRMED"), (Cancelled, "CANCELLED"), (Rejected, "REJECTED")]
        {
            assert_eq!(status.to_scalar(), Scalar::Text(stored.into()));
            assert_eq!(OrderStatus::from_scalar(&status.to_scalar()), Some(status));
        }
        assert_eq!(OrderStatus::from_scalar(&Scalar::Text("SHIPPED".into())), None);
    }
}
