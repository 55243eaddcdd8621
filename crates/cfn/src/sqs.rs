//! Amazon SQS: queues and their policies.

use crate::kind::{AnyArn, Arn, Name};
use crate::property::{List, Value};
use crate::typed::{allowed_values, properties};

include!(concat!(env!("OUT_DIR"), "/sqs.rs"));

pub use queue::{DeduplicationScope, FifoThroughputLimit};

properties! {
    /// Where messages go that cannot be processed.
    ///
    /// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html>
    pub struct RedrivePolicy {
        dead_letter_target: Value<Arn<Queue>> = "deadLetterTargetArn",
        max_receive_count: Value<i64> = "maxReceiveCount",
    } optional {
    }
}

properties! {
    /// Which queues may use a queue as their dead-letter queue.
    pub struct RedriveAllowPolicy {
        redrive_permission: Value<RedrivePermission> = "redrivePermission",
    } optional {
        /// The queues that may, 1 to 10 of them. Only with [`RedrivePermission::ByQueue`].
        source_queues: List<Value<Arn<Queue>>> = "sourceQueueArns",
    }
}

allowed_values! {
    /// Which queues may use a queue as their dead-letter queue.
    pub enum RedrivePermission {
        /// All of the same account and region.
        AllowAll = "allowAll",
        /// None.
        DenyAll = "denyAll",
        /// The queues listed.
        ByQueue = "byQueue",
    }
}

impl RedriveAllowPolicy {
    /// Lets only these queues, 1 to 10 of them, use the queue as their dead-letter queue.
    ///
    /// Name the queues by [`Value::of_this_account`] if they refer to this queue: a reference both ways is a circle.
    #[must_use]
    pub fn by_queue(sources: impl Into<List<Value<Arn<Queue>>>>) -> Self {
        Self::new(RedrivePermission::ByQueue).source_queues(sources)
    }
}

impl Queue {
    /// The ARN of the queue of this name in this account and region.
    #[must_use]
    pub fn arn_of_name(name: impl Into<Value<Name<Queue>>>) -> Value<Arn<Queue>> {
        Value::of_this_account("sqs", "", name.into())
    }
}

/// Statements for the policy of a queue.
pub mod queue_policy {
    use super::{AnyArn, Arn, Queue, Value};
    use crate::policy::{Principal, Statement};
    #[cfg(feature = "sns")]
    use crate::sns::Topic;

    /// Denies every request that does not come over TLS.
    #[must_use]
    pub fn deny_insecure_transport(queue: impl Into<Value<Arn<Queue>>>) -> Statement {
        Statement::deny(["sqs:*"])
            .sid("DenyInsecureTransport")
            .principal(Principal::Everyone)
            .on(Value::<AnyArn>::from(queue.into()))
            .when("Bool", "aws:SecureTransport", "false")
    }

    #[cfg(feature = "sns")]
    /// Lets SNS send what is published on the topic, and nothing else, to the queue.
    #[must_use]
    pub fn allow_topic_to_send(
        queue: impl Into<Value<Arn<Queue>>>,
        topic: impl Into<Value<Arn<Topic>>>,
    ) -> Statement {
        Statement::allow(["sqs:SendMessage"])
            .principal(Principal::service("sns.amazonaws.com"))
            .on(Value::<AnyArn>::from(queue.into()))
            .when_source_is(topic.into())
    }

    #[cfg(feature = "events")]
    /// Lets EventBridge send what matches the rule to the queue.
    #[must_use]
    pub fn allow_rule_to_send(
        queue: impl Into<Value<Arn<Queue>>>,
        rule: impl Into<Value<Arn<crate::events::Rule>>>,
    ) -> Statement {
        Statement::allow(["sqs:SendMessage"])
            .principal(Principal::service("events.amazonaws.com"))
            .on(Value::<AnyArn>::from(queue.into()))
            .when_source_is(rule.into())
    }
}
