//! The events that tell of dead executions, which are delivered best effort: some are lost, because the rule for them is
//! off for a while or because they are taken out of the queue, and some are delivered again, up to a minute later. What
//! was lost the sweep has to find.

use super::{
    Rate, draw,
    messages::{COPY, is_copy, is_looked_at_first, send, unless_taken},
    millis,
};
use crate::world::{Deployment, Queue, RESCUE, World};
use anyhow::{Context, Result};
use aws_sdk_sqs::types::MessageSystemAttributeName;
use fastrand::Rng;
use saga::rescue::asks_for_sweep;
use serde_json::json;
use std::{sync::atomic::Ordering, time::Duration};

const LOOK_EVERY: Duration = Duration::from_millis(60);
/// How long an event that was taken out stays hidden while it is decided what becomes of it.
const HIDDEN_SECONDS: i32 = 5;
const LONGEST_DELAY_SECONDS: i32 = 60;

#[derive(Debug, Clone, Copy)]
enum Kind {
    Lost,
    Doubled,
}

const RATES: [Rate<Kind>; 2] =
    [Rate { per_mille: 400, kind: Kind::Lost }, Rate { per_mille: 300, kind: Kind::Doubled }];

/// Tells once more, or a few times, that an execution was stopped: at once or later, when it is settled already.
pub(super) async fn double(world: &World, saga: &str, name: &str, rng: &mut Rng) -> Result<()> {
    let event = json!({
        "source": "aws.states",
        "detail-type": "Step Functions Execution Status Change",
        "detail": { "executionArn": world.of(saga).execution_arn(saga, name), "name": name, "status": "ABORTED" },
    });
    let (queue, body) = (rescue(world, Deployment::of(saga))?, event.to_string());
    for _ in 0..rng.u32(1..4) {
        send(&world.system.clients().sqs, &queue, &body, rng.i32(0..LONGEST_DELAY_SECONDS)).await?;
        world.weather.count("status event doubled");
    }
    Ok(())
}

fn rescue(world: &World, of: Deployment) -> Result<Queue> {
    let mut queues = world.queues().into_iter();
    queues.find(|queue| queue.of == of && queue.function == RESCUE).context("nobody rescues")
}

/// Turns the rules off every now and then. They are on when this ends.
pub(crate) async fn turn_off(world: &World, mut rng: Rng) -> Result<()> {
    let (weather, is_off) = (&world.weather, &world.deaths_are_untold);
    while weather.still_rages_after(millis(&mut rng, 2_000..8_000)).await {
        for deployment in Deployment::ALL {
            world.at(deployment).lose_deaths().await?;
        }
        is_off.store(true, Ordering::Relaxed);
        weather.still_rages_after(millis(&mut rng, 800..4_000)).await;
        is_off.store(false, Ordering::Relaxed);
        for deployment in Deployment::ALL {
            world.at(deployment).tell_of_deaths().await?;
        }
        weather.count("rule for status events off for a while");
    }
    Ok(())
}

/// Takes events out of the queue of the rescue function before it gets to them, as far as that goes.
pub(crate) async fn meddle(world: &World, mut rng: Rng) -> Result<()> {
    let (sqs, weather) = (&world.system.clients().sqs, &world.weather);
    let mut queues = Deployment::ALL.map(|of| rescue(world, of)).into_iter().collect::<Result<Vec<_>>>()?;
    while weather.still_rages_after(LOOK_EVERY).await {
        queues.rotate_left(1);
        let queue = &queues[0];
        let received = sqs.receive_message().queue_url(&queue.url).visibility_timeout(HIDDEN_SECONDS);
        let received =
            received.message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount);
        let received = received.message_attribute_names(COPY).max_number_of_messages(10).send().await;
        for message in received.context("cannot read the status events")?.messages.unwrap_or_default() {
            // Each is drawn for once, and no copy: they would become ever more while the function is busy.
            let is_drawn = is_looked_at_first(&message) && !is_copy(&message);
            let (Some(body), Some(handle)) = (message.body, message.receipt_handle) else { continue };
            let kind = if asks_for_sweep(&body) || !is_drawn { None } else { draw(&mut rng, &RATES) };
            match kind {
                Some(Kind::Lost) => {
                    let delete = sqs.delete_message().queue_url(&queue.url).receipt_handle(handle);
                    if unless_taken(delete.send().await, "take out")? {
                        weather.count("status event lost");
                    }
                    continue;
                }
                Some(Kind::Doubled) => {
                    for _ in 0..rng.u32(1..4) {
                        send(sqs, queue, &body, rng.i32(0..LONGEST_DELAY_SECONDS)).await?;
                        weather.count("status event doubled");
                    }
                }
                None => {}
            }
            let show = sqs.change_message_visibility().queue_url(&queue.url).receipt_handle(handle);
            // By now the function may have it.
            let _ = show.visibility_timeout(0).send().await;
        }
    }
    Ok(())
}
