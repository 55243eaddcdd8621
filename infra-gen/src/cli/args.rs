//! What the command line takes.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand};
use infra_gen::package::{Arch, Profile};
use infra_gen::synth::{Format, Picture};
use stacks::Stage;

use super::deployment;

/// Writes the infrastructure of Flyover from its typed definition, packages the functions, and deploys both.
///
/// Without a command: `synth`.
#[derive(Debug, Parser)]
#[command(name = "infra-gen", version, args_conflicts_with_subcommands = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) synth: SynthArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write templates, state machines and pictures
    Synth(SynthArgs),
    /// Build the functions and zip them
    Package(PackageArgs),
    /// Package, upload what is new, and deploy every stack by change set
    Deploy(DeployArgs),
    /// Delete the stacks and the artifact bucket
    Destroy(DestroyArgs),
    /// Show how the templates differ from what is deployed; fail if what is in flight or stored would not be understood, or be lost
    Diff(DiffArgs),
    /// Print a picture of a saga
    Graph(GraphArgs),
    /// Try every failure of the sagas with the real handlers and the state machines that would be deployed
    Check(CheckArgs),
    /// Deploy, and then again whatever is saved, with the logs of all functions; not for production
    Watch(WatchArgs),
    /// Show the logs of all functions as one stream
    Logs(LogsArgs),
    /// Look at the sagas of a deployment, and answer for an operator
    #[cfg(feature = "aws")]
    Ops(super::ops::OpsArgs),
    /// Look at the sagas of a deployment, and answer for an operator
    #[cfg(not(feature = "aws"))]
    #[command(disable_help_flag = true)]
    Ops(ForwardedArgs),
}

/// Arguments for the program with the feature `aws`, which reads them.
#[cfg(not(feature = "aws"))]
#[derive(Debug, Args)]
pub(crate) struct ForwardedArgs {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    _rest: Vec<std::ffi::OsString>,
}

#[derive(Debug, Args)]
pub(crate) struct SynthArgs {
    /// Only this stage [default: all]
    #[arg(long, value_parser = stage_parser())]
    pub(crate) stage: Option<Stage>,
    /// The folder to write to [default: stacks/templates, where files that are no more emitted are removed]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// How templates are written; another than the default needs --out
    #[arg(long, default_value_t, value_parser = format_parser())]
    pub(crate) format: Format,
    /// Write nothing; fail if a file is not as it would be written
    #[arg(long)]
    pub(crate) check: bool,
}

#[derive(Debug, Args)]
pub(crate) struct PackageArgs {
    /// For which processors: this machine's with its own C library, or one of Lambda's
    #[arg(long, default_value_t, value_parser = arch_parser())]
    pub(crate) arch: Arch,
    /// How they are compiled: small and quick, or built quickly, for tests
    #[arg(long, default_value_t, value_parser = profile_parser(), env = "FLYOVER_PROFILE")]
    pub(crate) profile: Profile,
    /// Only this function
    #[arg(long, value_name = "NAME")]
    pub(crate) only: Option<String>,
}

#[derive(Debug, Args)]
#[cfg_attr(not(feature = "aws"), allow(dead_code, reason = "read by the program with the feature"))]
pub(crate) struct DeployArgs {
    #[command(flatten)]
    pub(crate) release: ReleaseArgs,
    /// Deploy what was packaged before
    #[arg(long, conflicts_with = "hotswap")]
    pub(crate) no_package: bool,
    /// Change code and state machines without a stack update, if nothing else changed; not on production
    #[arg(long)]
    pub(crate) hotswap: bool,
}

/// What is deployed, and where.
#[derive(Debug, Args)]
#[cfg_attr(not(feature = "aws"), allow(dead_code, reason = "read by the program with the feature"))]
pub(crate) struct ReleaseArgs {
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    /// For which processors [default: host for a local emulator, arm64 for AWS]
    #[arg(long, value_parser = arch_parser())]
    pub(crate) arch: Option<Arch>,
    /// How functions are compiled [default: release; quick with --hotswap]
    #[arg(long, value_parser = profile_parser(), env = "FLYOVER_PROFILE")]
    pub(crate) profile: Option<Profile>,
    /// The payment gateway [required the first time]
    #[arg(long, value_name = "URL")]
    pub(crate) gateway_url: Option<String>,
    /// The sender of e-mails to customers [required the first time]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) email_from: Option<String>,
    /// Who is told of alarms [default: nobody]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) operator_email: Option<String>,
    /// Any other parameter of the stacks; may be repeated
    #[arg(long = "parameter", value_name = "NAME=VALUE", value_parser = parse_parameter)]
    pub(crate) parameters: Vec<(String, String)>,
    /// Deploy even if what is in flight or stored would not be understood, or be lost
    #[arg(long)]
    pub(crate) allow_incompatible: bool,
}

#[derive(Debug, Args)]
#[cfg_attr(not(feature = "aws"), allow(dead_code, reason = "read by the program with the feature"))]
pub(crate) struct WatchArgs {
    #[command(flatten)]
    pub(crate) release: ReleaseArgs,
    #[command(flatten)]
    pub(crate) lines: LinesArgs,
    /// Show no logs
    #[arg(long, conflicts_with_all = ["saga_id", "functions"])]
    pub(crate) no_logs: bool,
}

#[derive(Debug, Args)]
#[cfg_attr(not(feature = "aws"), allow(dead_code, reason = "read by the program with the feature"))]
pub(crate) struct LogsArgs {
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    #[command(flatten)]
    pub(crate) lines: LinesArgs,
    /// How far back to begin: 90s, 10m, 2h or 7d
    #[arg(long, default_value = "10m", value_name = "DURATION", value_parser = parse_duration)]
    pub(crate) since: Duration,
    /// Go on with what is written from now on, until Ctrl-C
    #[arg(long, short)]
    pub(crate) follow: bool,
    /// Write the lines as the functions wrote them, JSON objects as a rule
    #[arg(long)]
    pub(crate) json: bool,
    /// Also what Lambda writes: where a call begins and ends, and what it took
    #[arg(long)]
    pub(crate) platform: bool,
}

/// Which lines of logs.
#[derive(Debug, Args)]
#[cfg_attr(not(feature = "aws"), allow(dead_code, reason = "read by the program with the feature"))]
pub(crate) struct LinesArgs {
    /// Only what is about this saga, an order's id for example
    #[arg(long, value_name = "ID")]
    pub(crate) saga_id: Option<String>,
    /// Only this function; may be repeated
    #[arg(long = "function", value_name = "NAME")]
    pub(crate) functions: Vec<String>,
}

#[derive(Debug, Args)]
#[cfg_attr(not(feature = "aws"), allow(dead_code, reason = "read by the program with the feature"))]
pub(crate) struct DestroyArgs {
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    /// Do not ask
    #[arg(long)]
    pub(crate) yes: bool,
    /// Stop executions that run where they are: what they did stays as it is, nothing is undone [default: refuse]
    #[arg(long)]
    pub(crate) stop_executions: bool,
}

#[derive(Debug, Args)]
#[cfg_attr(not(feature = "aws"), allow(dead_code, reason = "read by the program with the feature"))]
pub(crate) struct DiffArgs {
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    /// Do not fail if what is in flight or stored would not be understood, or be lost
    #[arg(long)]
    pub(crate) allow_incompatible: bool,
}

#[derive(Debug, Args)]
#[cfg_attr(not(feature = "aws"), allow(dead_code, reason = "read by the program with the feature"))]
pub(crate) struct TargetArgs {
    /// The stage
    #[arg(long, global = true, default_value_t = Stage::Dev, value_parser = stage_parser())]
    pub(crate) stage: Stage,
    /// The name that all stacks of the deployment begin with
    #[arg(long, global = true, default_value = deployment::NAME, value_name = "NAME", value_parser = parse_deployment)]
    pub(crate) deployment: String,
}

#[derive(Debug, Args)]
pub(crate) struct GraphArgs {
    /// The saga [default: all]
    pub(crate) saga: Option<String>,
    /// How it is drawn
    #[arg(long, default_value = Picture::Mermaid.name(), value_parser = picture_parser())]
    pub(crate) format: Picture,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Exit codes: 0 everything holds, 3 a history breaks something, 4 stopped by --at-most and 130 by Ctrl-C with nothing \
broken so far, 1 and 2 nothing could be checked")]
#[cfg_attr(not(feature = "check"), allow(dead_code, reason = "read by the program with the feature"))]
pub(crate) struct CheckArgs {
    /// The saga [default: all]
    pub(crate) saga: Option<String>,
    /// How many faults can happen in one history
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(0..=9))]
    pub(crate) faults: u8,
    /// How many sagas run at the same time, on one product
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=5))]
    pub(crate) sagas: u32,
    /// Whose state machines: as a deployment of this stage would have them
    #[arg(long, default_value_t = Stage::Prod, value_parser = stage_parser())]
    pub(crate) stage: Stage,
    /// How many threads search [default: one for each processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) threads: Option<u16>,
    /// Stop after about this many states [default: when there are no more]
    #[arg(long, value_name = "STATES")]
    pub(crate) at_most: Option<usize>,
    /// How the outcome is written; a history that breaks something also as a sequence diagram
    #[arg(long, default_value = "text", value_parser = ["text", "json", "mermaid"])]
    pub(crate) format: String,
}

fn stage_parser() -> impl TypedValueParser<Value = Stage> {
    PossibleValuesParser::new(Stage::ALL.map(Stage::name)).try_map(|name| name.parse::<Stage>())
}

fn format_parser() -> impl TypedValueParser<Value = Format> {
    PossibleValuesParser::new(Format::ALL.map(Format::name)).try_map(|name| name.parse::<Format>())
}

fn arch_parser() -> impl TypedValueParser<Value = Arch> {
    PossibleValuesParser::new(Arch::ALL.map(Arch::name)).try_map(|name| name.parse::<Arch>())
}

fn profile_parser() -> impl TypedValueParser<Value = Profile> {
    PossibleValuesParser::new(Profile::ALL.map(Profile::name)).try_map(|name| name.parse::<Profile>())
}

fn picture_parser() -> impl TypedValueParser<Value = Picture> {
    PossibleValuesParser::new(Picture::ALL.map(Picture::name)).map(|name| {
        // Only the names of pictures come here.
        Picture::ALL.into_iter().find(|picture| picture.name() == name).unwrap_or_default()
    })
}

/// A deployment's name is part of stack, bucket and queue names: the artifact bucket,
/// `<deployment>-<stage>-artifacts-<account>-<region>`, may have 63 characters.
fn parse_deployment(name: &str) -> Result<String, String> {
    let spelt = (1..=20).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if spelt {
        Ok(name.to_owned())
    } else {
        Err("use 1 to 20 lower-case letters, digits and `-`, starting with a letter".to_owned())
    }
}

/// `90s`, `10m`, `2h`, `7d`.
fn parse_duration(text: &str) -> Result<Duration, String> {
    let units = [('s', 1), ('m', 60), ('h', 3_600), ('d', 86_400)];
    let found = units.into_iter().find_map(|(unit, seconds)| {
        let count = text.strip_suffix(unit)?.parse::<u32>().ok()?;
        Some(Duration::from_secs(u64::from(count) * seconds))
    });
    found.ok_or_else(|| "write a whole number and s, m, h or d".to_owned())
}

fn parse_parameter(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write NAME=VALUE".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Cli, String> {
        Cli::try_parse_from(line.split(' ')).map_err(|error| error.to_string())
    }

    #[test]
    fn the_definition_is_sound() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }

    #[test]
    fn no_command_is_synth_and_takes_its_options() {
        let cli = parse("infra-gen").unwrap();
        assert!(cli.command.is_none() && cli.synth.stage.is_none() && !cli.synth.check);
        let cli = parse("infra-gen --stage prod --format json --out /tmp/x --check").unwrap();
        assert_eq!((cli.synth.stage, cli.synth.format), (Some(Stage::Prod), Format::Json));
        assert!(matches!(parse("infra-gen synth --stage dev").unwrap().command, Some(Command::Synth(_))));
    }

    #[test]
    fn wrong_values_are_refused_with_the_right_ones() {
        for (line, said) in [
            ("infra-gen --stage test", "[possible values: dev, prod]"),
            ("infra-gen synth --format toml", "[possible values: yaml, json]"),
            ("infra-gen package --arch arm", "[possible values: host, arm64, x86_64]"),
            ("infra-gen graph order --format png", "[possible values: mermaid, svg, dot]"),
            ("infra-gen deploy --deployment Fly_Over", "lower-case letters"),
            ("infra-gen deploy --parameter Tls", "write NAME=VALUE"),
            ("infra-gen deploy --hotswap --no-package", "cannot be used with"),
            ("infra-gen watch --no-logs --saga-id o-1", "cannot be used with"),
            ("infra-gen logs --since 10", "write a whole number and s, m, h or d"),
            ("infra-gen logs --since -1m", "unexpected argument '-1'"),
            ("infra-gen destroy --stage prod --force", "unexpected argument '--force'"),
            ("infra-gen check order --sagas 0", "0 is not in 1..=5"),
            ("infra-gen check --format xml", "[possible values: text, json, mermaid]"),
            ("infra-gen fly", "unrecognized subcommand 'fly'"),
        ] {
            let error = parse(line).unwrap_err();
            assert!(error.contains(said), "{line} said: {error}");
        }
    }

    #[test]
    fn durations_have_a_unit() {
        for (text, seconds) in [("90s", 90), ("10m", 600), ("2h", 7_200), ("7d", 604_800), ("0s", 0)] {
            assert_eq!(parse_duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for wrong in ["", "m", "1.5h", "4294967296d", "10 m"] {
            assert!(parse_duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_deployment_name_leaves_room_for_the_bucket_name() {
        let longest = parse_deployment("a2345678901234567890").unwrap();
        assert!(format!("{longest}-prod-artifacts-123456789012-ap-southeast-1").len() <= 63);
        assert!(parse_deployment("a23456789012345678901").is_err());
    }
}
