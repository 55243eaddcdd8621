//! `infra-gen check` as a program: what it writes, with which exit code, and what Ctrl-C does.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value as Json, json};

fn check(arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_infra-gen"));
    command.arg("check").args(arguments.split_whitespace());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn run(command: &mut Command) -> (Option<i32>, String, String) {
    read(&command.output().expect("it runs"))
}

fn read(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn what_holds_is_said_in_json_and_nothing_else_is_written() {
    let (code, out, err) = run(&mut check("order --faults 0 --format json"));
    assert_eq!((code, err.as_str()), (Some(0), ""));
    let report: Json = serde_json::from_str(&out).expect("one JSON document");
    let order = &report["order"];
    assert_eq!(
        (&order["verdict"], &order["faults"], &order["sagas"]),
        (&json!("holds"), &json!(0), &json!(1))
    );
    assert!(order["unique"].as_u64() > Some(5), "{order}");
    let steps = order["coverage"].as_array().expect("what was tried");
    assert!(
        steps.iter().any(|step| step["what"] == "reserve-stock" && step["faults"]["delivered"] == 1),
        "{steps:?}"
    );
    assert_eq!(report.as_object().map(serde_json::Map::len), Some(1));
}

/// Templates that were written before a change of the definitions are not what would be deployed.
#[test]
fn templates_that_are_stale_are_not_what_is_checked() {
    let project = tempfile::tempdir().expect("a folder");
    let templates = project.path().join("stacks/templates/prod");
    fs::create_dir_all(&templates).expect("a folder");
    fs::create_dir_all(project.path().join("infra-gen")).expect("a folder");
    fs::write(project.path().join("infra-gen/Cargo.toml"), "").expect("written");
    for name in ["order", "cancel-order"] {
        fs::write(templates.join(format!("{name}.asl.json")), "{}").expect("written");
    }
    let mut command = check("order --faults 0 --format json");
    let stale = run(command.current_dir(project.path()).env_remove("CARGO_MANIFEST_DIR"));
    let fresh = run(&mut check("order --faults 0 --format json"));
    let states = |(code, out, err): &(Option<i32>, String, String)| {
        assert_eq!(*code, Some(0), "{out}{err}");
        serde_json::from_str::<Json>(out).expect("one JSON document")["order"]["unique"].clone()
    };
    assert_eq!(states(&stale), states(&fresh));
}

#[test]
fn what_could_not_be_checked_is_no_verdict() {
    let (code, out, err) = run(&mut check("nothing"));
    assert_eq!((code, out.as_str()), (Some(1), ""));
    assert!(err.contains("use one of order, cancel-order"), "{err}");
    let (code, _, err) = run(&mut check("order --faults many"));
    assert_eq!(code, Some(2), "{err}");
}

#[test]
fn a_search_that_is_stopped_by_its_limit_says_so() {
    let (code, out, _) = run(&mut check("order --sagas 2 --at-most 2000"));
    assert_eq!(code, Some(4), "{out}");
    assert!(out.starts_with("order: stopped before the end: nothing broken so far"), "{out}");
}

/// This search would take many minutes.
const LONG: &str = "--faults 3 --sagas 2 --threads 1";

#[test]
fn ctrl_c_shows_what_is_known_so_far() {
    let (code, out, err) = interrupted(check(LONG));
    assert_eq!(code, Some(130), "{out}{err}");
    assert!(out.starts_with("order: stopped before the end: nothing broken so far\n"), "{out}");
    assert_eq!(err, "cancel-order: not checked\n", "the next search is not begun");

    let (code, out, err) = interrupted(check(&format!("order --format json {LONG}")));
    assert_eq!(code, Some(130), "{out}{err}");
    let report: Json = serde_json::from_str(&out).expect("one JSON document");
    assert_eq!(report["order"]["verdict"], "stopped");
    assert!(report["order"]["unique"].as_u64() > Some(0), "{report}");
}

/// Interrupts the search when it is under way.
fn interrupted(mut command: Command) -> (Option<i32>, String, String) {
    let child = command.spawn().expect("it starts");
    wait_until_it_listens(&child);
    sleep(Duration::from_millis(500));
    let id = i32::try_from(child.id()).ok().and_then(Pid::from_raw).expect("a process id");
    kill_process(id, Signal::INT).expect("it is there");
    read(&child.wait_with_output().expect("it ends"))
}

/// Waits until the process catches SIGINT. Where the kernel does not tell, some seconds have to do.
fn wait_until_it_listens(child: &Child) {
    let status = PathBuf::from(format!("/proc/{}/status", child.id()));
    if !status.exists() {
        return sleep(Duration::from_secs(3));
    }
    let begun = Instant::now();
    loop {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let caught = text.lines().find_map(|line| line.strip_prefix("SigCgt:"));
        let caught = caught.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
        if caught.is_some_and(|mask| mask >> (Signal::INT.as_raw() - 1) & 1 == 1) {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "it never listened: {text}");
        sleep(Duration::from_millis(10));
    }
}
