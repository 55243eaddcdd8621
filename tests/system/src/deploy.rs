//! Packaging the functions and deploying the stacks.

use crate::{
    clients,
    config::{Packaging, SystemConfig},
    peer::Peer,
};
use anyhow::Result;
use infra_gen::aws::{self, DeployOptions, Progress, Target, Update};
use stacks::{Stage, Synth, parameters};
use std::collections::{BTreeMap, BTreeSet};

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
    let target = target(config.synth, &config.deployment);
    let app = (target.synth)(target.stage)?;
    let known: BTreeSet<&str> =
        app.stacks.iter().flat_map(|stack| stack.template.parameters().map(|(name, _)| name)).collect();
    let surroundings =
        [(parameters::GATEWAY_URL, gateway_url), (parameters::EMAIL_FROM, EMAIL_FROM)].into_iter();
    let surroundings = surroundings.map(|(name, value)| (name.to_owned(), value.to_owned()));
    // Not every deployment has all of it.
    let surroundings =
        surroundings.chain(peer.parameters()).filter(|(name, _)| known.contains(name.as_str()));
    let options = DeployOptions {
        package: config.package == Packaging::Build,
        profile: config.profile,
        parameters: surroundings.chain(config.parameters.clone()).collect(),
        config: Some(clients::sdk_config(endpoint).await),
        ..DeployOptions::new(target)
    };
    let deployed = aws::deploy(&options, &mut Lines(report)).await?;
    Ok(deployed.outputs.into_values().flatten().collect())
}

/// The deployment of this name.
pub(crate) fn target(synth: Synth, deployment: &str) -> Target {
    Target::new(deployment, STAGE, synth)
}

/// Tells in a line what a person wants to know.
pub(crate) struct Lines<'a>(pub(crate) &'a mut (dyn FnMut(&str) + Send));

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
