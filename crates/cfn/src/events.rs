//! Amazon EventBridge: rules.

include!(concat!(env!("OUT_DIR"), "/events.rs"));

pub use rule::{DeadLetterConfig, InputTransformer, RetryPolicy, RuleState, Target};
