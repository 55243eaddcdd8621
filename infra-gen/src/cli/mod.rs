//! The command line.

mod args;
#[cfg(feature = "aws")]
mod aws;
#[cfg(feature = "check")]
mod check;
mod deployment;
mod graph;
#[cfg(feature = "aws")]
mod logs;
#[cfg(feature = "aws")]
mod ops;
mod output;
mod package;
#[cfg(not(all(feature = "aws", feature = "check")))]
mod rerun;
mod synth;
#[cfg(feature = "aws")]
mod watch;

pub(crate) use args::Cli;

use std::process::ExitCode;
use std::time::Instant;

use args::Command;

/// Does what the command line says. `start` is when the process started.
pub(crate) fn run(cli: Cli, start: Instant) -> anyhow::Result<ExitCode> {
    match cli.command {
        None => synth::run(&cli.synth, start),
        Some(Command::Synth(args)) => synth::run(&args, start),
        Some(Command::Package(args)) => package::run(&args),
        Some(Command::Graph(args)) => graph::run(&args),
        #[cfg(feature = "aws")]
        Some(Command::Deploy(args)) => aws::deploy(args),
        #[cfg(feature = "aws")]
        Some(Command::Destroy(args)) => aws::destroy(args),
        #[cfg(feature = "aws")]
        Some(Command::Diff(args)) => aws::diff(args),
        #[cfg(feature = "aws")]
        Some(Command::Watch(args)) => watch::run(args),
        #[cfg(feature = "aws")]
        Some(Command::Logs(args)) => logs::run(args),
        #[cfg(feature = "aws")]
        Some(Command::Ops(args)) => ops::run(args),
        #[cfg(not(feature = "aws"))]
        Some(
            Command::Deploy(_)
            | Command::Destroy(_)
            | Command::Diff(_)
            | Command::Watch(_)
            | Command::Logs(_)
            | Command::Ops(_),
        ) => rerun::with("aws", "the AWS SDK"),
        #[cfg(feature = "check")]
        Some(Command::Check(args)) => check::run(&args),
        #[cfg(not(feature = "check"))]
        Some(Command::Check(_)) => rerun::with("check", "the checker"),
    }
}
