//! Code and state machines brought up to date without a stack update, for whoever is writing them.
//!
//! The CDK and SAM call it so too. CloudFormation is not told: the stack has *drifted* until a deployment brings functions
//! and state machines to what the templates say, see [`straighten`]. Hence never on production.
//! <https://docs.aws.amazon.com/cdk/v2/guide/ref-cli-cmd-deploy.html#ref-cli-cmd-deploy-options>

mod definition;
mod live;
mod plan;

use std::collections::{BTreeMap, BTreeSet};

use stacks::{Stage, outputs, parameters};

use super::apply::Release;
use super::deploy::Deployed;
use super::error::AwsError;
use super::executions;
use super::progress::{Progress, Update};
use super::stack::{self, Before, Deployment, before_deploy};
use super::template;
use definition::Names;

/// How many of the reasons for a stack update are told.
const TOLD: usize = 3;

/// Whether functions and state machines of this stage may differ from what CloudFormation knows.
pub(super) fn is_possible(stage: Stage) -> bool {
    stage != Stage::Prod
}

/// Swaps what differs, if nothing but code and state machines does. None when a stack must be updated: says why.
pub(super) async fn swap(
    release: &Release<'_>,
    zips: &BTreeMap<String, String>,
    progress: &mut dyn Progress,
) -> Result<Option<Deployed>, AwsError> {
    let (found, beyond) = look(release).await?;
    if !beyond.is_empty() {
        let more =
            if beyond.len() > TOLD { format!(" and {} more", beyond.len() - TOLD) } else { String::new() };
        let told = beyond.into_iter().take(TOLD).collect::<Vec<_>>().join(", ");
        progress.update(Update::Note(&format!("a stack update is needed, by {told}{more}")));
        return Ok(None);
    }
    let outputs = found.iter().map(|(id, stack)| (id.clone(), stack.outputs.clone())).collect();
    let mut deployed = Deployed { outputs, ..Deployed::default() };
    deployed.swapped = straighten(release, zips, &deployed.outputs, progress).await?;
    let name = release.target.name();
    let note = if deployed.swapped.is_empty() {
        format!("functions and state machines of {name} are as they should be")
    } else {
        format!("the stacks of {name} do not know of it: `infra-gen deploy` straightens that")
    };
    progress.update(Update::Note(&note));
    Ok(Some(deployed))
}

/// Brings functions and state machines to the zips and the templates, and names those that differed. After a deployment too:
/// CloudFormation leaves alone what it takes for deployed, though it may have been swapped since.
pub(super) async fn straighten(
    release: &Release<'_>,
    zips: &BTreeMap<String, String>,
    outputs: &BTreeMap<String, BTreeMap<String, String>>,
    progress: &mut dyn Progress,
) -> Result<BTreeSet<String>, AwsError> {
    let mut swapped = BTreeSet::new();
    for function in &release.app.functions {
        let name = outputs::function_name(function.name);
        let name = outputs.values().find_map(|outputs| outputs.get(&name));
        if let (Some(name), Some(zip)) = (name, zips.get(function.name))
            && live::swap_code(release.aws, name, release.bucket.name(), zip).await?
        {
            progress.update(Update::Note(&format!("swapped the code of function {name}")));
            swapped.insert(format!("function {}", function.name));
        }
    }
    for stack in &release.app.stacks {
        let stack_name = release.target.stack_name(stack);
        let wanted = template::wanted(&stack_name, stack)?;
        let machines = definition::machines(&wanted);
        if machines.is_empty() {
            continue;
        }
        let deployed = stack::describe(release.aws, &stack_name).await?;
        let deployed = deployed.ok_or_else(|| AwsError::NotDeployed { stack: stack_name.clone() })?;
        let resources = stack::resources(release.aws, &stack_name, &deployed).await?;
        let names = Names::of(release.aws, &deployed, &resources);
        for (logical_id, machine) in machines {
            let definition = definition::definition(machine, &names).map_err(|reason| {
                AwsError::Template { stack: stack_name.clone(), reason: format!("{logical_id}: {reason}") }
            })?;
            let Some(arn) = names.physical_id(logical_id) else { continue };
            if live::swap_definition(release.aws, arn, &definition).await? {
                let machine = executions::last_part(arn);
                progress.update(Update::Note(&format!("swapped the definition of state machine {machine}")));
                swapped.insert(format!("state machine {machine}"));
            }
        }
    }
    Ok(swapped)
}

/// The stacks that are deployed, by id, and what only a stack update can change.
async fn look(release: &Release<'_>) -> Result<(BTreeMap<String, Deployment>, Vec<String>), AwsError> {
    let (mut found, mut beyond) = (BTreeMap::new(), Vec::new());
    for stack in &release.app.stacks {
        let name = release.target.stack_name(stack);
        let existing = stack::describe(release.aws, &name).await?;
        let (Before::Update, Some(existing)) = (before_deploy(existing.as_ref()), existing) else {
            beyond.push(format!("stack {name}, which is not deployed"));
            continue;
        };
        let deployed = template::deployed(release.aws, &name, &existing).await?;
        let changes = plan::beyond(&deployed, &template::wanted(&name, stack)?);
        let given = plan::given_anew(&release.given, &existing.parameters, &packaged(release));
        beyond.extend(changes.into_iter().chain(given).map(|change| format!("{name}: {change}")));
        found.insert(stack.id.to_owned(), existing);
    }
    Ok((found, beyond))
}

/// The parameters that say where code is.
fn packaged(release: &Release<'_>) -> BTreeSet<String> {
    let keys = release.app.functions.iter().map(|function| function.code_key_parameter.clone());
    keys.chain([parameters::CODE_BUCKET.to_owned()]).collect()
}
