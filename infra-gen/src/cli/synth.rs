//! `infra-gen synth`.

use std::process::ExitCode;
use std::time::Instant;

use infra_gen::synth::{self, Change, Emitted, FileState, Prune};
use infra_gen::{functions, project};
use stacks::Stage;

use super::args::SynthArgs;
use super::output;

pub(crate) fn run(args: &SynthArgs, start: Instant) -> anyhow::Result<ExitCode> {
    let all = Stage::ALL;
    let stages = args.stage.as_ref().map_or(&all[..], std::slice::from_ref);
    let root = project::root()?;
    let Emitted { files, functions } = synth::emit(stages.iter().copied(), args.format)?;
    functions::check(&root, functions)?;
    let (folder, prune) = match &args.out {
        Some(folder) => (folder.clone(), Prune::No),
        None => (root.join(synth::FOLDER), Prune::Of(stages)),
    };
    if args.check {
        let states = synth::compare(&folder, &files, prune)?;
        return Ok(report_check(&states, start));
    }
    report_written(&synth::write(&folder, &files, prune)?, start);
    Ok(ExitCode::SUCCESS)
}

fn report_written(states: &[FileState], start: Instant) {
    for state in states {
        let word = match state.change {
            Change::Unchanged => "unchanged",
            Change::Missing | Change::Changed { .. } => "written",
            Change::Stale => "removed",
        };
        output::line(format_args!("{word:<9}  {}", state.path.display()));
    }
    let differing = states.iter().filter(|state| state.differs()).count();
    output::line(format_args!(
        "{} files, {differing} changed, in {} ms",
        states.len(),
        start.elapsed().as_millis()
    ));
}

fn report_check(states: &[FileState], start: Instant) -> ExitCode {
    let stale: Vec<_> = states.iter().filter(|state| state.differs()).collect();
    for state in &stale {
        match &state.change {
            Change::Unchanged => {}
            Change::Missing => output::line(format_args!("missing  {}", state.path.display())),
            Change::Stale => {
                output::line(format_args!("stale    {}: it is no more emitted", state.path.display()));
            }
            Change::Changed { line, there, emitted } => {
                output::line(format_args!("changed  {}, first in line {line}", state.path.display()));
                output::line(format_args!("         - {}", shortened(there)));
                output::line(format_args!("         + {}", shortened(emitted)));
            }
        }
    }
    output::line(format_args!(
        "{} files, {} differ, in {} ms",
        states.len(),
        stale.len(),
        start.elapsed().as_millis()
    ));
    if stale.is_empty() {
        return ExitCode::SUCCESS;
    }
    output::line("run `make synth` and commit what it writes");
    ExitCode::FAILURE
}

/// The line, cut to what a terminal shows.
fn shortened(line: &str) -> String {
    const SHOWN: usize = 100;
    match line.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}
