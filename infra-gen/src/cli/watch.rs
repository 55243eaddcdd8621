//! `infra-gen watch`.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use infra_gen::aws::{self, Target};
use infra_gen::logs::Logs;
use infra_gen::package::{self, Arch, Profile};
use infra_gen::project;
use infra_gen::watch::Changes;
use stacks::Stage;
use tokio::process::Command;
use tokio::sync::Notify;

use super::args::{ReleaseArgs, WatchArgs};
use super::aws::until_interrupted;
use super::logs;
use super::{deployment, output};

/// This program: what is saved may change it too.
const PROGRAM: &str = "infra-gen";

pub(crate) fn run(args: WatchArgs) -> anyhow::Result<ExitCode> {
    let WatchArgs { release, lines, no_logs } = args;
    if release.target.stage == Stage::Prod {
        bail!(
            "`watch` changes functions and state machines behind CloudFormation's back, so it is not for stage {}: use \
             `deploy`, or give `--stage dev`",
            release.target.stage
        );
    }
    let target = Target::new(release.target.deployment.clone(), release.target.stage, deployment::SYNTH);
    let selection = (!no_logs).then(|| logs::selection(lines));
    let deployed = Notify::new();
    let work = async {
        let arch = aws::usual_arch(release.arch).await;
        let cycle = Cycle::new(&release, arch)?;
        let follow = async {
            deployed.notified().await;
            if let Some(selection) = selection {
                let selection = infra_gen::logs::Selection { since: Duration::ZERO, ..selection };
                let mut logs = Logs::open(&target, None, selection).await?;
                logs::go_on(&mut logs, false).await;
            }
            std::future::pending::<anyhow::Result<Infallible>>().await
        };
        tokio::try_join!(cycle.go_round(&deployed), follow)?;
        Ok::<(), anyhow::Error>(())
    };
    // Ctrl-C is how watching ends.
    until_interrupted(work)?.transpose()?;
    Ok(ExitCode::SUCCESS)
}

/// Build, deploy, wait for a change.
struct Cycle {
    root: PathBuf,
    changes: Changes,
    build: Vec<OsString>,
    deploy: Vec<OsString>,
}

impl Cycle {
    fn new(release: &ReleaseArgs, arch: Arch) -> anyhow::Result<Self> {
        let functions = package::function_names(deployment::SYNTH)?;
        let packages: BTreeSet<String> = functions.iter().cloned().chain([PROGRAM.to_owned()]).collect();
        let profile = release.profile.unwrap_or(Profile::Quick);
        // What is packaged another way is built by the program that deploys.
        let with = if (profile, arch) == (Profile::Quick, Arch::Host) { functions } else { BTreeSet::new() };
        Ok(Self {
            root: project::root()?,
            changes: Changes::of(&packages)?,
            build: package::cargo_arguments(with.iter().map(String::as_str).chain([PROGRAM])),
            deploy: deploy_arguments(release, arch, profile),
        })
    }

    /// For ever. What cannot be compiled or deployed is told, and what was deployed before goes on.
    async fn go_round(mut self, deployed: &Notify) -> anyhow::Result<Infallible> {
        output::line(format_args!(
            "watching {} packages for changes; Ctrl-C ends it",
            self.changes.packages()
        ));
        let (mut begun, mut told) = (Instant::now(), true);
        loop {
            if self.build_and_deploy(told).await? {
                output::line(format_args!("live after {:.1} s", begun.elapsed().as_secs_f64()));
                deployed.notify_one();
            } else {
                output::line("what was deployed before goes on; waiting for the next change");
            }
            let saved = self.saved().await?;
            (begun, told) = (Instant::now(), false);
            output::line(format_args!("changed: {}", named(&saved)));
        }
    }

    /// What somebody saved.
    async fn saved(&mut self) -> anyhow::Result<BTreeSet<PathBuf>> {
        loop {
            let saved = self.changes.next().await?;
            if !saved.is_empty() {
                return Ok(saved);
            }
        }
    }

    /// Whether it went well. The program that deploys is the one that was just built, for it has the sagas in it. `told`: cargo
    /// says what it compiles, which takes minutes at first and seconds later.
    async fn build_and_deploy(&self, told: bool) -> anyhow::Result<bool> {
        if !self.run(&project::cargo(), &self.build, told).await? {
            return Ok(false);
        }
        self.run(&project::program(&self.root, PROGRAM), &self.deploy, told).await
    }

    async fn run(&self, program: &Path, arguments: &[OsString], told: bool) -> anyhow::Result<bool> {
        let mut command = Command::from(project::command_outside_cargo(program));
        command.args(arguments).current_dir(&self.root).kill_on_drop(true);
        if !told {
            // Errors and warnings are shown all the same.
            command.env("CARGO_TERM_QUIET", "true");
        }
        let status = command.status().await.with_context(|| format!("cannot run {}", program.display()))?;
        Ok(status.success())
    }
}

/// `infra-gen deploy --hotswap` of the same.
fn deploy_arguments(release: &ReleaseArgs, arch: Arch, profile: Profile) -> Vec<OsString> {
    let ReleaseArgs {
        target,
        arch: _,
        profile: _,
        gateway_url,
        email_from,
        operator_email,
        parameters,
        allow_incompatible,
    } = release;
    let mut arguments: Vec<String> = ["deploy", "--hotswap", "--arch", arch.name()].map(Into::into).into();
    let options = [
        ("--stage", Some(target.stage.name())),
        ("--deployment", Some(target.deployment.as_str())),
        ("--profile", Some(profile.name())),
        ("--gateway-url", gateway_url.as_deref()),
        ("--email-from", email_from.as_deref()),
        ("--operator-email", operator_email.as_deref()),
    ];
    for (name, value) in options {
        arguments.extend(value.into_iter().flat_map(|value| [name.to_owned(), value.to_owned()]));
    }
    for (name, value) in parameters {
        arguments.extend(["--parameter".to_owned(), format!("{name}={value}")]);
    }
    if *allow_incompatible {
        arguments.push("--allow-incompatible".to_owned());
    }
    arguments.into_iter().map(Into::into).collect()
}

/// The first few.
fn named(saved: &BTreeSet<PathBuf>) -> String {
    const NAMED: usize = 3;
    let first: Vec<_> = saved.iter().take(NAMED).map(|path| path.display().to_string()).collect();
    let more = saved.len().saturating_sub(NAMED);
    if more > 0 { format!("{} and {more} more", first.join(", ")) } else { first.join(", ") }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::Cli;
    use crate::cli::args::Command as Verb;

    #[test]
    fn what_is_deployed_again_is_what_was_asked_for() {
        let line = "infra-gen watch --deployment shop --gateway-url http://g --parameter MaxBacklog=9 --allow-incompatible";
        let Some(Verb::Watch(args)) = Cli::parse_from(line.split(' ')).command else { panic!("no watch") };
        let arguments = deploy_arguments(&args.release, Arch::Host, Profile::Quick);
        let again = [OsString::from("infra-gen")].into_iter().chain(arguments);
        let Some(Verb::Deploy(again)) = Cli::parse_from(again).command else { panic!("no deploy") };
        assert!(again.hotswap && again.release.allow_incompatible);
        assert_eq!((again.release.arch, again.release.profile), (Some(Arch::Host), Some(Profile::Quick)));
        assert_eq!(again.release.target.deployment, "shop");
        assert_eq!(again.release.parameters, args.release.parameters);
        assert_eq!(again.release.gateway_url, args.release.gateway_url);
    }

    #[test]
    fn many_files_are_counted() {
        let saved = |count: u32| (0..count).map(|n| PathBuf::from(format!("{n}.rs"))).collect();
        assert_eq!(named(&saved(1)), "0.rs");
        assert_eq!(named(&saved(5)), "0.rs, 1.rs, 2.rs and 2 more");
    }
}
