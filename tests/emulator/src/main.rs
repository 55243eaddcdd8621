//! `emulator up | down | status`: the emulator of `make up`, which runs until `make down`.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand};
use emulator::{EmulatorConfig, Kind, detached, detached::Running};

/// Runs the local AWS emulator in the background.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Starts it, unless it runs already.
    Up {
        /// The port on 127.0.0.1; 0 takes any free one.
        #[arg(long, default_value_t = 4566)]
        port: u16,
        /// Which one: ministack, localstack or localstack-docker.
        #[arg(long, default_value_t)]
        emulator: Kind,
        /// Let everybody do everything: do not enforce IAM policies, which only ministack can.
        #[arg(long)]
        no_iam: bool,
    },
    /// Stops it and every Lambda process that it started, if it runs.
    Down,
    /// Says whether and where it runs; fails when it does not.
    Status,
}

fn main() -> ExitCode {
    match run(&Arguments::parse().verb) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Without standard error there is nobody to tell.
            let _ = writeln!(std::io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(verb: &Verb) -> anyhow::Result<()> {
    let defaults = EmulatorConfig::default();
    match *verb {
        Verb::Up { port, emulator: kind, no_iam } => {
            let iam_enforced = !no_iam && kind.can_enforce_iam();
            let config =
                EmulatorConfig { kind, port, iam_enforced, start_limit: kind.start_limit(), ..defaults };
            let running = detached::up(&config)?;
            say(&told(&running, iam_enforced))
        }
        Verb::Down => match detached::down(&defaults)? {
            Some(running) => say(&format!("the emulator at {} is stopped", running.endpoint_url)),
            None => say("no emulator of `make up` runs"),
        },
        Verb::Status => {
            let running = detached::status(&defaults)?.context("no emulator runs: `make up` starts one")?;
            say(&format!("{} (process {})", told(&running, running.iam_enforced), running.pid))
        }
    }
}

/// What runs, and what to do when that is not what was asked for.
fn told(running: &Running, iam_enforced: bool) -> String {
    let Running { endpoint_url, log, .. } = running;
    let iam = if running.iam_enforced { "IAM enforced" } else { "IAM not enforced" };
    let other = if running.iam_enforced == iam_enforced {
        ""
    } else {
        ": it ran before, `make down` and then `make up` starts another"
    };
    format!("the emulator runs at {endpoint_url}, {iam}{other} (log: {})", log.display())
}

fn say(line: &str) -> anyhow::Result<()> {
    writeln!(std::io::stdout(), "{line}").context("cannot write to standard output")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn up(line: &str) -> (u16, bool) {
        match Arguments::try_parse_from(line.split(' ')).map(|arguments| arguments.verb) {
            Ok(Verb::Up { port, no_iam, .. }) => (port, !no_iam),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn iam_is_enforced_unless_asked_otherwise() {
        assert_eq!(up("emulator up"), (4566, true));
        assert_eq!(up("emulator up --no-iam --port 0"), (0, false));
    }

    #[test]
    fn what_runs_is_told_and_what_differs() {
        let url = "http://127.0.0.1:4566".to_owned();
        let running = Running { pid: 7, endpoint_url: url, iam_enforced: true, log: "e.log".into() };
        assert_eq!(
            told(&running, true),
            "the emulator runs at http://127.0.0.1:4566, IAM enforced (log: e.log)"
        );
        let lax = Running { iam_enforced: false, ..running };
        let said = told(&lax, true);
        assert!(said.contains("IAM not enforced: it ran before, `make down`"), "{said}");
    }
}
