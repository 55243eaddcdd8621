//! The clients, and who and where we are.

use std::time::Duration;

use aws_config::{BehaviorVersion, SdkConfig};

use super::endpoint::Endpoint;
use super::error::{AwsError, call};
use super::proxy;
use crate::package::Arch;

/// The ordinary configuration of the SDK: environment, profiles, `AWS_ENDPOINT_URL`; through the proxies that the
/// environment names, but to this machine directly.
pub async fn sdk_config() -> SdkConfig {
    aws_config::defaults(BehaviorVersion::v2026_01_12()).http_client(proxy::client()).load().await
}

/// The configuration given, or the ordinary one.
pub(crate) async fn given_or_usual(config: Option<&SdkConfig>) -> SdkConfig {
    match config {
        Some(config) => config.clone(),
        None => sdk_config().await,
    }
}

/// For which processors functions are built where nobody says: this machine's for a local emulator, arm64 for AWS.
pub async fn usual_arch(given: Option<Arch>) -> Arch {
    match given {
        Some(arch) => arch,
        None => Endpoint::of(sdk_config().await.endpoint_url()).usual_arch(),
    }
}

/// The clients of one account in one region.
#[derive(Debug, Clone)]
pub(crate) struct Connection {
    pub(super) cloudformation: aws_sdk_cloudformation::Client,
    pub(super) lambda: aws_sdk_lambda::Client,
    pub(super) s3: aws_sdk_s3::Client,
    pub(super) ses: aws_sdk_sesv2::Client,
    pub(super) sfn: aws_sdk_sfn::Client,
    pub(super) account: String,
    /// The ARN of whoever calls.
    pub(crate) caller: String,
    pub(super) region: String,
    pub(super) endpoint: Endpoint,
}

impl Connection {
    /// With the configuration given, or the ordinary one.
    pub(super) async fn open(config: Option<&SdkConfig>) -> Result<Self, AwsError> {
        Self::with(&given_or_usual(config).await).await
    }

    pub(crate) async fn with(config: &SdkConfig) -> Result<Self, AwsError> {
        let region = config.region().map(ToString::to_string).filter(|region| !region.is_empty());
        let region = region.ok_or(AwsError::NoRegion)?;
        let endpoint = Endpoint::of(config.endpoint_url());
        let identity = aws_sdk_sts::Client::new(config)
            .get_caller_identity()
            .send()
            .await
            .map_err(call("ask AWS who we are"))?;
        // Emulators do not answer at a host name per bucket.
        let s3 = aws_sdk_s3::config::Builder::from(config)
            .force_path_style(matches!(endpoint, Endpoint::Custom(_)))
            .build();
        Ok(Self {
            cloudformation: aws_sdk_cloudformation::Client::new(config),
            lambda: aws_sdk_lambda::Client::new(config),
            s3: aws_sdk_s3::Client::from_conf(s3),
            ses: aws_sdk_sesv2::Client::new(config),
            sfn: aws_sdk_sfn::Client::new(config),
            account: identity.account.unwrap_or_default(),
            caller: identity.arn.unwrap_or_default(),
            region,
            endpoint,
        })
    }

    /// The partition of AWS: `aws`, `aws-cn`, `aws-us-gov`. The caller's ARN has it.
    pub(super) fn partition(&self) -> &str {
        self.caller.split(':').nth(1).filter(|partition| !partition.is_empty()).unwrap_or("aws")
    }

    /// The ARN of the state machine of a name.
    pub(super) fn state_machine_arn(&self, name: &str) -> String {
        format!("arn:{}:states:{}:{}:stateMachine:{name}", self.partition(), self.region, self.account)
    }

    /// How long to wait before asking again: an emulator is quick, and AWS limits how often one asks.
    pub(crate) fn pause(&self) -> Duration {
        if self.endpoint.is_local_emulator() { Duration::from_millis(100) } else { Duration::from_secs(2) }
    }
}
