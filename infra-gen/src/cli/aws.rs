//! `infra-gen deploy`, `destroy` and `diff`.

mod progress;

use std::future::Future;
use std::io::{self, IsTerminal};
use std::process::ExitCode;

use anyhow::Context;
use infra_gen::aws::{
    self, AwsError, DeployOptions, Deployed, DestroyOptions, Destroyed, Difference, Side, StackDifference,
    Target,
};
use infra_gen::package::Profile;

use super::args::{DeployArgs, DestroyArgs, DiffArgs, TargetArgs};
use super::{deployment, output};
use progress::Lines;

pub(crate) fn deploy(args: DeployArgs) -> anyhow::Result<ExitCode> {
    let DeployArgs { release, no_package, hotswap } = args;
    let usual = if hotswap { Profile::Quick } else { Profile::Release };
    let options = DeployOptions {
        arch: release.arch,
        profile: release.profile.unwrap_or(usual),
        gateway_url: release.gateway_url,
        email_from: release.email_from,
        operator_email: release.operator_email,
        parameters: release.parameters.into_iter().collect(),
        package: !no_package,
        allow_incompatible: release.allow_incompatible,
        hotswap,
        ..DeployOptions::new(target(release.target))
    };
    let mut lines = if hotswap { Lines::brief() } else { Lines::new() };
    match until_interrupted(aws::deploy(&options, &mut lines))? {
        Some(deployed) => {
            let deployed = deployed?;
            // Who swaps code knows what is deployed.
            if !hotswap || !deployed.changed.is_empty() {
                report_deployed(&deployed);
            }
            Ok(ExitCode::SUCCESS)
        }
        None => Ok(interrupted("deploy")),
    }
}

pub(crate) fn destroy(args: DestroyArgs) -> anyhow::Result<ExitCode> {
    let mut options = DestroyOptions {
        confirmed: args.yes,
        stop_executions: args.stop_executions,
        ..DestroyOptions::new(target(args.target))
    };
    let mut lines = Lines::new();
    let mut result = until_interrupted(aws::destroy(&options, &mut lines))?;
    if let Some(Err(AwsError::NotConfirmed { name })) = &result
        && io::stdin().is_terminal()
    {
        options.confirmed = ask(name)?;
        if options.confirmed {
            result = until_interrupted(aws::destroy(&options, &mut lines))?;
        }
    }
    match result {
        Some(destroyed) => {
            report_destroyed(&destroyed?);
            Ok(ExitCode::SUCCESS)
        }
        None => Ok(interrupted("destroy")),
    }
}

pub(crate) fn diff(args: DiffArgs) -> anyhow::Result<ExitCode> {
    let target = target(args.target);
    let Some(stacks) = until_interrupted(aws::diff(&target, None))? else { return Ok(ExitCode::FAILURE) };
    let stacks = stacks?;
    report_differences(&stacks);
    if stacks.iter().any(StackDifference::is_refused) && !args.allow_incompatible {
        output::line(
            "what is in flight or stored would not be understood, or be lost: `deploy` refuses this unless given `--allow-incompatible`",
        );
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

fn report_differences(stacks: &[StackDifference]) {
    for stack in stacks {
        if !stack.deployed {
            output::line(format_args!("{}: not deployed", stack.stack));
            continue;
        }
        let same = if stack.differences.is_empty() { " no differences" } else { "" };
        output::line(format_args!("{}:{same}", stack.stack));
        for difference in &stack.differences {
            output::line(format_args!("  {}", described(difference)));
        }
        for (resource, effect) in stack.losses() {
            output::line(format_args!("  ! {resource}: this {effect}"));
        }
        match &stack.incompatibilities {
            Some(found) => {
                for incompatibility in found {
                    output::line(format_args!("  ! {incompatibility}"));
                }
            }
            None => output::line(
                "  ! the deployed release kept no schemas: whether its messages are understood is not known",
            ),
        }
        if !stack.knows_entities {
            output::line(
                "  ! the deployed release kept no entities: whether what it has stored is found is not known",
            );
        }
        for irreversible in &stack.irreversible {
            output::line(format_args!("  ! {irreversible}"));
        }
    }
}

fn described(difference: &Difference) -> String {
    let path = &difference.path;
    let line = match &difference.side {
        Side::Added(new) => format!("+ {path}  {new}"),
        Side::Removed(old) => format!("- {path}  {old}"),
        Side::Changed(old, new) => format!("~ {path}  {old} -> {new}"),
    };
    match difference.effect {
        Some(effect) => format!("{line}  [{effect}]"),
        None => line,
    }
}

pub(super) fn target(args: TargetArgs) -> Target {
    Target::new(args.deployment, args.stage, deployment::SYNTH)
}

/// Runs it to its end, or until Ctrl-C: then none.
pub(super) fn until_interrupted<T>(work: impl Future<Output = T>) -> anyhow::Result<Option<T>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let result = runtime.block_on(async {
        tokio::select! {
            result = work => Some(result),
            _ = tokio::signal::ctrl_c() => None,
        }
    });
    // A build that was interrupted has got the signal too.
    runtime.shutdown_background();
    Ok(result)
}

fn interrupted(verb: &str) -> ExitCode {
    eprintln!(
        "\ninterrupted: CloudFormation goes on with what it has begun; `infra-gen {verb}` again waits for it"
    );
    // As a shell says of a process that Ctrl-C ended.
    ExitCode::from(130)
}

/// Asks for the name to be typed.
fn ask(name: &str) -> anyhow::Result<bool> {
    output::part(format_args!("This deletes {name} and its artifact bucket. Type {name} to go on: "));
    let mut line = String::new();
    io::stdin().read_line(&mut line).context("cannot read the answer")?;
    Ok(line.trim() == name)
}

fn report_deployed(deployed: &Deployed) {
    for (stack, outputs) in &deployed.outputs {
        output::line(format_args!("outputs of {stack}:"));
        let width = outputs.keys().map(String::len).max().unwrap_or_default();
        for (name, value) in outputs {
            output::line(format_args!("  {name:<width$}  {value}"));
        }
    }
    if deployed.changed.is_empty() && deployed.swapped.is_empty() {
        output::line("nothing changed");
    }
}

fn report_destroyed(destroyed: &Destroyed) {
    if destroyed.stopped > 0 {
        output::line(format_args!("stopped {} executions; what they did stays as it is", destroyed.stopped));
    }
    if let Some((bucket, objects)) = &destroyed.bucket {
        output::line(format_args!("removed the artifact bucket {bucket} with {objects} objects"));
    }
    if !destroyed.retained.is_empty() {
        output::line("kept, as the templates say:");
        for retained in &destroyed.retained {
            output::line(format_args!("  {}  {}", retained.resource_type, retained.physical_id));
        }
    }
    if destroyed.stacks.is_empty() && destroyed.bucket.is_none() {
        output::line("there was nothing to destroy");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use infra_gen::aws::{Data, Effect, Fate};

    #[test]
    fn a_difference_is_one_line_with_its_effect() {
        let difference = |side, effect| Difference { path: "Resources.A".to_owned(), side, effect };
        let lost = Effect { fate: Fate::Replaced, data: Data::Lost };
        let text = || "x".to_owned();
        assert_eq!(described(&difference(Side::Added(text()), None)), "+ Resources.A  x");
        assert_eq!(
            described(&difference(Side::Changed(text(), text()), Some(lost))),
            "~ Resources.A  x -> x  [replaces it, and what it holds is lost]"
        );
    }
}
