//! What Step Functions carries must fit into it, whatever the values and the causes of failures are. An execution in which
//! something does not fit dies with `States.DataLimitExceeded`, which nothing catches:
//! <https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html>

use crate::definition::{Definition, Kind, NoticeSpec, Stage, StepSpec};
use std::fmt;

/// The limit of a state's input, arguments, result and output, of a variable, and of the input and the output of an
/// execution: [256 KiB](https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html).
pub const MAX_PAYLOAD_BYTES: usize = 262_144;

/// The limit of all variables of an execution together:
/// [10 MiB](https://docs.aws.amazon.com/step-functions/latest/dg/workflow-variables.html).
pub const MAX_VARIABLES_BYTES: usize = 10 * 1_024 * 1_024;

/// The most characters of the cause for which a saga turned back that are kept.
pub(crate) const CAUSE_CHARS: usize = 4_000;

/// The most characters that are kept of why an operation could not be done.
pub(crate) const ASIDE_CHARS: usize = 500;

/// The most characters of an error's name, as
/// [`SendTaskFailure`](https://docs.aws.amazon.com/step-functions/latest/apireference/API_SendTaskFailure.html) allows.
const ERROR_CHARS: usize = 256;

/// The most characters of the name of a step or of a value.
const NAME_CHARS: usize = 40;

/// What a message has beside its input: names, ids and a task token of at most 2,048 characters.
const ENVELOPE_BYTES: usize = 3_000;

/// What a parked record has beside what failed and why: the envelope, and DynamoDB's form of an item.
const RECORD_BYTES: usize = 5_000;

/// The most bytes of a character in a JSON text: six, for one that is written as `\u001f`.
const CHAR_BYTES: usize = 6;

/// The same in a JSON text within a JSON text: `\\u001f`.
const QUOTED_CHAR_BYTES: usize = 7;

/// The names of the members of what is said of a failure, with their quotes, even where they are quoted again.
const MEMBERS_BYTES: usize = 120;

/// Something that Step Functions carries as a whole, and the most bytes of its parts.
struct Payload {
    what: String,
    parts: Vec<(&'static str, usize)>,
    most: usize,
    cure: String,
}

/// Something can be too large for Step Functions.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} can have {bytes} bytes ({sum}), but {most} are allowed: {cure}")]
pub struct PayloadError {
    /// What.
    pub what: String,
    /// The most bytes of its parts.
    pub sum: Parts,
    /// Their sum.
    pub bytes: usize,
    /// What is allowed.
    pub most: usize,
    /// The way out.
    pub cure: String,
}

/// The parts of a payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parts(Vec<(&'static str, usize)>);

impl fmt::Display for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, (what, bytes)) in self.0.iter().enumerate() {
            let plus = if n == 0 { "" } else { " + " };
            write!(f, "{plus}{bytes} of {what}")?;
        }
        Ok(())
    }
}

/// Refuses a saga of which something may not fit. Gives the largest message: its step or notice and its bytes.
pub(super) fn check(saga: &Definition) -> Result<(String, usize), PayloadError> {
    let mut largest = (String::new(), 0);
    for (name, message) in messages(saga) {
        let bytes = message.check()?;
        if bytes > largest.1 {
            largest = (name.to_owned(), bytes);
        }
    }
    for payload in saga.steps().map(output).chain(saga.stages.iter().filter_map(group)).chain(wholes(saga)) {
        payload.check()?;
    }
    Ok(largest)
}

impl Payload {
    fn new(what: impl Into<String>, parts: Vec<(&'static str, usize)>, cure: impl Into<String>) -> Self {
        Self { what: what.into(), parts, most: MAX_PAYLOAD_BYTES, cure: cure.into() }
    }

    fn check(self) -> Result<usize, PayloadError> {
        let Self { what, parts, most, cure } = self;
        let bytes = parts.iter().fold(0, |sum: usize, (_, part)| sum.saturating_add(*part));
        if bytes > most {
            return Err(PayloadError { what, sum: Parts(parts), bytes, most, cure });
        }
        Ok(bytes)
    }
}

/// Why a saga turned back, as it is carried. `char_bytes`: the most bytes of a character there.
fn reason_bytes(char_bytes: usize) -> usize {
    // A group is named after all its steps, as far as a state's name may be long.
    MEMBERS_BYTES + 80 + char_bytes * (ERROR_CHARS + CAUSE_CHARS)
}

/// Why so many operations could not be done.
fn aside_bytes(operations: usize, char_bytes: usize) -> usize {
    operations.saturating_mul(MEMBERS_BYTES + NAME_CHARS + char_bytes * (ERROR_CHARS + ASIDE_CHARS))
}

fn messages(saga: &Definition) -> impl Iterator<Item = (&'static str, Payload)> {
    let message = |what: &str, name: &'static str, input: usize, reason: usize| {
        let mut parts = vec![("input", input), ("envelope", ENVELOPE_BYTES)];
        if reason > 0 {
            parts.push(("reason", reason));
        }
        let cure = "lower `Value::MAX_BYTES` of its inputs";
        (name, Payload::new(format!("the message of {what} `{name}`"), parts, cure))
    };
    let reason = reason_bytes(CHAR_BYTES);
    let undoable = |step: &&StepSpec| matches!(step.kind, Kind::Compensable | Kind::CompensableOutside);
    let runs = saga.steps().map(move |step| message("step", step.name, step.input_max_bytes, 0));
    let undos = saga.steps().filter(undoable).map(move |step| message("undo", step.name, 0, reason));
    let notice =
        move |notice: &NoticeSpec, reason| message("notice", notice.name, notice.input_max_bytes, reason);
    let commits = saga.on_commit.iter().map(move |of| notice(of, 0));
    let compensates = saga.on_compensate.iter().map(move |of| notice(of, reason));
    runs.chain(undos).chain(commits).chain(compensates)
}

/// What a step answers; a pivot also answers with it when it is settled.
fn output(step: &StepSpec) -> Payload {
    let mut parts = vec![("output", step.output_max_bytes)];
    if step.kind == Kind::Pivot {
        parts.push(("direction", MEMBERS_BYTES));
    }
    let cure = format!("lower `Value::MAX_BYTES` of `{}`", step.output);
    Payload::new(format!("the answer of step `{}`", step.name), parts, cure)
}

/// The outputs of a group are one result.
fn group(stage: &Stage) -> Option<Payload> {
    let Stage::Parallel(steps) = stage else { return None };
    let parts =
        steps.iter().map(|step| (step.output, step.output_max_bytes)).chain([("commas", steps.len() + 1)]);
    let names: Vec<_> = steps.iter().map(|step| format!("`{}`", step.name)).collect();
    let cure = "lower `Value::MAX_BYTES` of these outputs, or run the steps one after the other";
    Some(Payload::new(format!("the result of the group of {}", names.join(", ")), parts.collect(), cure))
}

fn wholes(saga: &Definition) -> [Payload; 5] {
    let (steps, later) = (saga.compensable_steps().count(), saga.finish.len());
    let name = saga.name;
    let split = "split the saga: it has too many steps";
    let (reason, quoted) = (reason_bytes(CHAR_BYTES), reason_bytes(QUOTED_CHAR_BYTES));
    let outputs = saga.steps().fold(0, |sum: usize, step| sum.saturating_add(step.output_max_bytes));
    // An undo that is parked names them all, with and without why.
    let failures = aside_bytes(steps.max(1), QUOTED_CHAR_BYTES) + steps * (NAME_CHARS + 2);
    // What is unresolved, what of that is looked at again, and what was skipped.
    let kept = 3 * aside_bytes(steps.max(1) + later, CHAR_BYTES) + reason;
    let variables = Payload::new(
        format!("what saga `{name}` holds"),
        vec![("outputs", outputs), ("failures", kept), ("an answer", MAX_PAYLOAD_BYTES)],
        "lower `Value::MAX_BYTES` of its values, or split the saga",
    );
    [
        Payload::new(
            format!("the input of saga `{name}`"),
            vec![("input", saga.input_max_bytes), ("envelope", ENVELOPE_BYTES)],
            format!("lower `Value::MAX_BYTES` of `{}`", saga.input),
        ),
        Payload::new(
            format!("the parked record of saga `{name}`"),
            vec![("failures", failures), ("reason", quoted), ("the rest", RECORD_BYTES)],
            split,
        ),
        Payload::new(
            format!("the outcome of saga `{name}` when it commits"),
            vec![
                ("output", saga.pivot.output_max_bytes),
                ("steps skipped", aside_bytes(later, CHAR_BYTES)),
                ("names", ENVELOPE_BYTES),
            ],
            format!("lower `Value::MAX_BYTES` of `{}`, or split the saga", saga.pivot.output),
        ),
        Payload::new(
            format!("the outcome of saga `{name}` when it is compensated"),
            vec![
                ("steps skipped", aside_bytes(steps, CHAR_BYTES)),
                ("reason", reason),
                ("names", ENVELOPE_BYTES),
            ],
            split,
        ),
        Payload { most: MAX_VARIABLES_BYTES, ..variables },
    ]
}
