//! Whether the deployed release would understand what a new one leaves behind.
//!
//! CloudFormation goes back by itself when a resource of an update fails
//! ([stack failure options](https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stack-failure-options.html)).
//! By then executions may have begun under the new state machine, and functions may have answered and recorded with the new
//! code. They go on, with the old code. So this is the other direction of [`incompatibilities`](super::incompatibilities):
//! what is *written* here must be read there.
//!
//! A member that the deployed release does not know is ignored by serde, unless it denies unknown fields: that breaks a
//! value no more than it does on the way forward. Of a request it does, since every member of one says what to do. Neither do
//! new rejections: they are answered as they were recorded, by name, and a state machine that does not know one asks the
//! pivot. What differs in kind (another kind of step, another key of an entity) is told as incompatible, and not again
//! here.

use super::{
    EnvelopeSchemas, Place, SagaSchemas, Schemas, StepSchemas,
    exact::as_kept,
    subset::{Mismatch, Why, mismatches},
};
use serde_json::{Map, Value as Json};
use std::{collections::BTreeMap, fmt};

/// Something because of which a release cannot be rolled back to the one that is deployed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Irreversible {
    /// Where.
    pub place: Place,
    /// Why.
    pub reason: Reason,
}

impl fmt::Display for Irreversible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot be rolled back: {}: {}", self.place, self.reason)
    }
}

/// Why a release cannot be rolled back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// A saga is new.
    // <https://docs.aws.amazon.com/step-functions/latest/apireference/API_DeleteStateMachine.html>
    #[error(
        "it is new, and when its state machine goes, Step Functions ends its executions at their next step: what they have \
         done stays, and nothing settles it"
    )]
    NewSaga,
    /// A step is new.
    #[error(
        "it is new, and the deployed release neither serves nor undoes it: executions that have begun with it are parked, \
         and of one that died its effect stays"
    )]
    NewStep,
    /// A notice is new.
    #[error("it is new, and who reads notices of the deployed release does not know it")]
    NewNotice,
    /// An entity is new.
    #[error(
        "it is new, and the deployed release does not write to it: steps that have are parked when they are undone"
    )]
    NewEntity,
    /// A step or notice does not carry a value any more.
    #[error("the deployed release needs the value `{value}`, which executions of this one do not send")]
    NotSent {
        /// The value.
        value: String,
    },
    /// The messages have a later version.
    #[error(
        "this release sends messages of version {here}, and the deployed one serves none after {deployed}"
    )]
    Version {
        /// Deployed.
        deployed: u8,
        /// Now.
        here: u8,
    },
    /// A member of a request is new.
    #[error("the deployed release does not know this member, and does as if it were not there")]
    Ignored,
    /// A member may be missing.
    #[error("the deployed release needs this member, and this one may leave it out")]
    LeftOut,
    /// A member is refused.
    #[error("the deployed release refuses this member, and this one may write it")]
    Refused,
    /// More is written than is read.
    #[error("this release can write {written}, and the deployed one takes {read}")]
    Unread {
        /// Here.
        written: String,
        /// Deployed.
        read: String,
    },
    /// More is answered than executions of this release read.
    #[error("the deployed release can answer {written}, and executions of this one take {read}")]
    Unanswered {
        /// Deployed.
        written: String,
        /// Here.
        read: String,
    },
    /// Executions of this release need a member of an answer.
    #[error("executions of this release need this member, and the deployed one may leave it out")]
    NotAnswered,
    /// What a schema means is not known.
    #[error("`{keyword}` makes the schema too intricate to be compared")]
    Unknown {
        /// The keyword of the schema.
        keyword: String,
    },
}

impl Reason {
    fn read_there(mismatch: Why) -> Self {
        match mismatch {
            Why::Required => Self::LeftOut,
            Why::Refused => Self::Refused,
            Why::Narrowed { written, read } => Self::Unread { written, read },
            Why::Unknown { keyword } => Self::Unknown { keyword },
        }
    }

    fn read_by_executions(mismatch: Why) -> Self {
        match mismatch {
            Why::Required => Self::NotAnswered,
            Why::Refused => Self::Unanswered { written: "it".into(), read: "no such member".into() },
            Why::Narrowed { written, read } => Self::Unanswered { written, read },
            Why::Unknown { keyword } => Self::Unknown { keyword },
        }
    }
}

/// What the deployed release would not understand of what this one leaves behind, in a stable order. `here`: what this
/// release reads; `written`: what it writes, as [`Schemas::written_by`] says.
#[must_use]
pub fn irreversible(deployed: &Schemas, here: &Schemas, written: &Schemas) -> Vec<Irreversible> {
    let mut found = envelope(&deployed.envelope, &here.envelope, &written.envelope);
    for (name, new) in &written.sagas {
        match deployed.sagas.get(name) {
            Some(old) => found.extend(Comparison::of(name, old, new)),
            None => {
                let place = Place::Saga { saga: name.clone() };
                found.push(Irreversible { place, reason: Reason::NewSaga });
            }
        }
    }
    // A release that kept no entities has some all the same.
    let known = !deployed.entities.is_empty();
    for entity in here.entities.keys().filter(|name| known && !deployed.entities.contains_key(*name)) {
        let place = Place::Entity { entity: entity.clone() };
        found.push(Irreversible { place, reason: Reason::NewEntity });
    }
    found
}

fn envelope(old: &EnvelopeSchemas, here: &EnvelopeSchemas, written: &EnvelopeSchemas) -> Vec<Irreversible> {
    let mut found = Vec::new();
    let mut tell = |message, path, reason| {
        found.push(Irreversible { place: Place::Envelope { message, path }, reason });
    };
    if here.v > old.v {
        tell("request", "$.v".into(), Reason::Version { deployed: old.v, here: here.v });
    }
    let read_there = [
        ("start", &written.start, &old.start),
        ("request", &written.request, &old.request),
        ("notice", &written.notice, &old.notice),
        ("inverse", &written.inverse, &old.inverse),
    ];
    for (message, new_schema, old_schema) in read_there {
        for Mismatch { path, why } in
            mismatches((new_schema, &written.definitions), (old_schema, &old.definitions))
        {
            tell(message, path, Reason::read_there(why));
        }
    }
    let known = members(&old.request, &old.definitions);
    for member in members(&here.request, &here.definitions).keys().filter(|name| !known.contains_key(*name)) {
        tell("request", format!("$.{member}"), Reason::Ignored);
    }
    // An answer goes the other way: the deployed release writes it, and executions of this one read it.
    let answered = (&old.settle_reply, &old.definitions);
    for Mismatch { path, why } in mismatches(answered, (&here.settle_reply, &here.definitions)) {
        tell("settle_reply", path, Reason::read_by_executions(why));
    }
    found
}

/// The members of a message, which is a definition.
fn members(schema: &Json, definitions: &BTreeMap<String, Json>) -> Map<String, Json> {
    let name = schema["$ref"].as_str().and_then(|to| to.strip_prefix("#/$defs/"));
    let schema = name.and_then(|name| definitions.get(name)).unwrap_or(schema);
    schema["properties"].as_object().cloned().unwrap_or_default()
}

struct Comparison<'a> {
    saga: &'a str,
    old: &'a SagaSchemas,
    /// What the values of this release refer to, as far as it can be written.
    kept: BTreeMap<String, Json>,
    found: Vec<Irreversible>,
}

impl<'a> Comparison<'a> {
    fn of(saga: &'a str, old: &'a SagaSchemas, new: &SagaSchemas) -> Vec<Irreversible> {
        let kept = new.definitions.iter().map(|(name, schema)| (name.clone(), as_kept(schema))).collect();
        let mut comparison = Self { saga, old, kept, found: Vec::new() };
        comparison.value(&new.input_value, &new.input, &old.input, "input of the saga");
        for (name, new) in &new.steps {
            let place = Place::Step { saga: saga.into(), step: name.clone() };
            match old.steps.get(name) {
                Some(old) => comparison.step(name, &place, old, new),
                None => comparison.found.push(Irreversible { place, reason: Reason::NewStep }),
            }
        }
        for (name, new) in &new.notices {
            let place = Place::Notice { saga: saga.into(), notice: name.clone() };
            match old.notices.get(name) {
                Some(old) => {
                    comparison.inputs(&place, &old.input, &new.input, &format!("in notice `{name}`"));
                }
                None => comparison.found.push(Irreversible { place, reason: Reason::NewNotice }),
            }
        }
        comparison.found
    }

    fn step(&mut self, name: &str, place: &Place, old: &StepSchemas, new: &StepSchemas) {
        self.inputs(place, &old.input, &new.input, &format!("input of step `{name}`"));
        self.value(&new.output_value, &new.output, &old.output, &format!("output of step `{name}`"));
    }

    /// The values that a step or notice of the deployed release reads.
    fn inputs(&mut self, place: &Place, old: &Json, new: &Json, user: &str) {
        let none = Map::new();
        let new = new["properties"].as_object().unwrap_or(&none);
        for (name, old) in old["properties"].as_object().unwrap_or(&none) {
            match new.get(name) {
                Some(new) => self.value(name, new, old, user),
                None => {
                    let reason = Reason::NotSent { value: name.clone() };
                    self.found.push(Irreversible { place: place.clone(), reason });
                }
            }
        }
    }

    /// A value is found wherever it is used; it is told once.
    fn value(&mut self, name: &str, new: &Json, old: &Json, user: &str) {
        let written = (&as_kept(new), &self.kept);
        for Mismatch { path, why } in mismatches(written, (old, &self.old.definitions)) {
            let reason = Reason::read_there(why);
            let told = self.found.iter_mut().filter(|told| told.reason == reason);
            if !Place::add_user(told.map(|told| &mut told.place), name, &path, user) {
                let place = Place::of_value(self.saga, name, user, path);
                self.found.push(Irreversible { place, reason });
            }
        }
    }
}
