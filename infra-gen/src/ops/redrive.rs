//! `dead-letters --redrive`: dead letters go back to the queue they come from.

use super::dead_letters::{LetterBox, Origin};
use super::{Operations, OpsError};
use crate::aws::call;
use aws_sdk_sqs::error::ProvideErrorMetadata;
use aws_sdk_sqs::types::QueueAttributeName;
use serde::Serialize;

/// Dead letters that were sent back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Redriven {
    /// The function whose queue they go to.
    pub queue: String,
    /// How many; about, when SQS moves them.
    pub messages: u64,
    /// Who moves them.
    pub means: Means,
}

/// Who moves the messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Means {
    /// SQS, by a task that goes on after this.
    MoveTask,
    /// This program, one by one, where SQS has no such tasks: some emulators.
    OneByOne,
}

impl Operations {
    /// Sends the dead letters of one function back to its queue, or of all. Queues without letters are left out.
    ///
    /// They are served as always: fences see to it that nothing takes effect twice, or after its undo.
    ///
    /// # Errors
    /// When there is no such queue, its messages come from none, or SQS refuses.
    pub async fn redrive(&self, queue: Option<&str>) -> Result<Vec<Redriven>, OpsError> {
        let mut all = Vec::new();
        for letter_box in self.letter_boxes(queue)? {
            let source_url = match letter_box.origin {
                Origin::Queue(url) => url,
                _ if queue.is_none() => continue,
                origin => return Err(OpsError::Refused(why_not(letter_box.name, origin))),
            };
            let holds = self.holds(&letter_box).await?;
            if holds == 0 {
                continue;
            }
            let (messages, means) = if self.start_move(&letter_box, source_url).await? {
                (holds, Means::MoveTask)
            } else {
                (self.move_one_by_one(&letter_box, source_url, holds).await?, Means::OneByOne)
            };
            all.push(Redriven { queue: letter_box.name.to_owned(), messages, means });
        }
        Ok(all)
    }

    /// Has SQS move the messages; `false` when it has no such tasks.
    ///
    /// The destination is named: a function put the messages here itself, so SQS does not know where they come from.
    /// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html>
    async fn start_move(&self, letter_box: &LetterBox<'_>, source_url: &str) -> Result<bool, OpsError> {
        let (from, to) = (self.queue_arn(letter_box.url).await?, self.queue_arn(source_url).await?);
        let started = self.sqs.start_message_move_task().source_arn(from).destination_arn(to).send().await;
        match started {
            Ok(_) => Ok(true),
            Err(error) if error.code().is_some_and(is_unknown_operation) => Ok(false),
            Err(error) => Err(call(format!("move the dead letters of {}", letter_box.name))(error).into()),
        }
    }

    /// Sends each message to its queue, then deletes it here: whatever fails in between, it is there twice and not lost.
    /// `most`: those that were there at first, because one may come back at once.
    async fn move_one_by_one(
        &self,
        letter_box: &LetterBox<'_>,
        source_url: &str,
        most: u64,
    ) -> Result<u64, OpsError> {
        let mut moved = 0;
        while moved < most {
            let received =
                self.receive(letter_box, usize::try_from(most - moved).unwrap_or(usize::MAX)).await?;
            if received.is_empty() {
                break;
            }
            for message in received {
                let sent = self.sqs.send_message().queue_url(source_url).set_message_body(message.body);
                sent.send().await.map_err(call(format!("send to {source_url}")))?;
                let deleted = self.sqs.delete_message().queue_url(letter_box.url);
                let deleted = deleted.set_receipt_handle(message.receipt_handle).send().await;
                deleted.map_err(call(format!("delete from {}", letter_box.url)))?;
                moved += 1;
            }
        }
        Ok(moved)
    }

    async fn queue_arn(&self, url: &str) -> Result<String, OpsError> {
        let name = QueueAttributeName::QueueArn;
        let answer = self.sqs.get_queue_attributes().queue_url(url).attribute_names(name.clone());
        let answer = answer.send().await.map_err(call(format!("ask {url}")))?;
        let arn = answer.attributes.and_then(|mut attributes| attributes.remove(&name));
        arn.ok_or_else(|| OpsError::unreadable(format!("the queue {url}"), "it does not tell its ARN"))
    }
}

/// Why the letters of a box are not sent back.
fn why_not(name: &str, origin: Origin<'_>) -> String {
    match origin {
        Origin::Schedule => {
            format!("what is kept of {name} are failed calls by its schedule, which calls it again")
        }
        Origin::Queue(_) | Origin::Refused => {
            format!("{name} were decided and come from no queue: have them corrected and published again")
        }
    }
}

/// How a service says that it does not know an operation. Not `UnsupportedOperation`: so SQS says that it cannot move
/// these messages.
fn is_unknown_operation(code: &str) -> bool {
    matches!(code, "InvalidAction" | "NotImplemented" | "UnknownOperation" | "UnknownOperationException")
}
