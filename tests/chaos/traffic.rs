//! Customers: they order, order twice, change their minds, take an id for two orders, all want the same product, and now
//! and then all come at once.

use crate::{
    executions::{is_first, running},
    plan::Plan,
    world::{World, flooded},
};
use anyhow::Result;
use fastrand::Rng;
use sagas::{
    cancel,
    customer::{Channel, Customer},
    events::{CancelRequested, LinePlaced, OrderEvent, OrderPlaced},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};
use system::Books;
use tokio::time::sleep;

/// How many sagas are in flight at most: what waits for a redelivery counts too.
const IN_FLIGHT: usize = 160;
/// How many orders are placed at a time, at most.
const BATCH: usize = 40;
const LOOK_EVERY: Duration = Duration::from_millis(400);
/// So many orders are one rush: they come at once, whatever is in flight, and all pay slowly. Of so many orders of a plan
/// one rush is a part; there is one in any case.
const RUSH: usize = 100;
const ORDERS_PER_RUSH: usize = 500;
/// Over how long sagas are spread at least: few of them would else meet what comes only now and then.
const SECONDS_LEAST: f64 = 30.0;
/// Few enough that orders meet, and that some run out.
const PRODUCTS: usize = 16;
/// Out of 100 orders, how many want the product that all want.
const FLOOD_PERCENT: u32 = 25;
const CANCELLED_PERCENT: u32 = 6;
const PLACED_TWICE_PERCENT: u32 = 6;
/// Out of 100 times that orders are placed, how often all of them are by customers who cannot make up their minds: they
/// want a product that goes missing, pay slowly, and cancel.
const UNDECIDED_PERCENT: u32 = 20;
/// How many of them come at a time, if there are so many left.
const UNDECIDED: usize = 8;
/// How they pay, and those who come in a rush.
const SLOW_TOKEN: &str = "tok_slow_1200";
/// For as many of 100 orders another one is placed under an id that is taken.
const TAKEN_PERCENT: u32 = 5;

/// How customers pay, and how many of a hundred. A slow charge lands before its message comes back.
const TOKENS: [(u32, &str); 8] = [
    (58, "tok_approve"),
    (9, "tok_decline"),
    (8, "tok_slow_300"),
    (5, "tok_slow_1200"),
    (7, "tok_error_once"),
    (8, "tok_lossy_once"),
    (3, "tok_lossy"),
    (2, "tok_error"),
];

/// What customers did.
#[derive(Debug, Default)]
pub(crate) struct Placed {
    pub(crate) books: Books,
    /// Units of each product that were loaded.
    pub(crate) stock: BTreeMap<String, i64>,
    /// The ids of all orders.
    pub(crate) orders: BTreeSet<String>,
    /// The ids of the orders that were cancelled, and of the sagas that cancel them.
    pub(crate) cancelled: BTreeMap<String, String>,
    /// The orders that were placed under ids of others: by e-mail address of the customer, the id.
    pub(crate) under_taken_ids: BTreeMap<String, String>,
}

/// Somebody who orders.
pub(crate) struct Traffic<'w> {
    world: &'w World,
    rng: Rng,
    skus: Vec<String>,
    flooded: String,
    /// The ids of orders whose execution has been seen: nobody else can have them any more.
    taken: BTreeSet<String>,
    /// How many rushes there were.
    rushes: usize,
    pub(crate) placed: Placed,
}

impl<'w> Traffic<'w> {
    /// Fills the shelves: a part of what will be wanted.
    pub(crate) async fn begin(world: &'w World, plan: &Plan, mut rng: Rng) -> Result<Self> {
        let skus: Vec<String> = (1..PRODUCTS).map(|n| format!("{}-p{n}", world.run)).collect();
        let flooded = flooded(&world.run);
        // An order wants three units on average of every eighth product, and every fourth one of the flooded.
        let wanted = u32::try_from(plan.sagas)?;
        let mut placed = Placed::default();
        let mut stock: Vec<(String, u32)> =
            skus.iter().map(|sku| (sku.clone(), wanted / 8 + rng.u32(0..=wanted / 2))).collect();
        stock.push((flooded.clone(), wanted / 5));
        stock.extend(world.shelves.iter().map(|shelf| (shelf.sku.clone(), 2 * wanted)));
        for (sku, units) in &stock {
            placed.books.stock(sku, *units);
            placed.stock.insert(sku.clone(), (*units).into());
        }
        let loaded: Vec<(&str, u32)> = stock.iter().map(|(sku, units)| (sku.as_str(), *units)).collect();
        world.system.load_stock(&loaded).await?;
        Ok(Self { world, rng, skus, flooded, taken: BTreeSet::new(), rushes: 0, placed })
    }

    /// Places all orders of the plan, or as many as its time allows, with so many in flight as fit.
    pub(crate) async fn flow(&mut self, plan: &Plan) -> Result<()> {
        let begun = Instant::now();
        while self.placed.orders.len() < plan.sagas && begun.elapsed() < plan.limit {
            let running = running(self.world, "order").await?;
            self.taken.extend(running.iter().filter(|name| is_first(name)).cloned());
            let left = plan.sagas - self.placed.orders.len();
            if self.is_rush(plan) {
                self.rushes += 1;
                self.place(RUSH.min(left), left, &running, true).await?;
                continue;
            }
            let room = IN_FLIGHT.saturating_sub(self.waiting().await? + running.len());
            let due = due(plan.sagas, begun.elapsed()).saturating_sub(self.placed.orders.len());
            let most = room.min(due).min(BATCH);
            if most > 0 {
                let count = self.rng.usize(1..=most);
                self.place(count, left, &running, false).await?;
            }
            sleep(LOOK_EVERY).await;
        }
        Ok(())
    }

    /// Whether as many orders are placed as belong before the next rush.
    fn is_rush(&self, plan: &Plan) -> bool {
        let rushes = (plan.sagas / ORDERS_PER_RUSH).max(1);
        self.rushes < rushes && self.placed.orders.len() >= plan.sagas * (self.rushes + 1) / (rushes + 2)
    }

    async fn place(&mut self, count: usize, left: usize, running: &[String], is_rush: bool) -> Result<()> {
        // A crowd wants the one product at the same time.
        let crowd = self.rng.u32(0..10) == 0;
        let undecided =
            (!is_rush && self.percent(UNDECIDED_PERCENT)).then(|| self.product_to_go_missing()).flatten();
        let count = if undecided.is_some() { UNDECIDED.min(left) } else { count };
        let mut events = Vec::new();
        for _ in 0..count {
            if self.percent(TAKEN_PERCENT) {
                events.extend(self.other_order(running));
            }
            let mut order = self.order(crowd);
            if let Some(sku) = &undecided {
                order.lines[0].sku.clone_from(sku);
            }
            if is_rush || undecided.is_some() {
                SLOW_TOKEN.clone_into(&mut order.payment_token);
            }
            self.placed.books.order(&order);
            self.placed.orders.insert(order.order_id.clone());
            let placed = OrderEvent::OrderPlaced(order.clone());
            if self.percent(PLACED_TWICE_PERCENT) {
                self.world.weather.count("order placed twice");
                events.push(placed.clone());
            }
            events.push(placed);
            if self.percent(CANCELLED_PERCENT) || undecided.is_some() {
                let OrderPlaced { order_id, customer, .. } = order;
                let saga_id = cancel::saga_id(&order_id, &customer.id);
                self.placed.cancelled.insert(order_id.clone(), saga_id);
                events.push(OrderEvent::CancelOrder(CancelRequested { order_id, customer }));
            }
        }
        if is_rush {
            self.world.weather.count(format!("rush of {count} orders at once"));
        }
        self.rng.shuffle(&mut events);
        self.world.system.publish_all(&events).await
    }

    /// One of those that are there.
    fn product_to_go_missing(&mut self) -> Option<String> {
        let there: Vec<_> = self.world.shelves.iter().filter(|shelf| !shelf.is_away()).collect();
        self.rng.choice(there).map(|shelf| shelf.sku.clone())
    }

    /// Another order under an id that is taken, by one that runs if there is one.
    fn other_order(&mut self, running: &[String]) -> Option<OrderEvent> {
        let first: Vec<_> = running.iter().filter(|name| is_first(name)).collect();
        let running_one = if self.rng.bool() { self.rng.choice(first).cloned() } else { None };
        let id = running_one.or_else(|| self.rng.choice(&self.taken).cloned())?;
        let mut order = self.order(false);
        order.customer.email = format!("other-{}@example.com", self.placed.under_taken_ids.len());
        self.placed.under_taken_ids.insert(order.customer.email.clone(), id.clone());
        let when = if running.contains(&id) { "while that runs" } else { "after that ended" };
        self.world.weather.count(format!("other order under the id of one, {when}"));
        Some(OrderEvent::OrderPlaced(OrderPlaced { order_id: id, ..order }))
    }

    fn order(&mut self, crowd: bool) -> OrderPlaced {
        let id = format!("{}-{}", self.world.run, self.placed.orders.len());
        let lines = if crowd || self.percent(FLOOD_PERCENT) {
            vec![self.flooded.clone()]
        } else {
            let count = self.rng.usize(1..=3);
            self.rng.choose_multiple(self.skus.iter(), count).into_iter().cloned().collect()
        };
        let line = |sku| LinePlaced {
            sku,
            quantity: self.rng.i64(1..=2),
            unit_price_minor: self.rng.i64(1..5_000),
            discount_percent: 0,
            currency: None,
        };
        let lines = lines.into_iter().map(line).collect();
        OrderPlaced {
            customer: Customer {
                id: format!("customer-{id}"),
                email: format!("{id}@example.com"),
                phone: None,
                prefers: Channel::Email,
            },
            currency: if self.rng.bool() { "EUR" } else { "USD" }.to_owned(),
            lines,
            payment_token: self.token().to_owned(),
            order_id: id,
        }
    }

    fn token(&mut self) -> &'static str {
        let mut drawn = self.rng.u32(0..100);
        for (percent, token) in TOKENS {
            if drawn < percent {
                return token;
            }
            drawn -= percent;
        }
        TOKENS[0].1
    }

    fn percent(&mut self, percent: u32) -> bool {
        self.rng.u32(0..100) < percent
    }

    /// What waits to be started.
    async fn waiting(&self) -> Result<usize> {
        let depth = self.world.system.depth(self.world.system.queue_url("order-intake")).await?;
        Ok(usize::try_from(depth.visible + depth.in_flight)?)
    }
}

/// How many of so many sagas may have begun by now.
#[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, clippy::cast_sign_loss)]
pub(crate) fn due(sagas: usize, elapsed: Duration) -> usize {
    let part = (elapsed.as_secs_f64() / SECONDS_LEAST).min(1.0);
    (sagas as f64 * part).ceil() as usize
}
