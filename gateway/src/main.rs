//! `gateway --port 4599`: runs the payment gateway until Ctrl-C.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use gateway::{Gateway, TOKENS};
use tokio::signal::unix::{SignalKind, signal};

/// A payment gateway over HTTP. Prints its URL once it listens.
#[derive(Debug, Parser)]
#[command(after_help = tokens_help())]
struct Arguments {
    /// The port to listen on, on 127.0.0.1; 0 takes any free one.
    #[arg(long, default_value_t = 4599)]
    port: u16,
    /// The file to keep the state in, and to go on from. Without it the state is in memory only.
    #[arg(long)]
    journal: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(&Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Without standard error there is nobody to tell.
            let _ = writeln!(std::io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(Arguments { port, journal }: &Arguments) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let gateway = match journal {
        Some(journal) => Gateway::start_with_journal(*port, journal).await?,
        None => Gateway::start(*port).await?,
    };
    writeln!(std::io::stdout(), "{}", gateway.url()).context("cannot print the URL")?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted.context("cannot listen for Ctrl-C")?,
        _ = terminate.recv() => {}
    }
    gateway.stop().await;
    Ok(())
}

fn tokens_help() -> String {
    let rows = TOKENS.map(|row| format!("  {:<16}{}\n", row.prefix, row.meaning));
    format!("Payment tokens, by prefix:\n{}", rows.concat())
}
