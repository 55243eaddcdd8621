//! The payment gateway as this service sees it, over HTTP.

use gateway::{
    CHARGES_PATH, Charge, ChargePage, ChargeQuery, ChargeRequest, ErrorBody, ErrorCode,
    IDEMPOTENCY_KEY_HEADER, REVERSALS_PATH, ReversalRequest,
};
use reqwest::{Client, Response, StatusCode, Url};
use saga::IdempotencyKey;
use std::time::Duration;

/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// How long an answer may take in all. It fits into the 20 s of the function in production; where a stage gives the
/// function less, the runtime cuts the call off earlier. Either way the outcome is unknown.
const TOTAL_TIMEOUT: Duration = Duration::from_secs(10);

/// Why the gateway does not take money for a request that it does not take, for example one with a payment token that
/// it does not know.
const INVALID_REQUEST: &str = "invalid_request";

/// Why the gateway does not take money under a key that was reversed before.
const VOIDED: &str = "voided";

/// The payment gateway.
#[derive(Debug, Clone)]
pub struct Peer {
    client: Client,
    charges: Url,
    reversals: Url,
}

/// A payment gateway, however it is reached. One key has one effect, however often it is asked for.
pub trait Gateway: Send + Sync + 'static {
    /// Takes money once for a key, however often it is called.
    ///
    /// # Errors
    /// When it is not known whether money was taken: call again with the same key, or reverse.
    fn charge(
        &self,
        key: &IdempotencyKey,
        request: &ChargeRequest,
    ) -> impl Future<Output = Result<Asked, PeerError>> + Send;

    /// Gives the money of a key back, if any was taken.
    ///
    /// # Errors
    /// When it is not known whether money was given back: call again.
    fn reverse(&self, key: &IdempotencyKey) -> impl Future<Output = Result<(), PeerError>> + Send;
}

/// What the gateway decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// The money was taken under this key, now or before; it may have been given back since.
    Charged(Charge),
    /// No money was taken, and none will be under this key.
    Declined {
        /// The gateway's reason, for example `insufficient_funds`; `invalid_request` when it does not take the
        /// request, `voided` when the key was reversed before its charge.
        reason: String,
    },
}

/// The gateway could not be asked, or its answer decides nothing. Never says what was sent.
#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    /// The base URL cannot be used.
    #[error("`{given}` is no base URL of a gateway: give one like `https://gateway.example.com`")]
    Url {
        /// The URL given.
        given: String,
    },
    /// There is no HTTP client.
    #[error("no HTTP client: {0}")]
    Client(String),
    /// No whole answer came: the outcome is unknown.
    #[error("the outcome is unknown: {0}")]
    Lost(&'static str),
    /// The answer decides nothing.
    #[error("the gateway answered {status}{}", code.map(|code| format!(" ({code:?})")).unwrap_or_default())]
    Unusable {
        /// The HTTP status.
        status: u16,
        /// The gateway's error code.
        code: Option<ErrorCode>,
    },
}

impl Peer {
    /// The gateway at a base URL.
    ///
    /// # Errors
    /// When the URL is none, or no HTTP client can be made.
    pub fn new(base: &str) -> Result<Self, PeerError> {
        let root = Url::parse(base).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let root = root.ok_or_else(|| PeerError::Url { given: base.into() })?;
        // A gateway may live below a path, which `Url::join` would replace.
        let url = |path: &str| {
            let mut url = root.clone();
            url.set_path(&format!("{}{path}", root.path().trim_end_matches('/')));
            url
        };
        let client =
            gateway::client_builder().connect_timeout(CONNECT_TIMEOUT).timeout(TOTAL_TIMEOUT).build();
        Ok(Self {
            client: client.map_err(|error| PeerError::Client(error.to_string()))?,
            charges: url(CHARGES_PATH),
            reversals: url(REVERSALS_PATH),
        })
    }
}

impl Gateway for Peer {
    async fn charge(&self, key: &IdempotencyKey, request: &ChargeRequest) -> Result<Asked, PeerError> {
        let call =
            self.client.post(self.charges.clone()).header(IDEMPOTENCY_KEY_HEADER, key.as_str()).json(request);
        let response = call.send().await.map_err(|error| lost(&error))?;
        match response.status() {
            StatusCode::OK | StatusCode::CREATED => {
                Ok(Asked::Charged(response.json().await.map_err(|error| lost(&error))?))
            }
            StatusCode::PAYMENT_REQUIRED => Ok(Asked::Declined { reason: decline_reason(response).await }),
            status => match unusable(response).await {
                // The gateway looks at a request before anything else, and every delivery sends the same one: it was
                // refused before and always will be. Anything else with this status may come from something between.
                (Some(ErrorCode::InvalidRequest), _) if status == StatusCode::BAD_REQUEST => {
                    Ok(Asked::Declined { reason: INVALID_REQUEST.into() })
                }
                (Some(ErrorCode::Voided), _) => Ok(Asked::Declined { reason: VOIDED.into() }),
                (_, error) => Err(error),
            },
        }
    }

    async fn reverse(&self, key: &IdempotencyKey) -> Result<(), PeerError> {
        let request = ReversalRequest { idempotency_key: key.as_str().into() };
        let call = self.client.post(self.reversals.clone()).json(&request);
        let response = call.send().await.map_err(|error| lost(&error))?;
        if response.status() == StatusCode::OK {
            return Ok(());
        }
        match unusable(response).await {
            // Another 404 means that nobody understood the request.
            (Some(ErrorCode::UnknownCharge), _) => Ok(()),
            (_, error) => Err(error),
        }
    }
}

/// What the gateway holds, for whoever compares.
impl Peer {
    /// A page of the charges that a query asks for.
    ///
    /// # Errors
    /// When no whole page came: call again.
    pub async fn charges(&self, query: &ChargeQuery) -> Result<ChargePage, PeerError> {
        let call = self.client.get(self.charges.clone()).query(query);
        let response = call.send().await.map_err(|error| lost(&error))?;
        match response.status() {
            StatusCode::OK => response.json().await.map_err(|error| lost(&error)),
            _ => Err(unusable(response).await.1),
        }
    }
}

async fn decline_reason(response: Response) -> String {
    // 402 is the decision; a body that does not fit only loses the reason.
    let body = response.json::<ErrorBody>().await.ok();
    let reason = body.and_then(|body| serde_json::to_value(body.reason?).ok());
    reason.as_ref().and_then(|reason| reason.as_str()).unwrap_or("declined").into()
}

async fn unusable(response: Response) -> (Option<ErrorCode>, PeerError) {
    let status = response.status().as_u16();
    let code = response.json::<ErrorBody>().await.ok().map(|body| body.error);
    (code, PeerError::Unusable { status, code })
}

/// What kind of failure it was: the error itself shows the URL and what lies beneath, which are not ours to log.
fn lost(error: &reqwest::Error) -> PeerError {
    PeerError::Lost(match error {
        error if error.is_connect() => "the gateway cannot be reached",
        error if error.is_timeout() => "the gateway took too long",
        error if error.is_decode() => "the gateway's answer does not fit",
        _ => "the connection broke",
    })
}
