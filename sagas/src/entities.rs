//! What the participants store.

use saga::{Entity, Field, FieldKind, FieldSpec, FieldType, Scalar};

/// An order, owned by the orders service. `PENDING` is the saga's semantic lock: who reads it knows that the order may
/// still go either way.
#[derive(Debug)]
pub struct Order;

impl Entity for Order {
    const NAME: &'static str = "orders";
    const KEY: &'static str = "order_id";
    type Key = String;
    const FIELDS: &'static [FieldSpec] = &[
        Order::STATUS.spec(),
        Order::CUSTOMER_ID.spec(),
        Order::TOTAL_MINOR.spec(),
        Order::CURRENCY.spec(),
        Order::REASON.spec(),
    ];
}

impl Order {
    /// Where it stands.
    pub const STATUS: Field<Order, OrderStatus> = Field::new("status");
    /// Who ordered.
    pub const CUSTOMER_ID: Field<Order, String> = Field::new("customer_id");
    /// The total in minor units of the currency.
    pub const TOTAL_MINOR: Field<Order, i64> = Field::new("total_minor");
    /// The ISO 4217 code.
    pub const CURRENCY: Field<Order, String> = Field::new("currency");
    /// Why it was rejected or cancelled: the wire name of the rejection or error.
    pub const REASON: Field<Order, String> = Field::new("reason");
}

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

impl OrderStatus {
    const ALL: [Self; 4] = [Self::Pending, Self::Confirmed, Self::Cancelled, Self::Rejected];

    /// The stored name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Confirmed => "CONFIRMED",
            Self::Cancelled => "CANCELLED",
            Self::Rejected => "REJECTED",
        }
    }
}

impl FieldType for OrderStatus {
    const KIND: FieldKind = FieldKind::Text;

    fn to_scalar(&self) -> Scalar {
        Scalar::Text(self.as_str().into())
    }

    fn from_scalar(scalar: &Scalar) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.to_scalar() == *scalar)
    }
}

/// The stock of one product, owned by the inventory service.
#[derive(Debug)]
pub struct Stock;

impl Entity for Stock {
    const NAME: &'static str = "stock";
    const KEY: &'static str = "sku";
    type Key = String;
    const FIELDS: &'static [FieldSpec] = &[Stock::AVAILABLE.spec(), Stock::RESERVED.spec()];
}

impl Stock {
    /// Units that can be reserved.
    pub const AVAILABLE: Field<Stock, u32> = Field::new("available");
    /// Units reserved by pending and confirmed orders.
    pub const RESERVED: Field<Stock, u32> = Field::new("reserved");
}

/// A charge, owned by the payment service.
#[derive(Debug)]
pub struct LedgerEntry;

impl Entity for LedgerEntry {
    const NAME: &'static str = "ledger";
    const KEY: &'static str = "order_id";
    type Key = String;
    const FIELDS: &'static [FieldSpec] = &[
        LedgerEntry::CHARGE_ID.spec(),
        LedgerEntry::AMOUNT_MINOR.spec(),
        LedgerEntry::CURRENCY.spec(),
        LedgerEntry::STATUS.spec(),
    ];
}

impl LedgerEntry {
    /// The gateway's id of the charge.
    pub const CHARGE_ID: Field<LedgerEntry, String> = Field::new("charge_id");
    /// The amount in minor units of the currency.
    pub const AMOUNT_MINOR: Field<LedgerEntry, i64> = Field::new("amount_minor");
    /// The ISO 4217 code.
    pub const CURRENCY: Field<LedgerEntry, String> = Field::new("currency");
    /// `charged` or `refunded`.
    pub const STATUS: Field<LedgerEntry, String> = Field::new("status");

    /// [`STATUS`](Self::STATUS) of a charge.
    pub const CHARGED: &'static str = "charged";
    /// [`STATUS`](Self::STATUS) of a charge that was given back.
    pub const REFUNDED: &'static str = "refunded";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_status_is_read_as_it_is_stored() {
        for status in OrderStatus::ALL {
            assert_eq!(OrderStatus::from_scalar(&status.to_scalar()), Some(status));
        }
        assert_eq!(OrderStatus::from_scalar(&Scalar::Text("SHIPPED".into())), None);
    }
}
