//! What travels over the wire. Field names and enum values are the API: `tests/behaviours.rs` pins them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The header that carries the idempotency key of a charge.
pub const IDEMPOTENCY_KEY_HEADER: &str = "idempotency-key";
/// `POST` charges, `GET` lists charges; with `/{key}` behind it, `GET` finds one charge.
pub const CHARGES_PATH: &str = "/v1/charges";
/// `POST` refunds the charge of a key.
pub const REVERSALS_PATH: &str = "/v1/reversals";
/// With `/{key}` behind it, `GET` answers how often a key was used.
pub const CALLS_PATH: &str = "/v1/calls";
/// `GET` answers totals by currency.
pub const SUMMARY_PATH: &str = "/v1/summary";
/// `POST` forgets everything.
pub const RESET_PATH: &str = "/v1/admin/reset";
/// `GET` answers whether the gateway is up.
pub const HEALTH_PATH: &str = "/health";

/// The body of `POST /v1/charges`; its key is in [`IDEMPOTENCY_KEY_HEADER`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChargeRequest {
    /// The amount in minor units of the currency (cents); 1 or more.
    pub amount_minor: i64,
    /// ISO 4217 code: three capital letters.
    pub currency: String,
    /// What to charge; in this gateway it also chooses the behaviour.
    pub payment_token: String,
    /// The caller's own reference, shown back with the charge.
    pub reference: String,
}

/// The body of `POST /v1/reversals`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReversalRequest {
    /// The key of the charge to refund.
    pub idempotency_key: String,
}

/// One charge: what `POST /v1/charges`, `GET /v1/charges/{key}` and `POST /v1/reversals` answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charge {
    /// The gateway's own name of the charge.
    pub charge_id: String,
    /// The key under which the caller asked for it.
    pub idempotency_key: String,
    /// Its place in the order of all charges, from 1: the cursor of the listing.
    pub sequence: u64,
    /// The amount in minor units of the currency.
    pub amount_minor: i64,
    /// ISO 4217 code.
    pub currency: String,
    /// The caller's own reference.
    pub reference: String,
    /// When the money was taken, in milliseconds since 1970.
    pub created_at_ms: u64,
    /// Whether the money is still with the merchant.
    pub status: ChargeStatus,
}

/// Where the money of a charge is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChargeStatus {
    /// Taken from the customer.
    Charged,
    /// Given back in full.
    Refunded,
}

/// The query of `GET /v1/charges`: every member narrows the listing, none is needed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ChargeQuery {
    /// Only charges after this sequence number. Default: from the first.
    pub since: u64,
    /// The most charges of the page, 1 to 1000. Default: 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// Only charges taken at this time or later, in milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_from_ms: Option<u64>,
    /// Only charges taken before this time, in milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_before_ms: Option<u64>,
    /// Only charges of this status, as it is now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<ChargeStatus>,
}

/// What `GET /v1/charges` answers to a [`ChargeQuery`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChargePage {
    /// The charges in the order in which they were taken.
    pub charges: Vec<Charge>,
    /// The `since` of the next page; the same as asked when there was nothing new.
    pub next_since: u64,
}

/// What `GET /v1/calls/{key}` answers: calls are counted whatever became of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyCalls {
    /// The key asked about.
    pub idempotency_key: String,
    /// Calls to charge with this key.
    pub charge_calls: u64,
    /// Calls to reverse with this key.
    pub reversal_calls: u64,
}

/// What `GET /v1/summary` answers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Totals by ISO 4217 code.
    pub currencies: BTreeMap<String, CurrencyTotals>,
}

/// Totals of one currency.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CurrencyTotals {
    /// Everything that was charged, in minor units.
    pub charged_minor: i64,
    /// Everything that was refunded, in minor units.
    pub refunded_minor: i64,
    /// Charged less refunded, in minor units.
    pub net_minor: i64,
    /// How many charges were taken.
    pub charges: u64,
    /// How many of them were refunded.
    pub refunds: u64,
    /// How many calls found their charge already taken and took nothing.
    pub duplicates_answered: u64,
}

/// The body of every answer that is not a success.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// What went wrong, for a program.
    pub error: ErrorCode,
    /// What went wrong, what was given and what is allowed, for a person.
    pub message: String,
    /// Why the charge was declined; only with [`ErrorCode::Declined`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<DeclineReason>,
}

/// What went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// 402: no money was taken, and none will be under this key.
    Declined,
    /// 409: the key already stands for a different charge.
    IdempotencyKeyReused,
    /// 409: the key was reversed before it was charged, and is charged no more.
    Voided,
    /// 400, 405 or 413: the request cannot be understood or is out of bounds.
    InvalidRequest,
    /// 404: there is no such path.
    NotFound,
    /// 404: nothing was charged under this key.
    UnknownCharge,
    /// 500: the gateway failed; nothing was charged by this call.
    InternalError,
}

/// Why a charge was declined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeclineReason {
    /// The account does not hold the amount.
    InsufficientFunds,
    /// A reason that this version of the types does not know.
    #[serde(other)]
    Other,
}
