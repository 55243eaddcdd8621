//! Calls of the payment service to its gateway: refused, lost, late, and cut off by the caller's death.

use super::{Rate, Weather, accounts::Accounts, draw, kills::Victims, millis};
use crate::proxy::{Answer, Call, Fault, Judge};
use fastrand::Rng;
use gateway::{CHARGES_PATH, ErrorBody, ErrorCode, REVERSALS_PATH, ReversalRequest};
use hyper::StatusCode;
use serde_json::json;
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Refused,
    HungUp,
    AnswerLate,
    AnswerLost,
    DoneAndFailed,
    Held,
    KilledBefore,
    KilledAfter,
}

const RATES: [Rate<Kind>; 8] = [
    Rate { per_mille: 40, kind: Kind::Refused },
    Rate { per_mille: 40, kind: Kind::HungUp },
    Rate { per_mille: 70, kind: Kind::AnswerLate },
    Rate { per_mille: 70, kind: Kind::AnswerLost },
    Rate { per_mille: 30, kind: Kind::DoneAndFailed },
    Rate { per_mille: 25, kind: Kind::Held },
    Rate { per_mille: 10, kind: Kind::KilledBefore },
    Rate { per_mille: 20, kind: Kind::KilledAfter },
];

/// Judges calls to the gateway.
pub(crate) struct GatewayCalls {
    pub(crate) weather: Arc<Weather>,
    pub(crate) victims: Victims,
    /// The accounts to which nothing can be paid back, storm or not.
    pub(crate) accounts: Arc<Accounts>,
    pub(crate) rng: Mutex<Rng>,
}

impl Judge for GatewayCalls {
    fn judge(&self, call: &Call<'_>) -> Option<Fault> {
        let (method, path) = call.operation.split_once(' ')?;
        if path == REVERSALS_PATH && order_of(call).is_some_and(|id| self.accounts.is_closed(&id)) {
            self.weather.count("reversal: account closed");
            return Some(Fault::Refuse(failure(StatusCode::SERVICE_UNAVAILABLE)));
        }
        if !self.weather.rages() || method != "POST" {
            return None;
        }
        let mut rng = self.rng.lock().unwrap_or_else(PoisonError::into_inner);
        let fault = draw(&mut rng, &RATES).map(|kind| fault(&mut rng, kind));
        let what = match path {
            CHARGES_PATH => "charge",
            REVERSALS_PATH => "reversal",
            _ => "other gateway call",
        };
        self.weather.count_call(fault.as_ref().map(|(name, _)| format!("{what}: {name}")));
        fault.map(|(_, fault)| fault)
    }

    fn kill(&self, peer: SocketAddr) {
        self.victims.kill_peer(peer);
    }
}

fn fault(rng: &mut Rng, kind: Kind) -> (&'static str, Fault) {
    match kind {
        Kind::Refused => ("refused, not done", Fault::Refuse(failure(StatusCode::SERVICE_UNAVAILABLE))),
        Kind::HungUp => ("connection dropped, not done", Fault::HangUp),
        Kind::AnswerLate => ("answer late", Fault::DelayAnswer(millis(rng, 50..900))),
        Kind::AnswerLost => ("answer lost", Fault::LoseAnswer),
        Kind::DoneAndFailed => ("failed, but done", Fault::Deny(failure(StatusCode::INTERNAL_SERVER_ERROR))),
        Kind::Held => ("carried out late", Fault::Hold(millis(rng, 500..3_000))),
        Kind::KilledBefore => ("caller killed before", Fault::KillBefore),
        Kind::KilledAfter => ("caller killed after", Fault::KillAfter),
    }
}

/// The order whose charge is to be reversed: the key has it in its fourth place, before its run.
fn order_of(call: &Call<'_>) -> Option<String> {
    let ReversalRequest { idempotency_key } = serde_json::from_slice(call.body).ok()?;
    let id = idempotency_key.split('/').nth(3)?;
    Some(id.split('.').next().unwrap_or(id).to_owned())
}

fn failure(status: StatusCode) -> Answer {
    let body = ErrorBody { error: ErrorCode::InternalError, message: "chaos".to_owned(), reason: None };
    Answer { status, body: json!(body) }
}
