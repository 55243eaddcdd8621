//! `dead-letters`: the messages that nobody could handle, looked at and left where they are.

use super::letter::{dead_letter, failed_call, refused_order};
use super::{DeadLetter, Operations, OpsError};
use crate::aws::call;
use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, Message, MessageSystemAttributeName, QueueAttributeName,
};
use futures::future::try_join_all;
use serde::Serialize;
use stacks::{RefusedQueue, Trigger, outputs};
use std::collections::BTreeMap;

/// How long a message is hidden while the others are looked at. When this program is cut short, it shows again then.
pub(super) const HIDDEN_SECONDS: i32 = 30;

/// How long one call waits for a message. Without it, SQS asks only some of its servers.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-short-and-long-polling.html>
pub(super) const WAIT_SECONDS: i32 = 1;

/// The most messages of one call.
pub(super) const BATCH: usize = 10;

/// Dead letters of some queues.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DeadLetters {
    /// The messages, by queue, the oldest first.
    pub letters: Vec<DeadLetter>,
    /// How many messages each queue holds, about.
    pub queues: BTreeMap<String, u64>,
    /// Whether these are all: not when there are more than the limit.
    pub complete: bool,
}

/// A queue of letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LetterBox<'a> {
    /// The function, or the name of a queue of what was refused.
    pub(super) name: &'a str,
    pub(super) url: &'a str,
    pub(super) origin: Origin<'a>,
}

/// Where letters come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin<'a> {
    /// The queue of a function, at this URL.
    Queue(&'a str),
    /// Calls of a function by its schedule.
    Schedule,
    /// What an intake refused.
    Refused,
}

impl Operations {
    /// Looks at dead letters without taking them out: of the queue of one function (or one of what was refused), or of all.
    /// `limit`: the most of each queue.
    ///
    /// # Errors
    /// When there is no such queue, or SQS cannot be asked.
    pub async fn dead_letters(&self, queue: Option<&str>, limit: usize) -> Result<DeadLetters, OpsError> {
        let boxes = self.letter_boxes(queue)?;
        let looked = try_join_all(boxes.iter().map(|letter_box| async move {
            let holds = self.holds(letter_box).await?;
            Ok::<_, OpsError>((holds, self.peek(letter_box, limit).await?))
        }));
        let mut found = DeadLetters { complete: true, ..DeadLetters::default() };
        for (letter_box, (holds, messages)) in boxes.iter().zip(looked.await?) {
            // The count is about right only, and what was looked at is there for sure.
            let holds = holds.max(messages.len() as u64);
            found.complete &= messages.len() < limit;
            found.queues.insert(letter_box.name.to_owned(), holds);
            let mut letters: Vec<_> = messages
                .iter()
                .map(|message| match letter_box.origin {
                    Origin::Queue(_) => dead_letter(&self.sagas, letter_box.name, message),
                    Origin::Schedule => failed_call(letter_box.name, message),
                    Origin::Refused => refused_order(&self.sagas, letter_box.name, message),
                })
                .collect();
            letters.sort_by(|a, b| (&a.since, &a.message_id).cmp(&(&b.since, &b.message_id)));
            found.letters.extend(letters);
        }
        Ok(found)
    }

    /// The queue of this name, or all.
    pub(super) fn letter_boxes(&self, queue: Option<&str>) -> Result<Vec<LetterBox<'_>>, OpsError> {
        let mut boxes = Vec::new();
        for (function, trigger) in &self.functions {
            let origin = match trigger {
                Trigger::Queue => Origin::Queue(self.output(&outputs::queue_url(function))?),
                Trigger::Schedule => Origin::Schedule,
            };
            let url = self.output(&outputs::dead_letter_queue_url(function))?;
            boxes.push(LetterBox { name: function, url, origin });
        }
        for RefusedQueue { name, url_output } in &self.refused {
            boxes.push(LetterBox { name, url: self.output(url_output)?, origin: Origin::Refused });
        }
        let Some(name) = queue else { return Ok(boxes) };
        let known = boxes.iter().map(|letter_box| letter_box.name.to_owned()).collect();
        boxes.retain(|letter_box| letter_box.name == name);
        if boxes.is_empty() {
            return Err(OpsError::Unknown { what: "queue", given: name.to_owned(), known });
        }
        Ok(boxes)
    }

    /// About how many messages a queue holds.
    pub(super) async fn holds(&self, letter_box: &LetterBox<'_>) -> Result<u64, OpsError> {
        let name = QueueAttributeName::ApproximateNumberOfMessages;
        let answer = self.sqs.get_queue_attributes().queue_url(letter_box.url).attribute_names(name.clone());
        let answer = answer.send().await.map_err(call(format!("ask {}", letter_box.url)))?;
        let count = answer.attributes.and_then(|attributes| attributes.get(&name)?.parse().ok());
        Ok(count.unwrap_or_default())
    }

    /// Receives up to ten messages, and hides them for a while.
    pub(super) async fn receive(
        &self,
        letter_box: &LetterBox<'_>,
        most: usize,
    ) -> Result<Vec<Message>, OpsError> {
        let answer = self
            .sqs
            .receive_message()
            .queue_url(letter_box.url)
            .max_number_of_messages(i32::try_from(most.clamp(1, BATCH)).unwrap_or(1))
            .visibility_timeout(HIDDEN_SECONDS)
            .wait_time_seconds(WAIT_SECONDS)
            .message_attribute_names("All")
            .message_system_attribute_names(MessageSystemAttributeName::SentTimestamp)
            .send()
            .await
            .map_err(call(format!("read {}", letter_box.url)))?;
        Ok(answer.messages.unwrap_or_default())
    }

    /// The messages of a queue; they show again when all were looked at.
    async fn peek(&self, letter_box: &LetterBox<'_>, limit: usize) -> Result<Vec<Message>, OpsError> {
        let mut messages: BTreeMap<String, Message> = BTreeMap::new();
        let mut read = Ok(());
        while messages.len() < limit {
            match self.receive(letter_box, limit - messages.len()).await {
                Ok(received) if received.is_empty() => break,
                Ok(received) => messages
                    .extend(received.into_iter().map(|m| (m.message_id.clone().unwrap_or_default(), m))),
                Err(error) => {
                    read = Err(error);
                    break;
                }
            }
        }
        let messages: Vec<_> = messages.into_values().collect();
        self.show_again(letter_box, &messages).await;
        read.map(|()| messages)
    }

    /// Whatever fails here heals by itself: the messages show again a little later.
    async fn show_again(&self, letter_box: &LetterBox<'_>, messages: &[Message]) {
        for chunk in messages.chunks(BATCH) {
            let entries = chunk.iter().enumerate().filter_map(|(n, message)| {
                ChangeMessageVisibilityBatchRequestEntry::builder()
                    .id(n.to_string())
                    .set_receipt_handle(message.receipt_handle.clone())
                    .visibility_timeout(0)
                    .build()
                    .ok()
            });
            let batch = self.sqs.change_message_visibility_batch().queue_url(letter_box.url);
            let _ = batch.set_entries(Some(entries.collect())).send().await;
        }
    }
}
