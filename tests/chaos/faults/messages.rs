//! Messages in the queues: doubled, hidden, put behind others, sent again long after, and beside them some that are none.
//!
//! Whatever waits in a queue is taken out before the function gets to it. What was seen once is remembered, and sent
//! again at any later time: to a saga that is long over, too.

use super::{Rate, Weather, draw};
use crate::world::{Queue, World};
use anyhow::{Context, Result};
use aws_sdk_sqs::{
    Client,
    error::{BuildError, ProvideErrorMetadata, SdkError},
    types::{Message, MessageAttributeValue, MessageSystemAttributeName},
};
use fastrand::Rng;
use std::time::Duration;

/// Stands in messages that nobody can understand, so that they are known again as dead letters.
pub(crate) const GARBAGE: &str = "chaos-garbage";

/// An attribute of what the storm sent itself. It is not doubled again, and nothing at a second look: where a function is busy,
/// messages would become ever more, and the storm would never end.
pub(super) const COPY: &str = "chaos-copy";

const LOOK_EVERY: Duration = Duration::from_millis(36);
/// How many messages are remembered at most.
const REMEMBERED_MAX: usize = 1_000;
/// Out of a thousand looks, how many send a remembered message again.
const ECHO_PER_MILLE: u32 = 60;
/// How long what was taken out stays hidden while it is decided what becomes of it.
const HIDDEN_SECONDS: i32 = 5;

#[derive(Debug, Clone, Copy)]
enum Kind {
    Doubled,
    Hidden,
    Overtaken,
}

const RATES: [Rate<Kind>; 3] = [
    Rate { per_mille: 350, kind: Kind::Doubled },
    Rate { per_mille: 250, kind: Kind::Hidden },
    Rate { per_mille: 250, kind: Kind::Overtaken },
];

/// Looks into one queue after the other.
pub(crate) async fn rage(world: &World, mut rng: Rng) -> Result<()> {
    let (sqs, weather) = (&world.system.clients().sqs, &world.weather);
    let mut remembered: Vec<(Queue, String)> = Vec::new();
    let mut queues = world.queues().into_iter().cycle();
    while weather.still_rages_after(LOOK_EVERY).await {
        let Some(queue) = queues.next() else { return Ok(()) };
        let received = sqs
            .receive_message()
            .queue_url(&queue.url)
            .max_number_of_messages(10)
            .message_attribute_names(COPY)
            .message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount)
            .visibility_timeout(HIDDEN_SECONDS);
        let received = received.send().await.with_context(|| format!("cannot read {}", queue.url))?;
        for message in received.messages.unwrap_or_default() {
            if let Some(body) = &message.body {
                remember(&mut remembered, &mut rng, queue.clone(), body);
            }
            meddle(sqs, weather, &mut rng, &queue, message).await?;
        }
        if rng.u32(0..1000) < ECHO_PER_MILLE
            && let Some((queue, body)) = rng.choice(&remembered)
        {
            send(sqs, queue, body, 0).await?;
            weather.count("message sent again at any later time");
        }
    }
    Ok(())
}

/// Sends so many messages to a participant that are none, each known again by its name.
pub(crate) async fn send_garbage(world: &World, count: usize, rng: &mut Rng) -> Result<Vec<(Queue, String)>> {
    let participants = world.participant_queues();
    let mut sent = Vec::new();
    for n in 0..count {
        let name = format!("{GARBAGE}-{}-{n}.", world.run);
        let body = match rng.u32(0..3) {
            0 => name.clone(),
            1 => format!("{{\"v\":1,\"step\":\"{name}\"}}"),
            _ => format!("{{\"v\":99,\"saga\":\"{name}\"{}", " ".repeat(rng.usize(0..10_000))),
        };
        let queue = rng.choice(&participants).context("there are no participants")?.clone();
        send(&world.system.clients().sqs, &queue, &body, 0).await?;
        world.weather.count("message that is none");
        sent.push((queue, name));
    }
    Ok(sent)
}

async fn meddle(
    sqs: &Client,
    weather: &Weather,
    rng: &mut Rng,
    queue: &Queue,
    message: Message,
) -> Result<()> {
    let may_be_doubled = is_looked_at_first(&message) && !is_copy(&message);
    let body = message.body.unwrap_or_default();
    let handle = message.receipt_handle.context("a message has no receipt handle")?;
    let hide = async |seconds: i32| -> Result<()> {
        let change = sqs.change_message_visibility().queue_url(&queue.url).receipt_handle(&handle);
        unless_taken(change.visibility_timeout(seconds).send().await, "hide").map(drop)
    };
    // What nobody can understand must be found again once, so it is not doubled.
    let kind = if body.contains(GARBAGE) { None } else { draw(rng, &RATES) };
    match kind {
        None => hide(0).await,
        Some(Kind::Doubled) if !may_be_doubled => hide(0).await,
        Some(Kind::Doubled) => {
            for _ in 0..rng.u32(1..3) {
                send(sqs, queue, &body, rng.i32(0..4)).await?;
                weather.count("message doubled");
            }
            hide(0).await
        }
        Some(Kind::Hidden) => {
            weather.count("message hidden for a while");
            hide(rng.i32(1..6)).await
        }
        Some(Kind::Overtaken) => {
            send(sqs, queue, &body, rng.i32(1..5)).await?;
            let delete = sqs.delete_message().queue_url(&queue.url).receipt_handle(&handle);
            unless_taken(delete.send().await, "take out")?;
            weather.count("message put behind others");
            Ok(())
        }
    }
}

/// Whether it was never received before.
pub(super) fn is_looked_at_first(message: &Message) -> bool {
    let looks = message.attributes.as_ref();
    let looks =
        looks.and_then(|attributes| attributes.get(&MessageSystemAttributeName::ApproximateReceiveCount));
    looks.is_none_or(|looks| looks == "1")
}

/// Whether the storm sent it.
pub(super) fn is_copy(message: &Message) -> bool {
    message.message_attributes.as_ref().is_some_and(|attributes| attributes.contains_key(COPY))
}

fn copy() -> Result<MessageAttributeValue, BuildError> {
    MessageAttributeValue::builder().data_type("String").string_value("yes").build()
}

/// Sends a message as it is.
pub(super) async fn send(sqs: &Client, queue: &Queue, body: &str, delay_seconds: i32) -> Result<()> {
    let message = sqs.send_message().queue_url(&queue.url).message_body(body).delay_seconds(delay_seconds);
    let message = message.message_attributes(COPY, copy()?);
    message.send().await.with_context(|| format!("cannot send to {}", queue.url))?;
    Ok(())
}

/// What was received is hidden for a moment only: when that is over, the function takes it, and it is not ours any more.
pub(super) fn unless_taken<T, E>(answer: Result<T, SdkError<E>>, what: &str) -> Result<bool>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    match answer {
        Ok(_) => Ok(true),
        Err(error) if matches!(error.code(), Some("ReceiptHandleIsInvalid" | "MessageNotInflight")) => {
            Ok(false)
        }
        Err(error) => Err(error).with_context(|| format!("cannot {what} a message")),
    }
}

/// All of them at first; later any one gives way to the new one.
fn remember(remembered: &mut Vec<(Queue, String)>, rng: &mut Rng, queue: Queue, body: &str) {
    if body.contains(GARBAGE) {
        return;
    }
    if remembered.len() == REMEMBERED_MAX {
        remembered.swap_remove(rng.usize(0..REMEMBERED_MAX));
    }
    remembered.push((queue, body.to_owned()));
}
