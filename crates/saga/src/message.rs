//! The wire formats: what the state machine, the functions and the topics say to each other.
//!
//! Every format carries [`WIRE_VERSION`]. Snapshot tests hold them still, because executions in flight outlive a
//! release.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use sha2::{Digest, Sha256};
use std::fmt;

/// The version of every message: `v`.
pub const WIRE_VERSION: u8 = 1;

/// The identity of one run of a saga: the name of its execution, the key of its fences, part of every idempotency
/// key. 1 to 80 letters, digits, `-` and `_`, as Step Functions allows for
/// [execution names](https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(extend("pattern" = "^[A-Za-z0-9_-]{1,80}$"))]
pub struct SagaId(String);

impl SagaId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SagaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for SagaId {
    type Error = SagaIdError;

    fn try_from(id: String) -> Result<Self, SagaIdError> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if (1..=80).contains(&id.len()) && id.chars().all(allowed) {
            Ok(Self(id))
        } else {
            Err(SagaIdError(id))
        }
    }
}

impl From<SagaId> for String {
    fn from(id: SagaId) -> Self {
        id.0
    }
}

/// Text that is not a saga id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a saga id: use 1 to 80 letters, digits, `-` and `_`")]
pub struct SagaIdError(String);

/// The key by which an outside peer recognises a repeated request: `<saga id>/<step>`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// The key of one step of one saga.
    pub fn new(saga_id: &SagaId, step: &str) -> Self {
        Self(format!("{saga_id}/{step}"))
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The saga whose step a peer knows by this key; `None` for a key of another step or of somebody else.
    pub fn saga_id_in(key: &str, step: &str) -> Option<SagaId> {
        let saga_id = key.strip_suffix(step)?.strip_suffix('/')?;
        SagaId::try_from(saga_id.to_owned()).ok()
    }
}

/// The input of an execution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StartInput {
    /// [`WIRE_VERSION`].
    pub v: u8,
    /// The saga id.
    pub id: SagaId,
    /// The saga's input value.
    pub input: Json,
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
}

impl Settling {
    /// The name of the execution that settles for the execution with this ARN. The same for the same ARN, so that
    /// settling begins once however often it is asked for; and within the 80 characters of a name.
    pub fn execution_name(saga_id: &SagaId, dead_execution_arn: &str) -> String {
        let shown: String = saga_id.as_str().chars().take(40).collect();
        let digest = Sha256::digest(dead_execution_arn.as_bytes());
        let hash: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        format!("{shown}-settle-{hash}")
    }
}

impl StartInput {
    /// The input of the execution that settles for one that had this input.
    pub fn settled(self, execution: impl Into<String>, status: impl Into<String>) -> Self {
        let attempt = self.settle.map_or(0, |before| before.attempt) + 1;
        let settling = Settling { execution: execution.into(), status: status.into(), attempt };
        Self { settle: Some(settling), ..self }
    }
}

/// A message from the state machine to a participant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Request {
    /// [`WIRE_VERSION`].
    pub v: u8,
    /// The saga's name.
    pub saga: String,
    /// The saga id.
    pub id: SagaId,
    /// The name of the execution that asks. It differs from the saga id when a settling execution acts for a saga.
    pub execution: String,
    /// The step's name.
    pub step: String,
    /// What to do.
    pub op: Op,
    /// How to answer.
    pub token: TaskToken,
    /// The values the step needs, by name; only with [`Op::Run`]. An undo and a settle go by the fence alone.
    pub input: Map<String, Json>,
    /// Why the saga compensates; only with [`Op::Undo`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

impl Request {
    /// Reads a message.
    ///
    /// # Errors
    /// Says what is wrong with it. Such a message can never be served and belongs in the dead-letter queue.
    pub fn decode(body: &str) -> Result<Self, Malformed> {
        let malformed = |error: serde_json::Error| Malformed::Json(error.to_string());
        // The version first: another version may have another shape.
        let Version { v } = serde_json::from_str(body).map_err(malformed)?;
        if v != WIRE_VERSION {
            return Err(Malformed::Version { given: v });
        }
        serde_json::from_str(body).map_err(malformed)
    }
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
}

impl Op {
    /// The wire name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Undo => "undo",
            Self::Settle => "settle",
        }
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
    pub saga: String,
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
    #[error("version {given} is not served: this release serves version {WIRE_VERSION}")]
    Version {
        /// The version given.
        given: u8,
    },
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

    const RUN: &str = r#"{"v":1,"saga":"order","id":"o-1","execution":"o-1","step":"pay","op":"run","token":"secret","input":{}}"#;

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
        insta::assert_snapshot!(told(r#"{"v":2,"shape":"unknown"}"#), @"version 2 is not served: this release serves version 1");
        insta::assert_snapshot!(told(r#"{"v":1}"#), @"not a request: missing field `saga` at line 1 column 7");
        insta::assert_snapshot!(told(&RUN.replace("run", "jump")), @"not a request: unknown variant `jump`, expected one of `run`, `undo`, `settle` at line 1 column 75");
        insta::assert_snapshot!(told(&RUN.replace("\"o-1\"", "\"o 1\"")), @"not a request: `o 1` is not a saga id: use 1 to 80 letters, digits, `-` and `_` at line 1 column 32");
    }

    #[test]
    fn a_saga_id_is_what_an_execution_name_can_be() {
        let longest = "a".repeat(80);
        for id in ["o", "Order_1-2", &longest] {
            assert_eq!(SagaId::try_from(id.to_owned()).map(String::from), Ok(id.to_owned()));
        }
        let too_long = "a".repeat(81);
        for id in ["", "o 1", "o/1", "o.1", "ö", "o\n", &too_long] {
            assert_eq!(SagaId::try_from(id.to_owned()), Err(SagaIdError(id.to_owned())));
        }
        let error = SagaId::try_from("o 1".to_owned()).unwrap_err();
        insta::assert_snapshot!(error, @"`o 1` is not a saga id: use 1 to 80 letters, digits, `-` and `_`");
    }

    #[test]
    fn a_token_never_shows() {
        let request = Request::decode(RUN).unwrap();
        let shown = format!("{request:?} {:?}", request.token);
        assert!(shown.contains("TaskToken(..)") && !shown.contains("secret"), "{shown}");
    }

    #[test]
    fn an_idempotency_key_names_saga_and_step() {
        let request = Request::decode(RUN).unwrap();
        assert_eq!(IdempotencyKey::new(&request.id, "pay").as_str(), "o-1/pay");
        assert_eq!(IdempotencyKey::saga_id_in("o-1/pay", "pay"), Some(request.id));
        for foreign in ["o-1/ship", "o-1pay", "/pay", "pay", "a/b/pay", "o 1/pay", "o-1/pay/again", ""] {
            assert_eq!(IdempotencyKey::saga_id_in(foreign, "pay"), None, "{foreign}");
        }
    }
}
