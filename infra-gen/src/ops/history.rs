//! The attempts of an execution, from its history. Pure.

use super::run::time;
use aws_sdk_sfn::types::{HistoryEvent, HistoryEventType};
use saga::Definition;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};

/// One attempt at something: a message to a participant and its answer, a notice, a wait for an operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Attempt {
    /// When it began, RFC 3339.
    pub at: Option<String>,
    /// When it ended, RFC 3339.
    pub until: Option<String>,
    /// The name of the execution.
    pub execution: String,
    /// What was to be done.
    pub kind: Kind,
    /// With what: the step, the notice, what is parked, or the name of the state.
    pub what: String,
    /// The how manieth attempt in this execution, from 1.
    pub attempt: usize,
    /// How it ended.
    pub result: Outcome,
    /// The wire name of the rejection or of the error.
    pub error: Option<String>,
    /// What the functions say about the error.
    pub cause: Option<String>,
}

/// What was to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Do a step.
    Run,
    /// Undo a step.
    Undo,
    /// Have the pivot say for good whether it was done.
    Settle,
    /// Ask a step again for what it did.
    Recall,
    /// Fence a step off that an operator goes on without.
    Abandon,
    /// Publish a notice.
    Notice,
    /// Wait for an operator.
    Park,
    /// Anything else.
    Other,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It has not ended.
    Waiting,
    /// It was done.
    Done,
    /// The participant said no.
    Rejected,
    /// It failed.
    Failed,
    /// No answer came in time.
    TimedOut,
    /// The execution ended before an answer came.
    Abandoned,
}

/// The attempts of an execution in the order in which they began. `has_ended`: nobody waits for an answer any more.
pub(super) fn attempts(
    definition: &Definition,
    execution: &str,
    events: &[HistoryEvent],
    has_ended: bool,
) -> Vec<Attempt> {
    let mut states: HashMap<i64, String> = HashMap::new();
    let mut entered = String::new();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut open: HashMap<String, usize> = HashMap::new();
    let mut all: Vec<Attempt> = Vec::new();
    for event in events {
        let state = match &event.state_entered_event_details {
            Some(details) => {
                entered.clone_from(&details.name);
                details.name.clone()
            }
            // Parallel branches mix. Emulators do not tell the event before, and are taken to be in one state.
            None => states.get(&event.previous_event_id).unwrap_or(&entered).clone(),
        };
        states.insert(event.id, state.clone());
        if event.r#type == HistoryEventType::TaskScheduled {
            let count = counts.entry(state.clone()).or_default();
            *count += 1;
            let (kind, what) = operation(definition, &state);
            open.insert(state, all.len());
            all.push(Attempt {
                at: time(&event.timestamp),
                until: None,
                execution: execution.to_owned(),
                kind,
                what,
                attempt: *count,
                result: Outcome::Waiting,
                error: None,
                cause: None,
            });
        } else if let Some((result, error, cause)) = ending(event)
            && let Some(attempt) = open.remove(&state).and_then(|place| all.get_mut(place))
        {
            attempt.until = time(&event.timestamp);
            attempt.result =
                if is_rejection(definition, attempt, error) { Outcome::Rejected } else { result };
            attempt.error = error.map(str::to_owned);
            attempt.cause = error.zip(cause).and_then(|(error, cause)| shown_cause(error, cause));
        }
    }
    if has_ended {
        for attempt in all.iter_mut().filter(|attempt| attempt.result == Outcome::Waiting) {
            attempt.result = Outcome::Abandoned;
        }
    }
    all
}

type Ending<'e> = (Outcome, Option<&'e str>, Option<&'e str>);

/// How an attempt ended by this event: with the error and its cause.
fn ending(event: &HistoryEvent) -> Option<Ending<'_>> {
    macro_rules! failed {
        ($details:ident, $outcome:expr) => {{
            let details = event.$details.as_ref();
            let error = details.and_then(|details| details.error.as_deref());
            let outcome = if error == Some("States.Timeout") { Outcome::TimedOut } else { $outcome };
            Some((outcome, error, details.and_then(|details| details.cause.as_deref())))
        }};
    }
    match event.r#type {
        HistoryEventType::TaskSucceeded => Some((Outcome::Done, None, None)),
        HistoryEventType::TaskFailed => failed!(task_failed_event_details, Outcome::Failed),
        HistoryEventType::TaskTimedOut => failed!(task_timed_out_event_details, Outcome::TimedOut),
        HistoryEventType::TaskStartFailed => failed!(task_start_failed_event_details, Outcome::Failed),
        HistoryEventType::TaskSubmitFailed => failed!(task_submit_failed_event_details, Outcome::Failed),
        _ => None,
    }
}

fn is_rejection(definition: &Definition, attempt: &Attempt, error: Option<&str>) -> bool {
    attempt.kind == Kind::Run
        && definition.steps().any(|step| {
            step.name == attempt.what && error.is_some_and(|error| step.rejections.contains(&error))
        })
}

/// The cause of an error, when it is a text of ours: what Step Functions and rejections say can hold what customers
/// gave.
pub(super) fn shown_cause(error: &str, cause: &str) -> Option<String> {
    (error.starts_with("Flyover.") && !cause.is_empty()).then(|| cause.to_owned())
}

/// What a state of the compiled machine does.
fn operation(definition: &Definition, state: &str) -> (Kind, String) {
    const PREFIXES: [(&str, Kind); 9] = [
        ("ask ", Kind::Recall),
        ("abandon ", Kind::Abandon),
        ("park ", Kind::Park),
        ("undo ", Kind::Undo),
        ("settle ", Kind::Settle),
        ("rescue ", Kind::Settle),
        ("recall ", Kind::Recall),
        ("turn back ", Kind::Settle),
        ("publish ", Kind::Notice),
    ];
    for (prefix, kind) in PREFIXES {
        if let Some(what) = state.strip_prefix(prefix) {
            // An undo that an operator had tried again.
            return (kind, what.strip_suffix(" again").unwrap_or(what).to_owned());
        }
    }
    let kind = if definition.steps().any(|step| step.name == state) { Kind::Run } else { Kind::Other };
    (kind, state.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_sfn::primitives::DateTime;
    use aws_sdk_sfn::types::{
        StateEnteredEventDetails, TaskFailedEventDetails, TaskTimedOutEventDetails,
        builders::HistoryEventBuilder,
    };

    /// A history as Step Functions writes it: every event names the one before in its own branch.
    #[derive(Default)]
    struct Script {
        events: Vec<HistoryEvent>,
        names_previous: bool,
    }

    impl Script {
        fn add(
            &mut self,
            previous: i64,
            kind: HistoryEventType,
            with: impl FnOnce(HistoryEventBuilder) -> HistoryEventBuilder,
        ) -> i64 {
            let id = i64::try_from(self.events.len()).unwrap() + 1;
            let event = HistoryEvent::builder()
                .id(id)
                .timestamp(DateTime::from_secs(1_700_000_000 + id))
                .previous_event_id(if self.names_previous { previous } else { 0 })
                .r#type(kind);
            self.events.push(with(event).build().unwrap());
            id
        }

        fn enter(&mut self, previous: i64, state: &str) -> i64 {
            let details = StateEnteredEventDetails::builder().name(state).build().unwrap();
            self.add(previous, HistoryEventType::TaskStateEntered, |event| {
                event.state_entered_event_details(details)
            })
        }

        fn schedule(&mut self, previous: i64) -> i64 {
            self.add(previous, HistoryEventType::TaskScheduled, |event| event)
        }

        fn succeed(&mut self, previous: i64) -> i64 {
            self.add(previous, HistoryEventType::TaskSucceeded, |event| event)
        }

        fn fail(&mut self, previous: i64, error: &str, cause: &str) -> i64 {
            let details = TaskFailedEventDetails::builder()
                .resource("sendMessage")
                .resource_type("sqs")
                .error(error)
                .cause(cause)
                .build()
                .unwrap();
            self.add(previous, HistoryEventType::TaskFailed, |event| event.task_failed_event_details(details))
        }

        fn told(&self, has_ended: bool) -> Vec<String> {
            let definition = sagas::order::order_saga().definition().clone();
            let told = |attempt: Attempt| {
                let Attempt { kind, what, attempt: count, result, error, cause, .. } = attempt;
                let why = error.map(|error| format!(" {error} {cause:?}")).unwrap_or_default();
                format!("{kind:?} {what} {count} {result:?}{why}")
            };
            attempts(&definition, "o-1", &self.events, has_ended).into_iter().map(told).collect()
        }
    }

    #[test]
    fn every_attempt_has_its_ending() {
        for names_previous in [true, false] {
            let mut script = Script { names_previous, ..Script::default() };
            let mut last = script.enter(0, "create-order");
            last = script.schedule(last);
            last = script.succeed(last);
            last = script.enter(last, "reserve-stock");
            last = script.schedule(last);
            last = script.fail(last, "OutOfStock", r#"{"sku":"secret"}"#);
            last = script.enter(last, "undo create-order");
            last = script.schedule(last);
            last = script.fail(last, "Flyover.DeliveriesExhausted", "the table is throttled");
            last = script.schedule(last);
            last = script.fail(last, "States.Timeout", "");
            last = script.enter(last, "park undo");
            script.schedule(last);
            let expected = [
                "Run create-order 1 Done",
                "Run reserve-stock 1 Rejected OutOfStock None",
                "Undo create-order 1 Failed Flyover.DeliveriesExhausted Some(\"the table is throttled\")",
                "Undo create-order 2 TimedOut States.Timeout None",
                "Park undo 1 Waiting",
            ];
            assert_eq!(script.told(false), expected);
            assert_eq!(script.told(true)[4], "Park undo 1 Abandoned");
        }
    }

    #[test]
    fn what_follows_an_answer_is_told_as_what_it_is() {
        let definition = sagas::order::order_saga().definition().clone();
        for (state, expected) in [
            ("undo charge-payment again", (Kind::Undo, "charge-payment")),
            ("abandon charge-payment", (Kind::Abandon, "charge-payment")),
            ("turn back confirm-order", (Kind::Settle, "confirm-order")),
            ("ask create-order", (Kind::Recall, "create-order")),
            ("rescue confirm-order", (Kind::Settle, "confirm-order")),
            ("reserve-stock", (Kind::Run, "reserve-stock")),
            ("decide undo", (Kind::Other, "decide undo")),
        ] {
            let (kind, what) = operation(&definition, state);
            assert_eq!((kind, what.as_str()), expected);
        }
    }

    #[test]
    fn parallel_branches_are_told_apart() {
        let mut script = Script { names_previous: true, ..Script::default() };
        let left = script.enter(0, "reserve-stock");
        let right = script.enter(0, "charge-payment");
        let (left, right) = (script.schedule(left), script.schedule(right));
        script.succeed(left);
        script.fail(right, "PaymentDeclined", "{}");
        assert_eq!(
            script.told(false),
            ["Run reserve-stock 1 Done", "Run charge-payment 1 Rejected PaymentDeclined None"]
        );
    }

    #[test]
    fn a_timeout_of_step_functions_is_told_as_one() {
        let mut script = Script { names_previous: true, ..Script::default() };
        let entered = script.enter(0, "publish OrderConfirmed");
        let scheduled = script.schedule(entered);
        let details = TaskTimedOutEventDetails::builder()
            .resource("publish")
            .resource_type("sns")
            .error("States.Timeout")
            .build()
            .unwrap();
        script.add(scheduled, HistoryEventType::TaskTimedOut, |event| {
            event.task_timed_out_event_details(details)
        });
        assert_eq!(script.told(false), ["Notice OrderConfirmed 1 TimedOut States.Timeout None"]);
    }
}
