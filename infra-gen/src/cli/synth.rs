//! `infra-gen synth`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::bail;
use infra_gen::synth::{self, Change, Emitted, FileState, Format, Prune};
use infra_gen::{functions, project};
use stacks::Stage;

use super::args::SynthArgs;
use super::{deployment, output};

pub(crate) fn run(args: &SynthArgs, start: Instant) -> anyhow::Result<ExitCode> {
    let all = Stage::ALL;
    let stages = args.stage.as_ref().map_or(&all[..], std::slice::from_ref);
    let root = project::root()?;
    let Emitted { files, functions } = synth::emit(deployment::SYNTH, stages.iter().copied(), args.format)?;
    functions::check(&root, functions)?;
    let (folder, prune) = target(args, &root, stages)?;
    if args.check {
        let states = synth::compare(&folder, &files, prune)?;
        return Ok(report_check(&states, start));
    }
    report_written(&synth::write(&folder, &files, prune)?, start);
    Ok(ExitCode::SUCCESS)
}

/// The folder to bring in line, and whether what is no more emitted goes.
fn target<'a>(args: &SynthArgs, root: &Path, stages: &'a [Stage]) -> anyhow::Result<(PathBuf, Prune<'a>)> {
    match &args.out {
        Some(folder) => Ok((folder.clone(), Prune::No)),
        None if args.format == Format::default() => Ok((root.join(synth::FOLDER), Prune::Of(stages))),
        // The committed templates would count as stale and go.
        None => bail!(
            "`--format {}` needs `--out DIR`: {} holds the committed templates, which are {}",
            args.format,
            synth::FOLDER,
            Format::default(),
        ),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn args(format: Format, out: Option<&str>) -> SynthArgs {
        SynthArgs { stage: None, out: out.map(PathBuf::from), format, check: false }
    }

    #[test]
    fn only_the_committed_format_prunes_the_committed_folder() {
        let (root, stages) = (Path::new("/project"), &Stage::ALL[..]);
        let committed = target(&args(Format::Yaml, None), root, stages).unwrap();
        assert_eq!(committed, (root.join(synth::FOLDER), Prune::Of(stages)));
        for format in Format::ALL {
            let elsewhere = target(&args(format, Some("/tmp/x")), root, stages).unwrap();
            assert_eq!(elsewhere, (PathBuf::from("/tmp/x"), Prune::No));
        }
        let error = target(&args(Format::Json, None), root, stages).unwrap_err().to_string();
        assert!(error.starts_with("`--format json` needs `--out DIR`: stacks/templates holds"), "{error}");
    }
}
