//! Reads the evidence from the executions, the tables, the queues and the gateway.

use crate::{
    evidence::{Cancels, DeadLetters, Ending, Evidence, GatewayCounts, OrderEvidence, Told},
    ownership::{Ownership, Whose},
    plan::{Payment, Plan, PlannedOrder},
    traffic::{ORDER_SAGA, Traffic},
};
use anyhow::{Context, Result, bail};
use futures::{StreamExt, TryStreamExt, stream};
use saga::parked_table::{SAGA_ID, WHAT};
use sagas::cancel::saga_id;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use system::{Books, Execution, Moment, System, eventually};

/// The saga of cancels, as its definition names it.
const CANCEL_SAGA: &str = "cancel-order";
/// How many executions are described at a time.
const AT_ONCE: usize = 8;
/// How long the last messages may take beyond the time that a queue hides them.
const SETTLING: Duration = Duration::from_secs(30);
/// How the names of the stack outputs end that are queues.
const QUEUE: &str = "QueueUrl";
/// How those end that are dead-letter queues; what is before it names the function.
const DEAD_LETTER_QUEUE: &str = "DeadLetterQueueUrl";

/// What was there before the run, to be left out.
#[derive(Debug, Clone, Default)]
pub(crate) struct Before {
    told: Told,
    /// How many messages in each dead-letter queue do not tell of which run they are.
    unknown: BTreeMap<String, usize>,
}

impl Before {
    /// Looks around.
    ///
    /// # Errors
    /// When the system cannot be asked, or knows an order of the plan already: its saga would not run again.
    pub(crate) async fn look(system: &System, plan: &Plan) -> Result<Self> {
        let executions = system.executions(ORDER_SAGA).await?;
        let known = plan.orders.iter().find(|order| executions.contains_key(&order.placed.order_id));
        if let Some(order) = known {
            bail!("order {} has run on this emulator before: choose another --run", order.placed.order_id);
        }
        let ownership = Ownership::of(plan);
        let mut unknown = BTreeMap::new();
        for (function, url) in dead_letter_queues(system) {
            let messages = system.receive_all(url).await?;
            let bodies = messages.iter().filter_map(|message| message.body());
            let count = bodies.filter(|body| ownership.whose(body) == Whose::Unknown).count();
            unknown.insert(function.to_owned(), count);
        }
        Ok(Self { told: told(system).await?, unknown })
    }
}

/// Waits until nothing moves any more, and reads everything.
///
/// # Errors
/// When the system cannot be asked.
pub(crate) async fn gather(
    system: &System,
    plan: &Plan,
    traffic: &Traffic,
    before: &Before,
) -> Result<Evidence> {
    let ownership = Ownership::of(plan);
    let cancels = cancels(system, plan).await?;
    // What stays in a queue is judged by what is missing elsewhere.
    let _ = settled(system).await;
    let told = told(system).await?;
    let refused = refused_orders(system, &ownership).await?.ids;
    let order = async |order: &PlannedOrder| ending(system, order, traffic, &refused).await;
    let orders = stream::iter(&plan.orders).map(order).buffered(AT_ONCE).try_collect().await?;
    let conservation = system.conservation(&books(plan), Moment::Settled).await?;
    let mut gateway = GatewayCounts::default();
    for totals in system.gateway_summary().await?.currencies.values() {
        gateway.charges += totals.charges;
        gateway.refunds += totals.refunds;
        gateway.duplicates += totals.duplicates_answered;
    }
    Ok(Evidence {
        orders,
        cancels,
        told: Told { mails: told.mails - before.told.mails, sms: told.sms - before.told.sms },
        gateway,
        dead_letters: dead_letters(system, plan, &ownership, before).await?,
        parked: parked(system, &ownership).await?,
        conservation,
        gave_up_after: traffic.gave_up_after,
    })
}

/// What was put in.
fn books(plan: &Plan) -> Books {
    let mut books = Books::default();
    for (sku, units) in &plan.stock {
        books.stock(sku, *units);
    }
    for order in &plan.orders {
        books.order(&order.placed);
    }
    books
}

async fn ending(
    system: &System,
    order: &PlannedOrder,
    traffic: &Traffic,
    refused: &BTreeSet<String>,
) -> Result<OrderEvidence> {
    let id = order.placed.order_id.clone();
    let published = traffic.published.get(&id).copied().context("an order was not published")?;
    let found = system.execution(ORDER_SAGA, &id).await?;
    let execution = found.as_ref().and_then(|found| Some((found.started, found.stopped?)));
    let ending = match found {
        None if refused.contains(&id) => Ending::Refused,
        None => Ending::Missing,
        Some(found) if found.stopped.is_none() => Ending::Unfinished,
        Some(found) => match found.outcome() {
            Some("committed") => Ending::Confirmed,
            Some("compensated") => Ending::Rejected(found.reason().unwrap_or("unknown").to_owned()),
            _ => Ending::Failed(found.error.unwrap_or_else(|| found.status.as_str().to_owned())),
        },
    };
    Ok(OrderEvidence { id, payment: order.payment, published, execution, ending })
}

async fn cancels(system: &System, plan: &Plan) -> Result<Cancels> {
    let cancelled = plan.orders.iter().filter(|order| order.cancel_after.is_some());
    let ids: Vec<String> =
        cancelled.map(|order| saga_id(&order.placed.order_id, &order.placed.customer.id)).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let limit = system.timing().delivery_window() * 2;
    // Those that do not end in time are found open below.
    let _ = system.wait_for_end(CANCEL_SAGA, &ids, limit).await;
    let mut cancels = Cancels::default();
    for id in ids {
        match system.execution(CANCEL_SAGA, id).await?.as_ref().and_then(Execution::outcome) {
            Some("committed") => cancels.in_time += 1,
            Some("compensated") => cancels.too_late += 1,
            _ => cancels.open.push(id.to_owned()),
        }
    }
    Ok(cancels)
}

/// Waits until all queues are empty: customers are told, and messages that were given up are in dead-letter queues.
async fn settled(system: &System) -> Result<()> {
    let limit = system.timing().visibility_timeout() + SETTLING;
    let dead: Vec<&str> = dead_letter_queues(system).map(|(_, url)| url).collect();
    let kept = |url: &str| dead.contains(&url) || url == system.refused_orders_queue_url();
    let queues =
        system.outputs().iter().filter(|(name, _)| name.ends_with(QUEUE)).map(|(_, url)| url.as_str());
    for url in queues.filter(|url| !kept(url)) {
        eventually("an empty queue", limit, || async {
            let depth = system.depth(url).await?;
            let left = depth.visible + depth.in_flight;
            Ok(if left == 0 { Ok(()) } else { Err(format!("{left} messages in {url}")) })
        })
        .await?;
    }
    Ok(())
}

async fn told(system: &System) -> Result<Told> {
    let sms = system.sms().await?;
    Ok(Told { mails: system.mails().await?.len(), sms: sms.values().map(Vec::len).sum() })
}

/// What is in the queue of refused orders.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Refused {
    /// How many messages, of whichever run.
    pub(crate) messages: usize,
    /// The orders of this run, each once however often it was published.
    pub(crate) ids: BTreeSet<String>,
}

/// Looks into the queue of refused orders.
///
/// # Errors
/// When it cannot be read.
pub(crate) async fn refused_orders(system: &System, ownership: &Ownership) -> Result<Refused> {
    let messages = system.receive_all(system.refused_orders_queue_url()).await?;
    let ids = messages.iter().filter_map(|message| ownership.refused_order(message.body()?)).collect();
    Ok(Refused { messages: messages.len(), ids })
}

async fn dead_letters(
    system: &System,
    plan: &Plan,
    ownership: &Ownership,
    before: &Before,
) -> Result<BTreeMap<String, DeadLetters>> {
    let mut found = BTreeMap::new();
    let payment = system.dead_letter_queue_url("payment");
    for (function, url) in dead_letter_queues(system) {
        let (mut letters, mut unknown) = (DeadLetters::default(), 0_usize);
        for message in system.receive_all(url).await? {
            let body = message.body().unwrap_or_default();
            match ownership.whose(body) {
                Whose::Ours if url == payment && is_lost_answer(body, plan) => letters.lost_answers += 1,
                Whose::Ours => letters.unexpected += 1,
                Whose::Others => {}
                Whose::Unknown => unknown += 1,
            }
        }
        let earlier = before.unknown.get(function).copied().unwrap_or_default();
        letters.unexpected += unknown.saturating_sub(earlier);
        found.insert(function.to_owned(), letters);
    }
    Ok(found)
}

/// Every dead-letter queue: its function, and its URL.
fn dead_letter_queues(system: &System) -> impl Iterator<Item = (&str, &str)> {
    let outputs = system.outputs().iter();
    outputs.filter_map(|(name, url)| Some((name.strip_suffix(DEAD_LETTER_QUEUE)?, url.as_str())))
}

/// The charge of an order whose answers are all lost: delivered as often as it may be, it is set aside.
fn is_lost_answer(body: &str, plan: &Plan) -> bool {
    let Ok(request) = saga::Request::decode(body) else { return false };
    let of_plan = |order: &PlannedOrder| {
        order.payment == Payment::Lossy && order.placed.order_id == request.id.as_str()
    };
    request.op == saga::Op::Run && plan.orders.iter().any(of_plan)
}

async fn parked(system: &System, ownership: &Ownership) -> Result<usize> {
    let table = system.output(stacks::outputs::PARKED_TABLE_NAME);
    let asked = system.clients().dynamodb.scan().table_name(table).consistent_read(true);
    let mut pages = asked.into_paginator().items().send();
    let mut count = 0;
    while let Some(item) = pages.next().await {
        let item = item.context("cannot read the table of parked sagas")?;
        let text = |name: &str| item.get(name)?.as_s().ok();
        let record = text(SAGA_ID).zip(text(WHAT));
        count += usize::from(record.is_some_and(|(saga_id, what)| ownership.is_parked(saga_id, what)));
    }
    Ok(count)
}
