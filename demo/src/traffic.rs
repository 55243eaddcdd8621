//! Publishes the orders and watches them end.

use crate::{
    gather::{Refused, refused_orders},
    ownership::Ownership,
    plan::{Plan, PlannedOrder},
    run::HIDDEN_SECONDS,
    screen::Progress,
    tally::Tally,
};
use anyhow::{Context, Result};
use sagas::{
    entities::OrderStatus,
    events::OrderEvent::{self, CancelOrder, OrderPlaced},
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant, SystemTime},
};
use system::{ExecutionSummary, System};
use tokio::task::JoinSet;

/// The saga of orders, as its definition names it.
pub(crate) const ORDER_SAGA: &str = "order";

/// How often the executions are listed. Asking more often would take time from the emulator, which is one process.
const PAUSE: Duration = Duration::from_millis(400);
/// How many orders are published with one time stamp: four batches, sent together.
const CHUNK: usize = 40;
/// So many unfinished orders at the end are called stragglers.
const STRAGGLERS_PERCENT: usize = 5;

/// What was seen from outside.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    /// When each order was published, by id.
    pub(crate) published: BTreeMap<String, SystemTime>,
    /// The executions of this run, by order id.
    pub(crate) executions: BTreeMap<String, ExecutionSummary>,
    /// What was refused, as last seen.
    pub(crate) refused: Refused,
    /// Nothing had happened for so long that waiting was given up.
    pub(crate) gave_up_after: Option<Duration>,
}

/// What there was before this run.
#[derive(Debug, Clone, Copy)]
struct Before {
    confirmed: usize,
}

/// Publishes all orders, at most `in_flight_max` of them unfinished at a time, and waits until every one has ended or
/// was refused. `known` always has the latest count.
///
/// # Errors
/// When the system cannot be asked or does not take an order.
pub(crate) async fn run(
    system: &Arc<System>,
    plan: &Plan,
    in_flight_max: usize,
    known: &Mutex<Tally>,
    progress: &Progress,
) -> Result<Traffic> {
    let before = Before { confirmed: confirmed(system).await? };
    let ownership = Ownership::of(plan);
    let patience = patience(system);
    let (mut traffic, mut cancels) = (Traffic::default(), JoinSet::new());
    let mut tally = Tally { total: plan.orders.len(), ..Tally::default() };
    let mut changed = Instant::now();
    loop {
        let room = tally.room(in_flight_max);
        for chunk in plan.orders[tally.published..tally.published + room].chunks(CHUNK) {
            publish(system, chunk, &mut traffic, &mut cancels).await?;
            tally.published += chunk.len();
            note(known, tally);
            progress.show(&tally, None);
        }
        let seen = tally;
        observe(system, before, &ownership, &mut traffic, &mut tally).await?;
        note(known, tally);
        progress.show(&tally, waiting(&tally).as_deref());
        if tally.is_complete() {
            break;
        }
        if seen != tally || room > 0 {
            changed = Instant::now();
        } else if changed.elapsed() > patience {
            traffic.gave_up_after = Some(patience);
            break;
        }
        tokio::time::sleep(PAUSE).await;
    }
    while let Some(cancelled) = cancels.join_next().await {
        cancelled.context("a task that publishes a cancel ended")??;
    }
    Ok(traffic)
}

/// A lost answer is waited for until its message has been delivered as often as it may be.
fn patience(system: &System) -> Duration {
    system.timing().delivery_window() * 2
}

async fn publish(
    system: &Arc<System>,
    orders: &[PlannedOrder],
    traffic: &mut Traffic,
    cancels: &mut JoinSet<Result<()>>,
) -> Result<()> {
    let events: Vec<OrderEvent> = orders.iter().map(|order| OrderPlaced(order.placed.clone())).collect();
    let now = SystemTime::now();
    system.publish_all(&events).await?;
    for order in orders {
        traffic.published.insert(order.placed.order_id.clone(), now);
        if let Some(after) = order.cancel_after {
            let (system, cancel) = (Arc::clone(system), CancelOrder(order.cancel()));
            cancels.spawn(async move {
                tokio::time::sleep(after).await;
                system.publish(&cancel).await
            });
        }
    }
    Ok(())
}

async fn observe(
    system: &System,
    before: Before,
    ownership: &Ownership,
    traffic: &mut Traffic,
    tally: &mut Tally,
) -> Result<()> {
    let mut executions = system.executions(ORDER_SAGA).await?;
    executions.retain(|name, _| traffic.published.contains_key(name));
    tally.ended = executions.values().filter(|execution| execution.stopped.is_some()).count();
    tally.committed = confirmed(system).await?.saturating_sub(before.confirmed);
    let depth = system.depth(system.refused_orders_queue_url()).await?;
    // Reading the queue takes time from the emulator, and only what is new in it says anything.
    if usize::try_from(depth.visible + depth.in_flight)? != traffic.refused.messages {
        traffic.refused = refused_orders(system, ownership).await?;
    }
    tally.refused = traffic.refused.ids.len();
    traffic.executions = executions;
    Ok(())
}

async fn confirmed(system: &System) -> Result<usize> {
    let counts = system.order_counts().await?;
    Ok(counts.get(OrderStatus::Confirmed.as_str()).copied().unwrap_or_default())
}

/// What the stragglers wait for.
fn waiting(tally: &Tally) -> Option<String> {
    let few = tally.in_flight() * 100 <= tally.total * STRAGGLERS_PERCENT;
    let all_published = tally.published == tally.total && !tally.is_complete();
    (few && all_published).then(|| format!("redelivered after {HIDDEN_SECONDS} s"))
}

fn note(known: &Mutex<Tally>, tally: Tally) {
    *known.lock().unwrap_or_else(PoisonError::into_inner) = tally;
}
