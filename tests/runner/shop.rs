//! The services of the order saga with their stores, the gateway, and what is in the books.

use gateway::Gateway;
use inventory::Inventory;
use orders::Orders;
use payment::{Payment, Peer};
use saga::{Entity, Failure, MemoryStore, Outcome, Runner, SagaId};
use sagas::{
    customer::{Channel, Customer},
    entities::{LedgerEntry, Order, OrderStatus, Stock},
    money::Money,
    order::{Line, PlaceOrder, order_saga},
};
use std::sync::Arc;

/// The units there are of the one product.
const UNITS: u32 = 10;
const ORDER_ID: &str = "o-1";
const SKU: &str = "nw-1";
const TOTAL_MINOR: i64 = 9_900;

pub(crate) struct Shop {
    gateway: Gateway,
    pub(crate) orders: Arc<MemoryStore>,
    inventory: Arc<MemoryStore>,
    payment: Arc<MemoryStore>,
}

/// Everything that an order can change.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Books {
    /// The order's status and reason.
    pub(crate) order: Option<(String, Option<String>)>,
    /// Units available and reserved.
    pub(crate) stock: (u32, u32),
    /// What the ledger says of the charge.
    pub(crate) ledger: Option<String>,
    /// What the gateway keeps of the customer's money, in minor units.
    pub(crate) kept_minor: i64,
}

impl Books {
    pub(crate) fn untouched() -> Self {
        Self { order: None, stock: (UNITS, 0), ledger: None, kept_minor: 0 }
    }

    pub(crate) fn sold(units: u32) -> Self {
        Self {
            order: Some(("CONFIRMED".into(), None)),
            stock: (UNITS - units, units),
            ledger: Some("charged".into()),
            kept_minor: TOTAL_MINOR,
        }
    }

    /// Nothing was charged.
    pub(crate) fn rejected(reason: &str) -> Self {
        Self { order: Some(("REJECTED".into(), Some(reason.into()))), ..Self::untouched() }
    }
}

impl Shop {
    pub(crate) async fn open() -> Self {
        let gateway = Gateway::start(0).await.unwrap();
        let shop =
            Self { gateway, orders: Arc::default(), inventory: Arc::default(), payment: Arc::default() };
        put(&shop.inventory, Stock::row(SKU).with(Stock::AVAILABLE, UNITS).with(Stock::RESERVED, 0_u32));
        shop
    }

    /// Somebody else's order with the same id.
    pub(crate) fn put_order(&self, status: OrderStatus) {
        put(&self.orders, Order::row(ORDER_ID).with(Order::STATUS, status));
    }

    pub(crate) fn order(&self, payment_token: &str, quantity: u32) -> PlaceOrder {
        let email = "maria@example.com".to_owned();
        PlaceOrder {
            order_id: ORDER_ID.into(),
            customer: Customer { id: "ALFKI".into(), email, phone: None, prefers: Channel::Email },
            lines: vec![Line { sku: SKU.into(), quantity }],
            total: Money { minor: TOTAL_MINOR, currency: "EUR".into() },
            payment_token: payment_token.into(),
        }
    }

    pub(crate) async fn run(&self, order: &PlaceOrder, failures: &[Failure]) -> Outcome {
        let peer = Peer::new(&self.gateway.url()).unwrap();
        let runner = Runner::new(&order_saga())
            .service(Orders, self.orders.clone())
            .service(Inventory, self.inventory.clone())
            .service(Payment::new(peer), self.payment.clone());
        let runner = failures.iter().fold(runner, |runner, failure| runner.failing(*failure));
        runner.run(&SagaId::try_from(ORDER_ID.to_owned()).unwrap(), order).await.unwrap()
    }

    pub(crate) async fn books(&self) -> Books {
        let order = self.orders.row(&Order::key(ORDER_ID));
        let status = |row: &saga::Row| Order::STATUS.read(row).unwrap().as_str().to_owned();
        let stock = self.inventory.row(&Stock::key(SKU)).unwrap();
        let ledger = self.payment.row(&LedgerEntry::key(ORDER_ID));
        let url = format!("{}{}", self.gateway.url(), gateway::SUMMARY_PATH);
        let answer = gateway::client_builder().build().unwrap().get(url).send().await.unwrap();
        let summary: gateway::Summary = answer.json().await.unwrap();
        Books {
            order: order.map(|row| (status(&row), Order::REASON.read(&row))),
            stock: (Stock::AVAILABLE.read(&stock).unwrap(), Stock::RESERVED.read(&stock).unwrap()),
            ledger: ledger.and_then(|row| LedgerEntry::STATUS.read(&row)),
            kept_minor: summary.currencies.get("EUR").map_or(0, |totals| totals.net_minor),
        }
    }
}

/// The step and the error for which a saga was compensated, having told the customer.
pub(crate) fn reason(outcome: &Outcome) -> (&str, &str) {
    let Outcome::Compensated { reason, notices } = outcome else { panic!("{outcome:?}") };
    assert_eq!(notices.iter().map(|notice| notice.notice.as_str()).collect::<Vec<_>>(), ["OrderRejected"]);
    (&reason.step, &reason.error)
}

fn put<E: Entity>(store: &MemoryStore, row: saga::NewRow<E>) {
    let (key, fields) = row.into_parts();
    store.put(key, fields);
}
