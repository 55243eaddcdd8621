//! Starts `launch.py` and waits until the emulator is ready.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::config::{EmulatorConfig, endpoint_url};
use crate::error::EmulatorError;
use crate::health;
use crate::program::{Start, program, python};

const POLL_INTERVAL: Duration = Duration::from_millis(50);
const TAIL_LINES: usize = 30;
/// Another process can take a free port between our look and the emulator's bind.
const FREE_PORT_TRIES: u32 = 3;

/// A launcher whose emulator is ready.
#[derive(Debug)]
pub(crate) struct Launched {
    pub(crate) launcher: Child,
    pub(crate) port: u16,
    pub(crate) log: PathBuf,
}

/// Starts the emulator, with a pid file if it is to run on its own, and waits until it is ready.
pub(crate) fn launch(config: &EmulatorConfig, pid_file: Option<&Path>) -> Result<Launched, EmulatorError> {
    let python = python(config)?;
    let mut tries = if config.port == 0 { FREE_PORT_TRIES } else { 1 };
    loop {
        tries -= 1;
        match launch_once(config, &python, pid_file) {
            Err(EmulatorError::Ended { tail, .. }) if tries > 0 && tail.contains("already in use") => {}
            other => return other,
        }
    }
}

fn launch_once(
    config: &EmulatorConfig,
    python: &Path,
    pid_file: Option<&Path>,
) -> Result<Launched, EmulatorError> {
    let port = free_port(config.port)?;
    let state_folder = config.state_folder();
    fs::create_dir_all(&state_folder).map_err(EmulatorError::io("create", &state_folder))?;
    let temp_folder = tempfile::Builder::new()
        .prefix("emulator-")
        .tempdir_in(&state_folder)
        .map_err(EmulatorError::io("create a scratch folder in", &state_folder))?;
    let identity = identity(&temp_folder);
    let log = config.log_file(port);

    let program = program(config, Start { port, identity: &identity, temp_folder: temp_folder.path() })?;
    let mut launcher = command(config, python, pid_file, &log, temp_folder.path())?
        .arg("--endpoint-url")
        .arg(endpoint_url(port))
        .arg("--")
        .args(&program.command)
        .env_clear()
        .envs(&program.environment)
        .spawn()
        .map_err(EmulatorError::io("run", python))?;
    // From here on the launcher removes it.
    let _ = temp_folder.keep();

    match wait_until_ready(&mut launcher, config, port, &identity, &log) {
        Ok(()) => Ok(Launched { launcher, port, log }),
        Err(error) => {
            stop_launcher(&mut launcher);
            Err(error)
        }
    }
}

fn command(
    config: &EmulatorConfig,
    python: &Path,
    pid_file: Option<&Path>,
    log: &Path,
    temp_folder: &Path,
) -> Result<Command, EmulatorError> {
    let output = File::create(log).map_err(EmulatorError::io("create", log))?;
    let errors = output.try_clone().map_err(EmulatorError::io("write", log))?;
    let mut command = Command::new(python);
    command
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("launch.py"))
        .arg("--log")
        .arg(log)
        .arg("--temp-dir")
        .arg(temp_folder)
        .current_dir(&config.project_root)
        .stdin(Stdio::piped())
        .stdout(output)
        .stderr(errors)
        // A Ctrl-C in the terminal is for the owner; the launcher notices when the owner is gone.
        .process_group(0);
    if let Some(pid_file) = pid_file {
        command.arg("--pid-file").arg(pid_file).stdin(Stdio::null());
    }
    Ok(command)
}

fn wait_until_ready(
    launcher: &mut Child,
    config: &EmulatorConfig,
    port: u16,
    identity: &str,
    log: &Path,
) -> Result<(), EmulatorError> {
    let begun = Instant::now();
    loop {
        let ended = launcher.try_wait().map_err(EmulatorError::io("watch the process that writes", log))?;
        if let Some(status) = ended {
            return Err(EmulatorError::Ended {
                status: status.to_string(),
                log: log.to_owned(),
                tail: tail(log),
            });
        }
        if health::is_ready(config.kind, port, identity) {
            return Ok(());
        }
        let limit = config.start_limit;
        if begun.elapsed() > limit {
            return Err(EmulatorError::NotReady { limit, log: log.to_owned(), tail: tail(log) });
        }
        std::thread::sleep(POLL_INTERVAL);
    }
}

/// Asks the launcher to end, which kills the emulator and its Lambda processes, and waits for it.
pub(crate) fn stop_launcher(launcher: &mut Child) {
    drop(launcher.stdin.take());
    if let Ok(None) = launcher.try_wait() {
        // Not reaped yet, so the process id is still the launcher's.
        let launcher = rustix::process::Pid::from_child(launcher);
        // It can only fail when the launcher has just ended by itself.
        let _ = rustix::process::kill_process(launcher, rustix::process::Signal::TERM);
    }
    // Its clean-up is a SIGKILL and a folder to remove: it ends without our help.
    let _ = launcher.wait();
}

/// The port itself when it is free, or any free one for 0.
fn free_port(port: u16) -> Result<u16, EmulatorError> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|_| EmulatorError::PortTaken { port })
}

/// The name of a fresh folder: no two running emulators share it.
fn identity(temp_folder: &tempfile::TempDir) -> String {
    let name = temp_folder.path().file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

fn tail(log: &Path) -> String {
    let text = fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
}
