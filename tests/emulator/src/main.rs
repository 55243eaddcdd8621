//! `emulator up | down | status`: the emulator of `make up`, which runs until `make down`.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand};
use emulator::{EmulatorConfig, detached};

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
        /// Enforce IAM policies.
        #[arg(long)]
        iam: bool,
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
        Verb::Up { port, iam } => {
            let running = detached::up(&EmulatorConfig { port, iam_enforced: iam, ..defaults })?;
            let log = running.log.display();
            say(&format!("the emulator runs at {} (log: {log})", running.endpoint_url))
        }
        Verb::Down => match detached::down(&defaults)? {
            Some(running) => say(&format!("the emulator at {} is stopped", running.endpoint_url)),
            None => say("no emulator of `make up` runs"),
        },
        Verb::Status => {
            let running = detached::status(&defaults)?.context("no emulator runs: `make up` starts one")?;
            say(&format!("the emulator runs at {} (process {})", running.endpoint_url, running.pid))
        }
    }
}

fn say(line: &str) -> anyhow::Result<()> {
    writeln!(std::io::stdout(), "{line}").context("cannot write to standard output")
}
