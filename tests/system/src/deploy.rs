//! Packaging the functions and deploying the stacks.

use crate::{
    clients,
    config::{Packaging, SystemConfig},
    peer::Peer,
};
use anyhow::Result;
use infra_gen::aws::{self, DeployOptions, Progress, Target, Update};
use stacks::Stage;
use std::collections::BTreeMap;

/// Everything is short, so that a test sees timeouts and redeliveries.
pub(crate) const STAGE: Stage = Stage::Dev;

/// Who e-mails to customers are from.
const EMAIL_FROM: &str = "orders@flyover.example";

/// Packages and deploys; gives the outputs of all stacks.
pub(crate) async fn deploy(
    config: &SystemConfig,
    peer: Peer,
    endpoint: &str,
    gateway_url: &str,
    report: &mut (dyn FnMut(&str) + Send),
) -> Result<BTreeMap<String, String>> {
    let options = DeployOptions {
        gateway_url: Some(gateway_url.to_owned()),
        email_from: Some(EMAIL_FROM.to_owned()),
        package: config.package == Packaging::Build,
        profile: config.profile,
        parameters: peer.parameters().into_iter().chain(config.parameters.clone()).collect(),
        config: Some(clients::sdk_config(endpoint).await),
        ..DeployOptions::new(Target { deployment: config.deployment.clone(), stage: STAGE })
    };
    let deployed = aws::deploy(&options, &mut Lines(report)).await?;
    Ok(deployed.outputs.into_values().flatten().collect())
}

/// Tells in a line what a person wants to know.
struct Lines<'a>(&'a mut (dyn FnMut(&str) + Send));

impl Progress for Lines<'_> {
    fn update(&mut self, update: Update<'_>) {
        let line = match update {
            Update::Note(note) => note.to_owned(),
            Update::Packaged(packages) => {
                let built = packages.iter().filter(|package| package.built).count();
                format!("{} functions are packaged, {built} of them anew", packages.len())
            }
            Update::Resource { event, .. } if event.failed() => {
                let reason = event.reason.as_deref().unwrap_or("no reason given");
                format!("{} {}: {reason}", event.logical_id, event.status)
            }
            Update::StackEnded { stack, status, elapsed } => {
                format!("{stack} {} after {:.1} s", status.unwrap_or("is gone"), elapsed.as_secs_f64())
            }
            Update::NoChanges { stack } => format!("{stack} is as it should be"),
            _ => return,
        };
        (self.0)(&line);
    }
}
