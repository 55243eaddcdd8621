//! Amazon EventBridge: event buses and rules.

use crate::kind::{Arn, Name};
use crate::property::Value;

include!(concat!(env!("OUT_DIR"), "/events.rs"));

pub use rule::{DeadLetterConfig, InputTransformer, RetryPolicy, RuleState, Target};

impl EventBus {
    /// The ARN of the event bus of this name in this account and region; that of AWS's own events is `default`.
    #[must_use]
    pub fn arn_of_name(name: impl Into<Value<Name<EventBus>>>) -> Value<Arn<EventBus>> {
        Value::of_this_account("events", "event-bus/", name.into())
    }
}
