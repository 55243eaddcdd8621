//! Parking: a saga that cannot go on waits for an operator, with a record in the table of parked sagas.
//!
//! The record has the task token. The operator answers it with `{"action": "retry" | "skip", "steps"?, "reason", "by"}`;
//! the decision is recorded beside it, the record is taken away, and the saga goes on: see `skip.rs`. The table may be
//! down for a day.

use super::{
    compile::{Compiler, Named, catch_errors},
    message::{EXECUTION, Placeholder, SAGA_ID, TOKEN, expression},
    skip::Assign,
    state::{Integration, Retry, State, Task, Transition},
};
use crate::budget::CAUSE_CHARS;
use crate::parked_table::{
    ACTION, ATTEMPTS, BY, CAN_SKIP, DECISION, EXECUTION as EXECUTION_ATTRIBUTE, EXECUTION_ARN, FAILURE, NO,
    OF, OF_EXECUTION, REASON, REDRIVES, SAGA, SAGA_ID as SAGA_ID_ATTRIBUTE, SINCE, STEP, TASK_TOKEN, WHAT,
    YES,
};
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;

/// What is parked, and where it goes from there.
pub(super) struct Parking<'a> {
    /// What could not be done: it names the states.
    pub(super) what: &'a str,
    /// The record's name. Two sagas can act for one saga id, so it differs between them.
    pub(super) record: String,
    /// The steps that could not be done, as text.
    pub(super) steps: String,
    /// Whether the saga can go on without.
    pub(super) can_skip: CanSkip,
    /// Where it goes when it was answered, and what is assigned then.
    pub(super) after: String,
    pub(super) assign: Assign,
}

/// Whether a saga can go on without what is parked.
pub(super) enum CanSkip {
    Always,
    Never,
    /// When this condition holds.
    When(String),
}

impl CanSkip {
    fn told(&self) -> Json {
        match self {
            Self::Always => json!(YES),
            Self::Never => json!(NO),
            Self::When(condition) => expression(&format!("{condition} ? '{YES}' : '{NO}'")),
        }
    }
}

impl Compiler<'_> {
    /// Parks, and goes on with the operator's answer in `$answer`.
    pub(super) fn park(&self, parking: &Parking<'_>) -> Vec<Named> {
        let what = parking.what;
        let park = Task {
            resource: Integration::PutItemForToken,
            arguments: json!({ "TableName": table(), "Item": self.record(parking) }),
            timeout_seconds: None,
            assign: [
                ("answer".to_owned(), expression("$states.result")),
                (rounds(what), expression(&format!("{} + 1", rounds_so_far(what)))),
            ]
            .into(),
            transition: Transition::Next(decide_name(what)),
            ..self.bookkeeping()
        };
        // The operator is not kept waiting for the books: what cannot be written in all the retries is left out.
        let decide = Task {
            resource: Integration::UpdateItem,
            arguments: self.decision(parking),
            catch: vec![catch_errors(unpark_name(what), BTreeMap::new())],
            transition: Transition::Next(unpark_name(what)),
            ..self.bookkeeping()
        };
        let (after, assign) = (parking.after.clone(), parking.assign.clone());
        let unpark = Task {
            resource: Integration::DeleteItem,
            arguments: json!({ "TableName": table(), "Key": key(&parking.record) }),
            catch: vec![catch_errors(after.clone(), assign.clone())],
            assign,
            transition: Transition::Next(after),
            ..self.bookkeeping()
        };
        vec![
            (park_name(what), State::Task(Box::new(park))),
            (decide_name(what), State::Task(Box::new(decide))),
            (unpark_name(what), State::Task(Box::new(unpark))),
        ]
    }

    fn record(&self, parking: &Parking<'_>) -> Json {
        let tries = self.timing.undo_retry().max_attempts + 1;
        let attempts = format!("$string({tries} * {})", rounds_so_far(parking.what));
        let mut item = key(&parking.record);
        item[SAGA] = text(self.saga.name);
        item[EXECUTION_ATTRIBUTE] = text(expression(EXECUTION));
        item[EXECUTION_ARN] = text(expression("$states.context.Execution.Id"));
        item[REDRIVES] = json!({ "N": expression(REDRIVE_COUNT) });
        item[STEP] = text(parking.steps.as_str());
        item[FAILURE] = text(expression("$string($unresolved)"));
        item[ATTEMPTS] = json!({ "N": expression(&attempts) });
        item[REASON] = text(expression("$exists($reason) ? $string($reason) : 'none'"));
        item[SINCE] = text(expression("$states.context.State.EnteredTime"));
        item[TASK_TOKEN] = text(expression(TOKEN));
        item[CAN_SKIP] = text(parking.can_skip.told());
        item
    }

    /// An update and not a put, because each put into the table counts as one saga parked.
    fn decision(&self, parking: &Parking<'_>) -> Json {
        let answered = |name: &str, otherwise: &str| {
            let given = format!("$substring($string($answer.{name}), 0, {CAUSE_CHARS})");
            let answer = format!("$exists($answer.{name}) ? {given} : '{otherwise}'");
            text(expression(&answer))
        };
        let attributes = [
            (SAGA, text(self.saga.name)),
            (EXECUTION_ATTRIBUTE, text(expression(EXECUTION))),
            (OF, text(parking.record.as_str())),
            (STEP, text(expression(&steps_answered()))),
            (ACTION, answered(ACTION, "retry")),
            (REASON, answered(REASON, "none given")),
            (BY, answered(BY, "unknown")),
        ];
        let sets: Vec<_> = attributes.iter().map(|(name, _)| format!("#{name} = :{name}")).collect();
        let names: Map<_, _> = attributes.iter().map(|(name, _)| (format!("#{name}"), json!(name))).collect();
        let values: Map<_, _> =
            attributes.into_iter().map(|(name, value)| (format!(":{name}"), value)).collect();
        let decided =
            format!("'{DECISION}' & $states.context.State.EnteredTime & '{OF_EXECUTION}' & {EXECUTION}");
        json!({
            "TableName": table(),
            "Key": { SAGA_ID_ATTRIBUTE: text(expression(SAGA_ID)), WHAT: text(expression(&decided)) },
            "UpdateExpression": format!("SET {}", sets.join(", ")),
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": values,
        })
    }

    /// A task that writes to the table.
    fn bookkeeping(&self) -> Task {
        Task {
            resource: Integration::UpdateItem,
            arguments: Json::Null,
            timeout_seconds: None,
            retry: vec![
                // An answer that is none, given by hand, is none the next time either.
                Retry::never(["States.QueryEvaluationError"]),
                Retry::steadily("States.ALL", self.timing.parking_retry()),
            ],
            catch: Vec::new(),
            assign: BTreeMap::new(),
            transition: Transition::End(true),
        }
    }
}

fn table() -> String {
    Placeholder::ParkedTable.text()
}

fn text(text: impl Into<Json>) -> Json {
    json!({ "S": text.into() })
}

/// The key of what waits in this execution: see [`crate::parked_table::sort_key`].
fn key(thing: &str) -> Json {
    let what = format!("'{thing}{OF_EXECUTION}' & {EXECUTION}");
    json!({ SAGA_ID_ATTRIBUTE: text(expression(SAGA_ID)), WHAT: text(expression(&what)) })
}

/// How often this execution was redriven. An emulator may not know.
const REDRIVE_COUNT: &str =
    "$exists($states.context.Execution.RedriveCount) ? $string($states.context.Execution.RedriveCount) : '0'";

/// The steps that an answer is about: those it names, or all that could not be done.
fn steps_answered() -> String {
    let named = "$append([], $exists($answer.steps) ? $answer.steps : $keys($unresolved))";
    format!("$substring($join({named}, ', '), 0, {CAUSE_CHARS})")
}

/// The variable that counts how often this was parked.
fn rounds(what: &str) -> String {
    format!("rounds_{}", what.replace([' ', '-'], "_"))
}

fn rounds_so_far(what: &str) -> String {
    let rounds = rounds(what);
    format!("($exists(${rounds}) ? ${rounds} : 1)")
}

pub(super) fn park_name(what: &str) -> String {
    format!("park {what}")
}

fn decide_name(what: &str) -> String {
    format!("decide {what}")
}

fn unpark_name(what: &str) -> String {
    format!("unpark {what}")
}
