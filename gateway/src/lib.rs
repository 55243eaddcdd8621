//! A payment gateway that speaks HTTP: the outside effect of the order saga.
//!
//! It stands in for a provider in the demo and the tests, as a real peer over TCP: charges are idempotent by
//! key, a reversal refunds the charge of a key, and a payment token chooses how the gateway behaves, down to
//! taking the money and hanging up without an answer. State lives in memory, and in
//! a journal when the gateway is given one: it then outlives the process.
//!
//! | method and path | does | answers |
//! | --- | --- | --- |
//! | `POST /v1/charges` | charges once per `Idempotency-Key` | 201 first, 200 again, 402 declined, 409 key reused or reversed |
//! | `GET /v1/charges/{key}` | finds the charge of a key; its slashes may be percent-encoded or not | 200, 404 |
//! | `GET /v1/charges?since=&limit=` | lists the charges after a sequence number, also by `created_from_ms`, `created_before_ms` and `status` | 200 |
//! | `POST /v1/reversals` | refunds the charge of a key; a key without one is never charged from then on | 200, 404 |
//! | `GET /v1/calls/{key}` | how often a key was used, whatever became of the calls | 200 |
//! | `GET /v1/summary` | totals by currency | 200 |
//! | `POST /v1/admin/reset` | forgets everything | 204 |
//! | `GET /health` | is it up | 200 |
//!
//! Every refusal is an [`ErrorBody`]. The table of payment tokens is `TOKENS` (feature `server`).
//! `tests/behaviours.rs` shows each of them in use.
//!
//! Without its default features the crate is its wire types only; `client` adds [`client_builder`].

mod wire;

#[cfg(feature = "server")]
mod api;
#[cfg(feature = "server")]
mod behaviour;
#[cfg(feature = "client")]
mod client;
#[cfg(feature = "server")]
mod journal;
#[cfg(feature = "server")]
mod ledger;
#[cfg(feature = "server")]
mod refusal;
#[cfg(feature = "server")]
mod server;

pub use wire::{
    CALLS_PATH, CHARGES_PATH, Charge, ChargePage, ChargeQuery, ChargeRequest, ChargeStatus, CurrencyTotals,
    DeclineReason, ErrorBody, ErrorCode, HEALTH_PATH, IDEMPOTENCY_KEY_HEADER, KeyCalls, RESET_PATH,
    REVERSALS_PATH, ReversalRequest, SUMMARY_PATH, Summary,
};

#[cfg(feature = "client")]
pub use client::client_builder;

#[cfg(feature = "server")]
pub use {
    behaviour::{Behaviour, TOKENS, Token, TokenError},
    journal::JournalError,
    server::{Gateway, GatewayError, serve},
};
