//! The proof that nothing was lost: units and money, added up from the tables and the gateway.

use crate::{
    books::Books,
    start::System,
    tables::{LedgerRow, OrderRow, StockLevel},
};
use anyhow::Result;
use gateway::{Charge, ChargeStatus};
use sagas::entities::{LedgerEntry, OrderStatus};
use std::{collections::BTreeMap, fmt};

/// The status of an order that is in the books and nowhere else.
const MISSING: &str = "MISSING";

/// When the books are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// While sagas run: what is available and reserved of a product is what was loaded.
    Live,
    /// After all sagas have ended: everything, to the unit.
    Settled,
}

/// The books beside what the deployment holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Conservation {
    /// How many products are in the books.
    pub products: usize,
    /// Units that were loaded.
    pub units_loaded: i64,
    /// Units that can be reserved.
    pub units_available: i64,
    /// Units that are reserved.
    pub units_reserved: i64,
    /// Units in the lines of confirmed orders.
    pub units_confirmed: i64,
    /// How many orders of the books there are, by stored status; `MISSING` when there is no such order.
    pub orders: BTreeMap<&'static str, usize>,
    /// The money of the orders of the books, by currency.
    pub money: BTreeMap<String, MoneyTotals>,
    /// What does not add up, one sentence each.
    pub violations: Vec<String>,
}

/// The money of one currency, in minor units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MoneyTotals {
    /// The totals of confirmed orders.
    pub confirmed_minor: i64,
    /// What the gateway took.
    pub charged_minor: i64,
    /// What the gateway gave back.
    pub refunded_minor: i64,
    /// What the gateway holds: taken less given back.
    pub net_minor: i64,
    /// What the ledger says is charged.
    pub ledger_minor: i64,
    /// What the gateway holds because an operator left it there.
    pub left_minor: i64,
}

impl Conservation {
    /// Whether everything adds up.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.violations.is_empty()
    }
}

impl fmt::Display for Conservation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { products, units_loaded, units_available, units_reserved, .. } = self;
        write!(f, "{products} products, {units_loaded} units loaded: ")?;
        write!(f, "{units_available} available, {units_reserved} reserved; orders {:?}", self.orders)?;
        self.violations.iter().try_for_each(|violation| write!(f, "\n- {violation}"))
    }
}

impl System {
    /// Adds up what the deployment holds of what is in the books.
    ///
    /// # Errors
    /// When a table or the gateway cannot be read. What does not add up is no error: see
    /// [`holds`](Conservation::holds).
    pub async fn conservation(&self, books: &Books, moment: Moment) -> Result<Conservation> {
        let held = Held {
            stock: self.all_stock().await?,
            orders: self.all_orders().await?,
            ledger: self.ledger().await?,
            charges: self.charges_of_orders().await?,
        };
        Ok(compare(books, &held, moment))
    }
}

/// What the deployment holds.
#[derive(Debug, Default)]
struct Held {
    stock: BTreeMap<String, StockLevel>,
    orders: BTreeMap<String, OrderRow>,
    ledger: BTreeMap<String, LedgerRow>,
    /// By order id.
    charges: BTreeMap<String, Charge>,
}

fn compare(books: &Books, held: &Held, moment: Moment) -> Conservation {
    let mut report = Conservation { products: books.stock.len(), ..Conservation::default() };
    let mut confirmed_units: BTreeMap<&str, i64> = BTreeMap::new();
    for (id, lines) in &books.orders {
        let order = held.orders.get(id);
        *report.orders.entry(order.map_or(MISSING, |order| order.status.as_str())).or_default() += 1;
        if order.is_some_and(|order| order.status == OrderStatus::Confirmed) {
            for (sku, quantity) in lines {
                *confirmed_units.entry(sku).or_default() += quantity;
            }
        }
        let money = OrderMoney {
            order,
            ledger: held.ledger.get(id),
            charge: held.charges.get(id),
            left: books.left.get(id).copied(),
        };
        add_money(&mut report, id, &money, moment);
    }
    for (sku, loaded) in &books.stock {
        let confirmed = confirmed_units.get(sku.as_str()).copied().unwrap_or_default();
        add_units(&mut report, sku, *loaded, confirmed, held.stock.get(sku), moment);
    }
    report
}

fn add_units(
    report: &mut Conservation,
    sku: &str,
    loaded: i64,
    confirmed: i64,
    held: Option<&StockLevel>,
    moment: Moment,
) {
    let StockLevel { available, reserved } =
        held.copied().unwrap_or(StockLevel { available: 0, reserved: 0 });
    report.units_loaded += loaded;
    report.units_available += available;
    report.units_reserved += reserved;
    report.units_confirmed += confirmed;
    let mut violated = |sentence: String| report.violations.push(sentence);
    if available + reserved != loaded {
        violated(format!("{sku}: {available} available + {reserved} reserved, but {loaded} were loaded"));
    }
    if moment == Moment::Settled && reserved != confirmed {
        violated(format!("{sku}: {reserved} reserved, but confirmed orders have {confirmed}"));
    }
}

/// What there is about the money of one order.
struct OrderMoney<'a> {
    order: Option<&'a OrderRow>,
    ledger: Option<&'a LedgerRow>,
    charge: Option<&'a Charge>,
    /// What an operator has left at the gateway.
    left: Option<i64>,
}

fn add_money(report: &mut Conservation, id: &str, money: &OrderMoney<'_>, moment: Moment) {
    let OrderMoney { order, ledger, charge, left } = *money;
    let confirmed = order.filter(|order| order.status == OrderStatus::Confirmed);
    let entered = ledger.filter(|entry| entry.status == LedgerEntry::CHARGED);
    let kept = charge.filter(|charge| charge.status == ChargeStatus::Charged);
    if let Some(order) = confirmed {
        report.money.entry(order.currency.clone()).or_default().confirmed_minor += order.total_minor;
    }
    if let Some(entry) = entered {
        report.money.entry(entry.currency.clone()).or_default().ledger_minor += entry.amount_minor;
    }
    if let Some(charge) = charge {
        let totals = report.money.entry(charge.currency.clone()).or_default();
        totals.charged_minor += charge.amount_minor;
        if charge.status == ChargeStatus::Refunded {
            totals.refunded_minor += charge.amount_minor;
        }
        totals.net_minor = totals.charged_minor - totals.refunded_minor;
    }
    if let (Some(minor), Some(charge)) = (left, kept) {
        report.money.entry(charge.currency.clone()).or_default().left_minor += minor;
    }
    if moment == Moment::Live {
        return;
    }
    let mut violated = |sentence: String| report.violations.push(format!("order {id}: {sentence}"));
    if order.is_some_and(|order| order.status == OrderStatus::Pending) {
        violated("is still PENDING".to_owned());
    }
    // Free orders are not charged.
    let owed = confirmed.map(|order| (order.total_minor, order.currency.as_str())).filter(|owed| owed.0 != 0);
    let paid = kept.map(|charge| (charge.amount_minor, charge.currency.as_str()));
    if let Some(left) = left {
        // The ledger stays at whatever it said when the step was given up.
        let held = paid.map_or(0, |paid| paid.0);
        if confirmed.is_some() {
            violated("is confirmed, though its charge was left to an operator".to_owned());
        }
        if held != left {
            violated(format!("the gateway holds {held} minor units, but {left} were left to an operator"));
        }
        return;
    }
    let booked =
        entered.map(|entry| (entry.amount_minor, entry.currency.as_str())).filter(|paid| paid.0 != 0);
    if paid != owed {
        violated(format!("the gateway holds {}, but {} is confirmed", amount(paid), amount(owed)));
    }
    if booked != paid {
        violated(format!("the ledger says {}, but the gateway holds {}", amount(booked), amount(paid)));
    }
}

fn amount(money: Option<(i64, &str)>) -> String {
    money.map_or_else(|| "nothing".to_owned(), |(minor, currency)| format!("{minor} {currency} minor units"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sagas::events::LinePlaced;

    fn books() -> Books {
        let line = |quantity| LinePlaced {
            sku: "tea".to_owned(),
            quantity,
            unit_price_minor: 100,
            discount_percent: 0,
            currency: None,
        };
        let mut books = Books::default();
        books.stock("tea", 10);
        books.order(&sagas::events::OrderPlaced {
            order_id: "o-1".to_owned(),
            customer: sagas::customer::Customer {
                id: "c".to_owned(),
                email: "c@example.com".to_owned(),
                phone: None,
                prefers: sagas::customer::Channel::Email,
            },
            currency: "EUR".to_owned(),
            lines: vec![line(1), line(2)],
            payment_token: "tok_approve".to_owned(),
        });
        books
    }

    fn held(status: OrderStatus, reserved: i64, refunded: bool) -> Held {
        let text = str::to_owned;
        Held {
            stock: [(text("tea"), StockLevel { available: 10 - reserved, reserved })].into(),
            orders: [(
                text("o-1"),
                OrderRow {
                    order_id: text("o-1"),
                    status,
                    customer_id: text("c"),
                    total_minor: 300,
                    currency: text("EUR"),
                    reason: None,
                },
            )]
            .into(),
            ledger: [(
                text("o-1"),
                LedgerRow {
                    order_id: text("o-1"),
                    charge_id: None,
                    amount_minor: 300,
                    currency: text("EUR"),
                    status: text(if refunded { LedgerEntry::REFUNDED } else { LedgerEntry::CHARGED }),
                },
            )]
            .into(),
            charges: [(
                text("o-1"),
                Charge {
                    charge_id: text("ch-1"),
                    idempotency_key: text("o-1/charge-payment"),
                    sequence: 1,
                    amount_minor: 300,
                    currency: text("EUR"),
                    reference: text("o-1"),
                    created_at_ms: 0,
                    status: if refunded { ChargeStatus::Refunded } else { ChargeStatus::Charged },
                },
            )]
            .into(),
        }
    }

    #[test]
    fn a_confirmed_and_a_rejected_order_add_up() {
        for held in [held(OrderStatus::Confirmed, 3, false), held(OrderStatus::Rejected, 0, true)] {
            let report = compare(&books(), &held, Moment::Settled);
            assert!(report.holds(), "{report}");
        }
    }

    #[test]
    fn units_and_money_that_are_left_behind_are_named() {
        let report = compare(&books(), &held(OrderStatus::Rejected, 3, false), Moment::Settled);
        let expected = [
            "order o-1: the gateway holds 300 EUR minor units, but nothing is confirmed",
            "tea: 3 reserved, but confirmed orders have 0",
        ];
        assert_eq!(report.violations, expected);
    }

    #[test]
    fn money_that_an_operator_left_is_to_stay_as_it_is() {
        for (refunded, left, holds) in
            [(false, 300, true), (true, 0, true), (true, 300, false), (false, 0, false)]
        {
            let mut books = books();
            books.leave_money("o-1", left);
            let report = compare(&books, &held(OrderStatus::Rejected, 0, refunded), Moment::Settled);
            assert_eq!(report.holds(), holds, "{left} left, refunded {refunded}: {report}");
            assert_eq!(report.money["EUR"].left_minor, if refunded { 0 } else { left });
        }
        let mut books = books();
        books.leave_money("o-1", 300);
        assert!(!compare(&books, &held(OrderStatus::Confirmed, 3, false), Moment::Settled).holds());
    }

    #[test]
    fn while_sagas_run_only_lost_units_are_named() {
        let mut held = held(OrderStatus::Pending, 3, false);
        assert!(compare(&books(), &held, Moment::Live).holds());
        held.stock.insert("tea".to_owned(), StockLevel { available: 8, reserved: 3 });
        let report = compare(&books(), &held, Moment::Live);
        assert_eq!(report.violations, ["tea: 8 available + 3 reserved, but 10 were loaded"]);
    }
}
