//! Kills processes of functions: any one at any time, or the one that makes a call.

use super::{Weather, millis};
use anyhow::{Result, ensure};
use fastrand::Rng;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

/// The variable that the emulator's functions inherit, and nobody else has.
pub(crate) const MARK: &str = "FLYOVER_CHAOS_RUN";

/// The processes that may be killed: those of functions that carry the mark of this run.
#[derive(Debug, Clone)]
pub(crate) struct Victims {
    mark: String,
}

impl Victims {
    /// Those of the run with this name.
    pub(crate) fn of(run: &str) -> Self {
        Self { mark: format!("{MARK}={run}") }
    }

    /// Kills the process at this end of a connection.
    pub(crate) fn kill_peer(&self, peer: SocketAddr) {
        let Some(socket) = socket_at(peer.port()) else { return };
        if let Some(process) = self.all().into_iter().find(|process| has_open(process, &socket)) {
            self.kill(&process);
        }
    }

    /// Kills any one of them, if there are any; says whether.
    fn kill_any(&self, rng: &mut Rng) -> bool {
        let all = self.all();
        rng.choice(&all).is_some_and(|process| self.kill(process))
    }

    fn all(&self) -> Vec<PathBuf> {
        let processes = fs::read_dir("/proc").into_iter().flatten().flatten().map(|entry| entry.path());
        processes.filter(|process| self.is_victim(process)).collect()
    }

    /// Processes come and go, and those of others cannot be read: neither is a victim.
    fn is_victim(&self, process: &Path) -> bool {
        let is_function = fs::read_link(process.join("exe")).is_ok_and(|exe| exe.ends_with("bootstrap"));
        let environment = || fs::read(process.join("environ")).unwrap_or_default();
        is_function && environment().split(|byte| *byte == 0).any(|variable| variable == self.mark.as_bytes())
    }

    /// Looks again once it holds the process: a number alone could be another's by now.
    fn kill(&self, process: &Path) -> bool {
        let number = process.file_name().and_then(|name| name.to_str()?.parse().ok());
        let held = number.and_then(Pid::from_raw).and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok());
        held.is_some_and(|held| self.is_victim(process) && pidfd_send_signal(held, Signal::KILL).is_ok())
    }
}

/// Refuses a system whose processes cannot be told apart.
pub(crate) fn check_system() -> Result<()> {
    ensure!(
        Path::new("/proc/self/environ").exists(),
        "the chaos test kills processes of functions and finds them in /proc: run it on Linux"
    );
    Ok(())
}

/// Kills one every now and then.
pub(crate) async fn rage(weather: Arc<Weather>, victims: Victims, mut rng: Rng) {
    while weather.still_rages_after(millis(&mut rng, 300..2_500)).await {
        if victims.kill_any(&mut rng) {
            weather.count("process killed at any time");
        }
    }
}

/// The socket of this machine whose own end of a connection has the port, as `/proc/<pid>/fd` shows it.
/// <https://docs.kernel.org/networking/proc_net_tcp.html>
fn socket_at(port: u16) -> Option<PathBuf> {
    let table = fs::read_to_string("/proc/net/tcp").ok()?;
    let end = format!(":{port:04X}");
    let inode = table.lines().skip(1).find_map(|line| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        columns.get(1)?.ends_with(&end).then(|| columns.get(9).map(|inode| (*inode).to_owned()))?
    })?;
    Some(format!("socket:[{inode}]").into())
}

fn has_open(process: &Path, socket: &Path) -> bool {
    let files = fs::read_dir(process.join("fd")).into_iter().flatten().flatten();
    files.into_iter().any(|file| fs::read_link(file.path()).is_ok_and(|target| target == socket))
}
