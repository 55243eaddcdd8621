//! Orders that share one product, with customers who may cancel.

use crate::bank::{Bank, BankClient};
use inventory::Inventory;
use orders::Orders;
use payment::Payment;
use reconciliation::examine;
use saga::{Deployment, Entity, IdempotencyKey, Retry, Scalar, Store};
use saga_check::{Check, Handlers, Invariant, Io, Outcome, Outside, World, check_machine};
use sagas::{
    cancel::CancelOrder,
    customer::Customer,
    entities::{LedgerEntry, Order, OrderStatus, Stock},
    money::Money,
    order::{Line, PlaceOrder},
    participants,
};

const SKU: &str = "nw-1";
const PRICE_MINOR: i64 = 900;

/// Which orders are placed at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scenario {
    /// How many orders of one unit.
    pub orders: u32,
    /// How many units there are.
    pub stock: u32,
    /// The customer of the first order cancels, at any moment.
    pub cancels: bool,
}

impl Scenario {
    /// This many orders of which one finds nothing left, when there are several.
    pub fn of_orders(orders: u32) -> Self {
        Self { orders, stock: orders.max(2) - 1, cancels: false }
    }
}

/// The real handlers of the order saga, with a bank in memory.
pub fn handlers(bank: Bank) -> Handlers {
    Handlers::new()
        .service(|_| Orders)
        .service(|_| Inventory)
        .service(|outside| Payment::new(BankClient(outside)))
        .peer(bank)
        .reconciliation::<participants::Payment, _>(Bank::charged, reconcile::<Io>)
}

/// What the function `reconciliation` does about one charge, at any moment: it waits for no grace period.
///
/// # Errors
/// When the store or the bank does not answer.
pub async fn reconcile<St: Store>(store: St, outside: Outside, key: String) -> Result<(), Retry> {
    let deployment = Deployment::in_memory();
    let Some(step) = IdempotencyKey::step_in(&deployment, &key) else { return Ok(()) };
    examine(&BankClient(outside), &store, &deployment, &step, false).await.map(|_| ())
}

/// Checks orders. `order` and `cancel`: the emitted state machines.
pub fn order_check(scenario: Scenario, handlers: Handlers, order: &str, cancel: &str) -> Check {
    let mut check = check_machine("order", order, handlers);
    for number in 1..=scenario.orders {
        let id = format!("o-{number}");
        check = check.start(&id, &place_order(&id));
    }
    // Another order under the id of the first, long after.
    check = check.again("o-1", &PlaceOrder { payment_token: "other".into(), ..place_order("o-1") });
    if scenario.cancels {
        let cancelled = CancelOrder { order_id: "o-1".into(), customer: customer() };
        check = check.also_machine("cancel-order", cancel).start_of("cancel-order", "o-1", &cancelled);
    }
    let row = Stock::row(SKU).with(Stock::AVAILABLE, scenario.stock).with(Stock::RESERVED, 0_u32);
    check
        .put(row)
        .with(stock_is_conserved(scenario.stock))
        .with(stock_is_reserved_for_who_has_it())
        .with(money_is_conserved())
        .with(orders_show_how_they_ended())
        .with(out_of_stock_is_true(scenario))
}

/// The customer of every order.
pub fn customer() -> Customer {
    Customer {
        id: "ALFKI".into(),
        email: "maria@example.com".into(),
        phone: None,
        prefers: Default::default(),
    }
}

/// An order of one unit.
pub fn place_order(id: &str) -> PlaceOrder {
    PlaceOrder {
        order_id: id.into(),
        customer: customer(),
        lines: vec![Line { sku: SKU.into(), quantity: 1 }],
        total: Money { minor: PRICE_MINOR, currency: "EUR".into() },
        payment_token: "tok".into(),
    }
}

fn units(world: &World<'_>) -> Result<(u32, u32), String> {
    let row = world.row::<Stock>(SKU).ok_or("the product is gone")?;
    match (Stock::AVAILABLE.read(row), Stock::RESERVED.read(row)) {
        (Some(available), Some(reserved)) => Ok((available, reserved)),
        _ => Err(format!("the stock is {row:?}")),
    }
}

fn stock_is_conserved(initial: u32) -> Invariant {
    Invariant::always("available and reserved units are those there were", move |world| {
        let (available, reserved) = units(world)?;
        let sum = available + reserved;
        if sum == initial { Ok(()) } else { Err(format!("{available} + {reserved} is not {initial}")) }
    })
}

fn committed<'a>(world: &'a World<'_>) -> impl Iterator<Item = &'a str> {
    let orders = world.sagas().iter().filter(|saga| saga.saga == "order");
    orders.filter(|saga| matches!(saga.outcome, Outcome::Committed(_))).map(|saga| saga.id)
}

/// An order that is parked or was skipped may keep what could not be undone.
fn loose(world: &World<'_>) -> usize {
    let orders = world.sagas().iter().filter(|saga| saga.saga == "order");
    orders.filter(|saga| saga.skipped || saga.outcome == Outcome::Parked).count()
}

fn stock_is_reserved_for_who_has_it() -> Invariant {
    Invariant::at_end("units are reserved for committed orders and for nobody else", |world| {
        let (_, reserved) = units(world)?;
        let (least, loose) = (committed(world).count(), loose(world));
        let most = least + loose;
        let reserved = reserved as usize;
        if (least..=most).contains(&reserved) {
            return Ok(());
        }
        Err(format!("{reserved} units are reserved for {least} committed and {loose} parked orders"))
    })
}

fn money_is_conserved() -> Invariant {
    Invariant::at_end("the bank keeps what committed orders cost, and the ledger says the same", |world| {
        let kept = Bank::kept(world.peer());
        let charged: i64 = world
            .rows::<LedgerEntry>()
            .filter(|(_, row)| LedgerEntry::STATUS.read(row).as_deref() == Some(LedgerEntry::CHARGED))
            .filter_map(|(_, row)| LedgerEntry::AMOUNT_MINOR.read(row))
            .sum();
        let orders = |count: usize| i64::try_from(count).unwrap_or(i64::MAX).saturating_mul(PRICE_MINOR);
        let (least, most) =
            (orders(committed(world).count()), orders(committed(world).count() + loose(world)));
        if !(least..=most).contains(&kept) {
            return Err(format!("the bank keeps {kept}, but committed orders cost {least}"));
        }
        let same = kept == charged || loose(world) > 0;
        if same { Ok(()) } else { Err(format!("the bank keeps {kept}, the ledger says {charged}")) }
    })
}

fn orders_show_how_they_ended() -> Invariant {
    Invariant::at_end("an order is CONFIRMED exactly when it is committed, and PENDING never", |world| {
        let orders = world.sagas().iter().filter(|saga| saga.saga == "order");
        for (place, saga) in orders.clone().enumerate() {
            // Another order had the id long after, when nothing was left of the first but its row.
            if orders.clone().skip(place + 1).any(|later| later.id == saga.id) {
                continue;
            }
            let status = world.row::<Order>(saga.id).and_then(|row| Order::STATUS.read(row));
            let fits = match saga.outcome {
                Outcome::Committed(_) => status == Some(OrderStatus::Confirmed),
                Outcome::Compensated(_) => {
                    let ended = [None, Some(OrderStatus::Rejected), Some(OrderStatus::Cancelled)];
                    ended.contains(&status) || saga.skipped
                }
                _ => true,
            };
            if !fits {
                return Err(format!("{} is {status:?}, but its saga is {:?}", saga.id, saga.outcome));
            }
        }
        Ok(())
    })
}

fn out_of_stock_is_true(scenario: Scenario) -> Invariant {
    Invariant::always("nobody is told 'out of stock' while there is enough for all", move |world| {
        let told = |row: &saga::Row| row.get("reason") == Some(&Scalar::Text("OutOfStock".into()));
        let wrong = scenario.stock >= scenario.orders && world.rows::<Order>().any(|(_, row)| told(row));
        if wrong { Err("an order is rejected as OutOfStock".into()) } else { Ok(()) }
    })
}
