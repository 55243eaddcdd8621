//! For tests: AWS answers from a list, without a network and with every request kept, and the log is kept too.

use crate::{Variables, aws, log};
use aws_smithy_runtime_api::client::{
    http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn},
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
};
use aws_smithy_types::body::SdkBody;
use aws_types::SdkConfig;
use serde_json::{Value as Json, json};
use std::{
    collections::VecDeque,
    fmt, io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// One answer.
#[derive(Debug, Clone)]
pub enum Answer {
    /// A status and a JSON body.
    Json(u16, Json),
    /// A status and a body of another kind.
    Text(u16, String),
    /// The connection breaks.
    Lost,
    /// Nobody listens, so nothing is sent.
    Unreachable,
    /// This answer comes, but late.
    Slow(Duration, Box<Answer>),
    /// No answer comes.
    Silence,
}

impl Answer {
    /// A success.
    pub fn ok(body: Json) -> Self {
        Self::Json(200, body)
    }

    /// A refusal with this error code.
    pub fn error(code: &str) -> Self {
        Self::Json(400, json!({ "__type": code, "message": format!("{code} was replayed") }))
    }
}

/// One request that was made.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The operation, for example `DynamoDB_20120810.GetItem`, or the path of a service without that header.
    pub target: String,
    /// The body; text that is not JSON as a JSON string.
    pub body: Json,
}

/// Answers what is asked, and remembers it.
#[derive(Debug, Clone)]
pub struct Replay(Arc<Mutex<State>>);

struct State {
    answering: Box<dyn FnMut(&Call) -> Answer + Send>,
    calls: Vec<Call>,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").field("calls", &self.calls).finish_non_exhaustive()
    }
}

/// Every connection breaks.
impl Default for Replay {
    fn default() -> Self {
        Self::of([])
    }
}

impl Replay {
    /// Answers with these, in order. After the last one every connection breaks.
    pub fn of(answers: impl IntoIterator<Item = Answer>) -> Self {
        let mut answers: VecDeque<_> = answers.into_iter().collect();
        Self::answering(move |_| answers.pop_front().unwrap_or(Answer::Lost))
    }

    /// Answers by what is asked.
    pub fn answering(answering: impl FnMut(&Call) -> Answer + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new(State { answering: Box::new(answering), calls: Vec::new() })))
    }

    /// The configuration of clients that ask here.
    ///
    /// # Panics
    /// Never: all variables are given.
    pub fn config(&self) -> SdkConfig {
        let variables: Variables = [
            ("AWS_REGION", "eu-central-1"),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
        ]
        .into_iter()
        .collect();
        let connector = SharedHttpConnector::new(self.clone());
        let http = http_client_fn(move |_, _| connector.clone());
        match aws::builder(&variables) {
            Ok(builder) => builder.http_client(http).build(),
            Err(error) => unreachable!("{error}"),
        }
    }

    /// What was asked so far.
    pub fn calls(&self) -> Vec<Call> {
        self.lock().calls.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HttpConnector for Replay {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target =
            request.headers().get("x-amz-target").map_or_else(|| request.uri().to_owned(), Into::into);
        let body = String::from_utf8_lossy(request.body().bytes().unwrap_or_default()).into_owned();
        let body = serde_json::from_str(&body).unwrap_or(Json::String(body));
        let mut state = self.lock();
        let call = Call { target, body };
        let answer = (state.answering)(&call);
        state.calls.push(call);
        HttpConnectorFuture::new(async move {
            let mut answer = answer;
            while let Answer::Slow(after, late) = answer {
                tokio::time::sleep(after).await;
                answer = *late;
            }
            let (status, body) = match answer {
                Answer::Json(status, body) => (status, body.to_string()),
                Answer::Text(status, body) => (status, body),
                Answer::Unreachable => {
                    let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
                    return Err(ConnectorError::io(refused.into()));
                }
                Answer::Slow(..) | Answer::Silence => std::future::pending().await,
                Answer::Lost => return Err(ConnectorError::io("the connection broke".into())),
            };
            let status = status.try_into().map_err(|error| ConnectorError::user(Box::new(error)))?;
            Ok(HttpResponse::new(status, SdkBody::from(body)))
        })
    }
}

/// The log that this thread writes, as a function writes it, for as long as this lives.
#[derive(Debug)]
pub struct Log {
    written: Written,
    _guard: tracing::subscriber::DefaultGuard,
}

impl Log {
    /// Starts keeping the log.
    #[must_use = "the log is kept for as long as this lives"]
    pub fn keep() -> Self {
        let written = Written::default();
        let writer = written.clone();
        let guard = tracing::subscriber::set_default(log::subscriber(move || writer.clone()));
        Self { written, _guard: guard }
    }

    /// What was written so far.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.written.lock()).into_owned()
    }
}

#[derive(Debug, Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Written {
    fn lock(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
