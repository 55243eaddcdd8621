//! Packages the functions in a process of their own, so that its output can be followed and Ctrl-C can end it.

use crate::screen::Step;
use anyhow::{Context, Result, bail};
use infra_gen::package::{PackageOptions, Profile, package};
use rustix::process::{Pid, Signal, kill_process_group};
use std::{
    collections::VecDeque,
    io::Write,
    process::{ExitCode, Stdio},
};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

/// How much of a failed build is shown.
const TAIL_LINES: usize = 40;

/// Packages the functions and says in one line what came of it: what the process that [`build`] starts does.
pub(crate) fn package_and_say() -> ExitCode {
    let options = PackageOptions { profile: Profile::Quick, ..PackageOptions::default() };
    let said = match package(stacks::synth, &options) {
        Ok(packaged) => {
            let new = packaged.iter().filter(|function| function.built).count();
            let bytes: u64 = packaged.iter().map(|function| function.bundle.zip_bytes).sum();
            let megabytes = bytes as f64 / 1e6;
            let line = format!("{} functions, {new} of them new, {megabytes:.1} MB zipped", packaged.len());
            writeln!(std::io::stdout(), "{line}").map_err(anyhow::Error::from)
        }
        Err(error) => Err(error.into()),
    };
    match said {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Without standard error there is nobody to tell.
            let _ = writeln!(std::io::stderr(), "{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Packages the functions; answers what came of it. Dropping the future ends the build.
///
/// # Errors
/// When a function does not build: with the end of what cargo said.
pub(crate) async fn build(step: &Step) -> Result<String> {
    let program = std::env::current_exe().context("cannot find the demo's own program")?;
    let mut command = Command::new(program);
    // A group of its own: cargo and rustc end with it.
    command
        .arg("--package")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    let mut build = Build(command.spawn().context("cannot start the build")?);
    let mut lines = BufReader::new(build.0.stderr.take().context("the build has no output")?).lines();
    let mut tail = VecDeque::new();
    while let Some(line) = lines.next_line().await? {
        step.now(line.trim());
        if tail.len() == TAIL_LINES {
            tail.pop_front();
        }
        tail.push_back(line);
    }
    let said = build.0.stdout.take().context("the build has no output")?;
    let said = BufReader::new(said).lines().next_line().await?.unwrap_or_default();
    if !build.0.wait().await?.success() {
        bail!("the functions do not build:\n{}", Vec::from(tail).join("\n"));
    }
    Ok(said)
}

/// A build that ends when it is dropped.
struct Build(Child);

impl Drop for Build {
    fn drop(&mut self) {
        // The id is gone once the process has been waited for.
        let group = self.0.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        if let Some(group) = group {
            // It can only fail when the build has just ended by itself.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}
