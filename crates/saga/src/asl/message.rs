//! What the tasks send: the wire formats of `crate::message`, as JSONata.

use crate::{
    definition::{Definition, NoticeSpec, StepSpec},
    message::{IfAbsent, Op, TURNS_A_REDRIVE, WIRE_VERSION},
};
use serde_json::{Map, Value as Json, json};

/// What a state machine needs from its stack. It stands in the definition as `${<key>}` and is given a value by
/// `DefinitionSubstitutions`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Placeholder {
    /// The URL of a participant's queue.
    Queue(&'static str),
    /// The ARN of the topic for notices.
    NoticeTopic,
    /// The name of the table of parked sagas.
    ParkedTable,
    /// The partition of AWS that the machine is in, such as `aws-cn`. It is in the ARN of each integration.
    Partition,
}

impl Placeholder {
    /// The key: letters and digits, for example `QueueUrlInventory`.
    pub fn key(&self) -> String {
        match self {
            Self::Queue(participant) => format!("QueueUrl{}", pascal(participant)),
            Self::NoticeTopic => "NoticeTopicArn".into(),
            Self::ParkedTable => "ParkedTableName".into(),
            Self::Partition => "Partition".into(),
        }
    }

    pub(super) fn text(&self) -> String {
        format!("${{{}}}", self.key())
    }
}

fn pascal(name: &str) -> String {
    name.split('-')
        .flat_map(|word| word.chars().take(1).map(|c| c.to_ascii_uppercase()).chain(word.chars().skip(1)))
        .collect()
}

/// A JSONata expression.
pub(super) fn expression(jsonata: &str) -> Json {
    Json::String(format!("{{% {jsonata} %}}"))
}

pub(super) const SAGA_ID: &str = "$states.context.Execution.Input.id";
pub(super) const EXECUTION: &str = "$states.context.Execution.Name";
/// What is there only in a settling execution: see [`crate::Settling`].
pub(super) fn settling() -> &'static str {
    "$states.context.Execution.Input.settle"
}

/// Of what an execution was given, so is what it sends: one of version 1 knows no run.
const VERSION: &str = "$states.context.Execution.Input.v";

/// An execution that an older release started has none.
const RUN: &str = "$exists($states.context.Execution.Input.run) ? $states.context.Execution.Input.run : null";

pub(super) const TOKEN: &str = "$states.context.Task.Token";

/// Executions that act for a saga in the order of time: the first, those that settle for it one after the other, and, because
/// one that is redriven goes on when it was settled for already, those after a redrive. Whoever settles for that one comes
/// after it: see [`Settling::turn`](crate::Settling).
fn turn() -> String {
    let (settling, redrives) = (settling(), "$states.context.Execution.RedriveCount");
    format!(
        "($exists({settling}) ? ($exists({settling}.turn) ? {settling}.turn : {settling}.attempt) : 0) + ($exists({redrives}) ? \
         {TURNS_A_REDRIVE} * {redrives} : 0)"
    )
}

/// The arguments that send a request to a step's participant.
pub(super) fn send(definition: &Definition, step: &StepSpec, op: Op) -> Json {
    // An undo can be sent for a step that was never run, when the values it needs are not there.
    let inputs = if op == Op::Run { step.inputs } else { &[] };
    let mut body = json!({
        "v": expression(VERSION),
        "saga": definition.name,
        "id": expression(SAGA_ID),
        "run": expression(RUN),
        "execution": expression(EXECUTION),
        "step": step.name,
        "op": op.as_str(),
        "token": expression(TOKEN),
        "input": values(definition, inputs),
    });
    if op == Op::Undo {
        body["reason"] = expression("$reason");
    }
    if matches!(op, Op::Undo | Op::Abandon) {
        body["turn"] = expression(&turn());
    }
    json!({ "QueueUrl": Placeholder::Queue(step.participant).text(), "MessageBody": body })
}

/// The arguments that ask for what is recorded, and say what it means when there is no fence. Nobody reads an input then, and
/// one that no queue takes must not keep a saga from being asked about.
pub(super) fn ask(definition: &Definition, step: &StepSpec, op: Op, if_absent: &Json) -> Json {
    let mut arguments = send(definition, step, op);
    arguments["MessageBody"]["input"] = json!({});
    arguments["MessageBody"]["if_absent"] = if_absent.clone();
    arguments
}

/// That the pivot was not done, then.
pub(super) fn decide_if_absent() -> Json {
    json!(IfAbsent::Decide)
}

/// That it must not be taken for one that was never there.
pub(super) fn refuse_if_absent() -> Json {
    json!(IfAbsent::Refuse)
}

/// An execution that settles for the first time decides, as does an ordinary one; for one that settles once more the fence
/// was there before, and may have expired since.
pub(super) fn refuse_if_settled_before() -> Json {
    let names = json!([IfAbsent::Refuse, IfAbsent::Decide]);
    let name = |place: usize| names[place].as_str().unwrap_or_default().to_owned();
    let settling = settling();
    expression(&format!("$exists({settling}) and {settling}.attempt > 1 ? '{}' : '{}'", name(0), name(1)))
}

/// The arguments that publish a notice. `compensated`: with the reason.
pub(super) fn publish(definition: &Definition, notice: &NoticeSpec, compensated: bool) -> Json {
    let mut message = json!({
        "v": WIRE_VERSION,
        "type": notice.name,
        "saga": definition.name,
        "id": expression(SAGA_ID),
        "input": values(definition, notice.inputs),
    });
    if compensated {
        message["reason"] = expression("$reason");
    }
    json!({ "TopicArn": Placeholder::NoticeTopic.text(), "Message": message })
}

fn values(definition: &Definition, names: &[&'static str]) -> Json {
    let value = |name: &str| {
        if name == definition.input {
            expression("$states.context.Execution.Input.input")
        } else {
            expression(&format!("${name}"))
        }
    };
    Json::Object(names.iter().map(|name| ((*name).to_owned(), value(name))).collect::<Map<_, _>>())
}
