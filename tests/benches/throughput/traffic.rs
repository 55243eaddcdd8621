//! Publishes orders so that as many sagas are in flight as asked.

use anyhow::{Context, Result, ensure};
use hdrhistogram::Histogram;
use sagas::{
    customer::{Channel, Customer},
    events::{LinePlaced, OrderEvent, OrderPlaced},
};
use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};
use system::{Books, ExecutionSummary, System};

/// Spread, so that no two sagas wait for the same item all the time.
const PRODUCTS: usize = 40;
const UNITS: u32 = 1_000_000;
/// Up to so many open sagas are asked for one by one; more are found in the listing, which costs more.
const ASKED_ONE_BY_ONE: usize = 4;
/// How often open sagas are looked at: rarely enough not to be a load of its own.
const LOOK_EVERY: Duration = Duration::from_millis(250);
const LOOK_AT_FEW_EVERY: Duration = Duration::from_millis(20);
/// Nothing has ended for so long: something is wrong.
const STALLED: Duration = Duration::from_secs(60);

/// What one level gave.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) in_flight: usize,
    pub(crate) sagas: usize,
    /// From the first publish to the last end.
    pub(crate) took: Duration,
    /// Milliseconds from the start of an execution to its end.
    pub(crate) saga: Histogram<u64>,
    /// Milliseconds from publishing to the end of the execution.
    pub(crate) end_to_end: Histogram<u64>,
}

/// Somebody who orders.
pub(crate) struct Traffic<'a> {
    system: &'a System,
    books: &'a mut Books,
    run: String,
    skus: Vec<String>,
    placed: usize,
}

impl<'a> Traffic<'a> {
    /// Fills the shelves.
    pub(crate) async fn begin(system: &'a System, books: &'a mut Books) -> Result<Self> {
        let seconds = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs();
        let run = format!("b{seconds:x}");
        let skus: Vec<String> = (0..PRODUCTS).map(|n| format!("{run}-p{n}")).collect();
        let stock: Vec<(&str, u32)> = skus.iter().map(|sku| (sku.as_str(), UNITS)).collect();
        system.load_stock(&stock).await?;
        for (sku, units) in stock {
            books.stock(sku, units);
        }
        Ok(Self { system, books, run, skus, placed: 0 })
    }

    /// Carries out so many sagas, so many of them at a time.
    pub(crate) async fn run(&mut self, in_flight: usize, sagas: usize) -> Result<Measured> {
        let begun = SystemTime::now();
        let mut published: BTreeMap<String, SystemTime> = BTreeMap::new();
        let mut open: Vec<String> = Vec::new();
        let mut ended: BTreeMap<String, ExecutionSummary> = BTreeMap::new();
        let mut progress = SystemTime::now();
        while ended.len() < sagas {
            let wanted = (in_flight - open.len()).min(sagas - published.len());
            let events: Vec<OrderEvent> = (0..wanted).map(|_| self.next_order()).collect();
            let now = SystemTime::now();
            self.system.publish_all(&events).await?;
            for event in events {
                if let OrderEvent::OrderPlaced(order) = event {
                    published.insert(order.order_id.clone(), now);
                    open.push(order.order_id);
                }
            }
            let few = open.len() <= ASKED_ONE_BY_ONE;
            tokio::time::sleep(if few { LOOK_AT_FEW_EVERY } else { LOOK_EVERY }).await;
            for (id, summary) in self.ended_of(&open).await? {
                progress = SystemTime::now();
                open.retain(|other| *other != id);
                ended.insert(id, summary);
            }
            ensure!(progress.elapsed()? < STALLED, "{} sagas are open and none ends: {open:?}", open.len());
        }
        measured(in_flight, begun, &published, &ended)
    }

    async fn ended_of(&self, open: &[String]) -> Result<Vec<(String, ExecutionSummary)>> {
        let mut ended = Vec::new();
        if open.len() <= ASKED_ONE_BY_ONE {
            for id in open {
                if let Some(execution) = self.system.execution("order", id).await? {
                    ended.push((id.clone(), execution.summary()));
                }
            }
        } else {
            let mut all = self.system.executions("order").await?;
            ended.extend(open.iter().filter_map(|id| all.remove_entry(id)));
        }
        ended.retain(|(_, summary)| summary.stopped.is_some());
        Ok(ended)
    }

    fn next_order(&mut self) -> OrderEvent {
        self.placed += 1;
        let n = self.placed;
        let line = |sku: &String| LinePlaced {
            sku: sku.clone(),
            quantity: 1,
            unit_price_minor: 1_000,
            discount_percent: 0,
            currency: None,
        };
        let order = OrderPlaced {
            order_id: format!("{}-{n}", self.run),
            customer: Customer {
                id: format!("customer-{n}"),
                email: format!("{}-{n}@example.com", self.run),
                phone: None,
                prefers: Channel::Email,
            },
            currency: "EUR".to_owned(),
            lines: vec![line(&self.skus[n % PRODUCTS]), line(&self.skus[(n + 1) % PRODUCTS])],
            payment_token: "tok_approve".to_owned(),
        };
        self.books.order(&order);
        OrderEvent::OrderPlaced(order)
    }
}

fn measured(
    in_flight: usize,
    begun: SystemTime,
    published: &BTreeMap<String, SystemTime>,
    ended: &BTreeMap<String, ExecutionSummary>,
) -> Result<Measured> {
    let (mut saga, mut end_to_end) = (Histogram::new(3)?, Histogram::new(3)?);
    let mut last = begun;
    for (id, summary) in ended {
        let stopped = summary.stopped.with_context(|| format!("{id} has not stopped"))?;
        saga.record(millis(stopped.duration_since(summary.started)?)?)?;
        end_to_end.record(millis(stopped.duration_since(published[id])?)?)?;
        last = last.max(stopped);
    }
    Ok(Measured { in_flight, sagas: ended.len(), took: last.duration_since(begun)?, saga, end_to_end })
}

fn millis(duration: Duration) -> Result<u64> {
    Ok(u64::try_from(duration.as_millis())?)
}
