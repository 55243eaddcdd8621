//! An emulator of our own, and how to reach it.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_sqs::config::Credentials;
use aws_smithy_http_client::Builder;
use emulator::{Emulator, EmulatorConfig, Kind};

/// A running emulator, the one that `FLYOVER_EMULATOR` names. MiniStack, the default, does not wait between retries.
pub(crate) fn start() -> Emulator {
    let kind = Kind::from_env().unwrap_or_else(|error| panic!("{error}"));
    let environment = [("SFN_WAIT_SCALE".to_owned(), "0".to_owned())].into();
    let config =
        EmulatorConfig { kind, start_limit: kind.start_limit(), environment, ..EmulatorConfig::default() };
    Emulator::start(config).unwrap_or_else(|error| panic!("these tests need the emulator: {error}"))
}

pub(crate) async fn config(emulator: &Emulator) -> SdkConfig {
    config_at(&emulator.endpoint_url()).await
}

pub(crate) async fn config_at(endpoint_url: &str) -> SdkConfig {
    aws_config::defaults(BehaviorVersion::latest())
        .http_client(Builder::new().build_http())
        .endpoint_url(endpoint_url)
        .credentials_provider(Credentials::new("test", "test", None, None, "emulator"))
        .region(Region::new("us-east-1"))
        .load()
        .await
}
