//! Amazon SNS: topics, their policies and subscriptions.

use crate::kind::{Arn, Name};
use crate::property::Value;

include!(concat!(env!("OUT_DIR"), "/sns.rs"));

pub use subscription::{FilterPolicyScope, Protocol};
pub use topic::TracingConfig;

impl Topic {
    /// The ARN of the topic of this name in this account and region.
    #[must_use]
    pub fn arn_of_name(name: impl Into<Value<Name<Topic>>>) -> Value<Arn<Topic>> {
        Value::of_this_account("sns", "", name.into())
    }
}

impl Subscription {
    #[cfg(feature = "sqs")]
    /// Delivers to a queue. Its policy must let the topic send: [`crate::sqs::queue_policy::allow_topic_to_send`].
    #[must_use]
    pub fn to_queue(
        topic: impl Into<Value<Arn<Topic>>>,
        queue: impl Into<Value<Arn<crate::sqs::Queue>>>,
    ) -> Self {
        Self::new(Protocol::Sqs, topic).endpoint(queue.into())
    }

    /// Delivers to a mail address, once its owner has confirmed.
    #[must_use]
    pub fn to_email(topic: impl Into<Value<Arn<Topic>>>, address: impl Into<Value<String>>) -> Self {
        Self(Self::new(Protocol::Email, topic).0.with("Endpoint", address.into()))
    }
}

/// Statements for the policy of a topic.
pub mod topic_policy {
    use super::{Arn, Topic, Value};
    use crate::kind::AnyArn;
    use crate::policy::{Principal, Statement};

    /// Denies publishing that does not come over TLS.
    #[must_use]
    pub fn deny_insecure_transport(topic: impl Into<Value<Arn<Topic>>>) -> Statement {
        // A topic policy takes only actions on topics: `sns:*` is refused when the policy is created.
        Statement::deny(["sns:Publish"])
            .sid("DenyInsecureTransport")
            .principal(Principal::Everyone)
            .on(Value::<AnyArn>::from(topic.into()))
            .when("Bool", "aws:SecureTransport", "false")
    }

    /// Lets the alarms of this account publish on the topic.
    #[must_use]
    pub fn allow_alarms_to_publish(topic: impl Into<Value<Arn<Topic>>>) -> Statement {
        Statement::allow(["sns:Publish"])
            .principal(Principal::service("cloudwatch.amazonaws.com"))
            .on(Value::<AnyArn>::from(topic.into()))
            .when_source_is_this_account()
    }

    #[cfg(feature = "events")]
    /// Lets an EventBridge rule publish on the topic.
    #[must_use]
    pub fn allow_rule_to_publish(
        topic: impl Into<Value<Arn<Topic>>>,
        rule: impl Into<Value<Arn<crate::events::Rule>>>,
    ) -> Statement {
        Statement::allow(["sns:Publish"])
            .principal(Principal::service("events.amazonaws.com"))
            .on(Value::<AnyArn>::from(topic.into()))
            .when_source_is(rule.into())
    }
}

/// Where messages go that a subscription cannot deliver.
#[derive(Debug, Clone, PartialEq)]
pub struct SubscriptionRedrivePolicy(p::Properties);

crate::typed::property_struct!(SubscriptionRedrivePolicy);

impl SubscriptionRedrivePolicy {
    /// To this dead-letter queue, whose policy must let the topic send.
    #[cfg(feature = "sqs")]
    #[must_use]
    pub fn new(dead_letter_target: impl Into<Value<Arn<crate::sqs::Queue>>>) -> Self {
        Self(p::Properties::new().with("deadLetterTargetArn", dead_letter_target.into()))
    }
}
