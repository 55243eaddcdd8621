//! `parked`: the sagas that wait for an operator, and what operators decided.

use super::fences::text;
use super::history::shown_cause;
use super::{Operations, OpsError};
use saga::TaskToken;
use saga::parked_table::{
    ACTION, ATTEMPTS, BY, CAN_SKIP, DECISION, EXECUTION, EXECUTION_ARN, FAILURE, OF, REASON, SAGA, SAGA_ID,
    SINCE, STEP, TASK_TOKEN, WHAT, YES, sort_key, thing_of,
};
use saga_executions::aws::Item;
use serde::Serialize;
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};

/// What waits for operators, and what they decided.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Parked {
    /// What waits, the longest first.
    pub parked: Vec<ParkedRecord>,
    /// What was decided, the oldest first; empty unless asked for.
    pub decisions: Vec<Decision>,
}

/// Something that waits for an operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ParkedRecord {
    /// The saga id.
    pub id: String,
    /// What is parked: `undo <saga>`, `settle <pivot>`, `rescue <pivot>`, `ask <step>`, `recall <step>` or the name of a step.
    pub what: String,
    /// The saga's name.
    pub saga: String,
    /// The name of the execution that waits.
    pub execution: String,
    /// Its ARN, by which it is told apart: executions of two sagas can share a name.
    pub execution_arn: Option<String>,
    /// The steps that it is about.
    pub steps: Vec<String>,
    /// Those of them that could not be done, and why not.
    pub failures: BTreeMap<String, Failure>,
    /// How often it was tried.
    pub attempts: Option<u64>,
    /// Why the saga compensates: the wire name of a rejection or of an error.
    pub reason: Option<String>,
    /// Since when it waits, ISO 8601.
    pub since: Option<String>,
    /// Whether it can be skipped.
    pub can_skip: bool,
}

/// Why a step could not be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// The name of the error.
    pub error: String,
    /// What the functions say about it.
    pub cause: Option<String>,
}

/// What an operator decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// The saga id.
    pub id: String,
    /// When, ISO 8601.
    pub at: String,
    /// The saga's name.
    pub saga: String,
    /// The name of the execution that was answered.
    pub execution: String,
    /// What was parked.
    pub of: String,
    /// The steps that were decided about.
    pub steps: Vec<String>,
    /// `retry` or `skip`.
    pub action: String,
    /// Why.
    pub reason: Option<String>,
    /// Who.
    pub by: Option<String>,
}

/// A parked record with the token that answers it.
#[derive(Debug, Clone)]
pub(super) struct Open {
    pub(super) record: ParkedRecord,
    pub(super) token: TaskToken,
}

/// What an item of the table is.
enum Entry {
    Open(Box<Open>),
    Decision(Box<Decision>),
}

impl ParkedRecord {
    /// The steps that wait for an answer.
    pub(super) fn unresolved(&self) -> Vec<&str> {
        match self.failures.len() {
            0 => self.steps.iter().map(String::as_str).collect(),
            _ => self.failures.keys().map(String::as_str).collect(),
        }
    }

    /// Its sort key in the table: what tells it apart from what another execution parked.
    pub(super) fn key(&self) -> String {
        sort_key(&self.what, &self.execution)
    }
}

impl Operations {
    /// What waits for operators, and if asked, what they decided.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn parked(&self, with_decisions: bool) -> Result<Parked, OpsError> {
        let items = self.executions.parked.items(with_decisions).await;
        let (open, decisions) = sorted(&items.map_err(OpsError::call("read the parked sagas"))?)?;
        Ok(Parked { parked: open.into_iter().map(|open| open.record).collect(), decisions })
    }

    /// What waits of one saga id, with the tokens, and what was decided.
    pub(super) async fn parked_of(&self, id: &str) -> Result<(Vec<Open>, Vec<Decision>), OpsError> {
        let items = self.executions.parked.items_of(id).await;
        sorted(&items.map_err(OpsError::call(format!("read what is parked of {id}")))?)
    }

    /// The ARNs of all executions that wait for an operator.
    pub(super) async fn parked_executions(&self) -> Result<BTreeSet<String>, OpsError> {
        let parked = self.parked(false).await?.parked;
        Ok(parked.into_iter().filter_map(|record| record.execution_arn).collect())
    }
}

fn sorted(items: &[Item]) -> Result<(Vec<Open>, Vec<Decision>), OpsError> {
    let (mut open, mut decisions) = (Vec::new(), Vec::new());
    for item in items {
        match entry(item)? {
            Entry::Open(entry) => open.push(*entry),
            Entry::Decision(decision) => decisions.push(*decision),
        }
    }
    open.sort_by(|a, b| {
        let key = |open: &Open| (open.record.since.clone(), open.record.id.clone(), open.record.what.clone());
        key(a).cmp(&key(b))
    });
    decisions.sort_by(|a, b| (&a.at, &a.id).cmp(&(&b.at, &b.id)));
    Ok((open, decisions))
}

fn entry(item: &Item) -> Result<Entry, OpsError> {
    let (id, what) = (text(item, SAGA_ID).unwrap_or_default(), text(item, WHAT).unwrap_or_default());
    let needed = |name: &str| {
        text(item, name).ok_or_else(|| {
            OpsError::unreadable(format!("the parked record {id}/{what}"), format!("it has no text `{name}`"))
        })
    };
    let steps = || {
        let steps = text(item, STEP).unwrap_or_default();
        let named = steps.split(',').map(str::trim).filter(|step| !step.is_empty());
        named.map(str::to_owned).collect::<Vec<_>>()
    };
    let (thing, _) = thing_of(&what);
    if let Some(at) = thing.strip_prefix(DECISION) {
        return Ok(Entry::Decision(Box::new(Decision {
            at: at.to_owned(),
            saga: needed(SAGA)?,
            execution: needed(EXECUTION)?,
            of: needed(OF)?,
            steps: steps(),
            action: needed(ACTION)?,
            reason: text(item, REASON),
            by: text(item, BY),
            id,
        })));
    }
    let json = |name: &str| text(item, name).and_then(|text| serde_json::from_str::<Json>(&text).ok());
    let record = ParkedRecord {
        saga: needed(SAGA)?,
        execution: needed(EXECUTION)?,
        execution_arn: text(item, EXECUTION_ARN),
        steps: steps(),
        failures: json(FAILURE).map(|failures| failures_of(&failures)).unwrap_or_default(),
        attempts: item.get(ATTEMPTS).and_then(|value| value.as_n().ok()?.parse().ok()),
        reason: json(REASON).and_then(|reason| Some(reason["error"].as_str()?.to_owned())),
        since: text(item, SINCE),
        can_skip: text(item, CAN_SKIP).is_some_and(|can_skip| can_skip == YES),
        id: id.clone(),
        what: thing.to_owned(),
    };
    Ok(Entry::Open(Box::new(Open { token: TaskToken::new(needed(TASK_TOKEN)?), record })))
}

fn failures_of(json: &Json) -> BTreeMap<String, Failure> {
    let failure = |(step, failure): (&String, &Json)| {
        let error = failure["error"].as_str()?.to_owned();
        let cause = failure["cause"].as_str().and_then(|cause| shown_cause(&error, cause));
        Some((step.clone(), Failure { error, cause }))
    };
    json.as_object().into_iter().flatten().filter_map(failure).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use aws_sdk_dynamodb::types::AttributeValue;

    fn item(members: &[(&str, &str)]) -> Item {
        let text =
            |(name, value): &(&str, &str)| ((*name).to_owned(), AttributeValue::S((*value).to_owned()));
        members.iter().map(text).collect()
    }

    pub(in crate::ops) fn undo_item(since: &str) -> Item {
        let mut record = item(&[
            ("saga_id", "o-1"),
            ("what", "undo order @ o-1"),
            ("saga", "order"),
            ("execution", "o-1"),
            ("execution_arn", "arn:aws:states:eu-central-1:1:execution:order:o-1"),
            ("step", "charge-payment, reserve-stock, create-order"),
            (
                "failure",
                r#"{"charge-payment":{"error":"Flyover.DeliveriesExhausted","cause":"the gateway: 503"},
                    "reserve-stock":{"error":"States.Timeout","cause":"nancy@example.com"}}"#,
            ),
            ("reason", r#"{"step":"charge-payment","error":"PaymentDeclined","cause":"{}"}"#),
            ("since", since),
            ("task_token", "s3cret-token"),
        ]);
        record.insert("attempts".to_owned(), AttributeValue::N("4".to_owned()));
        record.insert("can_skip".to_owned(), AttributeValue::S(YES.to_owned()));
        record
    }

    pub(in crate::ops) fn open(what: &str, can_skip: bool) -> Open {
        let (mut open, _) = sorted(&[undo_item("2026-01-01T00:00:00Z")]).unwrap();
        let mut open = open.remove(0);
        open.record.what = what.to_owned();
        open.record.can_skip = can_skip;
        open
    }

    #[test]
    fn a_record_is_read_without_showing_its_token_or_personal_data() {
        let (open, decisions) = sorted(&[undo_item("2026-01-01T00:00:00Z")]).unwrap();
        assert!(decisions.is_empty());
        let shown = format!("{open:?} {}", serde_json::to_string(&open[0].record).unwrap());
        assert!(!shown.contains("s3cret") && !shown.contains("nancy"), "{shown}");
        let record = &open[0].record;
        assert_eq!(open[0].token.expose(), "s3cret-token");
        assert_eq!((record.what.as_str(), record.key().as_str()), ("undo order", "undo order @ o-1"));
        assert_eq!(record.steps, ["charge-payment", "reserve-stock", "create-order"]);
        assert_eq!(record.unresolved(), ["charge-payment", "reserve-stock"]);
        assert_eq!(record.failures["charge-payment"].cause.as_deref(), Some("the gateway: 503"));
        assert_eq!(record.failures["reserve-stock"].cause, None);
        assert_eq!(
            (record.attempts, record.reason.as_deref(), record.can_skip),
            (Some(4), Some("PaymentDeclined"), true)
        );
    }

    #[test]
    fn what_waits_longest_comes_first_and_decisions_are_apart() {
        let decision = item(&[
            ("saga_id", "o-1"),
            ("what", "decision 2026-01-02T00:00:00Z @ o-1"),
            ("saga", "order"),
            ("execution", "o-1"),
            ("of", "undo order"),
            ("step", "charge-payment"),
            ("action", "skip"),
            ("reason", "refunded by hand"),
            ("by", "arn:aws:iam::1:user/nancy"),
        ]);
        let (open, decisions) =
            sorted(&[undo_item("2026-01-03T00:00:00Z"), decision, undo_item("2026-01-01T00:00:00Z")])
                .unwrap();
        let since: Vec<_> = open.iter().filter_map(|open| open.record.since.as_deref()).collect();
        assert_eq!(since, ["2026-01-01T00:00:00Z", "2026-01-03T00:00:00Z"]);
        assert_eq!(
            (decisions[0].at.as_str(), decisions[0].action.as_str()),
            ("2026-01-02T00:00:00Z", "skip")
        );
        assert_eq!(decisions[0].steps, ["charge-payment"]);
    }

    #[test]
    fn a_record_that_cannot_be_answered_says_what_is_missing() {
        let mut record = undo_item("2026-01-01T00:00:00Z");
        record.remove("task_token");
        let error = sorted(&[record]).unwrap_err().to_string();
        assert_eq!(
            error,
            "the parked record o-1/undo order @ o-1 cannot be read: it has no text `task_token`"
        );
    }
}
