//! Lean AWS clients: from the environment that Lambda gives, without the provider chains of `aws-config`.
//!
//! Retries and time limits are not the SDK's but [`persist`](crate::persist)'s, because only it knows how much time the
//! invocation has left. Connecting is limited here.

use crate::{
    Error, Variables,
    deadline::{Deadline, Tried, persist},
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

/// Sends a message to a queue, again and again while the queue is busy and there is time.
///
/// # Errors
/// Why SQS did not take it: only the code, because messages of AWS can quote what was sent.
pub async fn send(request: SendMessageFluentBuilder, deadline: Deadline) -> Result<(), String> {
    let sent = persist(deadline, || async {
        match request.clone().send().await {
            Ok(_) => Tried::Answered(Ok(())),
            Err(error) => Failure::of(&error).tried(|failure| Err(failure.code.unwrap_or(failure.text))),
        }
    });
    sent.await.and_then(|answer| answer)
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
    /// The service's error code, if it gave one.
    pub code: Option<String>,
    /// The code and the message, or why there was no answer.
    pub text: String,
}

impl Failure {
    /// Reads an SDK error.
    pub fn of<E>(error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let SdkError::ServiceError(answer) = error else {
            let is_transient = !matches!(error, SdkError::ConstructionFailure(_));
            return Self { is_transient, code: None, text: DisplayErrorContext(error).to_string() };
        };
        let code = answer.err().code();
        let message = answer.err().message().unwrap_or("no message");
        let text = format!("{}: {message}", code.unwrap_or("no code"));
        Self::answered(answer.raw().status().as_u16(), code, text)
    }

    /// Reads an answer that says no.
    pub fn answered(status: u16, code: Option<&str>, text: String) -> Self {
        let is_transient = status >= 500 || status == 429 || code.is_some_and(is_transient);
        Self { is_transient, code: code.map(Into::into), text }
    }

    /// As the outcome of a try: a transient failure is tried again, any other is the answer.
    pub fn tried<T>(self, answer: impl FnOnce(Self) -> T) -> Tried<T> {
        if self.is_transient { Tried::Again(self.text) } else { Tried::Answered(answer(self)) }
    }
}

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
