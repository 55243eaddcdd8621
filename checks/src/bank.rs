//! The payment gateway in memory: the decisions of `gateway`, as a pure function.

use gateway::{Charge, ChargeRequest, ChargeStatus};
use payment::{Asked, Gateway, PeerError};
use saga::IdempotencyKey;
use saga_check::{Outside, Peer};
use serde_json::{Value as Json, json};

/// Decides on each key once: it charges, or, where it may, declines. Then it answers the same for good. As the gateway
/// of the demo, it voids a key that is reversed before it was charged.
#[derive(Debug, Clone, Copy)]
pub struct Bank {
    /// It may decline.
    pub declines: bool,
    /// It forgets the reversal of a key that it has not charged, as other gateways do.
    pub forgets: bool,
}

const CHARGED: &str = "charged";
const REFUNDED: &str = "refunded";
const DECLINED: &str = "declined";
const VOIDED: &str = "voided";

impl Peer for Bank {
    fn start(&self) -> Json {
        json!({})
    }

    fn take(&self, memory: &Json, request: &Json) -> Vec<(Json, Json)> {
        let key = request["key"].as_str().unwrap_or_default();
        let decided = |status: &str| {
            let mut after = memory.clone();
            after[key] = json!({ "status": status, "amount": request["amount"] });
            (after, json!(status))
        };
        match (request["what"].as_str(), memory[key]["status"].as_str()) {
            (Some("charge"), None) if self.declines => vec![decided(CHARGED), decided(DECLINED)],
            (Some("charge"), None) => vec![decided(CHARGED)],
            (Some("charge"), Some(status)) => vec![(memory.clone(), json!(status))],
            (_, Some(CHARGED)) => {
                let mut after = memory.clone();
                after[key]["status"] = json!(REFUNDED);
                vec![(after, json!(REFUNDED))]
            }
            (_, None) if !self.forgets => vec![decided(VOIDED)],
            (_, status) => vec![(memory.clone(), json!(status))],
        }
    }
}

impl Bank {
    /// A bank as the demo's gateway, which may decline.
    pub const DECLINES: Self = Self { declines: true, forgets: false };
    /// As that, but it forgets the reversal of a key that it has not charged.
    pub const FORGETS: Self = Self { declines: true, forgets: true };

    /// The keys under which it keeps money.
    pub fn charged(memory: &Json) -> Vec<String> {
        let charges = memory.as_object().into_iter().flatten();
        charges.filter(|(_, charge)| charge["status"] == CHARGED).map(|(key, _)| key.clone()).collect()
    }

    /// What it keeps, in minor units.
    pub fn kept(memory: &Json) -> i64 {
        let charges = memory.as_object().into_iter().flatten();
        charges
            .filter(|(_, charge)| charge["status"] == CHARGED)
            .filter_map(|(_, charge)| charge["amount"].as_i64())
            .sum()
    }
}

/// Reaches the [`Bank`] of the check.
#[derive(Debug, Clone)]
pub struct BankClient(pub Outside);

impl Gateway for BankClient {
    async fn charge(&self, key: &IdempotencyKey, request: &ChargeRequest) -> Result<Asked, PeerError> {
        let asked = json!({ "what": "charge", "key": key.as_str(), "amount": request.amount_minor });
        let answer = self.0.call(asked).await.ok_or(PeerError::Lost("no answer came"))?;
        let status = match answer.as_str() {
            Some(DECLINED) => return Ok(Asked::Declined { reason: "insufficient_funds".into() }),
            Some(VOIDED) => return Ok(Asked::Declined { reason: VOIDED.into() }),
            Some(REFUNDED) => ChargeStatus::Refunded,
            _ => ChargeStatus::Charged,
        };
        Ok(Asked::Charged(Charge {
            charge_id: format!("ch {}", key.as_str()),
            idempotency_key: key.as_str().to_owned(),
            sequence: 1,
            created_at_ms: 0,
            amount_minor: request.amount_minor,
            currency: request.currency.clone(),
            reference: request.reference.clone(),
            status,
        }))
    }

    async fn reverse(&self, key: &IdempotencyKey) -> Result<(), PeerError> {
        let asked = json!({ "what": "reverse", "key": key.as_str() });
        self.0.call(asked).await.map(|_| ()).ok_or(PeerError::Lost("no answer came"))
    }
}
