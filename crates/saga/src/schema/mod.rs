//! What a release says of its messages, and whether the next release still understands them.
//!
//! An execution keeps the state machine it started with, so its messages, and what fences recorded, are of the release
//! it began under. [`Schemas`] describes them: every value, rejection and message has a
//! [JSON schema](https://json-schema.org/draft/2020-12). [`incompatibilities`] compares what is deployed with what is
//! to be deployed: whatever was valid, and whatever was stored, must still be understood. [`irreversible`] compares the
//! other way: CloudFormation rolls back by itself, and then the deployed release reads what the new one has written.
//!
//! What a schema does not show is not compared: aliases (`#[serde(alias)]`), checks in a `TryFrom`, and what a handler
//! makes of a value it can read.

mod alternatives;
mod compatible;
mod describe;
mod entities;
mod exact;
mod incompatibility;
mod limits;
mod place;
mod rollback;
mod subset;
mod wording;

pub use compatible::incompatibilities;
pub use describe::Describer;
pub use entities::EntitySchema;
pub use exact::Inexact;
pub use incompatibility::{Change, Incompatibility};
pub use place::Place;
pub use rollback::{Irreversible, Reason, irreversible};

pub(crate) use exact::inexact;

use crate::{
    definition::{Definition, Kind},
    entity::EntitySpec,
    participant::ParticipantSpec,
};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// The schemas of a deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schemas {
    /// Of the messages that all sagas share.
    pub envelope: EnvelopeSchemas,
    /// Of each saga, by its name.
    pub sagas: BTreeMap<String, SagaSchemas>,
    /// Of what participants store, by the entity's name. Empty in the record of a release that kept none.
    #[serde(default)]
    pub entities: BTreeMap<String, EntitySchema>,
}

impl Schemas {
    /// What the next release must still understand of these sagas and participants.
    pub fn of_deployment(sagas: &[Definition], participants: &[ParticipantSpec]) -> Self {
        participants.iter().fold(Self::of(sagas), |schemas, participant| {
            schemas.with_entities(participant.name, participant.entities)
        })
    }

    /// What is read of these sagas.
    pub fn of<'a>(sagas: impl IntoIterator<Item = &'a Definition>) -> Self {
        let sagas = sagas.into_iter().map(|saga| (saga.name.to_owned(), saga.schemas.clone())).collect();
        Self { envelope: EnvelopeSchemas::read(), sagas, entities: BTreeMap::new() }
    }

    /// What is written of these sagas, for [`irreversible`].
    pub fn written_by<'a>(sagas: impl IntoIterator<Item = &'a Definition>) -> Self {
        let sagas = sagas.into_iter().map(|saga| (saga.name.to_owned(), saga.written.clone())).collect();
        Self { envelope: EnvelopeSchemas::written(), sagas, entities: BTreeMap::new() }
    }

    /// With the entities of a participant.
    #[must_use]
    pub fn with_entities(mut self, participant: &str, entities: &[EntitySpec]) -> Self {
        let named =
            entities.iter().map(|entity| (entity.name.to_owned(), EntitySchema::of(participant, entity)));
        self.entities.extend(named);
        self
    }
}

/// The schemas of the messages that all sagas share: the same for every saga of a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnvelopeSchemas {
    /// The version of every message: [`WIRE_VERSION`](crate::WIRE_VERSION).
    pub v: u8,
    /// The input of an execution: a [`StartInput`](crate::StartInput).
    pub start: Json,
    /// What a participant is sent: a [`Request`](crate::Request).
    pub request: Json,
    /// What a pivot answers when it is settled: a [`SettleReply`](crate::SettleReply). Executions in flight read it.
    pub settle_reply: Json,
    /// What is published: a [`NoticeMessage`](crate::NoticeMessage).
    pub notice: Json,
    /// What a fence records to reverse a step: a list of [`Write`](crate::Write)s.
    pub inverse: Json,
    /// What the others refer to, by name.
    #[serde(rename = "$defs")]
    pub definitions: BTreeMap<String, Json>,
}

/// The schemas of one saga.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SagaSchemas {
    /// The wire name of the saga's input.
    pub input_value: String,
    /// The saga's input.
    pub input: Json,
    /// The steps that it begins with, by name. Empty for a saga that is its pivot alone, and in the record of a release that
    /// did not keep them.
    #[serde(default)]
    pub first: Vec<String>,
    /// Of each step, by its name.
    pub steps: BTreeMap<String, StepSchemas>,
    /// Of each notice, by its name.
    pub notices: BTreeMap<String, NoticeSchemas>,
    /// What the others refer to, by name.
    #[serde(rename = "$defs")]
    pub definitions: BTreeMap<String, Json>,
}

/// The schemas of one step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepSchemas {
    /// Whose queue its messages go to.
    pub participant: String,
    /// How it is undone or settled.
    pub kind: Kind,
    /// What it needs: an object with one member a value, by its wire name.
    pub input: Json,
    /// The wire name of its output.
    pub output_value: String,
    /// Its output.
    pub output: Json,
    /// The wire names of its rejections.
    pub rejections: Vec<String>,
    /// The cause of its rejections; `false` when it has none.
    pub rejection: Json,
}

/// The schemas of one notice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeSchemas {
    /// What it carries: an object with one member a value, by its wire name.
    pub input: Json,
}

impl Schemas {
    /// The same without what only people read: titles, descriptions, defaults and examples.
    #[must_use]
    pub fn without_annotations(mut self) -> Self {
        let envelope = &mut self.envelope;
        for schema in [
            &mut envelope.start,
            &mut envelope.request,
            &mut envelope.settle_reply,
            &mut envelope.notice,
            &mut envelope.inverse,
        ] {
            strip(schema);
        }
        envelope.definitions.values_mut().for_each(strip);
        for saga in self.sagas.values_mut() {
            strip(&mut saga.input);
            saga.definitions.values_mut().for_each(strip);
            for step in saga.steps.values_mut() {
                strip(&mut step.input);
                strip(&mut step.output);
                strip(&mut step.rejection);
            }
            saga.notices.values_mut().for_each(|notice| strip(&mut notice.input));
        }
        self
    }
}

/// Keywords that say nothing about what is valid.
const ANNOTATIONS: &[&str] =
    &["title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly", "$comment"];

/// Keywords whose members are named by whoever wrote the type, and are schemas.
const NAMED_SCHEMAS: &[&str] = &["properties", "patternProperties", "$defs"];

/// Takes the annotations out of a schema and of those inside it.
fn strip(schema: &mut Json) {
    match schema {
        Json::Object(map) => {
            map.retain(|keyword, _| !ANNOTATIONS.contains(&keyword.as_str()));
            for (keyword, inner) in map {
                match inner {
                    Json::Object(named) if NAMED_SCHEMAS.contains(&keyword.as_str()) => {
                        named.values_mut().for_each(strip);
                    }
                    _ if keyword == "const" || keyword == "enum" => {}
                    inner => strip(inner),
                }
            }
        }
        Json::Array(schemas) => schemas.iter_mut().for_each(strip),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn annotations_go_and_members_of_their_names_stay() {
        let mut schema = json!({
            "title": "Mail", "description": "d", "type": "object",
            "properties": {
                "title": { "type": "string", "description": "d" },
                "kind": { "const": { "description": "kept" }, "default": 1 },
            },
            "oneOf": [{ "description": "d", "required": ["title"] }],
            "$defs": { "description": { "examples": [1], "type": "null" } },
        });
        strip(&mut schema);
        let stripped = json!({
            "type": "object",
            "properties": { "title": { "type": "string" }, "kind": { "const": { "description": "kept" } } },
            "oneOf": [{ "required": ["title"] }],
            "$defs": { "description": { "type": "null" } },
        });
        assert_eq!(schema, stripped);
    }
}
