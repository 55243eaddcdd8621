//! Has somebody told that their event was refused before there was a saga that could tell it.

use crate::{Deadline, aws};
use aws_sdk_sqs::Client;
use saga::{NoticeMessage, Reason, SagaId, SagaName, WIRE_VERSION};
use serde_json::{Map, Value as Json};

/// The queue of the function that tells notices.
#[derive(Debug, Clone)]
pub(super) struct Notifications {
    pub(super) client: Client,
    pub(super) url: String,
}

/// The queue did not take a notice.
#[derive(Debug, thiserror::Error)]
#[error("the queue of notifications: {0}")]
pub(super) struct Untold(String);

/// A refusal that is told.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Telling(NoticeMessage);

impl Telling {
    /// The notice of the saga, as if it had been compensated for this reason.
    pub(super) fn new(
        notice: &str,
        saga: SagaName,
        id: SagaId,
        (input_name, input): (&str, Json),
        reason: Reason,
    ) -> Self {
        let input = Map::from_iter([(input_name.to_owned(), input)]);
        Self(NoticeMessage { v: WIRE_VERSION, notice: notice.into(), saga, id, input, reason: Some(reason) })
    }
}

impl Notifications {
    /// Has it told. The notice may be in the queue any number of times: whoever tells customers knows it by its body,
    /// which is the same for the same event, and tells it once more at most.
    pub(super) async fn tell(&self, telling: &Telling, deadline: Deadline) -> Result<(), Untold> {
        let body = serde_json::to_string(&telling.0).map_err(|error| Untold(error.to_string()))?;
        let request = self.client.send_message().queue_url(&self.url).message_body(body);
        aws::send(request, deadline).await.map_err(Untold)
    }
}
