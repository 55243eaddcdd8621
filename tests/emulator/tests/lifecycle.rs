//! Whatever happens to its owner, an emulator starts whole and leaves nothing behind.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use emulator::{Emulator, EmulatorConfig, EmulatorError, Kind, detached};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};

const OWNER_ENDS_BY: &str = "EMULATOR_TEST_OWNER_ENDS_BY";
const PATIENCE: Duration = Duration::from_secs(10);

/// A project of its own, so that the tests do not touch the emulator of `make up`.
fn project() -> (tempfile::TempDir, EmulatorConfig) {
    let folder = tempfile::tempdir().unwrap();
    let link = |name: &str| {
        let venv = fs::canonicalize(EmulatorConfig::default().project_root.join(name)).ok()?;
        std::os::unix::fs::symlink(venv, folder.path().join(name)).ok()
    };
    link(".venv").expect("the virtual environment is missing: run `make venv`");
    // Only one test needs it, and says so.
    let _ = link(".venv-localstack");
    let config = EmulatorConfig { project_root: folder.path().to_owned(), ..EmulatorConfig::default() };
    (folder, config)
}

/// A project whose `ministack` is the given Python code.
fn project_with_fake(code: &str) -> (tempfile::TempDir, EmulatorConfig) {
    let (folder, mut config) = project();
    fs::write(folder.path().join("ministack.py"), code).unwrap();
    let path = folder.path().to_string_lossy().into_owned();
    config.environment.insert("PYTHONPATH".to_owned(), path);
    (folder, config)
}

/// The processes of the emulator at a port: each has a variable that says where it listens.
fn processes(port: u16) -> Vec<String> {
    let mark = format!("127.0.0.1:{port}\0");
    let environment = |pid: &Path| fs::read(pid.join("environ")).unwrap_or_default();
    fs::read_dir("/proc")
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|pid| String::from_utf8_lossy(&environment(pid)).contains(&mark))
        .map(|pid| fs::read_to_string(pid.join("cmdline")).unwrap_or_default().replace('\0', " "))
        .collect()
}

fn eventually(what: &str, holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn expect_nothing_left(port: u16, folder: &Path) {
    eventually(&format!("nothing left of {:?}", processes(port)), || processes(port).is_empty());
    let is_scratch = |path: PathBuf| path.is_dir();
    let left =
        || fs::read_dir(folder.join(".flyover")).unwrap().any(|entry| is_scratch(entry.unwrap().path()));
    eventually("no scratch folder left", || !left());
}

fn start_busy_lambda(emulator: &Emulator, project: &Path) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/busy_lambda.py");
    let python = project.join(".venv/bin/python");
    let status = Command::new(python).arg(script).envs(emulator.sdk_environment()).status().unwrap();
    assert!(status.success());
    eventually("the Lambda process runs", || {
        processes(emulator.port()).iter().any(|line| line.starts_with("sleep"))
    });
}

#[test]
fn it_starts_beside_another_and_leaves_nothing_behind() {
    let (folder, config) = project();
    let config = EmulatorConfig { iam_enforced: true, lambda_concurrency: Some(10), ..config };
    let other = Emulator::start(config.clone()).unwrap();
    let emulator = Emulator::start(config).unwrap();
    let (port, other_port) = (emulator.port(), other.port());
    assert_ne!(port, other_port);
    assert_eq!(emulator.sdk_environment()["AWS_ENDPOINT_URL"], emulator.endpoint_url());
    start_busy_lambda(&emulator, folder.path());
    emulator.stop();
    assert_eq!(processes(port), Vec::<String>::new(), "stop() returns when all is gone");
    assert!(!processes(other_port).is_empty(), "the other one goes on");
    drop(other);
    expect_nothing_left(other_port, folder.path());
}

#[test]
fn a_taken_port_is_named() {
    let (_folder, config) = project();
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    let error = Emulator::start(EmulatorConfig { port, ..config }).unwrap_err();
    assert!(matches!(error, EmulatorError::PortTaken { port: named } if named == port), "{error}");
}

#[test]
fn a_missing_venv_says_what_to_run() {
    let folder = tempfile::tempdir().unwrap();
    let config = EmulatorConfig { project_root: folder.path().to_owned(), ..EmulatorConfig::default() };
    let error = Emulator::start(config).unwrap_err();
    assert!(error.to_string().ends_with(".venv/bin/python does not exist: run `make venv`"), "{error}");
}

#[test]
fn an_emulator_that_ends_early_shows_its_log() {
    let (folder, config) = project_with_fake("raise SystemExit('no more memory')");
    let error = Emulator::start(config).unwrap_err();
    assert!(matches!(&error, EmulatorError::Ended { tail, .. } if tail == "no more memory"), "{error}");
    assert!(!fs::read_dir(folder.path().join(".flyover")).unwrap().any(|e| e.unwrap().path().is_dir()));
}

#[test]
fn an_emulator_that_never_answers_is_given_up_and_stopped() {
    let (folder, mut config) =
        project_with_fake("import time; print('thinking', flush=True); time.sleep(600)");
    config.port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
    config.start_limit = Duration::from_secs(1);
    let port = config.port;
    let error = Emulator::start(config).unwrap_err();
    assert!(matches!(&error, EmulatorError::NotReady { tail, .. } if tail == "thinking"), "{error}");
    expect_nothing_left(port, folder.path());
}

/// Not a test of its own: the owner whom the tests below let die.
#[test]
#[ignore = "run by the tests of how an owner ends"]
fn owner() {
    let Ok(ends_by) = std::env::var(OWNER_ENDS_BY) else { return };
    let project_root = PathBuf::from(std::env::var("EMULATOR_TEST_PROJECT").unwrap());
    let kind: Kind = std::env::var("EMULATOR_TEST_KIND").unwrap().parse().unwrap();
    let start_limit = kind.start_limit();
    let project = project_root.clone();
    let emulator =
        Emulator::start(EmulatorConfig { kind, start_limit, project_root, ..EmulatorConfig::default() })
            .unwrap();
    start_busy_lambda(&emulator, &project);
    println!("\nport {}", emulator.port());
    assert_ne!(ends_by, "panic", "the owner panics as it was told to");
    std::thread::sleep(Duration::from_secs(60));
}

/// Starts an owner and answers once its emulator and a Lambda process run.
fn start_owner(kind: Kind, ends_by: &str, project: &Path) -> (Child, u16) {
    start_owner_with(kind, ends_by, project, &[])
}

/// The same with more environment variables.
fn start_owner_with(kind: Kind, ends_by: &str, project: &Path, environment: &[(&str, &str)]) -> (Child, u16) {
    let mut owner = Command::new(std::env::current_exe().unwrap())
        .envs(environment.iter().copied())
        .args(["--exact", "owner", "--ignored", "--nocapture"])
        .env(OWNER_ENDS_BY, ends_by)
        .env("EMULATOR_TEST_KIND", kind.name())
        .env("EMULATOR_TEST_PROJECT", project)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .unwrap();
    let lines = BufReader::new(owner.stdout.take().unwrap()).lines();
    let port = lines.map(Result::unwrap).find_map(|line| line.strip_prefix("port ")?.parse().ok());
    (owner, port.expect("the owner printed no port"))
}

#[test]
fn an_owner_that_panics_leaves_nothing_behind() {
    let (folder, _) = project();
    let (mut owner, port) = start_owner(Kind::MiniStack, "panic", folder.path());
    assert!(!owner.wait().unwrap().success());
    expect_nothing_left(port, folder.path());
}

#[test]
fn an_owner_that_is_killed_leaves_nothing_behind() {
    let (folder, _) = project();
    let (mut owner, port) = start_owner(Kind::MiniStack, "SIGKILL", folder.path());
    assert!(processes(port).len() >= 3, "launcher, MiniStack, Lambda: {:?}", processes(port));
    owner.kill().unwrap();
    owner.wait().unwrap();
    expect_nothing_left(port, folder.path());
}

#[test]
fn an_owner_that_is_interrupted_leaves_nothing_behind() {
    let (folder, _) = project();
    let (mut owner, port) = start_owner(Kind::MiniStack, "SIGINT", folder.path());
    kill_process_group(Pid::from_child(&owner), Signal::INT).unwrap();
    owner.wait().unwrap();
    expect_nothing_left(port, folder.path());
}

/// As behind a company's proxy, which does not reach this machine's 127.0.0.1. Nobody answers at port 9.
#[test]
fn it_runs_where_a_proxy_is_set_that_nobody_answers_at() {
    let (folder, _) = project();
    let dead = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]
        .map(|name| (name, "http://127.0.0.1:9"));
    // The owner creates a function and calls it.
    let (mut owner, port) = start_owner_with(Kind::MiniStack, "SIGKILL", folder.path(), &dead);
    owner.kill().unwrap();
    owner.wait().unwrap();
    expect_nothing_left(port, folder.path());
}

#[test]
#[ignore = "needs `make venv-localstack`: run by `make test-localstack`"]
fn localstack_whose_owner_is_killed_leaves_nothing_behind() {
    let (folder, _) = project();
    let (mut owner, port) = start_owner(Kind::LocalStack, "SIGKILL", folder.path());
    let all = processes(port).join("\n");
    for part in ["launch.py", "serve.py", "DynamoDBLocal.jar", "sleep 600"] {
        assert!(all.contains(part), "{part} is not among\n{all}");
    }
    owner.kill().unwrap();
    owner.wait().unwrap();
    expect_nothing_left(port, folder.path());
}

#[test]
fn localstack_that_is_to_enforce_iam_is_refused() {
    let (_folder, config) = project();
    let config = EmulatorConfig { kind: Kind::LocalStack, iam_enforced: true, ..config };
    let error = Emulator::start(config).unwrap_err();
    assert_eq!(error.to_string(), "localstack does not enforce IAM: use ministack, or do without");
}

#[test]
fn up_and_down_can_be_repeated() {
    let (folder, config) = project();
    assert_eq!(detached::down(&config).unwrap(), None);
    fs::create_dir_all(folder.path().join(".flyover")).unwrap();
    fs::write(folder.path().join(".flyover/emulator.pid"), "left from a crash").unwrap();
    assert_eq!(detached::status(&config).unwrap(), None);

    let enforcing = EmulatorConfig { iam_enforced: true, ..config.clone() };
    let running = detached::up(&enforcing).unwrap();
    let port: u16 = running.endpoint_url.rsplit(':').next().unwrap().parse().unwrap();
    assert!(running.iam_enforced);
    assert_eq!(detached::up(&config).unwrap(), running, "it runs already, and goes on enforcing IAM");
    assert_eq!(detached::status(&config).unwrap(), Some(running.clone()));
    let elsewhere = EmulatorConfig { port: port ^ 1, ..config.clone() };
    let error = detached::up(&elsewhere).unwrap_err();
    assert!(matches!(error, EmulatorError::RunsElsewhere { .. }), "{error}");

    assert_eq!(detached::down(&config).unwrap(), Some(running));
    assert_eq!(detached::down(&config).unwrap(), None);
    expect_nothing_left(port, folder.path());
}

#[test]
fn a_detached_emulator_whose_launcher_is_killed_does_not_go_on() {
    let (_folder, config) = project();
    let running = detached::up(&config).unwrap();
    let port: u16 = running.endpoint_url.rsplit(':').next().unwrap().parse().unwrap();
    kill_process(Pid::from_raw(running.pid).unwrap(), Signal::KILL).unwrap();
    eventually("MiniStack is gone", || processes(port).is_empty());
    // A process that ends lets go of its memory, by which it is found, before it lets go of its locks.
    eventually("nothing runs", || detached::status(&config).unwrap().is_none());
}
