//! `infra-gen check`.

use std::io::{self, IsTerminal, Write};
use std::process::{self, ExitCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::bail;
use checks::Machines;
use saga_check::{Check, Progress, Report, Verdict};
use stacks::{App, Machine};
use tokio::signal::unix::SignalKind;

use super::args::CheckArgs;
use super::{deployment, output};

/// The exit code when everything holds.
const HOLDS: u8 = 0;

/// The exit code when a history breaks something. Not 1 and 2, which say that nothing could be checked.
const BROKEN: u8 = 3;

/// The exit code of a search that was stopped by `--at-most`.
const STOPPED: u8 = 4;

/// The exit code of a search that was stopped by Ctrl-C, as of every program.
const INTERRUPTED: u8 = 130;

/// How often progress is shown.
const SHOWN_EVERY: Duration = Duration::from_millis(250);

pub(crate) fn run(args: &CheckArgs) -> anyhow::Result<ExitCode> {
    let app = (deployment::SYNTH)(args.stage)?;
    let names: Vec<&str> = app.sagas().map(|saga| saga.name).collect();
    let checks = checks_of(args, &names, &deployable(&app)?)?;
    let stop = stop_at_ctrl_c()?;
    let mut reports = Vec::new();
    for (name, check) in checks {
        if stop.load(Ordering::Relaxed) {
            eprintln!("{name}: not checked");
            continue;
        }
        let report = one(name, check.stop_when(stop.clone()))?;
        if let Some(text) = told(args, name, &report) {
            output::part(text);
        }
        reports.push((name, report));
    }
    if args.format == "json" {
        output::line(as_json(&reports)?);
    }
    Ok(ExitCode::from(exit_code(&reports, stop.load(Ordering::Relaxed))))
}

/// The state machines that would be deployed now, whatever was written to a folder before.
fn deployable(app: &App) -> anyhow::Result<Machines> {
    let json = |machine: &Machine| Ok((machine.saga, serde_json::to_string(&machine.machine)?));
    app.machines.iter().map(json).collect()
}

/// The checks of the wanted sagas, of which there are these. None is left out: all are there before the first is run.
fn checks_of<'a>(
    args: &CheckArgs,
    names: &[&'a str],
    machines: &Machines,
) -> anyhow::Result<Vec<(&'a str, Check)>> {
    let wanted: Vec<&str> =
        names.iter().copied().filter(|name| args.saga.as_deref().is_none_or(|saga| saga == *name)).collect();
    if wanted.is_empty() {
        let given = args.saga.as_deref().unwrap_or_default();
        bail!("there is no saga `{given}` to check: use one of {}", names.join(", "));
    }
    let check = |name| Ok((name, limited(checks::check(name, args.sagas, machines)?, args)));
    wanted.into_iter().map(check).collect()
}

fn limited(check: Check, args: &CheckArgs) -> Check {
    let check = check.faults(args.faults);
    let check = match args.threads {
        Some(threads) => check.threads(usize::from(threads)),
        None => check,
    };
    match args.at_most {
        Some(states) => check.at_most(states),
        None => check,
    }
}

/// What is broken is broken, whether or not the search came to its end.
fn exit_code(reports: &[(&str, Report)], interrupted: bool) -> u8 {
    if reports.iter().any(|(_, report)| report.counterexample().is_some()) {
        BROKEN
    } else if interrupted {
        INTERRUPTED
    } else if reports.iter().any(|(_, report)| report.verdict == Verdict::Stopped) {
        STOPPED
    } else {
        HOLDS
    }
}

fn one(name: &str, check: Check) -> anyhow::Result<Report> {
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

/// What is written about one saga; of all together when it is JSON.
fn told(args: &CheckArgs, name: &str, report: &Report) -> Option<String> {
    match (args.format.as_str(), report.counterexample()) {
        ("json", _) => None,
        ("mermaid", Some(timeline)) => Some(timeline.mermaid()),
        (_, Some(timeline)) => Some(format!(
            "{name}: {report}\nAs a sequence diagram:\n\n```mermaid\n{}```\n",
            timeline.mermaid()
        )),
        (_, None) => Some(format!("{name}: {report}\n")),
    }
}

fn as_json(reports: &[(&str, Report)]) -> serde_json::Result<String> {
    let by_name: serde_json::Map<_, _> = reports
        .iter()
        .map(|(name, report)| Ok(((*name).to_owned(), serde_json::to_value(report)?)))
        .collect::<serde_json::Result<_>>()?;
    serde_json::to_string_pretty(&by_name)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Cli, args::Command};
    use clap::Parser;
    use serde_json::{Value as Json, json};
    use stacks::Stage;

    const SAGAS: [&str; 2] = ["order", "cancel-order"];

    fn args(line: &str) -> CheckArgs {
        let words = ["infra-gen", "check"].into_iter().chain(line.split_whitespace());
        match Cli::try_parse_from(words).unwrap().command {
            Some(Command::Check(args)) => args,
            other => panic!("{other:?}"),
        }
    }

    /// The outcome of one saga.
    fn outcome(args: &CheckArgs, machines: &Machines) -> (String, Report) {
        let mut checks = checks_of(args, &SAGAS, machines).unwrap();
        assert_eq!(checks.len(), 1, "one saga is asked for");
        let (name, check) = checks.remove(0);
        (name.to_owned(), one(name, check).unwrap())
    }

    fn machines() -> Machines {
        deployable(&(deployment::SYNTH)(Stage::Prod).unwrap()).unwrap()
    }

    fn with_mistake(mistake: impl FnOnce(&mut Json)) -> Machines {
        let mut machines = machines();
        let mut order: Json = serde_json::from_str(&machines["order"]).unwrap();
        mistake(&mut order["States"]);
        machines.insert("order", order.to_string());
        machines
    }

    #[test]
    fn what_is_checked_is_the_machine_that_is_in_the_template() {
        for stage in Stage::ALL {
            let app = (deployment::SYNTH)(stage).unwrap();
            let template = app.stacks.iter().find(|stack| stack.id == "app").unwrap().template.to_json();
            let template: Json = serde_json::from_str(template).unwrap();
            let resources = template["Resources"].as_object().unwrap().values();
            let deployed: Vec<&Json> = resources
                .filter(|resource| resource["Type"] == "AWS::StepFunctions::StateMachine")
                .map(|resource| &resource["Properties"]["Definition"])
                .collect();
            let checked: Vec<Json> =
                deployable(&app).unwrap().values().map(|json| serde_json::from_str(json).unwrap()).collect();
            assert_eq!(checked.len(), deployed.len());
            assert!(checked.iter().all(|machine| deployed.contains(&machine)), "{stage}");
        }
    }

    #[test]
    fn a_step_that_was_taken_out_of_the_chain_is_found() {
        let machines = with_mistake(|states| {
            states["create-order"]["Next"] = json!("charge-payment");
        });
        let (_, report) = outcome(&args("order --faults 0"), &machines);
        assert!(report.counterexample().is_some(), "{report}");
    }

    #[test]
    fn what_is_broken_is_told_by_its_history_and_by_its_exit_code() {
        let machines = with_mistake(|states| {
            let catchers = states["reserve-stock"]["Catch"].as_array_mut().expect("a list");
            let all = catchers.iter_mut().find(|catcher| catcher["ErrorEquals"] == json!(["States.ALL"]));
            all.expect("a catch-all")["Next"] = json!("undo create-order");
        });
        let (name, report) = outcome(&args("order"), &machines);
        let text = told(&args("order"), &name, &report).expect("it is told");
        assert!(text.contains("```mermaid\nsequenceDiagram"), "{text}");
        assert_eq!(told(&args("order --format json"), &name, &report), None);
        let reports = [(name.as_str(), report)];
        let json: Json = serde_json::from_str(&as_json(&reports).unwrap()).unwrap();
        assert!(json["order"]["verdict"]["broken"].is_object(), "{json}");
        assert_eq!(exit_code(&reports, false), BROKEN);
        assert_eq!(exit_code(&reports, true), BROKEN, "however the search ended");
    }

    #[test]
    fn a_saga_without_a_check_is_refused_before_anything_is_searched() {
        let machines = machines();
        let names = ["order", "cancel-order", "refund"];
        for line in ["", "refund"] {
            let error = checks_of(&args(line), &names, &machines).unwrap_err().to_string();
            assert!(error.starts_with("saga `refund` has no check: add "), "{error}");
        }
        let checks = checks_of(&args(""), &SAGAS, &machines).unwrap();
        assert_eq!(checks.iter().map(|(name, _)| *name).collect::<Vec<_>>(), SAGAS);
    }
}
