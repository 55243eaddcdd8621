//! Publishing to the order topic, as customers' systems do.

use crate::start::System;
use anyhow::{Context, Result, ensure};
use aws_sdk_sns::types::PublishBatchRequestEntry;
use futures::{StreamExt, TryStreamExt, stream};
use sagas::events::OrderEvent;

/// The most messages of one `PublishBatch`.
const BATCH: usize = 10;
const BATCHES_AT_ONCE: usize = 4;

impl System {
    /// Publishes one event.
    ///
    /// # Errors
    /// When the topic does not take it.
    pub async fn publish(&self, event: &OrderEvent) -> Result<()> {
        self.publish_raw(&serde_json::to_string(event)?).await
    }

    /// Publishes any text.
    ///
    /// # Errors
    /// When the topic does not take it.
    pub async fn publish_raw(&self, body: &str) -> Result<()> {
        let message = self.clients().sns.publish().topic_arn(self.order_topic()).message(body);
        message.send().await.context("cannot publish to the order topic")?;
        Ok(())
    }

    /// Publishes many events, in batches.
    ///
    /// # Errors
    /// When the topic does not take all of them; it may then have taken some.
    pub async fn publish_all(&self, events: &[OrderEvent]) -> Result<()> {
        let bodies: Vec<String> = events.iter().map(serde_json::to_string).collect::<Result<_, _>>()?;
        let batches: Vec<Vec<String>> = bodies.chunks(BATCH).map(<[String]>::to_vec).collect();
        let published = stream::iter(batches).map(|batch| self.publish_batch(batch));
        published.buffer_unordered(BATCHES_AT_ONCE).try_collect().await
    }

    async fn publish_batch(&self, bodies: Vec<String>) -> Result<()> {
        let entry = |(n, body): (usize, String)| {
            PublishBatchRequestEntry::builder().id(n.to_string()).message(body).build()
        };
        let entries: Vec<_> = bodies.into_iter().enumerate().map(entry).collect::<Result<_, _>>()?;
        let batch = self.clients().sns.publish_batch().topic_arn(self.order_topic());
        let answer = batch.set_publish_batch_request_entries(Some(entries)).send().await;
        let failed = answer.context("cannot publish to the order topic")?.failed.unwrap_or_default();
        ensure!(
            failed.is_empty(),
            "the order topic refused {} messages of a batch: {failed:?}",
            failed.len()
        );
        Ok(())
    }

    fn order_topic(&self) -> &str {
        self.output(stacks::outputs::ORDER_TOPIC_ARN)
    }
}
