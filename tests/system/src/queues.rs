//! The queues of the deployment and the logs of the functions that work them off.

use crate::start::System;
use anyhow::{Context, Result, ensure};
use aws_sdk_sqs::types::{Message, QueueAttributeName, SendMessageBatchRequestEntry};
use std::collections::BTreeMap;

/// The suffix of the outputs that are queues.
const QUEUE_URL: &str = "QueueUrl";

/// How many messages a queue holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Depth {
    /// Waiting to be received.
    pub visible: u64,
    /// Received and hidden, not yet deleted.
    pub in_flight: u64,
    /// Sent with a delay that is not over.
    pub delayed: u64,
}

impl System {
    /// Sends a message straight to the queue of a participant or function.
    ///
    /// # Errors
    /// When the queue does not take it.
    pub async fn send_to_participant(&self, participant: &str, body: &str) -> Result<()> {
        self.send_batch_to_participant(participant, &[body]).await
    }

    /// Sends up to ten messages in one batch.
    ///
    /// # Errors
    /// When the queue does not take all of them.
    pub async fn send_batch_to_participant(&self, participant: &str, bodies: &[&str]) -> Result<()> {
        let entry = |(n, body): (usize, &&str)| {
            SendMessageBatchRequestEntry::builder().id(n.to_string()).message_body(*body).build()
        };
        let entries: Vec<_> = bodies.iter().enumerate().map(entry).collect::<Result<_, _>>()?;
        let batch = self.clients().sqs.send_message_batch().queue_url(self.queue_url(participant));
        let answer = batch.set_entries(Some(entries)).send().await;
        let failed = answer.with_context(|| format!("cannot send to the queue of {participant}"))?.failed;
        ensure!(failed.is_empty(), "the queue of {participant} refused {failed:?}");
        Ok(())
    }

    /// The URL of the queue that a function works off.
    #[must_use]
    pub fn queue_url(&self, function: &str) -> &str {
        self.output(&stacks::outputs::queue_url(function))
    }

    /// The ARN of the queue that a function works off.
    ///
    /// # Errors
    /// When SQS does not tell it.
    pub async fn queue_arn(&self, function: &str) -> Result<String> {
        let asked = self.clients().sqs.get_queue_attributes().queue_url(self.queue_url(function));
        let told = asked.attribute_names(QueueAttributeName::QueueArn).send().await;
        let told = told.with_context(|| format!("cannot ask for the ARN of the queue of {function}"))?;
        let arn = told.attributes.and_then(|mut told| told.remove(&QueueAttributeName::QueueArn));
        arn.with_context(|| format!("the queue of {function} has no ARN"))
    }

    /// The URL of the dead-letter queue of a function.
    #[must_use]
    pub fn dead_letter_queue_url(&self, function: &str) -> &str {
        self.output(&stacks::outputs::dead_letter_queue_url(function))
    }

    /// The URL of the queue that keeps refused orders.
    #[must_use]
    pub fn refused_orders_queue_url(&self) -> &str {
        self.output(stacks::outputs::REFUSED_ORDERS_QUEUE_URL)
    }

    /// Changes how long the queue of a function hides a message that was delivered.
    ///
    /// # Errors
    /// When the queue cannot be changed.
    pub async fn hide_messages_for(&self, function: &str, seconds: u32) -> Result<()> {
        let changed = self.clients().sqs.set_queue_attributes().queue_url(self.queue_url(function));
        let changed = changed.attributes(QueueAttributeName::VisibilityTimeout, seconds.to_string());
        changed.send().await.with_context(|| format!("cannot change the queue of {function}"))?;
        Ok(())
    }

    /// How many messages a queue holds.
    ///
    /// # Errors
    /// When the queue cannot be asked.
    pub async fn depth(&self, queue_url: &str) -> Result<Depth> {
        let names = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
            QueueAttributeName::ApproximateNumberOfMessagesDelayed,
        ];
        let asked = self.clients().sqs.get_queue_attributes().queue_url(queue_url);
        let answer = asked.set_attribute_names(Some(names.to_vec())).send().await;
        let attributes = answer.with_context(|| format!("cannot ask {queue_url}"))?.attributes;
        let attributes = attributes.unwrap_or_default();
        let count = |name: &QueueAttributeName| -> Result<u64> {
            let text = attributes.get(name).with_context(|| format!("{queue_url} does not tell {name:?}"))?;
            text.parse().with_context(|| format!("{queue_url} says {name:?} is {text:?}"))
        };
        let [visible, in_flight, delayed] = &names;
        Ok(Depth { visible: count(visible)?, in_flight: count(in_flight)?, delayed: count(delayed)? })
    }

    /// How many messages every queue of the deployment holds, by the queue's name: dead-letter queues and the queue of
    /// refused orders included.
    ///
    /// # Errors
    /// As [`depth`](Self::depth).
    pub async fn depths(&self) -> Result<BTreeMap<String, Depth>> {
        let mut depths = BTreeMap::new();
        for (_, url) in self.outputs().iter().filter(|(name, _)| name.ends_with(QUEUE_URL)) {
            let name = url.rsplit('/').next().unwrap_or(url);
            depths.insert(name.to_owned(), self.depth(url).await?);
        }
        Ok(depths)
    }

    /// The messages that wait in a queue, without taking them out.
    ///
    /// # Errors
    /// When the queue cannot be read.
    pub async fn receive_all(&self, queue_url: &str) -> Result<Vec<Message>> {
        let mut messages = BTreeMap::new();
        loop {
            // Messages stay hidden for a moment, so that the next call gets others.
            let asked =
                self.clients().sqs.receive_message().queue_url(queue_url).visibility_timeout(PEEK_SECONDS);
            let answer = asked.max_number_of_messages(10).message_attribute_names("All").send().await;
            let received = answer.with_context(|| format!("cannot read {queue_url}"))?.messages;
            let received = received.unwrap_or_default();
            if received.is_empty() {
                return Ok(messages.into_values().collect());
            }
            messages.extend(received.into_iter().map(|m| (m.message_id.clone().unwrap_or_default(), m)));
        }
    }

    /// The log lines of a function that contain every term of a
    /// [filter pattern](https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html). LocalStack
    /// ignores patterns, so one that is a quoted term is looked for here again.
    ///
    /// # Errors
    /// When the logs cannot be read.
    pub async fn logs(&self, function: &str, pattern: &str) -> Result<Vec<String>> {
        let group = self.output(&stacks::outputs::log_group_name(function));
        let asked = self.clients().logs.filter_log_events().log_group_name(group).filter_pattern(pattern);
        let quoted: Option<String> = serde_json::from_str(pattern).ok();
        let fits = |line: &String| quoted.as_ref().is_none_or(|term| line.contains(term));
        let mut lines = Vec::new();
        let mut pages = asked.into_paginator().send();
        while let Some(page) = pages.next().await {
            let events = page.with_context(|| format!("cannot read the logs of {function}"))?.events;
            lines.extend(
                events.unwrap_or_default().into_iter().filter_map(|event| event.message).filter(fits),
            );
        }
        Ok(lines)
    }
}

/// How long [`System::receive_all`] hides what it has seen.
const PEEK_SECONDS: i32 = 2;
