//! Typed event patterns: which events a rule matches.
//!
//! The events are those of the database of AWS, in a module `event_patterns` per service. A field takes a list of
//! what it may be: values, references to resources, or a [`Match`]. All fields that are given must match.
//!
//! ```
//! use cfn::event_pattern::Match;
//! use cfn::events::Rule;
//! use cfn::stepfunctions::StateMachine;
//! use cfn::stepfunctions::event_patterns::StepFunctionsExecutionStatusChange;
//! use cfn::stepfunctions::event_patterns::step_functions_execution_status_change::Status;
//! use cfn::{Template, iam::Role};
//!
//! let mut template = Template::new("Watches orders");
//! let role = template.add("Role", Role::for_states());
//! let machine = template.add("Machine", StateMachine::new(&role));
//! let failed = StepFunctionsExecutionStatusChange::new()
//!     .state_machine_arn([&machine])
//!     .status([Status::Failed, Status::TimedOut])
//!     .name([Match::prefix("order-")]);
//! template.add("Failed", Rule::new().event_pattern(failed));
//! ```
//!
//! <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html>

use std::marker::PhantomData;

use serde_json::{Value as Json, json};

use crate::kind::{AnyArn, Text};
use crate::property::{List, Properties, Property, Value};

/// What a field of kind `T` may be: a value, or what it is compared with.
#[derive(Debug, Clone, PartialEq)]
pub struct Match<T> {
    json: Json,
    kind: PhantomData<fn() -> T>,
}

impl<T> Match<T> {
    /// The field is there, whatever it is.
    #[must_use]
    pub fn exists() -> Self {
        Self::of(json!({ "exists": true }))
    }

    /// The field is not there.
    #[must_use]
    pub fn absent() -> Self {
        Self::of(json!({ "exists": false }))
    }

    /// None of these.
    #[must_use]
    pub fn anything_but(values: impl Into<List<Value<T>>>) -> Self {
        Self::of(json!({ "anything-but": values.into().into_json() }))
    }

    fn of(json: Json) -> Self {
        Self { json, kind: PhantomData }
    }
}

impl<T: Text> Match<T> {
    /// Text that starts so.
    #[must_use]
    pub fn prefix(start: impl Into<Value<String>>) -> Self {
        Self::of(json!({ "prefix": start.into() }))
    }

    /// Text that ends so.
    #[must_use]
    pub fn suffix(end: impl Into<Value<String>>) -> Self {
        Self::of(json!({ "suffix": end.into() }))
    }

    /// Text that does not start so.
    #[must_use]
    pub fn anything_but_prefix(start: impl Into<Value<String>>) -> Self {
        Self::of(json!({ "anything-but": { "prefix": start.into() } }))
    }

    /// Text that does not end so.
    #[must_use]
    pub fn anything_but_suffix(end: impl Into<Value<String>>) -> Self {
        Self::of(json!({ "anything-but": { "suffix": end.into() } }))
    }

    /// This text in lower, upper or mixed case.
    #[must_use]
    pub fn ignoring_case(text: impl Into<Value<String>>) -> Self {
        Self::of(json!({ "equals-ignore-case": text.into() }))
    }

    /// Text like this, in which `*` stands for any characters.
    #[must_use]
    pub fn wildcard(pattern: impl Into<Value<String>>) -> Self {
        Self::of(json!({ "wildcard": pattern.into() }))
    }

    /// An IP address of this range, as in `10.0.0.0/24`.
    #[must_use]
    pub fn cidr(range: impl Into<Value<String>>) -> Self {
        Self::of(json!({ "cidr": range.into() }))
    }
}

/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html#eb-filtering-numeric-matching>
impl Match<f64> {
    /// A number less than this.
    #[must_use]
    pub fn less_than(limit: impl Into<Value<f64>>) -> Self {
        Self::of(json!({ "numeric": ["<", limit.into()] }))
    }

    /// This number or a greater one.
    #[must_use]
    pub fn at_least(limit: impl Into<Value<f64>>) -> Self {
        Self::of(json!({ "numeric": [">=", limit.into()] }))
    }

    /// A number from the first to the second, both included.
    #[must_use]
    pub fn between(least: impl Into<Value<f64>>, most: impl Into<Value<f64>>) -> Self {
        Self::of(json!({ "numeric": [">=", least.into(), "<=", most.into()] }))
    }
}

impl<T> Property for Match<T> {
    fn into_json(self) -> Json {
        self.json
    }
}

#[diagnostic::do_not_recommend]
impl<T, V: Into<Value<T>>> From<V> for Match<T> {
    fn from(value: V) -> Self {
        Self::of(value.into().into_json())
    }
}

/// The fields of a detail, or of a part of one, that must match.
pub(crate) type Detail = Properties;

/// A pattern: the fields of the envelope, and those of the detail.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Event {
    envelope: Properties,
    detail: Detail,
}

impl Event {
    pub(crate) fn new(source: &str, detail_type: &str) -> Self {
        let envelope =
            Properties::new().with("source", json!([source])).with("detail-type", json!([detail_type]));
        Self { envelope, detail: Detail::new() }
    }

    /// A field of the detail.
    pub(crate) fn with<P: Property>(self, name: &str, like: P) -> Self {
        Self { detail: self.detail.with(name, like), ..self }
    }

    pub(crate) fn about<T>(self, field: &str, like: List<Match<T>>) -> Self {
        Self { envelope: self.envelope.with(field, like), ..self }
    }

    pub(crate) fn into_json(self) -> Json {
        let detail = self.detail.into_json();
        let any = detail.as_object().is_none_or(serde_json::Map::is_empty);
        let envelope = if any { self.envelope } else { self.envelope.with("detail", detail) };
        envelope.into_json()
    }
}

/// ARNs that an event is about.
pub(crate) type Resources = List<Match<AnyArn>>;

/// What the patterns of all events have in common.
#[allow(unused_macros)]
macro_rules! event {
    ($Event:ident: $source:literal, $detail_type:literal) => {
        impl $Event {
            /// Any event of this type.
            #[must_use]
            #[allow(clippy::new_without_default)]
            pub fn new() -> Self {
                Self(e::Event::new($source, $detail_type))
            }

            /// Only events of these accounts.
            #[must_use]
            pub fn from_account(self, like: impl Into<p::List<e::Match<String>>>) -> Self {
                Self(self.0.about("account", like.into()))
            }

            /// Only events of these regions.
            #[must_use]
            pub fn in_region(self, like: impl Into<p::List<e::Match<String>>>) -> Self {
                Self(self.0.about("region", like.into()))
            }

            /// Only events about these resources, by ARN.
            #[must_use]
            pub fn about_resources(self, like: impl Into<e::Resources>) -> Self {
                Self(self.0.about("resources", like.into()))
            }
        }

        #[diagnostic::do_not_recommend]
        impl ::std::convert::From<$Event> for p::Json {
            fn from(pattern: $Event) -> Self {
                pattern.0.into_json()
            }
        }
    };
}

/// A part of a detail, with fields of its own.
#[allow(unused_macros)]
macro_rules! part {
    ($Part:ident) => {
        impl $Part {
            /// Whatever it is.
            #[must_use]
            pub fn new() -> Self {
                Self::default()
            }
        }

        impl p::Property for $Part {
            fn into_json(self) -> p::Json {
                self.0.into_json()
            }
        }
    };
}

#[allow(unused_imports)]
pub(crate) use {event, part};

#[cfg(all(test, feature = "default"))]
mod tests {
    use super::*;
    use crate::declaration::Handle;
    use crate::events::event_patterns::AWSHealthEvent;
    use crate::s3::event_patterns::{ObjectCreated, object_created};
    use crate::stepfunctions::StateMachine;
    use crate::stepfunctions::event_patterns::StepFunctionsExecutionStatusChange;
    use crate::stepfunctions::event_patterns::step_functions_execution_status_change::Status;

    #[test]
    fn a_pattern_names_what_it_was_given() {
        let machine: Handle<StateMachine> = Handle::new("Machine");
        let pattern =
            StepFunctionsExecutionStatusChange::new().state_machine_arn([&machine]).status([Status::Failed]);
        assert_eq!(
            Json::from(pattern),
            json!({
                "source": ["aws.states"],
                "detail-type": ["Step Functions Execution Status Change"],
                "detail": { "stateMachineArn": [{ "Fn::GetAtt": ["Machine", "Arn"] }], "status": ["FAILED"] },
            })
        );
        assert_eq!(Json::from(StepFunctionsExecutionStatusChange::new()).get("detail"), None);
    }

    #[test]
    fn parts_of_a_detail_nest() {
        let large = object_created::Object::new()
            .key([Match::prefix("orders/"), Match::from("order.json")])
            .size([Match::at_least(1_024)]);
        let pattern = ObjectCreated::new().object(large);
        assert_eq!(
            Json::from(pattern)["detail"],
            json!({ "object": {
                "key": [{ "prefix": "orders/" }, "order.json"],
                "size": [{ "numeric": [">=", 1_024] }],
            }})
        );
    }

    #[test]
    fn the_envelope_is_matched_beside_the_detail() {
        let pattern =
            AWSHealthEvent::new().in_region(["eu-central-1"]).service([Match::anything_but(["EC2"])]);
        assert_eq!(
            Json::from(pattern),
            json!({
                "source": ["aws.health"],
                "detail-type": ["AWS Health Event"],
                "region": ["eu-central-1"],
                "detail": { "service": [{ "anything-but": ["EC2"] }] },
            })
        );
    }
}
