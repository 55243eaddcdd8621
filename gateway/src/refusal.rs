//! Everything the API answers that is not a success.

use axum::Json;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::behaviour::TokenError;
use crate::ledger::LedgerError;
use crate::wire::{DeclineReason, ErrorBody, ErrorCode, IDEMPOTENCY_KEY_HEADER};

/// A refused request; `Display` says what was given and what is allowed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("header {IDEMPOTENCY_KEY_HEADER} is missing: send one key per charge, the same on every retry")]
    KeyMissing,
    #[error("{name} is {given:?} ({} bytes): 1 to {max} printable ASCII characters are allowed", given.len())]
    Text { name: &'static str, given: String, max: usize },
    #[error("amount_minor is {given}: allowed are 1 to {max}, in minor units of the currency")]
    Amount { given: i64, max: i64 },
    #[error("currency is {given:?}: an ISO 4217 code of three capital letters is needed, like \"EUR\"")]
    Currency { given: String },
    #[error("limit is {given}: allowed are 1 to {max}")]
    Limit { given: usize, max: usize },
    #[error("the body is not a valid request: {0}")]
    Json(serde_json::Error),
    #[error("the body could not be read: {0}")]
    Body(BytesRejection),
    #[error("the query is not valid: {0}")]
    Query(QueryRejection),
    #[error(transparent)]
    Token(#[from] TokenError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error("declined: {0:?}; no money was taken")]
    Declined(DeclineReason),
    #[error("nothing was charged under the key {key:?}")]
    UnknownCharge { key: String },
    #[error("the gateway failed and charged nothing; try again with the same key")]
    Internal,
    #[error("there is no {method} {path}; the paths are listed in the gateway's documentation")]
    NotFound { method: String, path: String },
    #[error("{path} does not allow {method}")]
    MethodNotAllowed { method: String, path: String },
}

impl Refusal {
    fn status(&self) -> StatusCode {
        match self {
            Refusal::Declined(_) => StatusCode::PAYMENT_REQUIRED,
            Refusal::Ledger(LedgerError::KeyReused { .. } | LedgerError::Voided { .. }) => {
                StatusCode::CONFLICT
            }
            Refusal::Body(rejection) => rejection.status(),
            Refusal::UnknownCharge { .. } | Refusal::NotFound { .. } => StatusCode::NOT_FOUND,
            Refusal::MethodNotAllowed { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Refusal::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    fn code(&self) -> ErrorCode {
        match self {
            Refusal::Declined(_) => ErrorCode::Declined,
            Refusal::Ledger(LedgerError::KeyReused { .. }) => ErrorCode::IdempotencyKeyReused,
            Refusal::Ledger(LedgerError::Voided { .. }) => ErrorCode::Voided,
            Refusal::UnknownCharge { .. } => ErrorCode::UnknownCharge,
            Refusal::NotFound { .. } => ErrorCode::NotFound,
            Refusal::Internal => ErrorCode::InternalError,
            _ => ErrorCode::InvalidRequest,
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let reason = match self {
            Refusal::Declined(reason) => Some(reason),
            _ => None,
        };
        let body = ErrorBody { error: self.code(), message: self.to_string(), reason };
        (self.status(), Json(body)).into_response()
    }
}
