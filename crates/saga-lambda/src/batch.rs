//! Batches of an SQS queue: every message on its own, all at the same time.

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use futures::{FutureExt, future::join_all};

/// A message of an SQS queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The queue's id of the message.
    pub id: String,
    /// The body.
    pub body: String,
    /// How often it has been delivered, this time included.
    pub receive_count: u32,
}

impl From<SqsMessage> for Message {
    fn from(message: SqsMessage) -> Self {
        let received = message.attributes.get("ApproximateReceiveCount");
        Self {
            // SQS always gives one. Lambda takes a failed item without an id to mean the whole batch: safe.
            id: message.message_id.unwrap_or_default(),
            body: message.body.unwrap_or_default(),
            receive_count: received.and_then(|count| count.parse().ok()).unwrap_or(1),
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

/// Handles all messages of a batch at the same time. One that fails does not hold up the others.
pub async fn each_message<F>(event: SqsEvent, handle: impl Fn(Message) -> F) -> SqsBatchResponse
where
    F: Future<Output = Verdict>,
{
    let verdicts = join_all(event.records.into_iter().map(|record| {
        let message = Message::from(record);
        let id = message.id.clone();
        // Boxed: without it the type of a whole function is too deep for the compiler.
        let handled = handle(message).boxed_local();
        async { (id, handled.await) }
    }));
    let mut response = SqsBatchResponse::default();
    for (id, verdict) in verdicts.await {
        if verdict != Verdict::Acknowledge {
            response.add_failure(id);
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[tokio::test]
    async fn only_the_failed_messages_of_a_batch_are_reported() {
        let event = json!({ "Records": [
            { "messageId": "a", "body": "fine", "attributes": { "ApproximateReceiveCount": "1" } },
            { "messageId": "b", "body": "bad", "attributes": { "ApproximateReceiveCount": "3" } },
            { "messageId": "c", "body": "fine" },
        ]});
        let event: SqsEvent = serde_json::from_value(event).unwrap();
        let response =
            each_message(event, async |message| match (message.body.as_str(), message.receive_count) {
                ("bad", 3) => Verdict::deliver_again("bad"),
                ("fine", 1) => Verdict::Acknowledge,
                other => panic!("{other:?}"),
            });
        let response = serde_json::to_value(response.await).unwrap();
        assert_eq!(response, json!({ "batchItemFailures": [{ "itemIdentifier": "b" }] }));
    }
}
