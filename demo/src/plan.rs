//! What will be published: each order with its fate, and the stock it meets. Pure, and the same for the same seed.

use crate::{
    arguments::Arguments,
    input::{Line, Order, Product},
    shares::deal,
};
use fastrand::Rng;
use sagas::{
    customer::{Channel, Customer},
    events::{CancelRequested, LinePlaced, OrderPlaced},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    time::Duration,
};

/// How long after its order a cancel is published: around the time the saga takes, so that it goes either way.
const CANCEL_AFTER_MILLIS: Range<u64> = 100..1_500;

/// All that will be put into the system.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// The orders, in the order in which they are published.
    pub(crate) orders: Vec<PlannedOrder>,
    /// The units of each product.
    pub(crate) stock: Vec<(String, u32)>,
    /// How many units the orders ask for.
    pub(crate) units_demanded: u64,
    /// How many customers there are, and how many of them prefer SMS.
    pub(crate) customers: (usize, usize),
}

/// One order and its fate.
#[derive(Debug, Clone)]
pub(crate) struct PlannedOrder {
    /// What is published.
    pub(crate) placed: OrderPlaced,
    /// What the payment gateway will do.
    pub(crate) payment: Payment,
    /// How long after the order its cancel is published, if it is.
    pub(crate) cancel_after: Option<Duration>,
}

impl PlannedOrder {
    /// The wish to cancel it.
    pub(crate) fn cancel(&self) -> CancelRequested {
        CancelRequested { order_id: self.placed.order_id.clone(), customer: self.placed.customer.clone() }
    }
}

/// What the payment gateway does with an order, chosen by its payment token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Payment {
    /// Charges.
    Approve,
    /// Declines.
    Decline,
    /// Charges, slowly.
    Slow,
    /// Charges and never answers.
    Lossy,
    /// Charges, and loses its first answer.
    LossyOnce,
}

impl Payment {
    /// The token that makes the gateway do it.
    pub(crate) fn token(self) -> &'static str {
        match self {
            Self::Approve => "tok_approve",
            Self::Decline => "tok_decline",
            Self::Slow => "tok_slow",
            Self::Lossy => "tok_lossy",
            Self::LossyOnce => "tok_lossy_once",
        }
    }

    /// Whether the charge is asked for again, which happens when the queue delivers its message again.
    pub(crate) fn waits_for_redelivery(self) -> bool {
        matches!(self, Self::Lossy | Self::LossyOnce)
    }
}

impl Plan {
    /// Deals out the fates. `prefix` comes before the ids of orders and products.
    pub(crate) fn new(orders: &[Order], products: &[Product], prefix: &str, arguments: &Arguments) -> Self {
        let orders = &orders[..arguments.limit.unwrap_or(orders.len()).min(orders.len())];
        let mut random = Rng::with_seed(arguments.seed);
        // Each has random numbers of its own: another share of cancels leaves the payments as they were.
        let (mut for_payments, mut for_cancels, mut for_sms) = (random.fork(), random.fork(), random.fork());
        let payment_shares = [
            (Payment::Decline, arguments.decline),
            (Payment::Slow, arguments.slow),
            (Payment::Lossy, arguments.lossy),
            (Payment::LossyOnce, arguments.lossy_once),
        ];
        let payments = deal(orders.len(), &payment_shares, Payment::Approve, &mut for_payments);
        let cancels = deal(orders.len(), &[(true, arguments.cancel)], false, &mut for_cancels);
        let customers = customers(orders, arguments.sms, &mut for_sms);
        let prefer_sms = customers.values().filter(|customer| customer.prefers == Channel::Sms).count();
        let planned =
            orders.iter().zip(payments).zip(cancels).map(|((order, payment), cancelled)| PlannedOrder {
                placed: placed(order, customers[order.customer.as_str()].clone(), payment, prefix),
                payment,
                cancel_after: cancelled.then(|| Duration::from_millis(for_cancels.u64(CANCEL_AFTER_MILLIS))),
            });
        let demands = Demand::of(orders);
        Self {
            orders: planned.collect(),
            stock: stock(products, &demands, prefix, arguments.stock_share()),
            units_demanded: demands.values().map(|demand| demand.units).sum(),
            customers: (customers.len(), prefer_sms),
        }
    }

    /// How many orders meet each behaviour of the gateway.
    pub(crate) fn payments(&self) -> BTreeMap<Payment, usize> {
        let mut counts = BTreeMap::new();
        for order in &self.orders {
            *counts.entry(order.payment).or_default() += 1;
        }
        counts
    }

    /// How many orders are cancelled.
    pub(crate) fn cancels(&self) -> usize {
        self.orders.iter().filter(|order| order.cancel_after.is_some()).count()
    }

    /// How many units there are of all products.
    pub(crate) fn units_stocked(&self) -> u64 {
        self.stock.iter().map(|(_, units)| u64::from(*units)).sum()
    }
}

/// Every customer once, by id: how one prefers to be told does not change from order to order.
fn customers<'a>(orders: &'a [Order], sms: u8, random: &mut Rng) -> BTreeMap<&'a str, Customer> {
    let ids: BTreeSet<&str> = orders.iter().map(|order| order.customer.as_str()).collect();
    let prefers = deal(ids.len(), &[(Channel::Sms, sms)], Channel::Email, random);
    let customer = |(place, (id, prefers)): (usize, (&'a str, Channel))| {
        let email = format!("{}@example.com", id.to_lowercase());
        // 555 numbers are nobody's.
        let phone = (prefers == Channel::Sms).then(|| format!("+1555{:07}", place + 1));
        (id, Customer { id: id.to_owned(), email, phone, prefers })
    };
    ids.into_iter().zip(prefers).enumerate().map(customer).collect()
}

fn placed(order: &Order, customer: Customer, payment: Payment, prefix: &str) -> OrderPlaced {
    let line = |line: &Line| LinePlaced {
        sku: format!("{prefix}{}", line.sku),
        quantity: line.quantity,
        unit_price_minor: line.unit_price_minor,
        discount_percent: line.discount_percent,
        currency: None,
    };
    OrderPlaced {
        order_id: format!("{prefix}{}", order.order_id),
        customer,
        currency: order.currency.clone(),
        lines: order.lines.iter().map(line).collect(),
        payment_token: payment.token().to_owned(),
    }
}

/// What the orders ask for of one product.
#[derive(Debug, Clone, Copy, Default)]
struct Demand {
    units: u64,
    largest_line: u64,
}

impl Demand {
    fn of(orders: &[Order]) -> BTreeMap<&str, Self> {
        let mut demands: BTreeMap<&str, Self> = BTreeMap::new();
        for line in orders.iter().flat_map(|order| &order.lines) {
            let demand = demands.entry(&line.sku).or_default();
            let units = line.quantity.unsigned_abs();
            demand.units += units;
            demand.largest_line = demand.largest_line.max(units);
        }
        demands
    }

    /// A share of the demand, but enough for the largest line: a few orders are to compete, not all to fail.
    fn share(self, percent: u8) -> u32 {
        let share = (self.units * u64::from(percent) + 50) / 100;
        let least = if percent == 0 { 0 } else { self.largest_line };
        u32::try_from(share.max(least)).unwrap_or(u32::MAX)
    }
}

fn stock(
    products: &[Product],
    demands: &BTreeMap<&str, Demand>,
    prefix: &str,
    share: Option<u8>,
) -> Vec<(String, u32)> {
    let units = |product: &Product| match share {
        Some(percent) => demands.get(product.sku.as_str()).copied().unwrap_or_default().share(percent),
        None => product.units_in_stock,
    };
    products.iter().map(|product| (format!("{prefix}{}", product.sku), units(product))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input;
    use clap::Parser;
    use gateway::Behaviour;

    fn plan(prefix: &str, options: &[&str]) -> Plan {
        let arguments = Arguments::parse_from(["demo"].iter().chain(options));
        let orders = input::orders(&arguments.orders_file(), prefix).unwrap();
        let products = input::stock(&arguments.stock_file(), prefix).unwrap();
        Plan::new(&orders, &products, prefix, &arguments)
    }

    #[test]
    fn every_token_makes_the_gateway_do_what_it_says() {
        let behaviour = |payment: Payment| Behaviour::of_token(payment.token()).unwrap();
        assert_eq!(behaviour(Payment::Approve), Behaviour::Approve);
        assert_eq!(behaviour(Payment::Decline), Behaviour::Decline);
        assert!(matches!(behaviour(Payment::Slow), Behaviour::Slow(_)));
        assert_eq!(behaviour(Payment::Lossy), Behaviour::Lossy);
        assert_eq!(behaviour(Payment::LossyOnce), Behaviour::LossyOnce);
    }

    #[test]
    fn the_shares_of_the_shipped_orders_are_exact() {
        let plan = plan("", &[]);
        let expected = [
            (Payment::Approve, 705),
            (Payment::Decline, 50),
            (Payment::Slow, 33),
            (Payment::Lossy, 17),
            (Payment::LossyOnce, 25),
        ];
        assert_eq!(plan.payments(), expected.into());
        assert_eq!((plan.orders.len(), plan.cancels(), plan.customers), (830, 17, (89, 18)));
    }

    #[test]
    fn cancels_do_not_change_who_pays_how() {
        let payments = |plan: Plan| plan.orders.iter().map(|order| order.payment).collect::<Vec<_>>();
        assert_eq!(payments(plan("", &["--cancel", "50"])), payments(plan("", &["--sms", "0"])));
        assert_ne!(payments(plan("", &[])), payments(plan("", &["--seed", "7"])));
    }

    #[test]
    fn an_order_becomes_an_event_with_made_up_people() {
        let plan = plan("r2-", &["--sms", "100", "--limit", "1"]);
        let placed = &plan.orders[0].placed;
        assert_eq!((placed.order_id.as_str(), placed.currency.as_str()), ("r2-nw-10248", "USD"));
        assert_eq!(placed.customer.email, "vinet@example.com");
        assert_eq!(placed.customer.phone.as_deref(), Some("+15550000001"));
        assert_eq!((placed.lines.len(), placed.lines[0].sku.as_str()), (3, "r2-nw-11"));
        assert!(plan.stock.iter().any(|(sku, units)| sku == "r2-nw-11" && *units == 12));
    }

    #[test]
    fn stock_is_a_share_of_the_demand_but_enough_for_the_largest_line() {
        let all = plan("", &[]);
        assert_eq!(all.stock.iter().find(|(sku, _)| sku == "nw-1").unwrap().1, 580, "70 % of 828");
        assert_eq!((all.units_demanded, all.units_stocked()), (51_317, 35_930));
        let few = plan("", &["--limit", "20"]);
        assert!(few.orders.iter().flat_map(|order| &order.placed.lines).all(|line| {
            let (_, units) = few.stock.iter().find(|(sku, _)| *sku == line.sku).unwrap();
            i64::from(*units) >= line.quantity
        }));
        assert_eq!(plan("", &["--stock-share", "0"]).units_stocked(), 0);
    }
}
