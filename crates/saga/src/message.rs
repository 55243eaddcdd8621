//! The wire formats: what the state machine, the functions and the topics say to each other.
//!
//! Every format carries [`WIRE_VERSION`]. Snapshot tests hold them still, because executions in flight outlive a
//! release.

use crate::{
    fence::FenceState,
    identity::{ItemId, RunDigest, SagaId, SagaName},
    redact::redacted,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use sha2::{Digest, Sha256};
use std::fmt;

/// The version of every message that is sent: `v`. Version 1 had no `run`, no `item` and no `abandon`.
pub const WIRE_VERSION: u8 = 2;

/// The first version whose messages are still read: those of executions in flight.
pub const OLDEST_WIRE_VERSION: u8 = 1;

/// The first version whose messages say which run they are of.
const FIRST_WITH_RUNS: u8 = 2;

/// The input of an execution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StartInput {
    /// [`WIRE_VERSION`]; an execution that settles has that of the execution that died, and what it sends too.
    pub v: u8,
    /// The saga id.
    pub id: SagaId,
    /// Which run of this id: the digest of `input`. An execution that settles has the one of the execution that died.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunDigest>,
    /// The saga's input value.
    pub input: Json,
    /// The digest of what the saga was asked for with, as it came: of an event, say. A later release may read more of
    /// the same event than the one that started the saga, and knows by this that it is the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<RunDigest>,
    /// Only when the execution settles a saga whose execution died.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settle: Option<Settling>,
}

/// What a settling execution acts for: an execution that ended without an outcome. It asks the fence of the pivot, by
/// asking decides it, and finishes the saga forward or backward.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settling {
    /// The name of the execution that ended.
    pub execution: String,
    /// How it ended: `FAILED`, `TIMED_OUT` or `ABORTED`.
    pub status: String,
    /// Which attempt to settle the saga this is, from 1: a settling execution can end in the same way.
    pub attempt: u32,
    /// Its turn among the executions that acted for the saga, when that is not the attempt: somebody had an execution run
    /// again, whose turns are counted from a thousand on, and it died again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<u32>,
}

/// What a redrive adds to the turn of an execution: more than there are attempts to settle a saga.
pub(crate) const TURNS_A_REDRIVE: u32 = 1_000;

impl Settling {
    /// The name of the execution that settles for the execution with this ARN. The same for the same ARN, so that
    /// settling begins once however often it is asked for; within the 80 characters of a name; and never a saga id,
    /// which has no `.` in it.
    pub fn execution_name(saga_id: &SagaId, dead_execution_arn: &str) -> String {
        let shown: String = saga_id.as_str().chars().take(40).collect();
        let digest = Sha256::digest(dead_execution_arn.as_bytes());
        let hash: String = digest.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
        format!("{shown}.settle-{hash}")
    }
}

impl StartInput {
    /// The input of the execution that begins a saga.
    ///
    /// Its texts go on into the messages of the saga. Whoever takes them from outside refuses what a queue does not carry
    /// (on SQS U+FFFE, U+FFFF and most control characters): nothing can be escaped on the way, and no step would be asked.
    pub fn begin(id: SagaId, input: Json) -> Self {
        Self { v: WIRE_VERSION, id, run: Some(RunDigest::of(&input)), input, asked: None, settle: None }
    }

    /// The same, asked for with what has this digest.
    #[must_use]
    pub fn asked_with(self, asked: RunDigest) -> Self {
        Self { asked: Some(asked), ..self }
    }

    /// The input of the execution that settles for one that had this input, and was run again so often when it died.
    pub fn settled(self, execution: impl Into<String>, status: impl Into<String>, redrives: u32) -> Self {
        let (attempts, turn) =
            self.settle.map_or((0, 0), |before| (before.attempt, before.turn.unwrap_or(before.attempt)));
        let attempt = attempts.saturating_add(1);
        let turn = turn.saturating_add(redrives.saturating_mul(TURNS_A_REDRIVE)).saturating_add(1);
        let turn = (turn != attempt).then_some(turn);
        let settling = Settling { execution: execution.into(), status: status.into(), attempt, turn };
        Self { settle: Some(settling), ..self }
    }
}

/// A message from the state machine to a participant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Request {
    /// [`WIRE_VERSION`].
    pub v: u8,
    /// The saga's name.
    // Version 1 was described as taking any text, though synth let no other names through.
    #[schemars(with = "String")]
    pub saga: SagaName,
    /// The saga id.
    pub id: SagaId,
    /// Which run of this id; unknown in version 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunDigest>,
    /// The name of the execution that asks. It differs from the saga id when a settling execution acts for a saga.
    pub execution: String,
    /// The step's name.
    pub step: String,
    /// Which item, where the step runs once for each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<ItemId>,
    /// What to do.
    pub op: Op,
    /// How to answer.
    pub token: TaskToken,
    /// The values the step needs, by name; only with [`Op::Run`]. An undo and a settle go by the fence alone.
    pub input: Map<String, Json>,
    /// Why the saga compensates; only with [`Op::Undo`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// Which of the executions that act for the saga asks, in the order of time, see [`fence::Recorded::turn`]; with
    /// [`Op::Undo`] and [`Op::Abandon`].
    ///
    /// [`fence::Recorded::turn`]: crate::fence::Recorded::turn
    #[serde(default, skip_serializing_if = "is_first")]
    pub turn: u32,
    /// What a missing fence means; with [`Op::Settle`], and with an [`Op::Run`] that recalls what was done.
    #[serde(default, skip_serializing_if = "IfAbsent::is_default")]
    pub if_absent: IfAbsent,
}

impl Request {
    /// Reads a message.
    ///
    /// # Errors
    /// Says what is wrong with it. Such a message can never be served and belongs in the dead-letter queue.
    pub fn decode(body: &str) -> Result<Self, Malformed> {
        let malformed = |error: serde_json::Error| Malformed::Json(redacted(&error.to_string()).into_owned());
        // The version first: another version may have another shape.
        let Version { v } = serde_json::from_str(body).map_err(malformed)?;
        if !(OLDEST_WIRE_VERSION..=WIRE_VERSION).contains(&v) {
            return Err(Malformed::Version { given: v });
        }
        let request: Self = serde_json::from_str(body).map_err(malformed)?;
        if v >= FIRST_WITH_RUNS && request.run.is_none() {
            return Err(Malformed::NoRun);
        }
        Ok(request)
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_first(turn: &u32) -> bool {
    *turn == 0
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_false(given: &bool) -> bool {
    !given
}

#[derive(Deserialize)]
struct Version {
    v: u8,
}

/// What a participant is asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Op {
    /// Do the step.
    Run,
    /// Undo the step, whether or not it was done.
    Undo,
    /// Say for good whether the pivot was done.
    Settle,
    /// Never do or undo the step any more, whatever became of it: an operator has decided.
    Abandon,
}

impl Op {
    /// The wire name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Undo => "undo",
            Self::Settle => "settle",
            Self::Abandon => "abandon",
        }
    }
}

/// What it means that a fence is not there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IfAbsent {
    /// The pivot was not done, and by asking that is decided for good; a step is to be done.
    #[default]
    Decide,
    /// Nobody knows: it was there before, and may have expired. It is left to an operator.
    Refuse,
}

impl IfAbsent {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// A Step Functions task token. Whoever has it can answer for a step, so it never shows in logs.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct TaskToken(String);

impl TaskToken {
    /// Wraps a token.
    pub fn new(token: impl Into<String>) -> Self {
        Self(token.into())
    }

    /// The token itself, to be sent to Step Functions and nowhere else.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for TaskToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TaskToken(..)")
    }
}

/// Why a saga compensates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reason {
    /// The step that was rejected or whose outcome is unknown.
    pub step: String,
    /// The rejection's wire name, or the error's (`States.Timeout`).
    pub error: String,
    /// The rejection as JSON text, or the error's cause.
    pub cause: String,
}

/// The answer to [`Op::Settle`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SettleReply {
    /// Where the saga goes.
    pub direction: Direction,
    /// The pivot's output, when forward.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Json>,
    /// The recorded rejection's name, when backward because of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The recorded rejection, when backward because of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
}

/// The answer to [`Op::Abandon`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AbandonReply {
    /// What had become of the step until then; absent when nothing was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was: Option<FenceState>,
    /// Whether an execution that came later has undone the step, so that nothing is skipped.
    #[serde(default, skip_serializing_if = "is_false")]
    pub undone_since: bool,
}

/// The error of the [`Reason`] why a saga compensates whose execution died before its pivot was done.
pub const RESCUED: &str = "Flyover.Rescued";

/// Where a settled saga goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// The pivot was done: finish.
    Forward,
    /// The pivot was not done and never will be: undo.
    Backward,
}

/// A published notice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NoticeMessage {
    /// [`WIRE_VERSION`].
    pub v: u8,
    /// The notice's name, for filter policies on the message body.
    #[serde(rename = "type")]
    pub notice: String,
    /// The saga's name.
    // As in a request.
    #[schemars(with = "String")]
    pub saga: SagaName,
    /// The saga id.
    pub id: SagaId,
    /// The values it carries, by name.
    pub input: Map<String, Json>,
    /// Why the saga was compensated; only then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

/// Why a message can never be served.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// It is not the JSON of a request.
    #[error("not a request: {0}")]
    Json(String),
    /// It is of another version.
    #[error("version {given} is not served: this release serves {OLDEST_WIRE_VERSION} to {WIRE_VERSION}")]
    Version {
        /// The version given.
        given: u8,
    },
    /// It does not say of which run it is.
    #[error(
        "it has no `run`, so what another order under this id left behind could be taken for its own: start the execution \
         with `run`, the digest of its input, as `StartInput::begin` does"
    )]
    NoRun,
    /// The step is not one of this participant's.
    #[error("step `{given}` is not served here: this participant owns {owned:?}")]
    Step {
        /// The step given.
        given: String,
        /// The steps it owns.
        owned: &'static [&'static str],
    },
    /// The operation does not exist for this kind of step.
    #[error("step `{step}` has no `{op}`")]
    Op {
        /// The step.
        step: &'static str,
        /// The operation given.
        op: &'static str,
    },
    /// The input does not fit the step.
    #[error("step `{step}`: {why}")]
    Input {
        /// The step.
        step: &'static str,
        /// What does not fit.
        why: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN: &str = r#"{"v":2,"saga":"order","id":"o-1","run":"00112233445566778899aabbccddeeff","execution":"o-1","step":"pay","op":"run","token":"secret","input":{}}"#;

    #[test]
    fn a_request_is_read() {
        let request = Request::decode(RUN).unwrap();
        assert_eq!((request.step.as_str(), request.op, request.token.expose()), ("pay", Op::Run, "secret"));
    }

    #[test]
    fn what_is_wrong_with_a_request_is_told() {
        let told = |body: &str| Request::decode(body).unwrap_err().to_string();
        insta::assert_snapshot!(told("hello"), @"not a request: expected value at line 1 column 1");
        insta::assert_snapshot!(told("{}"), @"not a request: missing field `v` at line 1 column 2");
        insta::assert_snapshot!(told(r#"{"v":3,"shape":"unknown"}"#), @"version 3 is not served: this release serves 1 to 2");
        insta::assert_snapshot!(told(r#"{"v":1}"#), @"not a request: missing field `saga` at line 1 column 7");
        insta::assert_snapshot!(told(&RUN.replace("run", "jump")), @"not a request: unknown variant …, expected one of `run`, `undo`, `settle`, `abandon` at line 1 column 117");
        insta::assert_snapshot!(told(&RUN.replace("\"o-1\"", "\"o 1\"")), @"not a request: … at line 1 column 32");
    }

    #[test]
    fn a_request_of_version_1_is_read() {
        let request = Request::decode(r#"{"v":1,"saga":"order","id":"o-1","execution":"o-1","step":"pay","op":"settle","token":"secret","input":{}}"#).unwrap();
        assert_eq!((request.run, request.item, request.if_absent), (None, None, IfAbsent::Decide));
        let start: StartInput = serde_json::from_str(r#"{"v":1,"id":"o-1","input":{}}"#).unwrap();
        let settling = start.settled("o-1", "ABORTED", 0);
        assert_eq!((settling.v, settling.run), (1, None));
    }

    #[test]
    fn a_token_never_shows() {
        let request = Request::decode(RUN).unwrap();
        let shown = format!("{request:?} {:?}", request.token);
        assert!(shown.contains("TaskToken(..)") && !shown.contains("secret"), "{shown}");
    }
}
