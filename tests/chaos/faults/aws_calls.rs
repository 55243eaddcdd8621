//! Calls of the functions to AWS: throttled, refused, failed, lost, late, and cut off by the caller's death. And for a while
//! others are always at the item that everybody wants.
//!
//! DynamoDB's refusals are those that its documentation calls worth another try:
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html>.

use super::{Rate, Weather, draw, kills::Victims, millis};
use crate::proxy::{Answer, Call, Fault, Judge};
use fastrand::Rng;
use hyper::StatusCode;
use serde_json::{Value as Json, json};
use std::{
    net::SocketAddr,
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Throttled,
    Failed,
    HungUp,
    AnswerLate,
    AnswerLost,
    DoneAndFailed,
    Held,
    KilledBefore,
    KilledAfter,
}

const RATES: [Rate<Kind>; 9] = [
    Rate { per_mille: 65, kind: Kind::Throttled },
    Rate { per_mille: 20, kind: Kind::Failed },
    Rate { per_mille: 20, kind: Kind::HungUp },
    Rate { per_mille: 55, kind: Kind::AnswerLate },
    Rate { per_mille: 30, kind: Kind::AnswerLost },
    Rate { per_mille: 20, kind: Kind::DoneAndFailed },
    Rate { per_mille: 10, kind: Kind::Held },
    Rate { per_mille: 4, kind: Kind::KilledBefore },
    Rate { per_mille: 6, kind: Kind::KilledAfter },
];

/// Of a thousand transactions on the item that everybody wants, how many are the first for which it is hot, and how long it
/// stays so: for some longer than a message is delivered.
const HOT_PER_MILLE: u32 = 8;
const HOT_MILLIS: Range<u64> = 5_000..45_000;

/// Judges calls to AWS.
pub(crate) struct AwsCalls {
    /// What everybody wants: in the key of one item.
    pub(crate) wanted: String,
    /// Until when it is hot.
    pub(crate) hot: Mutex<Option<Instant>>,
    pub(crate) weather: Arc<Weather>,
    pub(crate) victims: Victims,
    pub(crate) rng: Mutex<Rng>,
}

impl Judge for AwsCalls {
    fn judge(&self, call: &Call<'_>) -> Option<Fault> {
        if !self.weather.rages() {
            return None;
        }
        let mut rng = self.rng.lock().unwrap_or_else(PoisonError::into_inner);
        let fault = if self.is_hot(&mut rng, call) {
            Some(("hot item", Fault::Refuse(conflict(&mut rng, call.body))))
        } else {
            draw(&mut rng, &RATES).map(|kind| fault(&mut rng, kind, call))
        };
        let service = Service::of(call.operation);
        self.weather.count_call(fault.as_ref().map(|(name, _)| format!("{}: {name}", service.name())));
        fault.map(|(_, fault)| fault)
    }

    fn kill(&self, peer: SocketAddr) {
        self.victims.kill_peer(peer);
    }
}

impl AwsCalls {
    /// Whether others are at an item of this transaction.
    fn is_hot(&self, rng: &mut Rng, call: &Call<'_>) -> bool {
        if call.operation != "TransactWriteItems"
            || !String::from_utf8_lossy(call.body).contains(&self.wanted)
        {
            return false;
        }
        let mut hot = self.hot.lock().unwrap_or_else(PoisonError::into_inner);
        if hot.is_none_or(|until| until < Instant::now()) {
            *hot = (rng.u32(0..1000) < HOT_PER_MILLE).then(|| {
                self.weather.count("item hot for a while");
                Instant::now() + millis(rng, HOT_MILLIS)
            });
        }
        hot.is_some()
    }
}

/// The name of a fault and what is done.
fn fault(rng: &mut Rng, kind: Kind, call: &Call<'_>) -> (&'static str, Fault) {
    match kind {
        Kind::Throttled => throttled(rng, call),
        Kind::Failed => ("failed, not done", Fault::Refuse(failed())),
        Kind::HungUp => ("connection dropped, not done", Fault::HangUp),
        Kind::AnswerLate => ("answer late", Fault::DelayAnswer(millis(rng, 20..400))),
        Kind::AnswerLost => ("answer lost", Fault::LoseAnswer),
        Kind::DoneAndFailed => ("failed, but done", Fault::Deny(failed())),
        // Longer than the caller waits: it has tried again, or is gone, when this one is carried out.
        Kind::Held => ("carried out late", Fault::Hold(millis(rng, 2_200..6_000))),
        Kind::KilledBefore => ("caller killed before", Fault::KillBefore),
        Kind::KilledAfter => ("caller killed after", Fault::KillAfter),
    }
}

fn throttled(rng: &mut Rng, call: &Call<'_>) -> (&'static str, Fault) {
    let refuse = |code: &str| Fault::Refuse(refusal(StatusCode::BAD_REQUEST, code));
    match Service::of(call.operation) {
        Service::DynamoDb if call.operation == "TransactWriteItems" && rng.bool() => {
            ("transaction conflict", Fault::Refuse(conflict(rng, call.body)))
        }
        Service::DynamoDb if rng.bool() => {
            ("throughput exceeded", refuse("ProvisionedThroughputExceededException"))
        }
        Service::DynamoDb | Service::StepFunctions => ("throttled", refuse("ThrottlingException")),
        Service::Other => {
            ("throttled", Fault::Refuse(refusal(StatusCode::TOO_MANY_REQUESTS, "TooManyRequestsException")))
        }
    }
}

fn failed() -> Answer {
    refusal(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError")
}

fn refusal(status: StatusCode, code: &str) -> Answer {
    Answer { status, body: json!({ "__type": code, "message": "chaos" }) }
}

/// Another transaction is at one of the items.
fn conflict(rng: &mut Rng, body: &[u8]) -> Answer {
    let request: Json = serde_json::from_slice(body).unwrap_or_default();
    let items = request["TransactItems"].as_array().map_or(1, |items| items.len().max(1));
    let met = rng.usize(0..items);
    let code = |n| if n == met { "TransactionConflict" } else { "None" };
    let reasons: Vec<Json> = (0..items).map(|n| json!({ "Code": code(n) })).collect();
    let code = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException";
    let body = json!({ "__type": code, "Message": "chaos", "CancellationReasons": reasons });
    Answer { status: StatusCode::BAD_REQUEST, body }
}

enum Service {
    DynamoDb,
    StepFunctions,
    Other,
}

impl Service {
    fn of(operation: &str) -> Self {
        match operation {
            "GetItem" | "PutItem" | "TransactWriteItems" | "UpdateItem" | "DeleteItem" | "Query" | "Scan"
            | "BatchGetItem" | "BatchWriteItem" | "TransactGetItems" => Self::DynamoDb,
            "SendTaskSuccess" | "SendTaskFailure" | "StartExecution" | "DescribeExecution" => {
                Self::StepFunctions
            }
            _ => Self::Other,
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::DynamoDb => "DynamoDB call",
            Self::StepFunctions => "Step Functions call",
            Self::Other => "other AWS call",
        }
    }
}
