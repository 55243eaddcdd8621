//! From types to schemas.

use super::{EnvelopeSchemas, NoticeSchemas, SagaSchemas, StepSchemas};
use crate::{
    definition::{NoticeSpec, StepSpec},
    input::Inputs,
    message::{NoticeMessage, Request, SettleReply, StartInput, WIRE_VERSION},
    rejection::Rejection,
    step::{Notice, Participant, Step, StepKind},
    value::Value,
    write::Write,
};
use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// Describes a saga while it is built: what of it is read, and what is written.
#[derive(Debug)]
pub struct Describer {
    read: Half,
    written: Half,
}

impl Describer {
    pub(crate) fn new<In: Value>() -> Self {
        Self { read: Half::new::<In>(reader()), written: Half::new::<In>(writer()) }
    }

    pub(crate) fn step<S: Step>(&mut self) -> StepSpec {
        self.read.step::<S>();
        self.written.step::<S>();
        StepSpec::of::<S>()
    }

    pub(crate) fn notice<N: Notice>(&mut self) -> NoticeSpec {
        self.read.notice::<N>();
        self.written.notice::<N>();
        NoticeSpec::of::<N>()
    }

    /// What is read, and what is written. `first`: the steps of the first stage.
    pub(crate) fn finish(self, first: &[StepSpec]) -> (SagaSchemas, SagaSchemas) {
        (self.read.finish(first), self.written.finish(first))
    }
}

#[derive(Debug)]
struct Half {
    generator: SchemaGenerator,
    schemas: SagaSchemas,
}

impl Half {
    fn new<In: Value>(mut generator: SchemaGenerator) -> Self {
        let schemas = SagaSchemas {
            input_value: In::NAME.into(),
            input: schema_of::<In>(&mut generator),
            ..SagaSchemas::default()
        };
        Self { generator, schemas }
    }

    fn step<S: Step>(&mut self) {
        let generator = &mut self.generator;
        let step = StepSchemas {
            participant: S::Participant::NAME.into(),
            kind: S::Kind::KIND,
            input: sorted(S::Input::schema(generator)),
            output_value: S::Output::NAME.into(),
            output: schema_of::<S::Output>(generator),
            rejections: S::Rejection::NAMES.iter().map(|name| (*name).into()).collect(),
            rejection: if S::Rejection::NAMES.is_empty() {
                Json::Bool(false)
            } else {
                schema_of::<S::Rejection>(generator)
            },
        };
        self.schemas.steps.insert(S::NAME.into(), step);
    }

    fn notice<N: Notice>(&mut self) {
        let notice = NoticeSchemas { input: sorted(N::Input::schema(&mut self.generator)) };
        self.schemas.notices.insert(N::NAME.into(), notice);
    }

    fn finish(mut self, first: &[StepSpec]) -> SagaSchemas {
        let first = first.iter().map(|step| step.name.to_owned()).collect();
        SagaSchemas { first, definitions: definitions(&mut self.generator), ..self.schemas }
    }
}

impl EnvelopeSchemas {
    /// What this release reads.
    pub(super) fn read() -> Self {
        Self::of(reader())
    }

    /// What this release writes.
    pub(super) fn written() -> Self {
        Self::of(writer())
    }

    fn of(mut generator: SchemaGenerator) -> Self {
        Self {
            v: WIRE_VERSION,
            start: schema_of::<StartInput>(&mut generator),
            request: schema_of::<Request>(&mut generator),
            settle_reply: schema_of::<SettleReply>(&mut generator),
            notice: schema_of::<NoticeMessage>(&mut generator),
            inverse: schema_of::<Vec<Write>>(&mut generator),
            definitions: definitions(&mut generator),
        }
    }
}

/// What is *read* is described: a member with a default is not required, though it is always written. So a release
/// that is compatible with the one before is compatible with those before that too, unless it uses the name of a member
/// that went again for something else.
fn reader() -> SchemaGenerator {
    SchemaSettings::draft2020_12().for_deserialize().into_generator()
}

/// What is *written* is described: for the one question whether a release before could read it.
fn writer() -> SchemaGenerator {
    SchemaSettings::draft2020_12().for_serialize().into_generator()
}

fn schema_of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Json {
    sorted(generator.subschema_for::<T>().to_value())
}

fn definitions(generator: &mut SchemaGenerator) -> BTreeMap<String, Json> {
    generator.take_definitions(true).into_iter().map(|(name, schema)| (name, sorted(schema))).collect()
}

/// In one order, also when another crate of the build has serde_json keep the order of insertion.
fn sorted(mut schema: Json) -> Json {
    schema.sort_all_objects();
    schema
}
