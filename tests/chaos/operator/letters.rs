//! Sends dead letters back to their queues.

use super::{Notes, by_hand::Skipped};
use crate::{
    executions::{running, saga_id},
    faults::messages::GARBAGE,
    world::{Queue, World},
};
use anyhow::{Context, Result};
use saga::{Op, Request, Step};
use sagas::order::{ChargePayment, ORDER_SAGA};

/// How long a dead letter that is left where it is stays out of sight, so that the others are seen.
const LEFT_SECONDS: i32 = 2;
/// How many times ten dead letters are looked at in one go.
const ROUNDS_MAX: usize = 20;

/// Sends back what there is, and leaves alone what nobody can understand. What belongs to a saga that waits for an answer
/// waits too, so that it comes after the answer; says how much was sent or waits.
pub(super) async fn send_back(world: &World, queue: &Queue, notes: &Notes) -> Result<usize> {
    let sqs = &world.system.clients().sqs;
    let mut todo = 0;
    for _ in 0..ROUNDS_MAX {
        let asked = sqs.receive_message().queue_url(&queue.dead_letters_url).max_number_of_messages(10);
        let received = asked.visibility_timeout(LEFT_SECONDS).send().await;
        let received = received.with_context(|| format!("cannot read {}", queue.dead_letters_url))?;
        let letters = received.messages.unwrap_or_default();
        if letters.is_empty() {
            break;
        }
        for letter in letters {
            let (Some(body), Some(handle)) = (letter.body, letter.receipt_handle) else { continue };
            if body.contains(GARBAGE) {
                continue;
            }
            todo += 1;
            let request = Request::decode(&body).ok();
            if request.as_ref().is_some_and(|request| notes.holds_back(request)) {
                continue;
            }
            if let Some(request) = &request {
                see_to(world, request, notes).await?;
            }
            let send = sqs.send_message().queue_url(&queue.url).message_body(body);
            send.send().await.context("cannot send back")?;
            let delete = sqs.delete_message().queue_url(&queue.dead_letters_url).receipt_handle(handle);
            delete.send().await.context("cannot take a dead letter out")?;
            world.weather.count(format!("(dead letter of {queue} sent back by the operator)"));
        }
    }
    Ok(todo)
}

impl Notes {
    fn holds_back(&self, request: &Request) -> bool {
        let skipped = self.skipped_step(request);
        self.parked.contains(request.id.as_str()) || matches!(skipped, Some(Skipped::Abandoned { .. }))
    }

    fn skipped_step(&self, request: &Request) -> Option<&Skipped> {
        self.skipped.get(&(request.id.to_string(), request.step.clone()))
    }
}

/// A late run of a saga that is over pays back again what was charged, and nothing is parked when it cannot.
async fn see_to(world: &World, request: &Request, notes: &Notes) -> Result<()> {
    if matches!(notes.skipped_step(request), Some(Skipped::PutRight)) {
        world.weather.count(format!("(dead letter of a skipped step sent back: {})", request.op.as_str()));
        return Ok(());
    }
    let id = request.id.as_str();
    if request.step == ChargePayment::NAME && request.op != Op::Abandon && world.accounts.is_closed(id) {
        let is_over = !running(world, ORDER_SAGA).await?.iter().any(|name| saga_id(name) == id);
        if is_over {
            world.accounts.mend(id, &world.weather);
        }
    }
    Ok(())
}
