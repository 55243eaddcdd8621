//! `retry` and `skip`: an operator answers a parked saga.

use super::parked::Open;
use super::{Operations, OpsError};
use aws_sdk_sfn::error::ProvideErrorMetadata;
use saga::parked_table::{self, ACTION, BY, REASON, STEPS};
use serde::Serialize;
use serde_json::{Value as Json, json};

/// The most characters of a reason.
const REASON_CHARS: usize = 1_000;

/// What an operator wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Try again.
    Retry,
    /// Go on without.
    Skip,
}

impl Action {
    /// Its name, as the state machine reads it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Retry => parked_table::RETRY,
            Self::Skip => parked_table::SKIP,
        }
    }
}

/// An answer to a parked saga.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The saga id.
    pub id: String,
    /// What to do.
    pub action: Action,
    /// What is answered, as in [`ParkedRecord::what`](super::ParkedRecord::what), with ` @ <execution>` behind it where
    /// more than one execution waits for that. Default: the only thing that waits.
    pub what: Option<String>,
    /// Which of the steps that could not be done the answer is about. Empty: all.
    pub steps: Vec<String>,
    /// Why, 1 to 1,000 characters. It is recorded.
    pub reason: String,
    /// Who decides. It is recorded. Default: [`Operations::caller`].
    pub by: Option<String>,
}

/// An answer that was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Answered {
    /// The saga id.
    pub id: String,
    /// The saga's name.
    pub saga: String,
    /// The name of the execution that goes on.
    pub execution: String,
    /// What was parked.
    pub what: String,
    /// Which of the steps that could not be done it was about.
    pub steps: Vec<String>,
    /// What it was told.
    pub action: Action,
    /// Why.
    pub reason: String,
    /// Who decided.
    pub by: String,
}

impl Operations {
    /// Answers a parked saga, which then goes on.
    ///
    /// # Errors
    /// When it is not parked, cannot be skipped or was answered already; or when AWS cannot be asked.
    pub async fn answer(&self, answer: &Answer) -> Result<Answered, OpsError> {
        let reason = checked_reason(&answer.reason)?;
        let (open, _) = self.parked_of(&answer.id).await?;
        if open.is_empty() {
            return Err(self.not_parked(&answer.id).await?);
        }
        let chosen = choose(&answer.id, &open, answer.what.as_deref())?;
        check_skip(chosen, answer.action)?;
        let steps = check_steps(chosen, &answer.steps)?;
        let by = answer.by.clone().unwrap_or_else(|| self.caller.clone());
        let output = output(answer.action, &steps, &reason, &by);
        let sent =
            self.sfn.send_task_success().task_token(chosen.token.expose()).output(output.to_string()).send();
        match sent.await {
            Ok(_) => {}
            Err(error)
                if matches!(error.code(), Some("TaskTimedOut" | "TaskDoesNotExist" | "InvalidToken")) =>
            {
                return Err(OpsError::Refused(format!(
                    "execution {} does not wait for `{}` any more: it was answered already, or it has ended (then `settle`)",
                    chosen.record.execution, chosen.record.what
                )));
            }
            Err(error) => {
                // Not its message: it can quote the token.
                let code = error.code().unwrap_or("no answer").to_owned();
                return Err(OpsError::Unanswered { execution: chosen.record.execution.clone(), code });
            }
        }
        Ok(Answered {
            id: answer.id.clone(),
            saga: chosen.record.saga.clone(),
            execution: chosen.record.execution.clone(),
            what: chosen.record.what.clone(),
            steps: if steps.is_empty() { owned(&chosen.record.unresolved()) } else { steps },
            action: answer.action,
            reason,
            by,
        })
    }

    /// Why a saga cannot be answered of which nothing is parked.
    async fn not_parked(&self, id: &str) -> Result<OpsError, OpsError> {
        let mut states = Vec::new();
        for saga in &self.sagas {
            if let Some(run) = self.run_of(saga.name, id).await? {
                states.push(format!("saga {} is {}", saga.name, run.row(&[].into()).state));
            }
        }
        Ok(if states.is_empty() {
            OpsError::NotFound(format!("there is no saga {id}"))
        } else {
            OpsError::Refused(format!("{id} is not parked: {}", states.join(", ")))
        })
    }
}

fn checked_reason(reason: &str) -> Result<String, OpsError> {
    let reason = reason.trim();
    let count = reason.chars().count();
    if (1..=REASON_CHARS).contains(&count) {
        Ok(reason.to_owned())
    } else {
        Err(OpsError::Usage(format!(
            "the reason has {count} characters: 1 to {REASON_CHARS} are allowed, and it is recorded"
        )))
    }
}

/// What the state machine is told: see `saga::parked_table`.
fn output(action: Action, steps: &[String], reason: &str, by: &str) -> Json {
    let mut output = json!({ ACTION: action.name(), REASON: reason, BY: by });
    if !steps.is_empty() {
        output[STEPS] = json!(steps);
    }
    output
}

/// What is answered.
fn choose<'o>(id: &str, open: &'o [Open], what: Option<&str>) -> Result<&'o Open, OpsError> {
    let one_of = |waiting: &[&Open]| {
        let things = || waiting.iter().map(|open| open.record.what.as_str());
        // Two executions can wait for the same, each with a token of its own.
        let is_clear = |what: &str| things().filter(|other| *other == what).count() == 1;
        let told = |open: &&Open| match is_clear(&open.record.what) {
            true => format!("`{}`", open.record.what),
            false => format!("`{}`", open.record.key()),
        };
        waiting.iter().map(told).collect::<Vec<_>>().join(", ")
    };
    let all: Vec<&Open> = open.iter().collect();
    let is_meant =
        |open: &&Open| what.is_none_or(|what| what == open.record.what || what == open.record.key());
    let meant: Vec<&Open> = open.iter().filter(is_meant).collect();
    match (what, meant.as_slice()) {
        (_, [only]) => Ok(only),
        (Some(what), []) => {
            Err(OpsError::Refused(format!("`{what}` of {id} is not parked: what waits is {}", one_of(&all))))
        }
        _ => Err(OpsError::Usage(format!(
            "more than one thing of {id} waits: give `--what` as one of {}",
            one_of(&meant)
        ))),
    }
}

/// The steps that an answer is about, each once. Only those can be answered that could not be done.
fn check_steps(open: &Open, given: &[String]) -> Result<Vec<String>, OpsError> {
    let unresolved = open.record.unresolved();
    let unknown: Vec<_> = given.iter().filter(|step| !unresolved.contains(&step.as_str())).collect();
    if !unknown.is_empty() {
        let listed =
            |steps: &[&str]| steps.iter().map(|step| format!("`{step}`")).collect::<Vec<_>>().join(", ");
        return Err(OpsError::Refused(format!(
            "{} of `{}` does not wait: what could not be done is {}",
            listed(&unknown.into_iter().map(String::as_str).collect::<Vec<_>>()),
            open.record.what,
            listed(&unresolved)
        )));
    }
    // As they are listed.
    Ok(owned(&unresolved).into_iter().filter(|step| given.contains(step)).collect())
}

fn owned(steps: &[&str]) -> Vec<String> {
    steps.iter().map(|step| (*step).to_owned()).collect()
}

/// Refuses to skip what a saga cannot do without.
fn check_skip(open: &Open, action: Action) -> Result<(), OpsError> {
    if action == Action::Retry || open.record.can_skip {
        return Ok(());
    }
    let what = &open.record.what;
    let why = if what.starts_with("settle ") || what.starts_with("rescue ") {
        "only the pivot's fence knows whether the saga goes forward or back"
    } else if what.starts_with("ask ") {
        "only its fence knows whether the id is that of this saga or of another one"
    } else if what.starts_with("recall ") {
        "later steps need what it did"
    } else {
        "the saga is past its pivot and can only be finished"
    };
    Err(OpsError::Refused(format!("`{what}` cannot be skipped: {why}; repair what keeps it, then `retry`")))
}

#[cfg(test)]
mod tests {
    use super::super::ErrorKind;
    use super::super::parked::tests::open;
    use super::*;

    #[test]
    fn the_only_thing_that_waits_is_meant() {
        let one = [open("undo order", true)];
        assert_eq!(choose("o-1", &one, None).unwrap().record.what, "undo order");
        let two = [open("undo order", true), open("settle cancel-pending-order", false)];
        let named = choose("o-1", &two, Some("settle cancel-pending-order")).unwrap();
        assert_eq!(named.record.what, "settle cancel-pending-order");

        let error = choose("o-1", &two, None).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage);
        let expected = "more than one thing of o-1 waits: give `--what` as one of `undo order`, `settle cancel-pending-order`";
        assert_eq!(error.to_string(), expected);
        let error = choose("o-1", &one, Some("recall x")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused);
        assert_eq!(error.to_string(), "refused: `recall x` of o-1 is not parked: what waits is `undo order`");
    }

    #[test]
    fn of_two_executions_that_wait_for_the_same_one_is_named() {
        let (dead, mut settling) = (open("undo order", true), open("undo order", true));
        settling.record.execution = "o-1.settle-00".to_owned();
        let both = [dead, settling];
        let named = choose("o-1", &both, Some("undo order @ o-1.settle-00")).unwrap();
        assert_eq!(named.record.execution, "o-1.settle-00");
        for what in [None, Some("undo order")] {
            let error = choose("o-1", &both, what).unwrap_err();
            let expected = "more than one thing of o-1 waits: give `--what` as one of `undo order @ o-1`, `undo order @ o-1.settle-00`";
            assert_eq!(error.to_string(), expected);
        }
    }

    #[test]
    fn steps_are_answered_one_by_one() {
        let waits = open("undo order", true);
        let checked = |steps: &[&str]| check_steps(&waits, &owned(steps));
        assert_eq!(checked(&[]).unwrap(), [""; 0]);
        let twice = ["reserve-stock", "charge-payment", "reserve-stock"];
        assert_eq!(checked(&twice).unwrap(), ["charge-payment", "reserve-stock"]);
        let told = output(Action::Skip, &owned(&["charge-payment"]), "refunded by hand", "nancy");
        let expected = json!({
            "action": "skip", "steps": ["charge-payment"], "reason": "refunded by hand", "by": "nancy",
        });
        assert_eq!(told, expected);
        assert_eq!(
            output(Action::Retry, &[], "r", "b"),
            json!({ "action": "retry", "reason": "r", "by": "b" })
        );
        // What is done cannot be answered.
        let error = checked(&["charge-payment", "create-order"]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused);
        let expected = "refused: `create-order` of `undo order` does not wait: what could not be done is `charge-payment`, `reserve-stock`";
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn what_a_saga_needs_is_not_skipped_and_the_reason_is_told() {
        for what in ["undo order", "rescue confirm-order"] {
            assert!(check_skip(&open(what, true), Action::Skip).is_ok(), "the machine says that it can be");
        }
        for (what, why) in [
            ("settle confirm-order", "only the pivot's fence knows"),
            ("rescue confirm-order", "only the pivot's fence knows"),
            ("ask create-order", "whether the id is that of this saga"),
            ("recall reserve-stock", "later steps need what it did"),
            ("ship-order", "past its pivot"),
        ] {
            assert!(check_skip(&open(what, false), Action::Retry).is_ok());
            let error = check_skip(&open(what, false), Action::Skip).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Refused);
            assert!(error.to_string().contains(why), "{error}");
        }
    }

    #[test]
    fn a_reason_is_needed() {
        assert_eq!(checked_reason(" refunded by hand ").unwrap(), "refunded by hand");
        for reason in ["", "  ", &"x".repeat(1_001)] {
            assert_eq!(checked_reason(reason).unwrap_err().kind(), ErrorKind::Usage);
        }
    }
}
