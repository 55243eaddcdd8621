//! One command from nothing to 830 orders as distributed transactions on a local AWS: `make demo`.
//!
//! | module | does |
//! | --- | --- |
//! | [`arguments`], [`input`], [`plan`], [`shares`] | what is published: files, options, and who gets which fate |
//! | [`run`] | the steps, one after another |
//! | [`functions`], [`interrupt`] | the build of the functions, and Ctrl-C |
//! | [`traffic`], [`tally`] | publishing, watching and counting |
//! | [`gather`], [`ownership`], [`evidence`], [`measure`], [`verdict`] | what is left behind, how fast it was, and whether anything was lost |
//! | [`screen`], [`report`], [`format`] | what is shown |
//!
//! Everything is seen from outside, through the crate `system`: the same way the end-to-end tests look.

mod arguments;
mod evidence;
mod format;
mod functions;
mod gather;
mod input;
mod interrupt;
mod measure;
mod ownership;
mod plan;
mod report;
mod run;
mod screen;
mod shares;
mod tally;
mod traffic;
mod verdict;

use arguments::Arguments;
use clap::Parser;
use run::End;
use std::{io::Write, process::ExitCode};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.package {
        return functions::package_and_say();
    }
    match start(&arguments) {
        Ok(End::Well) => ExitCode::SUCCESS,
        Ok(End::Lost) => ExitCode::FAILURE,
        Ok(End::Interrupted) => ExitCode::from(interrupt::EXIT_CODE),
        Err(error) => {
            // Without standard error there is nobody to tell.
            let _ = writeln!(std::io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn start(arguments: &Arguments) -> anyhow::Result<End> {
    run::run(arguments).await
}
