//! `infra-gen check`.

use std::fs;
use std::io::{self, IsTerminal, Write};
use std::process::{self, ExitCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use infra_gen::project;
use saga_check::{Progress, Report, Verdict};
use tokio::signal::unix::SignalKind;

use super::args::CheckArgs;
use super::output;

/// The exit code when a history breaks something. Not 1 and 2, which say that nothing could be checked.
const BROKEN: u8 = 3;

/// The exit code of a search that was stopped by `--at-most`.
const STOPPED: u8 = 4;

/// The exit code of a search that was stopped by Ctrl-C, as of every program.
const INTERRUPTED: u8 = 130;

/// How often progress is shown.
const SHOWN_EVERY: Duration = Duration::from_millis(250);

pub(crate) fn run(args: &CheckArgs) -> anyhow::Result<ExitCode> {
    let wanted: Vec<&str> = checks::SAGAS
        .into_iter()
        .filter(|name| args.saga.as_deref().is_none_or(|saga| saga == *name))
        .collect();
    if wanted.is_empty() {
        let given = args.saga.as_deref().unwrap_or_default();
        bail!("there is no saga `{given}` to check: use one of {}", checks::SAGAS.join(", "));
    }
    let stop = stop_at_ctrl_c()?;
    let mut reports = Vec::new();
    for name in wanted {
        if stop.load(Ordering::Relaxed) {
            eprintln!("{name}: not checked");
            continue;
        }
        let report = one(args, name, &stop)?;
        if args.format != "json" {
            show(args, name, &report);
        }
        reports.push((name, report));
    }
    if args.format == "json" {
        let by_name: serde_json::Map<_, _> = reports
            .iter()
            .map(|(name, report)| Ok(((*name).to_owned(), serde_json::to_value(report)?)))
            .collect::<Result<_, serde_json::Error>>()?;
        output::line(serde_json::to_string_pretty(&by_name)?);
    }
    Ok(exit_code(&reports, stop.load(Ordering::Relaxed)))
}

/// What is broken is broken, whether or not the search came to its end.
fn exit_code(reports: &[(&str, Report)], interrupted: bool) -> ExitCode {
    if reports.iter().any(|(_, report)| report.counterexample().is_some()) {
        ExitCode::from(BROKEN)
    } else if interrupted {
        ExitCode::from(INTERRUPTED)
    } else if reports.iter().any(|(_, report)| report.verdict == Verdict::Stopped) {
        ExitCode::from(STOPPED)
    } else {
        ExitCode::SUCCESS
    }
}

fn one(args: &CheckArgs, name: &str, stop: &Arc<AtomicBool>) -> anyhow::Result<Report> {
    let folder = project::root()?.join("stacks/templates").join(args.stage.name());
    let emitted = |saga: &str| {
        let path = folder.join(format!("{saga}.asl.json"));
        fs::read_to_string(&path).with_context(|| format!("cannot read {}: run `make synth`", path.display()))
    };
    let mut check = checks::check(name, args.sagas, &emitted("order")?, &emitted("cancel-order")?)
        .faults(args.faults)
        .stop_when(stop.clone());
    if let Some(threads) = args.threads {
        check = check.threads(usize::from(threads));
    }
    if let Some(states) = args.at_most {
        check = check.at_most(states);
    }
    let terminal = io::stderr().is_terminal();
    let shown = std::cell::Cell::new(Instant::now());
    let report = check.run_and_tell(|progress| {
        if terminal && shown.get().elapsed() >= SHOWN_EVERY {
            shown.set(Instant::now());
            show_progress(name, &progress);
        }
    })?;
    if terminal {
        eprint!("\r\x1b[K");
    }
    Ok(report)
}

fn show_progress(name: &str, progress: &Progress) {
    let Progress { states, unique, depth, duration } = progress;
    let (rate, seconds) = (progress.states_per_second(), duration.as_secs());
    eprint!(
        "\r\x1b[K{name}: {unique} states ({states} with repeats), depth {depth}, {rate:.0} states/s, {seconds} s"
    );
    // Progress that cannot be shown is not missed.
    let _ = io::stderr().flush();
}

fn show(args: &CheckArgs, name: &str, report: &Report) {
    match (args.format.as_str(), report.counterexample()) {
        ("mermaid", Some(timeline)) => output::part(timeline.mermaid()),
        (_, Some(timeline)) => {
            output::line(format!("{name}: {report}"));
            output::line("As a sequence diagram:\n\n```mermaid");
            output::part(timeline.mermaid());
            output::line("```");
        }
        (_, None) => output::line(format!("{name}: {report}")),
    }
}

/// Ctrl-C stops the search, and what is known so far is shown; the next one ends the program without that.
fn stop_at_ctrl_c() -> anyhow::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let set = stop.clone();
    // From here on, so that none is missed while the thread begins.
    let mut interrupts = {
        let _entered = runtime.enter();
        tokio::signal::unix::signal(SignalKind::interrupt())?
    };
    thread::spawn(move || {
        while runtime.block_on(interrupts.recv()).is_some() {
            if set.swap(true, Ordering::Relaxed) {
                process::exit(INTERRUPTED.into());
            }
        }
    });
    Ok(stop)
}
