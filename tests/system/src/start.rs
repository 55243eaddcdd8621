//! Bringing a deployment up, and taking it down again.

use crate::{
    clients::{self, Clients},
    config::SystemConfig,
    deploy::{STAGE, deploy},
    peer::Peer,
};
use anyhow::{Context, Result};
use aws_config::SdkConfig;
use emulator::{Emulator, EmulatorConfig};
use gateway::Gateway;
use saga::budget::Timing;
use stacks::Synth;
use std::{collections::BTreeMap, path::Path};

/// A running deployment. Dropping it stops at once what it started.
#[derive(Debug)]
pub struct System {
    clients: Clients,
    peer: Peer,
    endpoint: String,
    synth: Synth,
    deployment: String,
    outputs: BTreeMap<String, String>,
    gateway_url: String,
    // Dropped in this order: no function outlives its peer.
    emulator: Option<Emulator>,
    gateway: Option<Gateway>,
}

impl System {
    /// Starts the emulator (unless an endpoint is given) and the payment gateway, packages the functions and deploys
    /// the stacks. `report` gets a short line for everything that happens.
    ///
    /// # Errors
    /// When one of them does not work; what was started is stopped again.
    pub async fn start(config: SystemConfig, report: &mut (dyn FnMut(&str) + Send)) -> Result<Self> {
        let emulator = match config.endpoint {
            Some(_) => None,
            None => Some(start_emulator(&config).await?),
        };
        let endpoint = config.endpoint.clone().or_else(|| emulator.as_ref().map(Emulator::endpoint_url));
        let endpoint = endpoint.unwrap_or_default().trim_end_matches('/').to_owned();
        let clients = Clients::new(&endpoint).await?;
        let peer = Peer::at(&endpoint, &clients.http).await?;
        report(&format!("AWS is at {endpoint}: {peer:?}"));
        if peer == Peer::LocalStack {
            report(
                "LocalStack does not enforce IAM: that functions need no more than they may is not proved here",
            );
        }
        let gateway = match config.gateway_url {
            Some(_) => None,
            None => Some(Gateway::start(config.gateway_port).await?),
        };
        let gateway_url = config.gateway_url.clone().or_else(|| gateway.as_ref().map(Gateway::url));
        let gateway_url = gateway_url.unwrap_or_default();
        report(&format!("the payment gateway is at {gateway_url}"));
        let outputs = deploy(&config, peer, &endpoint, &gateway_url, report).await?;
        let SystemConfig { synth, deployment, .. } = config;
        Ok(Self { clients, peer, endpoint, synth, deployment, outputs, gateway_url, emulator, gateway })
    }

    /// Deploys to an AWS, usually an emulator, that runs already. The payment gateway runs in this process, so the
    /// functions there must reach this machine.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub async fn attach(endpoint: &str, report: &mut (dyn FnMut(&str) + Send)) -> Result<Self> {
        let config = SystemConfig { endpoint: Some(endpoint.to_owned()), ..SystemConfig::from_env() };
        Self::start(config, report).await
    }

    /// Stops what was started: the emulator with all functions, then the gateway.
    pub async fn stop(mut self) {
        if let Some(emulator) = self.emulator.take() {
            // It blocks until every process is gone. The task fails only when the drop panics, which it does not.
            let _ = tokio::task::spawn_blocking(move || drop(emulator)).await;
        }
        if let Some(gateway) = self.gateway.take() {
            gateway.stop().await;
        }
    }

    /// How the SDK reaches it.
    pub async fn sdk_config(&self) -> SdkConfig {
        clients::sdk_config(&self.endpoint).await
    }

    /// The URL of AWS.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The base URL of the payment gateway.
    #[must_use]
    pub fn gateway_url(&self) -> &str {
        &self.gateway_url
    }

    /// What makes its stacks.
    pub(crate) fn synth(&self) -> Synth {
        self.synth
    }

    /// The name of the deployment.
    pub(crate) fn deployment(&self) -> &str {
        &self.deployment
    }

    /// Where our own emulator logs.
    #[must_use]
    pub fn log_file(&self) -> Option<&Path> {
        self.emulator.as_ref().map(Emulator::log_file)
    }

    /// Who plays AWS.
    #[must_use]
    pub fn peer(&self) -> Peer {
        self.peer
    }

    /// Whether AWS is an emulator, which shows the mails and SMS that were sent.
    #[must_use]
    pub fn is_emulator(&self) -> bool {
        self.peer != Peer::Aws
    }

    /// The durations of the deployed stage.
    #[must_use]
    pub fn timing(&self) -> Timing {
        STAGE.timing()
    }

    /// The AWS clients.
    #[must_use]
    pub fn clients(&self) -> &Clients {
        &self.clients
    }

    /// AWS clients with the permissions of a function.
    ///
    /// # Errors
    /// When its role cannot be assumed, as on AWS, where only Lambda can.
    pub async fn clients_of(&self, function: &str) -> Result<Clients> {
        Clients::with_role(&self.endpoint, self.output(&stacks::outputs::role_arn(function))).await
    }

    /// An output of the stacks, by its name in [`stacks::outputs`].
    ///
    /// # Panics
    /// When no stack has such an output: shows those there are.
    #[must_use]
    pub fn output(&self, name: &str) -> &str {
        self.outputs.get(name).unwrap_or_else(|| {
            panic!("no stack has an output {name:?}; there are {:?}", self.outputs.keys().collect::<Vec<_>>())
        })
    }

    /// Every output of the stacks, by name.
    #[must_use]
    pub fn outputs(&self) -> &BTreeMap<String, String> {
        &self.outputs
    }
}

/// Blocks for seconds, so off the runtime's own threads.
async fn start_emulator(config: &SystemConfig) -> Result<Emulator> {
    std::fs::create_dir_all(&config.log_folder)
        .with_context(|| format!("cannot create {}", config.log_folder.display()))?;
    let named = (config.port != 0).then(|| config.log_folder.join(format!("emulator-{}.log", config.port)));
    let options = EmulatorConfig {
        kind: config.emulator,
        port: config.port,
        iam_enforced: config.iam_enforced && config.emulator.can_enforce_iam(),
        start_limit: config.emulator.start_limit(),
        lambda_concurrency: config.lambda_concurrency,
        environment: config.emulator_environment.clone(),
        log_file: named,
        ..EmulatorConfig::default()
    };
    Ok(tokio::task::spawn_blocking(move || Emulator::start(options)).await??)
}
