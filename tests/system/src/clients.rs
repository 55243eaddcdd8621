//! The AWS clients of whoever looks on from outside.

use anyhow::{Context, Result};
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_sqs::config::{Credentials, SharedCredentialsProvider};
use aws_smithy_http_client::Builder;

const REGION: &str = "us-east-1";

/// One client for each service that is asked from outside.
#[derive(Debug, Clone)]
pub struct Clients {
    /// Amazon DynamoDB.
    pub dynamodb: aws_sdk_dynamodb::Client,
    /// Amazon EventBridge.
    pub eventbridge: aws_sdk_eventbridge::Client,
    /// Amazon CloudWatch Logs.
    pub logs: aws_sdk_cloudwatchlogs::Client,
    /// AWS Step Functions.
    pub sfn: aws_sdk_sfn::Client,
    /// Amazon SNS.
    pub sns: aws_sdk_sns::Client,
    /// Amazon SQS.
    pub sqs: aws_sdk_sqs::Client,
    /// Plain HTTP, for the payment gateway and for what the emulator shows of itself.
    pub http: reqwest::Client,
}

impl Clients {
    /// Clients of an endpoint; of a local one with the credentials of the emulator's root user.
    ///
    /// # Errors
    /// When there is no HTTP client, for want of root certificates for example.
    pub(crate) async fn new(endpoint: &str) -> Result<Self> {
        Self::of(&sdk_config(endpoint).await)
    }

    /// Clients that act with a role, as a function does.
    ///
    /// # Errors
    /// When the role cannot be assumed: on AWS only Lambda can, an emulator lets its root user.
    pub(crate) async fn with_role(endpoint: &str, role_arn: &str) -> Result<Self> {
        let config = sdk_config(endpoint).await;
        let assume = aws_sdk_sts::Client::new(&config).assume_role();
        let assumed = assume.role_arn(role_arn).role_session_name("looking-on").send().await;
        let assumed = assumed.with_context(|| format!("cannot assume {role_arn}"))?;
        let given = assumed.credentials.with_context(|| format!("{role_arn} has no credentials"))?;
        let credentials = Credentials::new(
            given.access_key_id,
            given.secret_access_key,
            Some(given.session_token),
            None,
            "assumed role",
        );
        let provider = SharedCredentialsProvider::new(credentials);
        Self::of(&config.into_builder().credentials_provider(provider).build())
    }

    fn of(config: &SdkConfig) -> Result<Self> {
        Ok(Self {
            dynamodb: aws_sdk_dynamodb::Client::new(config),
            eventbridge: aws_sdk_eventbridge::Client::new(config),
            logs: aws_sdk_cloudwatchlogs::Client::new(config),
            sfn: aws_sdk_sfn::Client::new(config),
            sns: aws_sdk_sns::Client::new(config),
            sqs: aws_sdk_sqs::Client::new(config),
            http: gateway::client_builder().build().context("no HTTP client")?,
        })
    }
}

/// Whether an endpoint is on this machine, so that it can only be an emulator.
#[must_use]
pub fn is_local(endpoint: &str) -> bool {
    const HOSTS: [&str; 4] = ["127.0.0.1", "localhost", "localhost.localstack.cloud", "[::1]"];
    let url = reqwest::Url::parse(endpoint).ok().filter(|url| ["http", "https"].contains(&url.scheme()));
    url.is_some_and(|url| url.host_str().is_some_and(|host| HOSTS.contains(&host)))
}

/// How the SDK reaches an endpoint.
pub(crate) async fn sdk_config(endpoint: &str) -> SdkConfig {
    if !is_local(endpoint) {
        return infra_gen::aws::sdk_config().await.into_builder().endpoint_url(endpoint).build();
    }
    // Nothing of the caller's own AWS set-up: its profile or region may not even be reachable.
    let region = std::env::var("AWS_REGION").unwrap_or_else(|_| REGION.to_owned());
    aws_config::defaults(BehaviorVersion::latest())
        .http_client(Builder::new().build_http())
        .endpoint_url(endpoint)
        .credentials_provider(Credentials::new("test", "test", None, None, "emulator"))
        .region(Region::new(region))
        .load()
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_host_that_is_this_machine_is_local() {
        for local in ["http://127.0.0.1:4566", "http://localhost:4566/", "https://[::1]:4566"] {
            assert!(is_local(local), "{local}");
        }
        for other in [
            "https://sqs.eu-central-1.amazonaws.com",
            "http://127.0.0.1.example.com",
            "http://localhost:4566@example.com",
            "localhost:4566",
            "4566",
            "",
        ] {
            assert!(!is_local(other), "{other}");
        }
    }
}
