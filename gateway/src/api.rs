//! The routes: checks what comes in, asks the ledger, and behaves as the payment token says.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::de::DeserializeOwned;

use crate::behaviour::{Behaviour, Conduct, Verdict};
use crate::journal::Book;
use crate::ledger::Decision;
use crate::refusal::Refusal;
use crate::wire::{
    CALLS_PATH, CHARGES_PATH, Charge, ChargePage, ChargeQuery, ChargeRequest, HEALTH_PATH,
    IDEMPOTENCY_KEY_HEADER, KeyCalls, RESET_PATH, REVERSALS_PATH, ReversalRequest, SUMMARY_PATH, Summary,
};

const AMOUNT_MAX_MINOR: i64 = 1_000_000_000_000;
const TEXT_MAX_CHARS: usize = 255;
const BODY_MAX_BYTES: usize = 16 * 1024;
const PAGE_DEFAULT: usize = 100;
const PAGE_MAX: usize = 1_000;

/// Marks a response that must not be sent: the server closes the connection instead.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HangUp;

type Shared = Arc<Mutex<Book>>;

/// The API of a book.
pub(crate) fn router(book: Book) -> Router {
    let keyed = |path: &str| format!("{path}/{{*key}}");
    Router::new()
        .route(CHARGES_PATH, post(charge).get(list_charges))
        .route(&keyed(CHARGES_PATH), get(find_charge))
        .route(REVERSALS_PATH, post(reverse))
        .route(&keyed(CALLS_PATH), get(calls))
        .route(SUMMARY_PATH, get(summary))
        .route(RESET_PATH, post(reset))
        .route(HEALTH_PATH, get(async || Json(serde_json::json!({ "status": "ok" }))))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(DefaultBodyLimit::max(BODY_MAX_BYTES))
        .with_state(Arc::new(Mutex::new(book)))
}

async fn charge(
    State(shared): State<Shared>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refusal> {
    let key = key_of(&headers)?;
    let request: ChargeRequest = json(body)?;
    check_amount(request.amount_minor)?;
    check_currency(&request.currency)?;
    check_text("reference", &request.reference)?;
    let behaviour = Behaviour::of_token(&request.payment_token)?;

    let nth = book(&shared).count_charge_call(&key)?;
    let conduct = behaviour.on_call(nth);
    let remembered = book(&shared).recall(&key, &request)?;
    let answer = match remembered {
        Some(decision) => answer_of(decision, StatusCode::OK)?,
        None if conduct.delay.is_zero() => decide(&shared, &key, request, conduct)?,
        None => decide_later(shared, key, request, conduct).await?,
    };
    Ok(if conduct.answers { answer } else { hang_up() })
}

/// Decides in a task of its own, so that a caller who hangs up cannot call the charge off.
async fn decide_later(
    shared: Shared,
    key: String,
    request: ChargeRequest,
    conduct: Conduct,
) -> Result<Response, Refusal> {
    let task = tokio::spawn(async move {
        tokio::time::sleep(conduct.delay).await;
        decide(&shared, &key, request, conduct)
    });
    task.await.unwrap_or(Err(Refusal::Internal))
}

fn decide(shared: &Shared, key: &str, request: ChargeRequest, conduct: Conduct) -> Result<Response, Refusal> {
    let mut book = book(shared);
    // Another call with the key may have been decided meanwhile: looking and deciding are under one lock.
    if let Some(decision) = book.recall(key, &request)? {
        return answer_of(decision, StatusCode::OK);
    }
    match conduct.verdict {
        Verdict::Approve => {
            answer_of(Decision::Charged(book.charge(key, request, now_ms())?), StatusCode::CREATED)
        }
        Verdict::Decline => answer_of(Decision::Declined(book.decline(key, request)?), StatusCode::CREATED),
        Verdict::Fail => Err(Refusal::Internal),
    }
}

fn answer_of(decision: Decision, charged: StatusCode) -> Result<Response, Refusal> {
    match decision {
        Decision::Charged(charge) => Ok((charged, Json(charge)).into_response()),
        Decision::Declined(reason) => Err(Refusal::Declined(reason)),
    }
}

fn hang_up() -> Response {
    let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
    response.extensions_mut().insert(HangUp);
    response
}

async fn reverse(
    State(shared): State<Shared>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Charge>, Refusal> {
    let ReversalRequest { idempotency_key: key } = json(body)?;
    check_text("idempotency_key", &key)?;
    let reversed = book(&shared).reverse(&key)?;
    reversed.map(Json).ok_or(Refusal::UnknownCharge { key })
}

async fn find_charge(State(shared): State<Shared>, Path(key): Path<String>) -> Result<Json<Charge>, Refusal> {
    let found = book(&shared).find(&key);
    found.map(Json).ok_or(Refusal::UnknownCharge { key })
}

async fn list_charges(
    State(shared): State<Shared>,
    query: Result<Query<ChargeQuery>, QueryRejection>,
) -> Result<Json<ChargePage>, Refusal> {
    let Query(query) = query.map_err(Refusal::Query)?;
    let limit = query.limit.unwrap_or(PAGE_DEFAULT);
    if !(1..=PAGE_MAX).contains(&limit) {
        return Err(Refusal::Limit { given: limit, max: PAGE_MAX });
    }
    Ok(Json(book(&shared).page(&query, limit)))
}

async fn calls(State(shared): State<Shared>, Path(key): Path<String>) -> Json<KeyCalls> {
    Json(book(&shared).calls(&key))
}

async fn summary(State(shared): State<Shared>) -> Json<Summary> {
    Json(book(&shared).summary())
}

async fn reset(State(shared): State<Shared>) -> Result<StatusCode, Refusal> {
    book(&shared).reset()?;
    Ok(StatusCode::NO_CONTENT)
}

async fn not_found(method: Method, uri: Uri) -> Refusal {
    Refusal::NotFound { method: method.to_string(), path: uri.path().to_owned() }
}

async fn method_not_allowed(method: Method, uri: Uri) -> Refusal {
    Refusal::MethodNotAllowed { method: method.to_string(), path: uri.path().to_owned() }
}

/// The clock of this machine, in milliseconds since 1970.
fn now_ms() -> u64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX)
}

/// No code under this lock panics half-way, so a poisoned book is still a whole one.
fn book(shared: &Shared) -> MutexGuard<'_, Book> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

fn json<T: DeserializeOwned>(body: Result<Bytes, BytesRejection>) -> Result<T, Refusal> {
    serde_json::from_slice(&body.map_err(Refusal::Body)?).map_err(Refusal::Json)
}

fn key_of(headers: &HeaderMap) -> Result<String, Refusal> {
    let given = headers.get(IDEMPOTENCY_KEY_HEADER).ok_or(Refusal::KeyMissing)?;
    let key = String::from_utf8_lossy(given.as_bytes()).into_owned();
    check_text(IDEMPOTENCY_KEY_HEADER, &key)?;
    Ok(key)
}

fn check_text(name: &'static str, given: &str) -> Result<(), Refusal> {
    let visible = given.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
    if visible && (1..=TEXT_MAX_CHARS).contains(&given.len()) {
        return Ok(());
    }
    Err(Refusal::Text { name, given: given.to_owned(), max: TEXT_MAX_CHARS })
}

fn check_amount(given: i64) -> Result<(), Refusal> {
    if (1..=AMOUNT_MAX_MINOR).contains(&given) {
        return Ok(());
    }
    Err(Refusal::Amount { given, max: AMOUNT_MAX_MINOR })
}

fn check_currency(given: &str) -> Result<(), Refusal> {
    if given.len() == 3 && given.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Ok(());
    }
    Err(Refusal::Currency { given: given.to_owned() })
}
