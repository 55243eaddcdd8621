//! The verbs' results as text for people: a table each, one line a row. Pure.

use super::{
    Answered, Attempt, Cancelled, DeadLetter, DeadLetters, Decision, ExecutionRow, FenceRow, Kind, Listing,
    Means, Outcome, Parked, ParkedRecord, Redriven, SagaRow, SagaStory, Settling, Story,
};
use comfy_table::{LineStyle, Table, TableStyle};

/// A line under the header, and nothing else.
const STYLE: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// The sagas of a list.
#[must_use]
pub fn listing(listing: &Listing) -> String {
    let mut parts = vec![if listing.sagas.is_empty() {
        "no such sagas".to_owned()
    } else {
        table(SAGA_COLUMNS, listing.sagas.iter().map(saga_cells))
    }];
    if let Some(next) = &listing.next {
        parts.push(format!("there may be more: --next '{next}'"));
    }
    parts.join("\n\n")
}

/// Everything about one saga id.
#[must_use]
pub fn story(story: &Story) -> String {
    let mut parts: Vec<String> = story.sagas.iter().flat_map(saga_parts).collect();
    if story.sagas.is_empty() {
        parts.push(format!("there is no saga {}", story.id));
    }
    if !story.fences.is_empty() {
        let rows = story.fences.iter().map(fence_cells);
        let columns = ["participant", "saga", "step", "item", "fence", "was", "error", "written"];
        parts.push(titled("fences", &table(columns, rows)));
    }
    if !story.parked.is_empty() {
        parts.push(titled("parked", &table(PARKED_COLUMNS, story.parked.iter().map(parked_cells))));
    }
    if !story.decisions.is_empty() {
        parts.push(titled("decisions", &table(DECISION_COLUMNS, story.decisions.iter().map(decision_cells))));
    }
    if !story.dead_letters.is_empty() {
        parts.push(titled(
            "dead letters",
            &table(LETTER_COLUMNS, story.dead_letters.iter().map(letter_cells)),
        ));
    }
    if !story.dead_letters_complete {
        parts.push("there are more dead letters than were looked through".to_owned());
    }
    parts.join("\n\n")
}

/// What waits for operators, and what they decided.
#[must_use]
pub fn parked(parked: &Parked) -> String {
    let mut parts = vec![if parked.parked.is_empty() {
        "nothing is parked".to_owned()
    } else {
        table(PARKED_COLUMNS, parked.parked.iter().map(parked_cells))
    }];
    if !parked.decisions.is_empty() {
        parts
            .push(titled("decisions", &table(DECISION_COLUMNS, parked.decisions.iter().map(decision_cells))));
    }
    parts.join("\n\n")
}

/// Dead letters.
#[must_use]
pub fn dead_letters(found: &DeadLetters) -> String {
    let mut parts = vec![if found.letters.is_empty() {
        "there are no dead letters".to_owned()
    } else {
        table(LETTER_COLUMNS, found.letters.iter().map(letter_cells))
    }];
    if !found.complete {
        let holding = found.queues.iter().filter(|(_, messages)| **messages > 0);
        let counts: Vec<_> = holding.map(|(queue, messages)| format!("{queue} {messages}")).collect();
        parts.push(format!("there are more, about: {}; raise `--limit`", counts.join(", ")));
    }
    parts.join("\n\n")
}

/// Dead letters that were sent back.
#[must_use]
pub fn redriven(redriven: &[Redriven]) -> String {
    let line = |Redriven { queue, messages, means }: &Redriven| match means {
        Means::MoveTask => format!("SQS moves about {messages} messages back to the queue of {queue}"),
        Means::OneByOne => format!("moved {messages} messages back to the queue of {queue}"),
    };
    if redriven.is_empty() {
        return "there are no dead letters".to_owned();
    }
    redriven.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// An answer that was given.
#[must_use]
pub fn answered(answered: &Answered) -> String {
    let Answered { execution, what, steps, action, by, .. } = answered;
    let (what, steps, by) = (clean(what), clean(&steps.join(", ")), clean(by));
    format!("told execution {execution} to {} `{what}` ({steps}), by {by}", action.name())
}

/// A wish to cancel that was published.
#[must_use]
pub fn cancelled(cancelled: &Cancelled) -> String {
    format!("asked to cancel {0}: `show {0}` tells whether it came in time", cancelled.id)
}

/// A settling execution that was started.
#[must_use]
pub fn settling(settling: &Settling) -> String {
    let Settling { saga, dead, status, execution, .. } = settling;
    format!("started execution {execution} of saga {saga}: it settles {dead}, which is {status}")
}

const SAGA_COLUMNS: [&str; 7] = ["id", "saga", "state", "outcome", "why", "started", "ended"];

fn saga_cells(row: &SagaRow) -> [String; 7] {
    let SagaRow { id, saga, state, outcome, error, started, ended, .. } = row;
    [
        id.clone(),
        saga.clone(),
        state.to_string(),
        or_dash(outcome.as_deref()),
        or_dash(error.as_deref()),
        seconds(started.as_deref()),
        seconds(ended.as_deref()),
    ]
}

fn saga_parts(saga: &SagaStory) -> Vec<String> {
    let columns = ["execution", "status", "error", "cause", "started", "ended"];
    let executions = table(columns, saga.executions.iter().map(execution_cells));
    let SagaRow { id, saga: name, state, outcome, error, .. } = &saga.row;
    let ending = [outcome.as_deref(), error.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(", ");
    let ending = if ending.is_empty() { ending } else { format!(" ({ending})") };
    let mut parts = vec![titled(&format!("saga {name} of {id} is {state}{ending}"), &executions)];
    if !saga.timeline.is_empty() {
        let columns = ["at", "until", "does", "what", "attempt", "result", "error", "cause", "execution"];
        parts.push(titled("timeline", &table(columns, saga.timeline.iter().map(attempt_cells))));
    }
    parts
}

fn execution_cells(row: &ExecutionRow) -> [String; 6] {
    let ExecutionRow { name, status, started, ended, error, cause, .. } = row;
    [
        name.clone(),
        status.clone(),
        or_dash(error.as_deref()),
        or_dash(cause.as_deref()),
        or_dash(started.as_deref()),
        or_dash(ended.as_deref()),
    ]
}

fn attempt_cells(attempt: &Attempt) -> [String; 9] {
    let Attempt { at, until, execution, kind, what, attempt, result, error, cause } = attempt;
    [
        or_dash(at.as_deref()),
        until.as_deref().map_or_else(|| "-".to_owned(), |until| clock(until).to_owned()),
        kind_name(*kind).to_owned(),
        what.clone(),
        attempt.to_string(),
        outcome_name(*result).to_owned(),
        or_dash(error.as_deref()),
        or_dash(cause.as_deref()),
        execution.clone(),
    ]
}

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Run => "run",
        Kind::Undo => "undo",
        Kind::Settle => "settle",
        Kind::Recall => "recall",
        Kind::Abandon => "abandon",
        Kind::Notice => "notice",
        Kind::Park => "park",
        Kind::Other => "-",
    }
}

fn outcome_name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Waiting => "waiting",
        Outcome::Done => "done",
        Outcome::Rejected => "rejected",
        Outcome::Failed => "failed",
        Outcome::TimedOut => "timed out",
        Outcome::Abandoned => "abandoned",
    }
}

fn fence_cells(fence: &FenceRow) -> [String; 8] {
    let FenceRow { participant, saga, step, item, state, was, error, at, .. } = fence;
    [
        participant.clone(),
        or_dash(saga.as_deref()),
        step.clone(),
        or_dash(item.as_deref()),
        state.clone(),
        or_dash(was.as_deref()),
        or_dash(error.as_deref()),
        or_dash(at.as_deref()),
    ]
}

const PARKED_COLUMNS: [&str; 9] =
    ["id", "what", "could not be done", "why", "attempts", "skip", "reason", "since", "execution"];

fn parked_cells(record: &ParkedRecord) -> [String; 9] {
    let failures = record.failures.values().map(|failure| match &failure.cause {
        Some(cause) => format!("{}: {cause}", failure.error),
        None => failure.error.clone(),
    });
    [
        record.id.clone(),
        record.what.clone(),
        or_dash(Some(&record.unresolved().join(", "))),
        or_dash(Some(&failures.collect::<Vec<_>>().join("; "))),
        record.attempts.map_or_else(|| "-".to_owned(), |attempts| attempts.to_string()),
        if record.can_skip { "can be" } else { "no" }.to_owned(),
        or_dash(record.reason.as_deref()),
        seconds(record.since.as_deref()),
        record.execution.clone(),
    ]
}

const DECISION_COLUMNS: [&str; 8] = ["at", "id", "of", "steps", "action", "reason", "by", "execution"];

fn decision_cells(decision: &Decision) -> [String; 8] {
    let Decision { id, at, execution, of, steps, action, reason, by, .. } = decision;
    [
        seconds(Some(at)),
        id.clone(),
        of.clone(),
        or_dash(Some(&steps.join(", "))),
        action.clone(),
        or_dash(reason.as_deref()),
        or_dash(by.as_deref()),
        execution.clone(),
    ]
}

const LETTER_COLUMNS: [&str; 6] = ["queue", "id", "message", "why", "since", "logged as"];

fn letter_cells(letter: &DeadLetter) -> [String; 6] {
    let DeadLetter { queue, id, step, item, op, event, reason, since, logged_as, .. } = letter;
    let asked: Vec<_> = [op, step, item, event].into_iter().flatten().map(String::as_str).collect();
    [
        queue.clone(),
        or_dash(id.as_deref()),
        or_dash(Some(&asked.join(" "))),
        reason.clone().unwrap_or_else(|| "the function did not say: see its log".to_owned()),
        seconds(since.as_deref()),
        logged_as.clone(),
    ]
}

fn table<const N: usize>(columns: [&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let mut table = Table::new();
    table.load_style(STYLE).set_header(columns);
    for row in rows {
        table.add_row(row.map(|cell| clean(&cell)));
    }
    table.trim_fmt()
}

fn titled(title: &str, table: &str) -> String {
    format!("{title}\n\n{table}")
}

/// A text in one line, without the characters that would steer a terminal.
fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn or_dash(text: Option<&str>) -> String {
    text.filter(|text| !text.is_empty()).unwrap_or("-").to_owned()
}

/// A time to the second.
fn seconds(time: Option<&str>) -> String {
    let Some(time) = time else { return "-".to_owned() };
    match time.split_once('.') {
        Some((whole, fraction)) if fraction.ends_with('Z') => format!("{whole}Z"),
        _ => time.to_owned(),
    }
}

/// The time of day of a time.
fn clock(time: &str) -> &str {
    time.split_once('T').map_or(time, |(_, clock)| clock.trim_end_matches('Z'))
}

#[cfg(test)]
mod tests;
