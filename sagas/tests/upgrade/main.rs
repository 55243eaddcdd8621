//! The release before, kept as it was: this one still understands every message it left behind.
//!
//! `release-1` holds one message of every kind and the schemas of all of them. Nothing in it is ever edited; the next
//! release that is deployed gets a folder beside it, and one that nobody runs any more goes. A change that fails here is
//! what `infra-gen deploy` would refuse.
//! `rescue` is about what is under way when the next release comes.
#![allow(clippy::unwrap_used, reason = "a test panics where it is wrong")]

mod rescue;

use saga::{
    Inputs, Kind, Notice, NoticeMessage, Op, Refusal, Rejection, Request, SettleReply, StartInput, Step,
    Write,
    schema::{Schemas, incompatibilities},
};
use sagas::{
    cancel::{CancelPendingOrder, CancellationAccepted, CancellationRefused},
    order::{ChargePayment, ConfirmOrder, CreateOrder, OrderConfirmed, OrderRejected, ReserveStock},
};
use serde::Deserialize;
use serde_json::{Map, Value as Json};
use std::collections::{BTreeMap, BTreeSet};

const SCHEMAS: &str = include_str!("release-1/schemas.json");
const MESSAGES: &str = include_str!("release-1/messages.json");

/// What a release left behind.
#[derive(Deserialize)]
struct Messages {
    /// Inputs of executions, by saga.
    starts: BTreeMap<String, Vec<Json>>,
    /// What participants were sent.
    requests: Vec<Json>,
    /// What fences recorded as outputs, by step.
    outputs: BTreeMap<String, Json>,
    /// What fences recorded to reverse a step, by step.
    inverses: BTreeMap<String, Json>,
    /// What fences recorded as rejections, by step.
    rejections: BTreeMap<String, Vec<Refusal>>,
    /// What pivots answered.
    settle_replies: Vec<Json>,
    /// What was published.
    notices: Vec<Json>,
}

fn messages() -> Messages {
    serde_json::from_str(MESSAGES).unwrap()
}

fn schemas() -> Schemas {
    serde_json::from_str(SCHEMAS).unwrap()
}

/// How today's handlers read what belongs to a step.
struct Reader {
    input: fn(&Map<String, Json>) -> Result<(), String>,
    output: fn(&Json) -> Result<(), String>,
    rejection: fn(&str) -> Result<&'static str, String>,
}

impl Reader {
    fn of<S: Step>() -> (&'static str, Self) {
        let reader = Self {
            input: |input| S::Input::decode(input).map(|_| ()),
            output: |output| S::Output::deserialize(output).map(|_| ()).map_err(|error| error.to_string()),
            rejection: |cause| {
                let rejection = serde_json::from_str::<S::Rejection>(cause);
                rejection.map(|rejection| rejection.name()).map_err(|error| error.to_string())
            },
        };
        (S::NAME, reader)
    }
}

fn readers() -> BTreeMap<&'static str, Reader> {
    [
        Reader::of::<CreateOrder>(),
        Reader::of::<ReserveStock>(),
        Reader::of::<ChargePayment>(),
        Reader::of::<ConfirmOrder>(),
        Reader::of::<CancelPendingOrder>(),
    ]
    .into()
}

/// How today's subscribers read the values of a notice.
type NoticeReader = fn(&Map<String, Json>) -> Result<(), String>;

fn notice<N: Notice>() -> (&'static str, NoticeReader) {
    (N::NAME, |input| N::Input::decode(input).map(|_| ()))
}

#[test]
fn the_release_before_is_compatible_by_its_schemas() {
    let today = Schemas::of_deployment(&sagas::all(), &sagas::participants());
    let told: Vec<_> = incompatibilities(&schemas(), &today).iter().map(ToString::to_string).collect();
    assert!(told.is_empty(), "{}", told.join("\n"));
}

#[test]
fn requests_are_understood() {
    let readers = readers();
    let mut read = BTreeSet::new();
    for message in messages().requests {
        let request =
            Request::decode(&message.to_string()).unwrap_or_else(|error| panic!("{message}: {error}"));
        if request.op == Op::Run {
            let step = &readers[request.step.as_str()];
            (step.input)(&request.input).unwrap_or_else(|error| panic!("{message}: {error}"));
        }
        read.insert((request.step, request.op.as_str()));
    }
    let mut sent = BTreeSet::new();
    for (name, step) in schemas().sagas.into_values().flat_map(|saga| saga.steps) {
        sent.insert((name.clone(), "run"));
        match step.kind {
            Kind::Compensable | Kind::CompensableOutside => sent.insert((name, "undo")),
            Kind::Pivot => sent.insert((name, "settle")),
            Kind::Retriable => false,
        };
    }
    assert_eq!(read, sent, "one of each is kept");
}

#[test]
fn recorded_outputs_and_rejections_are_understood() {
    let (readers, messages) = (readers(), messages());
    for (name, step) in schemas().sagas.into_values().flat_map(|saga| saga.steps) {
        let reader = &readers[name.as_str()];
        (reader.output)(&messages.outputs[&name]).unwrap_or_else(|error| panic!("output of {name}: {error}"));
        let mut read = Vec::new();
        for Refusal { error, cause } in &messages.rejections[&name] {
            assert_eq!(
                (reader.rejection)(cause).as_ref(),
                Ok(&error.as_str()),
                "rejection of {name}: {cause}"
            );
            read.push(error.clone());
        }
        assert_eq!(read, step.rejections, "one of each is kept");
        if matches!(step.kind, Kind::Compensable | Kind::CompensableOutside) {
            let inverse = &messages.inverses[&name];
            let writes = Vec::<Write>::deserialize(inverse);
            assert!(writes.is_ok_and(|writes| !writes.is_empty()), "inverse of {name}: {inverse}");
        }
    }
}

#[test]
fn notices_are_understood() {
    let readers = BTreeMap::from([
        notice::<OrderConfirmed>(),
        notice::<OrderRejected>(),
        notice::<CancellationAccepted>(),
        notice::<CancellationRefused>(),
    ]);
    let mut read = BTreeSet::new();
    for message in messages().notices {
        let told = NoticeMessage::deserialize(&message).unwrap_or_else(|error| panic!("{message}: {error}"));
        readers[told.notice.as_str()](&told.input).unwrap_or_else(|error| panic!("{message}: {error}"));
        read.insert(told.notice);
    }
    let sent: BTreeSet<_> = schemas().sagas.into_values().flat_map(|saga| saga.notices.into_keys()).collect();
    assert_eq!(read, sent, "one of each is kept");
}

#[test]
fn inputs_of_executions_and_answers_of_pivots_are_understood() {
    let messages = messages();
    let sagas: Vec<_> = schemas().sagas.into_keys().collect();
    assert_eq!(messages.starts.keys().collect::<Vec<_>>(), sagas.iter().collect::<Vec<_>>());
    for start in messages.starts.values().flatten() {
        StartInput::deserialize(start).unwrap_or_else(|error| panic!("{start}: {error}"));
    }
    for reply in &messages.settle_replies {
        SettleReply::deserialize(reply).unwrap_or_else(|error| panic!("{reply}: {error}"));
    }
}

/// So that comparing schemas is as good as reading messages: the schemas say what the messages are.
#[test]
fn the_schemas_describe_the_messages() {
    let (schemas, messages) = (schemas(), messages());
    let envelope = &schemas.envelope;
    let check = |schema: &Json, definitions: &BTreeMap<String, Json>, message: &Json| {
        let mut schema = schema.clone();
        if let Some(schema) = schema.as_object_mut() {
            schema.insert("$defs".into(), serde_json::to_value(definitions).unwrap());
        }
        let validator = jsonschema::draft202012::new(&schema).unwrap();
        let wrong: Vec<_> = validator.iter_errors(message).map(|error| error.to_string()).collect();
        assert!(wrong.is_empty(), "{message}: {wrong:?}");
    };
    for (saga, starts) in &messages.starts {
        let saga = &schemas.sagas[saga];
        for start in starts {
            check(&envelope.start, &envelope.definitions, start);
            check(&saga.input, &saga.definitions, &start["input"]);
        }
    }
    for request in &messages.requests {
        check(&envelope.request, &envelope.definitions, request);
        if request["op"] == "run" {
            let saga = &schemas.sagas[request["saga"].as_str().unwrap()];
            let step = &saga.steps[request["step"].as_str().unwrap()];
            check(&step.input, &saga.definitions, &request["input"]);
        }
    }
    for message in &messages.notices {
        check(&envelope.notice, &envelope.definitions, message);
        let saga = &schemas.sagas[message["saga"].as_str().unwrap()];
        let notice = &saga.notices[message["type"].as_str().unwrap()];
        check(&notice.input, &saga.definitions, &message["input"]);
    }
    for (saga, (name, step)) in
        schemas.sagas.values().flat_map(|saga| saga.steps.iter().map(move |step| (saga, step)))
    {
        check(&step.output, &saga.definitions, &messages.outputs[name]);
        for refusal in &messages.rejections[name] {
            let cause = serde_json::from_str(&refusal.cause).unwrap();
            check(&step.rejection, &saga.definitions, &cause);
        }
    }
    for inverse in messages.inverses.values() {
        check(&envelope.inverse, &envelope.definitions, inverse);
    }
    for reply in &messages.settle_replies {
        check(&envelope.settle_reply, &envelope.definitions, reply);
    }
}
