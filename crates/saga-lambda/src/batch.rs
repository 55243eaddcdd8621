//! Batches of an SQS queue: every message on its own, those of a batch that may have died one after the other.

use crate::deadline::Deadline;
use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use futures::{FutureExt, StreamExt, stream::FuturesUnordered};
use std::{
    cmp::Ordering,
    collections::BTreeMap,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::time::timeout;

/// A message of an SQS queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The queue's id of the message.
    pub id: String,
    /// The body.
    pub body: String,
    /// How often it has been delivered, this time included.
    pub receive_count: u32,
    /// When it was sent to the queue, if the queue says so.
    pub sent_at: Option<SystemTime>,
    /// When it was delivered for the first time, if the queue says so.
    pub first_received_at: Option<SystemTime>,
    /// The attributes that it was sent with, by name: those that are texts and numbers.
    pub attributes: BTreeMap<String, String>,
}

impl From<SqsMessage> for Message {
    fn from(message: SqsMessage) -> Self {
        let received = message.attributes.get("ApproximateReceiveCount");
        let time = |name: &str| {
            let time_ms = message.attributes.get(name)?.parse().ok()?;
            UNIX_EPOCH.checked_add(Duration::from_millis(time_ms))
        };
        let (sent_at, first_received_at) = (time("SentTimestamp"), time("ApproximateFirstReceiveTimestamp"));
        let attributes = message.message_attributes.into_iter();
        let attributes = attributes.filter_map(|(name, value)| Some((name, value.string_value?)));
        Self {
            // SQS always gives one. Lambda takes a failed item without an id to mean the whole batch: safe.
            id: message.message_id.unwrap_or_default(),
            body: message.body.unwrap_or_default(),
            receive_count: received.and_then(|count| count.parse().ok()).unwrap_or(1),
            sent_at,
            first_received_at,
            attributes: attributes.collect(),
        }
    }
}

/// What becomes of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is done with and leaves the queue.
    Acknowledge,
    /// It is delivered again, and after the queue's last delivery moves to the dead-letter queue.
    DeliverAgain {
        /// Why: kept beside the message in the dead-letter queue. Never anything that was given in the message.
        reason: String,
    },
}

impl Verdict {
    /// It is delivered again, for this reason.
    pub fn deliver_again(reason: impl Into<String>) -> Self {
        Self::DeliverAgain { reason: reason.into() }
    }
}

/// Handles the messages of a batch, and reports those that are to be delivered again. One that fails does not hold up
/// the others.
///
/// What ends the whole process (an abort, a stack overflow, no memory left) ends what is handled at the same time too,
/// and every message of the batch comes again: Lambda reports none of it. So messages that come for the first time are
/// handled at the same time, and after them, in turns, those that came before: what is answered when the process dies is
/// answered. A turn waits for the one before it, but for its share of a quarter of the time at most: nothing is cut short
/// for the sake of one that is slow, and what is slow because of load goes on at the same time.
///
/// Of two messages that come again in the same batches each is handled before the other every second time. So a message
/// is handled before the one that ends the process while it has deliveries left.
pub async fn each_message<F>(
    event: SqsEvent,
    deadline: Deadline,
    handle: impl Fn(Message) -> F,
) -> SqsBatchResponse
where
    F: Future<Output = Verdict>,
{
    let turns = turns(event.records.into_iter().map(Message::from).collect());
    let share = deadline.remaining() / WAITING / u32::try_from(turns.len()).unwrap_or(u32::MAX).max(1);
    let mut response = SqsBatchResponse::default();
    let mut under_way = FuturesUnordered::new();
    let mut ended = |(id, verdict): (String, Verdict)| {
        if verdict != Verdict::Acknowledge {
            response.add_failure(id);
        }
    };
    for turn in turns {
        under_way.extend(turn.into_iter().map(|message| {
            let id = message.id.clone();
            // Boxed: without it the type of a whole function is too deep for the compiler.
            let handled = handle(message).boxed_local();
            async { (id, handled.await) }
        }));
        // Who is not done by then goes on beside the next.
        let _ = timeout(share, async {
            while let Some(done) = under_way.next().await {
                ended(done);
            }
        })
        .await;
    }
    while let Some(done) = under_way.next().await {
        ended(done);
    }
    response
}

/// What part of the time is spent on waiting for one's turn, at most: one of so many.
const WAITING: u32 = 4;

/// The messages that come for the first time, then each of the others on its own.
fn turns(messages: Vec<Message>) -> Vec<Vec<Message>> {
    let (fresh, mut repeated): (Vec<_>, Vec<_>) =
        messages.into_iter().partition(|message| message.receive_count <= 1);
    repeated.sort_by(turn_about);
    let turns = [fresh].into_iter().chain(repeated.into_iter().map(|message| vec![message]));
    turns.filter(|turn| !turn.is_empty()).collect()
}

/// An order that any two messages change when both are delivered once more: first those with an odd number of
/// deliveries, by their ids, then the others, by their ids backwards.
fn turn_about(one: &Message, other: &Message) -> Ordering {
    let is_even = |message: &Message| message.receive_count.is_multiple_of(2);
    is_even(one)
        .cmp(&is_even(other))
        .then_with(|| if is_even(one) { other.id.cmp(&one.id) } else { one.id.cmp(&other.id) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::{cell::RefCell, collections::BTreeSet};
    use tokio::time::{Instant, sleep};

    /// So many ids with how often each has been delivered.
    fn batch(messages: &[(&str, u32)]) -> SqsEvent {
        let record = |(id, count): &(&str, u32)| {
            let attributes = json!({ "ApproximateReceiveCount": count.to_string() });
            json!({ "messageId": id, "body": id, "attributes": attributes })
        };
        let records: Vec<_> = messages.iter().map(record).collect();
        serde_json::from_value(json!({ "Records": records })).unwrap()
    }

    fn in_four_seconds() -> Deadline {
        Deadline::after(Duration::from_secs(4))
    }

    #[tokio::test(start_paused = true)]
    async fn only_the_failed_messages_of_a_batch_are_reported() {
        let event = json!({ "Records": [
            { "messageId": "a", "body": "fine", "attributes": { "ApproximateReceiveCount": "1" } },
            {
                "messageId": "b", "body": "bad", "attributes": { "ApproximateReceiveCount": "3", "SentTimestamp": "1500", "ApproximateFirstReceiveTimestamp": "1700" },
                "messageAttributes": {
                    "times": { "stringValue": "7", "dataType": "Number" },
                    "raw": { "binaryValue": "AA==", "dataType": "Binary" },
                },
            },
            { "messageId": "c", "body": "fine" },
        ]});
        let event: SqsEvent = serde_json::from_value(event).unwrap();
        let response = each_message(event, in_four_seconds(), async |message| {
            match (message.body.as_str(), message.receive_count) {
                ("bad", 3) => {
                    let at = |time_ms| Some(UNIX_EPOCH + Duration::from_millis(time_ms));
                    assert_eq!((message.sent_at, message.first_received_at), (at(1_500), at(1_700)));
                    assert_eq!(message.attributes, BTreeMap::from([("times".to_owned(), "7".to_owned())]));
                    Verdict::deliver_again("bad")
                }
                ("fine", 1) => Verdict::Acknowledge,
                other => panic!("{other:?}"),
            }
        });
        let response = serde_json::to_value(response.await).unwrap();
        assert_eq!(response, json!({ "batchItemFailures": [{ "itemIdentifier": "b" }] }));
    }

    #[tokio::test(start_paused = true)]
    async fn what_may_have_been_in_a_batch_that_died_comes_one_by_one_after_the_others() {
        let events = RefCell::new(Vec::new());
        let messages = batch(&[("d", 2), ("a", 1), ("c", 3), ("b", 1), ("e", 2)]);
        let handle = async |message: Message| {
            events.borrow_mut().push(format!("{} begins", message.id));
            sleep(Duration::from_millis(20)).await;
            events.borrow_mut().push(format!("{} ends", message.id));
            Verdict::Acknowledge
        };
        let response = each_message(messages, in_four_seconds(), handle).await;
        assert!(response.batch_item_failures.is_empty());
        assert_eq!(
            events.into_inner(),
            [
                ["a begins", "b begins", "a ends", "b ends"].as_slice(),
                &["c begins", "c ends", "e begins", "e ends", "d begins", "d ends"],
            ]
            .concat()
        );
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_is_slow_is_not_cut_short_and_holds_nobody_up_for_long() {
        let began = Instant::now();
        let messages = batch(&[("fresh", 1), ("slow", 3), ("quick", 2), ("last", 2)]);
        let handle = async |message: Message| {
            let at = began.elapsed();
            assert!(at <= Duration::from_secs(1), "{message:?} begins after {at:?}");
            if message.id == "slow" {
                sleep(Duration::from_secs(3)).await;
                return Verdict::deliver_again("slow");
            }
            Verdict::Acknowledge
        };
        let response = each_message(messages, in_four_seconds(), handle).await;
        let failed: Vec<_> =
            response.batch_item_failures.iter().map(|item| item.item_identifier.as_str()).collect();
        assert_eq!((failed, began.elapsed()), (vec!["slow"], Duration::from_secs(3)));
    }

    /// Nine messages always share their batch with one that ends the process.
    #[test]
    fn the_neighbours_of_one_that_ends_the_process_are_handled_before_their_deliveries_are_over() {
        let ids = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
        for poison in ids {
            let mut answered = BTreeSet::new();
            // At first all are handled at the same time. Then those before it are, and nothing is reported of them.
            for count in [2, 3] {
                let records = batch(&ids.map(|id| (id, count))).records;
                let order = turns(records.into_iter().map(Message::from).collect()).concat();
                answered.extend(order.into_iter().map(|message| message.id).take_while(|id| id != poison));
            }
            assert_eq!(answered.len(), 9, "{poison}: {answered:?}");
        }
    }

    #[test]
    fn any_two_that_come_together_twice_have_come_in_both_orders() {
        let message = |id: &str, receive_count| Message {
            id: id.into(),
            body: String::new(),
            receive_count,
            sent_at: None,
            first_received_at: None,
            attributes: BTreeMap::new(),
        };
        for (one, other) in [(2, 2), (2, 3), (2, 4), (3, 3), (3, 4), (4, 2), (4, 4)] {
            let order = |more: u32| turn_about(&message("a", one + more), &message("b", other + more));
            assert_eq!(order(0), order(1).reverse(), "{one} {other}");
        }
    }
}
