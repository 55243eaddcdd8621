//! The dead-letter queue of a function: where a message goes that could not be handled, with the reason.

use crate::{
    Error, Variables, aws,
    batch::{Message, Verdict},
    deadline::Deadline,
    is_sendable,
};
use aws_sdk_sqs::{Client, error::BuildError, types::MessageAttributeValue};
use aws_types::SdkConfig;
use saga::{dead_letter, environment};

/// The most characters of a reason.
const REASON_CHARS: usize = 1_000;

/// What a message leaves behind that has used up its deliveries.
///
/// SQS moves such a message by itself, but cannot say why. So after the last delivery the function puts a copy there
/// that has the reason with it, and takes the message from its queue. Whatever fails on the way leaves the message to
/// SQS: it is then there without a reason, or twice, but never lost.
#[derive(Debug)]
pub(crate) struct DeadLetters {
    client: Client,
    url: String,
    max_receive_count: u32,
}

impl DeadLetters {
    /// The queue that the stack says.
    pub(crate) fn from_variables(config: &SdkConfig, variables: &Variables) -> Result<Self, Error> {
        Ok(Self {
            client: Client::new(config),
            url: variables.text(environment::DEAD_LETTER_QUEUE)?.into(),
            max_receive_count: variables.parsed(environment::MAX_RECEIVE_COUNT, "a whole number")?,
        })
    }

    /// The verdict on a message once its last delivery is taken into account.
    pub(crate) async fn conclude(&self, message: &Message, verdict: Verdict, deadline: Deadline) -> Verdict {
        match verdict {
            Verdict::DeliverAgain { reason } if message.receive_count >= self.max_receive_count => {
                match self.keep(message, &reason, deadline).await {
                    Ok(()) => Verdict::Acknowledge,
                    Err(why) => {
                        tracing::warn!(
                            message_id = message.id,
                            reason = why,
                            "the dead-letter queue has it without a reason"
                        );
                        Verdict::DeliverAgain { reason }
                    }
                }
            }
            verdict => verdict,
        }
    }

    async fn keep(&self, message: &Message, reason: &str, deadline: Deadline) -> Result<(), String> {
        let reason = text(&sendable(reason)).map_err(|error| error.to_string())?;
        let id = text(&message.id).map_err(|error| error.to_string())?;
        let deliveries = number(message.receive_count).map_err(|error| error.to_string())?;
        let request = self
            .client
            .send_message()
            .queue_url(&self.url)
            .message_body(&message.body)
            .message_attributes(dead_letter::REASON, reason)
            .message_attributes(dead_letter::MESSAGE_ID, id)
            .message_attributes(dead_letter::DELIVERIES, deliveries);
        aws::send(request, deadline).await
    }
}

fn text(value: &str) -> Result<MessageAttributeValue, BuildError> {
    MessageAttributeValue::builder().data_type("String").string_value(value).build()
}

fn number(value: u32) -> Result<MessageAttributeValue, BuildError> {
    MessageAttributeValue::builder().data_type("Number").string_value(value.to_string()).build()
}

/// A reason as SQS takes it: not empty, not endless, and without the characters that it refuses.
fn sendable(reason: &str) -> String {
    let reason: String = reason.chars().filter(|c| is_sendable(*c)).take(REASON_CHARS).collect();
    if reason.is_empty() { "none given".to_owned() } else { reason }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::{Answer, Call, Log, Replay};
    use serde_json::json;
    use std::{collections::BTreeMap, time::Duration};

    async fn concluded(receive_count: u32, verdict: Verdict, answers: Vec<Answer>) -> (Verdict, Vec<Call>) {
        let _log = Log::keep();
        let replay = Replay::of(answers);
        let variables: Variables = [
            (environment::DEAD_LETTER_QUEUE, "https://sqs.eu-central-1.amazonaws.com/123456789012/dead"),
            (environment::MAX_RECEIVE_COUNT, "3"),
        ]
        .into_iter()
        .collect();
        let dead_letters = DeadLetters::from_variables(&replay.config(), &variables).unwrap();
        let message = Message {
            id: "m-1".into(),
            body: "{oops".into(),
            receive_count,
            sent_at: None,
            first_received_at: None,
            attributes: BTreeMap::new(),
        };
        let deadline = Deadline::after(Duration::from_secs(2));
        (dead_letters.conclude(&message, verdict, deadline).await, replay.calls())
    }

    fn again() -> Verdict {
        Verdict::deliver_again("not a request")
    }

    #[tokio::test(start_paused = true)]
    async fn before_the_last_delivery_and_when_all_is_well_nothing_is_kept() {
        assert_eq!(concluded(2, again(), vec![]).await, (again(), vec![]));
        assert_eq!(concluded(3, Verdict::Acknowledge, vec![]).await, (Verdict::Acknowledge, vec![]));
    }

    #[tokio::test(start_paused = true)]
    async fn after_the_last_delivery_the_message_is_kept_with_its_reason() {
        let (verdict, calls) = concluded(3, again(), vec![Answer::ok(json!({ "MessageId": "m-2" }))]).await;
        assert_eq!((verdict, calls.len()), (Verdict::Acknowledge, 1));
        assert_eq!(calls[0].target, "AmazonSQS.SendMessage");
        let text = |value: &str| json!({ "DataType": "String", "StringValue": value });
        assert_eq!(
            calls[0].body,
            json!({
                "QueueUrl": "https://sqs.eu-central-1.amazonaws.com/123456789012/dead",
                "MessageBody": "{oops",
                "MessageAttributes": {
                    "reason": text("not a request"),
                    "message_id": text("m-1"),
                    "deliveries": { "DataType": "Number", "StringValue": "3" },
                },
            })
        );
    }

    #[tokio::test(start_paused = true)]
    async fn what_cannot_be_kept_is_left_to_the_queue() {
        for answer in [Answer::error("AccessDeniedException"), Answer::Lost] {
            assert_eq!(concluded(3, again(), vec![answer]).await.0, again());
        }
    }

    #[test]
    fn a_reason_is_made_fit_to_be_sent() {
        assert_eq!(sendable(""), "none given");
        assert_eq!(sendable("a\u{0}b\u{7}\tc\u{ffff}"), "ab\tc");
        assert_eq!(sendable(&"é".repeat(2_000)), "é".repeat(1_000));
    }
}
