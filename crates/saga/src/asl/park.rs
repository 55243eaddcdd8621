//! Parking: a saga that cannot go on waits for an operator, with a record in the table of parked sagas.
//!
//! The record has the task token. The operator answers it with `{"action": "retry" | "skip", "reason", "by"}`; the
//! decision is recorded beside it, the record is taken away, and the saga goes on.

use super::{
    compile::{Compiler, Named, catch_errors},
    message::{EXECUTION, Placeholder, SAGA_ID, TOKEN, expression},
    state::{Choice, ChoiceRule, Integration, Retry, State, Task, Transition},
};
use crate::parked_table::{
    ACTION, ATTEMPTS, BY, CAN_SKIP, DECISION, EXECUTION as EXECUTION_ATTRIBUTE, EXECUTION_ARN, FAILURE, OF,
    REASON, SAGA, SAGA_ID as SAGA_ID_ATTRIBUTE, SINCE, SKIP, STEP, TASK_TOKEN, WHAT,
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
    /// Where a retry goes.
    pub(super) again: String,
    /// Where a skip goes; `None` where the saga cannot go on without.
    pub(super) skip: Option<String>,
}

impl Compiler<'_> {
    /// Parks, and goes on as the operator decides. What is skipped stays in `$unresolved` and shows in the outcome.
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
        let cleared: BTreeMap<_, _> = [("unresolved".to_owned(), expression("{}"))].into();
        let (after, assign) = match &parking.skip {
            Some(_) => (resume_name(what), BTreeMap::new()),
            None => (parking.again.clone(), cleared.clone()),
        };
        let unpark = Task {
            resource: Integration::DeleteItem,
            arguments: json!({ "TableName": table(), "Key": key(parking.record.as_str()) }),
            catch: vec![catch_errors(after.clone(), assign.clone())],
            assign,
            transition: Transition::Next(after),
            ..self.bookkeeping()
        };
        let mut states = vec![
            (park_name(what), State::Task(Box::new(park))),
            (decide_name(what), State::Task(Box::new(decide))),
            (unpark_name(what), State::Task(Box::new(unpark))),
        ];
        if let Some(next) = &parking.skip {
            let condition = format!("{{% $answer.action = '{SKIP}' %}}");
            let skipped = ChoiceRule { condition, assign: BTreeMap::new(), next: next.clone() };
            let choice = Choice { choices: vec![skipped], assign: cleared, default: parking.again.clone() };
            states.push((resume_name(what), State::Choice(choice)));
        }
        states
    }

    fn record(&self, parking: &Parking<'_>) -> Json {
        let tries = self.timing.undo_retry().max_attempts + 1;
        let attempts = format!("$string({tries} * {})", rounds_so_far(parking.what));
        let mut item = key(parking.record.as_str());
        item[SAGA] = text(self.saga.name);
        item[EXECUTION_ATTRIBUTE] = text(expression(EXECUTION));
        item[EXECUTION_ARN] = text(expression("$states.context.Execution.Id"));
        item[STEP] = text(parking.steps.as_str());
        item[FAILURE] = text(expression("$string($unresolved)"));
        item[ATTEMPTS] = json!({ "N": expression(&attempts) });
        item[REASON] = text(expression("$exists($reason) ? $string($reason) : 'none'"));
        item[SINCE] = text(expression("$states.context.State.EnteredTime"));
        item[TASK_TOKEN] = text(expression(TOKEN));
        item[CAN_SKIP] = json!({ "BOOL": parking.skip.is_some() });
        item
    }

    /// An update and not a put, because each put into the table counts as one saga parked.
    fn decision(&self, parking: &Parking<'_>) -> Json {
        let answered = |name: &str, otherwise: &str| {
            let answer = format!("$exists($answer.{name}) ? $string($answer.{name}) : '{otherwise}'");
            text(expression(&answer))
        };
        let attributes = [
            (SAGA, text(self.saga.name)),
            (EXECUTION_ATTRIBUTE, text(expression(EXECUTION))),
            (OF, text(parking.record.as_str())),
            (ACTION, answered(ACTION, "retry")),
            (REASON, answered(REASON, "none given")),
            (BY, answered(BY, "unknown")),
        ];
        let sets: Vec<_> = attributes.iter().map(|(name, _)| format!("#{name} = :{name}")).collect();
        let names: Map<_, _> = attributes.iter().map(|(name, _)| (format!("#{name}"), json!(name))).collect();
        let values: Map<_, _> =
            attributes.into_iter().map(|(name, value)| (format!(":{name}"), value)).collect();
        json!({
            "TableName": table(),
            "Key": key(expression(&format!("'{DECISION}' & $states.context.State.EnteredTime"))),
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
            retry: vec![Retry::with("States.ALL", self.timing.undo_retry())],
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

fn key(what: impl Into<Json>) -> Json {
    json!({ SAGA_ID_ATTRIBUTE: text(expression(SAGA_ID)), WHAT: text(what) })
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

fn resume_name(what: &str) -> String {
    format!("resume {what}")
}
