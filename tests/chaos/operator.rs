//! Whoever is on duty: brings back what is missing, answers what is parked with 'retry', and sends dead letters back to
//! their queues.

use crate::{
    faults::messages::GARBAGE,
    world::{Queue, World},
};
use anyhow::{Context, Result};
use aws_sdk_dynamodb::types::AttributeValue;
use saga::parked_table::{ACTION, BY, REASON, RETRY, TASK_TOKEN, WHAT};
use serde_json::json;
use std::{collections::HashMap, time::Duration};

const LOOK_EVERY: Duration = Duration::from_secs(4);
/// How long a dead letter that nobody can understand stays out of sight, so that the others are seen.
const GARBAGE_HIDDEN_SECONDS: i32 = 2;
/// How many times ten dead letters are looked at in one go.
const ROUNDS_MAX: usize = 20;

/// Works until the storm is over.
pub(crate) async fn work_while_it_rages(world: &World) -> Result<()> {
    while world.weather.still_rages_after(LOOK_EVERY).await {
        work(world).await?;
    }
    Ok(())
}

/// Does everything there is to do now; says how much it was.
pub(crate) async fn work(world: &World) -> Result<usize> {
    let mut done = answer_parked(world).await?;
    for queue in world.queues() {
        done += send_back(world, &queue).await?;
    }
    Ok(done)
}

/// The records of what is parked.
pub(crate) async fn parked(world: &World) -> Result<Vec<HashMap<String, AttributeValue>>> {
    let table = world.system.output(stacks::outputs::PARKED_TABLE_NAME);
    let scan = world.system.clients().dynamodb.scan().table_name(table).consistent_read(true);
    let records = scan.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
    let mut records = records.context("cannot read the table of what is parked")?;
    // Decisions stand in the same table.
    records.retain(|record| record.contains_key(TASK_TOKEN));
    Ok(records)
}

async fn answer_parked(world: &World) -> Result<usize> {
    let parked = parked(world).await?;
    // The cause is mended first.
    if !parked.is_empty() && world.shelf.restore(world).await? {
        world.weather.count("(missing product brought back by the operator)");
    }
    for record in &parked {
        let token = record.get(TASK_TOKEN).and_then(|token| token.as_s().ok());
        let token = token.with_context(|| format!("a parked record has no token: {:?}", record.get(WHAT)))?;
        let answer = json!({ ACTION: RETRY, REASON: "the storm is over", BY: "chaos" });
        let sent =
            world.system.clients().sfn.send_task_success().task_token(token).output(answer.to_string());
        match sent.send().await {
            Ok(_) => world.weather.count("(parked, answered by the operator)"),
            // It was answered a moment ago, and its record is about to go.
            Err(error)
                if error.as_service_error().is_some_and(|error| {
                    error.is_task_timed_out() || error.is_task_does_not_exist() || error.is_invalid_token()
                }) => {}
            Err(error) => return Err(error).context("cannot answer what is parked"),
        }
    }
    Ok(parked.len())
}

/// Sends back what there is, and leaves alone what nobody can understand.
async fn send_back(world: &World, queue: &Queue) -> Result<usize> {
    let sqs = &world.system.clients().sqs;
    let mut done = 0;
    for _ in 0..ROUNDS_MAX {
        let asked = sqs.receive_message().queue_url(&queue.dead_letters_url).max_number_of_messages(10);
        let received = asked.visibility_timeout(GARBAGE_HIDDEN_SECONDS).send().await;
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
            let send = sqs.send_message().queue_url(&queue.url).message_body(body);
            send.send().await.context("cannot send back")?;
            let delete = sqs.delete_message().queue_url(&queue.dead_letters_url).receipt_handle(handle);
            delete.send().await.context("cannot take a dead letter out")?;
            world.weather.count(format!("(dead letter of {} sent back by the operator)", queue.function));
            done += 1;
        }
    }
    Ok(done)
}
