//! Tells a customer that their wish was refused before there was a saga that could.

use aws_sdk_sqs::Client;
use saga::{Notice, NoticeMessage, Reason, SagaId, SagaName, Value, WIRE_VERSION};
use saga_lambda::{Deadline, aws};
use serde_json::{Map, Value as Json};

/// The queue of the function that tells customers.
#[derive(Debug, Clone)]
pub(crate) struct Notifications {
    pub(crate) client: Client,
    pub(crate) url: String,
}

/// The queue did not take a notice.
#[derive(Debug, thiserror::Error)]
#[error("the queue of notifications: {0}")]
pub(crate) struct Untold(String);

/// A refusal that its customer is told.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Telling(NoticeMessage);

impl Telling {
    /// The notice `N` of the saga, as if it had been compensated for this reason.
    pub(crate) fn of<N: Notice, V: Value>(saga: SagaName, id: SagaId, input: &V, reason: Reason) -> Self {
        // A value is plain data.
        let value = serde_json::to_value(input).unwrap_or(Json::Null);
        let input = Map::from_iter([(V::NAME.to_owned(), value)]);
        Self(NoticeMessage { v: WIRE_VERSION, notice: N::NAME.into(), saga, id, input, reason: Some(reason) })
    }
}

impl Notifications {
    /// Has the customer told. The notice may be in the queue any number of times: whoever tells customers knows it by its body,
    /// which is the same for the same event, and tells it once more at most.
    pub(crate) async fn tell(&self, telling: &Telling, deadline: Deadline) -> Result<(), Untold> {
        let body = serde_json::to_string(&telling.0).map_err(|error| Untold(error.to_string()))?;
        let request = self.client.send_message().queue_url(&self.url).message_body(body);
        aws::send(request, deadline).await.map_err(Untold)
    }
}
