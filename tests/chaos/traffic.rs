//! Customers: they order, order twice, change their minds, and all want the same product.

use crate::{plan::Plan, world::World};
use anyhow::{Context, Result};
use aws_sdk_sfn::types::ExecutionStatus;
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
/// Few enough that orders meet, and that some run out.
const PRODUCTS: usize = 16;
/// Out of 100 orders, how many want the product that all want.
const FLOOD_PERCENT: u32 = 25;
const CANCELLED_PERCENT: u32 = 6;
const PLACED_TWICE_PERCENT: u32 = 6;

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
}

/// Somebody who orders.
pub(crate) struct Traffic<'w> {
    world: &'w World,
    rng: Rng,
    skus: Vec<String>,
    flooded: String,
    pub(crate) placed: Placed,
}

impl<'w> Traffic<'w> {
    /// Fills the shelves: a part of what will be wanted.
    pub(crate) async fn begin(world: &'w World, plan: &Plan, mut rng: Rng) -> Result<Self> {
        let mut skus: Vec<String> = (1..PRODUCTS).map(|n| format!("{}-p{n}", world.run)).collect();
        skus.push(world.shelf.sku.clone());
        let flooded = format!("{}-flooded", world.run);
        // An order wants three units on average of every eighth product, and every fourth one of the flooded.
        let wanted = u32::try_from(plan.sagas)?;
        let mut placed = Placed::default();
        let mut stock: Vec<(String, u32)> =
            skus.iter().map(|sku| (sku.clone(), wanted / 8 + rng.u32(0..=wanted / 2))).collect();
        stock.push((flooded.clone(), wanted / 5));
        for (sku, units) in &stock {
            placed.books.stock(sku, *units);
            placed.stock.insert(sku.clone(), (*units).into());
        }
        let loaded: Vec<(&str, u32)> = stock.iter().map(|(sku, units)| (sku.as_str(), *units)).collect();
        world.system.load_stock(&loaded).await?;
        Ok(Self { world, rng, skus, flooded, placed })
    }

    /// Places all orders of the plan, or as many as its time allows, with so many in flight as fit.
    pub(crate) async fn flow(&mut self, plan: &Plan) -> Result<()> {
        let begun = Instant::now();
        while self.placed.orders.len() < plan.sagas && begun.elapsed() < plan.limit {
            let room = IN_FLIGHT.saturating_sub(self.in_flight().await?);
            let left = plan.sagas - self.placed.orders.len();
            let most = room.min(left).min(BATCH);
            if most > 0 {
                let count = self.rng.usize(1..=most);
                self.place(count).await?;
            }
            sleep(LOOK_EVERY).await;
        }
        Ok(())
    }

    async fn place(&mut self, count: usize) -> Result<()> {
        // A crowd wants the one product at the same time.
        let crowd = self.rng.u32(0..10) == 0;
        let mut events = Vec::new();
        for _ in 0..count {
            let order = self.order(crowd);
            self.placed.books.order(&order);
            self.placed.orders.insert(order.order_id.clone());
            let placed = OrderEvent::OrderPlaced(order.clone());
            if self.percent(PLACED_TWICE_PERCENT) {
                self.world.weather.count("order placed twice");
                events.push(placed.clone());
            }
            events.push(placed);
            if self.percent(CANCELLED_PERCENT) {
                let OrderPlaced { order_id, customer, .. } = order;
                let saga_id = cancel::saga_id(&order_id, &customer.id);
                self.placed.cancelled.insert(order_id.clone(), saga_id);
                events.push(OrderEvent::CancelOrder(CancelRequested { order_id, customer }));
            }
        }
        self.rng.shuffle(&mut events);
        self.world.system.publish_all(&events).await
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

    /// What waits to be started, and what has not ended.
    async fn in_flight(&self) -> Result<usize> {
        let depth = self.world.system.depth(self.world.system.queue_url("order-intake")).await?;
        let running = running(self.world, "order").await?;
        Ok(usize::try_from(depth.visible + depth.in_flight)? + running.len())
    }
}

/// The names of the executions of a saga that run.
pub(crate) async fn running(world: &World, saga: &str) -> Result<Vec<String>> {
    let arn = world.system.output(&stacks::outputs::state_machine_arn(saga));
    let asked = world.system.clients().sfn.list_executions().state_machine_arn(arn);
    let mut pages = asked.status_filter(ExecutionStatus::Running).into_paginator().send();
    let mut names = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.with_context(|| format!("cannot list the executions of saga {saga}"))?;
        names.extend(page.executions.into_iter().map(|execution| execution.name));
    }
    Ok(names)
}
