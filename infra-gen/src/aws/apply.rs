//! Bringing all stacks to what a release wants.

use std::collections::{BTreeMap, BTreeSet};

use stacks::{App, Stack};

use super::bucket::Bucket;
use super::change_set::{self, Wanted};
use super::connection::Connection;
use super::deploy::Deployed;
use super::error::AwsError;
use super::executions;
use super::handover::{Keeping, keeping};
use super::progress::{Progress, Update};
use super::stack::{self, Deployment};
use super::{Target, template};

/// What every stack of a release is applied with.
pub(super) struct Release<'a> {
    pub(super) aws: &'a Connection,
    pub(super) app: &'a App,
    pub(super) target: &'a Target,
    pub(super) bucket: &'a Bucket,
    /// What the caller and the packaging give, by parameter.
    pub(super) given: BTreeMap<String, String>,
}

/// Applies every stack, in order, each with the outputs of those before it.
///
/// What a stack behind still uses is not taken from under it: it stays until that one is updated, and then goes in
/// reverse order. When an update fails in between, what was deployed before goes on with all it had.
pub(super) async fn all(release: &Release<'_>, progress: &mut dyn Progress) -> Result<Deployed, AwsError> {
    refuse_to_take_away_what_runs(release).await?;
    for machine in machine_names(release) {
        executions::wait_for_deletion(release.aws, &machine, progress).await?;
    }
    let mut all = Deployed::default();
    let mut shrinking = Vec::new();
    for (index, stack) in release.app.stacks.iter().enumerate() {
        let name = release.target.stack_name(stack);
        let existing = change_set::make_ready(release.aws, &name, progress).await?;
        let is_last = index + 1 == release.app.stacks.len();
        let keeping = match &existing {
            Some(existing) if !is_last => kept(release, stack, existing).await?,
            _ => None,
        };
        if let Some(Keeping { kept, .. }) = &keeping {
            let note =
                format!("stack {name} keeps {} until the stacks behind it do without", kept.join(", "));
            progress.update(Update::Note(&note));
            shrinking.push(stack);
        }
        one(release, stack, existing, keeping, &mut all, progress).await?;
    }
    for stack in shrinking.into_iter().rev() {
        let name = release.target.stack_name(stack);
        let existing = change_set::make_ready(release.aws, &name, progress).await?;
        one(release, stack, existing, None, &mut all, progress).await?;
    }
    Ok(all)
}

/// Refuses to delete the state machine of a saga that is under way.
async fn refuse_to_take_away_what_runs(release: &Release<'_>) -> Result<(), AwsError> {
    let Release { aws, app, target, .. } = release;
    let wanted: BTreeSet<String> = machine_names(release).collect();
    let mut running = Vec::new();
    for stack in &app.stacks {
        let name = target.stack_name(stack);
        let Some(found) = stack::describe(aws, &name).await? else { continue };
        let mut gone = executions::machines(aws, &name, &found).await?;
        gone.retain(|arn| !wanted.contains(executions::last_part(arn)));
        running.extend(executions::running(aws, &gone).await?);
    }
    if running.is_empty() { Ok(()) } else { Err(AwsError::SagaUnderWay { running }) }
}

fn machine_names(release: &Release<'_>) -> impl Iterator<Item = String> {
    let Release { app, target, .. } = release;
    app.machines.iter().map(|machine| machine.name(&target.deployment, target.stage))
}

/// What the release would take away from a stack, in a template that does not.
async fn kept(
    release: &Release<'_>,
    stack: &Stack,
    existing: &Deployment,
) -> Result<Option<Keeping>, AwsError> {
    let name = release.target.stack_name(stack);
    let deployed = template::deployed(release.aws, &name, existing).await?;
    Ok(keeping(&deployed, &template::wanted(&name, stack)?))
}

/// Applies a stack, and keeps what it puts out.
async fn one(
    release: &Release<'_>,
    stack: &Stack,
    existing: Option<Deployment>,
    keeping: Option<Keeping>,
    all: &mut Deployed,
    progress: &mut dyn Progress,
) -> Result<(), AwsError> {
    let Release { aws, target, bucket, given, .. } = release;
    let name = target.stack_name(stack);
    let mut given = given.clone();
    for (parameter, from) in &stack.handed {
        let output = all.outputs.get(*from).and_then(|outputs| outputs.get(parameter));
        given.extend(output.map(|value| (parameter.clone(), value.clone())));
    }
    let previous = existing.as_ref().map(Deployment::parameter_names).unwrap_or_default();
    let parameters = match &keeping {
        Some(Keeping { template, .. }) => {
            let declared = template["Parameters"].as_object().into_iter().flatten();
            super::parameters::arguments(
                declared.map(|(name, json)| (name.as_str(), json)),
                &given,
                &previous,
            )
        }
        None => super::parameters::arguments(stack.template.parameters(), &given, &previous),
    };
    let parameters = parameters
        .map_err(|options| AwsError::MissingParameters { stacks: vec![stack.id.to_owned()], options })?;
    let text = match keeping {
        Some(Keeping { template, .. }) => template.to_string(),
        None => stack.template.to_yaml().to_owned(),
    };
    let wanted = Wanted {
        name: &name,
        body: template::body(aws, bucket, &name, &text, progress).await?,
        parameters,
        tags: tags(target),
    };
    let (deployed, changed) = change_set::apply(aws, wanted, existing, progress).await?;
    let expected: Vec<&str> = unconditional_outputs(stack).collect();
    let deployed = stack::with_outputs(aws, &name, deployed, &expected).await?;
    all.outputs.insert(stack.id.to_owned(), deployed.outputs);
    if changed {
        all.changed.insert(stack.id.to_owned());
    }
    Ok(())
}

fn unconditional_outputs(stack: &Stack) -> impl Iterator<Item = &str> {
    let outputs = stack.template.outputs().filter(|(_, declared)| declared.get("Condition").is_none());
    outputs.map(|(name, _)| name)
}

fn tags(target: &Target) -> Vec<(String, String)> {
    [("flyover:deployment", target.deployment.as_str()), ("flyover:stage", target.stage.name())]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into()
}
