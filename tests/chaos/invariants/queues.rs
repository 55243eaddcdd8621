//! All queues are empty, and the dead letters are those that nobody can understand, each where it was sent. Refused are the
//! orders that were placed under ids of others, all of them and no other; they are counted, and their customers are told.

use crate::{storm::Raged, traffic::Placed, world::World};
use anyhow::Result;
use sagas::{environment::ORDER_REFUSED_EVENT, events::OrderEvent};
use serde_json::Value as Json;
use std::{collections::BTreeSet, time::Duration};
use system::Depth;
use tokio::time::sleep;

/// The operator has looked at them, which hides them for a moment.
const IN_SIGHT_AGAIN: Duration = Duration::from_secs(3);
/// How a customer is told.
const COULD_NOT: &str = "could not be completed";

pub(crate) async fn check(world: &World, raged: &Raged) -> Result<Vec<String>> {
    sleep(IN_SIGHT_AGAIN).await;
    let mut violations = Vec::new();
    for queue in world.queues() {
        let depth = world.system.depth(&queue.url).await?;
        if depth != Depth::default() {
            violations.push(format!("the queue of {queue} is not empty: {depth:?}"));
        }
        let dead = world.system.receive_all(&queue.dead_letters_url).await?;
        let mut bodies: Vec<String> = dead.into_iter().filter_map(|letter| letter.body).collect();
        for (_, name) in raged.garbage.iter().filter(|(sent_to, _)| *sent_to == queue) {
            let held = bodies.len();
            // More than one is for the queue to answer for: it delivers at least once.
            bodies.retain(|body| !body.contains(name));
            if bodies.len() == held {
                violations.push(format!("{name} is not among the dead letters of {queue}"));
            }
        }
        violations.extend(bodies.iter().map(|body| format!("{queue} left a dead letter: {body}")));
    }
    violations.extend(check_refused(world, &raged.placed).await?);
    Ok(violations)
}

/// Whether a letter about a saga was given up because it may have been sent twice: then both who sent it died before.
async fn may_have_been_told(world: &World, saga_id: &str) -> Result<bool> {
    let lines = world.system.logs("notification", &format!("{saga_id:?}")).await?;
    Ok(lines.iter().any(|line| line.contains(r#""outcome":"unknown""#)))
}

/// Each may be refused more than once, because its message may come more than once.
async fn check_refused(world: &World, placed: &Placed) -> Result<Vec<String>> {
    let mut violations = Vec::new();
    let mut refused = BTreeSet::new();
    for message in world.system.receive_all(world.system.refused_orders_queue_url()).await? {
        let body = message.body.unwrap_or_default();
        let letter: Json = serde_json::from_str(&body)?;
        let email = match serde_json::from_value(letter["event"].clone()) {
            Ok(OrderEvent::OrderPlaced(order)) if letter["reasons"][0]["field"] == "order_id" => {
                let of = placed.under_taken_ids.get(&order.customer.email);
                (of == Some(&order.order_id)).then_some(order.customer.email)
            }
            _ => None,
        };
        match email {
            Some(email) => drop(refused.insert(email)),
            None => violations.push(format!("an order was refused: {body}")),
        }
    }
    let mails = world.system.mails().await?;
    for (email, id) in &placed.under_taken_ids {
        if !refused.contains(email) {
            violations.push(format!("order {id}: another one of {email} under its id was not refused"));
        }
        let told = mails.iter().any(|mail| mail.to.contains(email) && mail.subject.contains(COULD_NOT));
        if !told && !may_have_been_told(world, id).await? {
            violations.push(format!("order {id}: {email} was not told that theirs could not be completed"));
        }
    }
    let counted = world.system.logs("order-intake", &format!("{ORDER_REFUSED_EVENT:?}")).await?.len();
    if counted < placed.under_taken_ids.len() {
        violations.push(format!("{} orders were refused, but {counted} were counted", refused.len()));
    }
    Ok(violations)
}
