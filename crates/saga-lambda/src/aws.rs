//! Lean AWS clients: from the environment that Lambda gives, without the provider chains of `aws-config`.
//!
//! Retries and time limits are not the SDK's but those of [`persist`](crate::persist) and [`once`](crate::once), because
//! only they know how much time the invocation has left, and what may be repeated. Connecting is limited here.

use crate::{
    Error, Variables,
    deadline::{Deadline, Repeatable, Tried, Unanswered, once, persist},
    sendable_json,
};
use aws_sdk_dynamodb::{
    config::{
        BehaviorVersion, Credentials, Region, SharedCredentialsProvider, http::HttpResponse,
        retry::RetryConfig, timeout::TimeoutConfig,
    },
    error::{DisplayErrorContext, ProvideErrorMetadata, SdkError},
};
use aws_sdk_sqs::operation::send_message::builders::SendMessageFluentBuilder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_types::SdkConfig;
use std::time::Duration;

/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// The configuration of every SDK client, from `AWS_REGION`, `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`,
/// `AWS_SESSION_TOKEN` and, for an emulator, `AWS_ENDPOINT_URL`.
///
/// # Errors
/// When a variable that Lambda sets is missing.
pub fn config(variables: &Variables) -> Result<SdkConfig, Error> {
    let http =
        aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let mut config = builder(variables)?.http_client(http);
    config.set_endpoint_url(variables.optional("AWS_ENDPOINT_URL").map(Into::into));
    Ok(config.build())
}

/// Sends a message to a queue, again and again while the queue is busy and there is time. When an answer is lost the
/// message can be in the queue twice, as it can be delivered twice: whoever takes it must be able to bear that. Characters
/// that no queue takes are escaped in its body, as in JSON.
///
/// # Errors
/// Why SQS did not take it: only the code, because messages of AWS can quote what was sent.
pub async fn send(request: SendMessageFluentBuilder, deadline: Deadline) -> Result<(), String> {
    let body = request.get_message_body().as_deref().map(|body| sendable_json(body).into_owned());
    let request = request.set_message_body(body);
    ask(deadline, Repeatable(|| request.clone().send())).await.map(|_| ())
}

/// Makes a call that must not be repeated: again only while it is refused with 'not now'. The inner error is a refusal for
/// good.
///
/// # Errors
/// Why there was no answer, and whether the call may have been carried out: only the code, as for [`ask`].
pub async fn ask_once<T, E, F>(
    deadline: Deadline,
    mut call: impl FnMut() -> F + Send,
) -> Result<Result<T, String>, Unanswered>
where
    T: Send,
    F: Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send,
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let answered = once(deadline, || {
        let asked = call();
        async {
            asked.await.map_or_else(|error| Failure::of(&error).unanswered(Err), |answer| Ok(Ok(answer)))
        }
    });
    answered.await
}

/// Makes a call again and again while the service is busy and there is time.
///
/// # Errors
/// Why it was not carried out: only the code where there is one, because messages of AWS can quote what was sent.
pub async fn ask<T, E, A, F>(deadline: Deadline, Repeatable(mut call): Repeatable<A>) -> Result<T, String>
where
    A: FnMut() -> F + Send,
    F: Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send,
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let answered = persist(
        deadline,
        Repeatable(|| {
            let asked = call();
            async {
                match asked.await {
                    Ok(answer) => Tried::Answered(Ok(answer)),
                    Err(error) => {
                        Failure::of(&error).tried(|failure| Err(failure.code.unwrap_or(failure.text)))
                    }
                }
            }
        }),
    );
    answered.await.and_then(|answer| answer)
}

pub(crate) fn builder(variables: &Variables) -> Result<aws_types::sdk_config::Builder, Error> {
    // The credentials of an execution environment stay valid for as long as it lives.
    let credentials = Credentials::new(
        variables.text("AWS_ACCESS_KEY_ID")?,
        variables.text("AWS_SECRET_ACCESS_KEY")?,
        variables.optional("AWS_SESSION_TOKEN").map(Into::into),
        None,
        "environment",
    );
    Ok(SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(variables.text("AWS_REGION")?.to_owned()))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .retry_config(RetryConfig::disabled())
        .timeout_config(TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).build()))
}

/// What a failed call means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// No answer, or 'not now': the next try may go well. A call without an answer may have been carried out.
    pub is_transient: bool,
    /// It may have been carried out: no answer came that can be read. An answer that says no is believed, one with a
    /// status of 5xx too.
    pub is_unknown: bool,
    /// The service's error code, if it gave one.
    pub code: Option<String>,
    /// The code and the message, or why there was no answer. Without the message where those of this code quote what was
    /// sent.
    pub text: String,
}

impl Failure {
    /// Reads an SDK error.
    pub fn of<E>(error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let unread = |answer: &HttpResponse| Self {
            is_transient: true,
            is_unknown: true,
            code: None,
            // Not the error's text: what came is in it.
            text: format!("the answer, with status {}, cannot be read", answer.status().as_u16()),
        };
        let answer = match error {
            SdkError::ServiceError(answer) if answer.raw().status().is_success() => {
                return unread(answer.raw());
            }
            SdkError::ServiceError(answer) => answer,
            SdkError::ResponseError(answer) => return unread(answer.raw()),
            _ => {
                let is_transient = !matches!(error, SdkError::ConstructionFailure(_));
                let is_unknown = is_transient && !is_unsent(error);
                let text = DisplayErrorContext(error).to_string();
                return Self { is_transient, is_unknown, code: None, text };
            }
        };
        let code = answer.err().code();
        let text = match (code, answer.err().message()) {
            (Some(code), _) if QUOTING.contains(&code) => code.to_owned(),
            (code, message) => {
                format!("{}: {}", code.unwrap_or("no code"), message.unwrap_or("no message"))
            }
        };
        Self::answered(answer.raw().status().as_u16(), code, text)
    }

    /// Reads an answer that says no.
    pub fn answered(status: u16, code: Option<&str>, text: String) -> Self {
        let is_transient = status >= 500 || status == 429 || code.is_some_and(is_transient);
        Self { is_transient, is_unknown: false, code: code.map(Into::into), text }
    }

    /// As the outcome of a call that is made [`once`](crate::once).
    ///
    /// # Errors
    /// When it was not carried out but may be later, and when it is not known whether it was. Names the code, or why
    /// there was no answer; never the message of one, which can quote what was sent.
    pub fn unanswered<T>(self, answer: impl FnOnce(String) -> T) -> Result<T, Unanswered> {
        let Self { is_transient, is_unknown, code, text } = self;
        let why = code.unwrap_or(text);
        match (is_unknown, is_transient) {
            (true, _) => Err(Unanswered::Unknown(why)),
            (false, true) => Err(Unanswered::NotNow(why)),
            (false, false) => Ok(answer(why)),
        }
    }

    /// As the outcome of a try: a transient failure is tried again, any other is the answer.
    pub fn tried<T>(self, answer: impl FnOnce(Self) -> T) -> Tried<T> {
        if self.is_transient { Tried::Again(self.text) } else { Tried::Answered(answer(self)) }
    }
}

/// Whether there was no connection to send it over. Only connecting has a time limit in the SDK.
fn is_unsent<E>(error: &SdkError<E, HttpResponse>) -> bool {
    let SdkError::DispatchFailure(failure) = error else { return false };
    let connector: Option<&(dyn std::error::Error + 'static)> =
        failure.as_connector_error().map(|error| error as _);
    let mut causes = std::iter::successors(connector, |error| error.source());
    let is_refused = |error: &(dyn std::error::Error + 'static)| {
        let io = error.downcast_ref::<std::io::Error>();
        io.is_some_and(|error| error.kind() == std::io::ErrorKind::ConnectionRefused)
    };
    failure.is_timeout() || causes.any(is_refused)
}

/// Codes whose messages can quote what was sent.
const QUOTING: [&str; 3] = ["SerializationException", "ValidationError", "ValidationException"];

/// Codes with a 4xx status that say 'not now'.
fn is_transient(code: &str) -> bool {
    const CODES: [&str; 7] = [
        "InternalServerError",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "TransactionConflictException",
        "TransactionInProgressException",
    ];
    CODES.contains(&code) || code.contains("Throttl")
}
