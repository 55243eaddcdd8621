//! The verbs that need more than this was compiled with.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};
use infra_gen::{package, project};

/// Builds this program with a feature, and becomes it with the same arguments.
///
/// Like the programs of the demo and the tests, so that what they have in common is compiled once. Cargo says how far it is.
pub(crate) fn with(feature: &str, what: &str) -> anyhow::Result<ExitCode> {
    const PROGRAM: &str = "infra-gen";
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let Some(cargo) = std::env::var_os("CARGO") else {
        let line: Vec<_> = arguments.iter().map(|argument| argument.to_string_lossy()).collect();
        bail!(
            "this program was compiled without {what}: run `cargo run -p infra-gen --features {feature} -- {}`",
            line.join(" ")
        );
    };
    let root = project::root()?;
    eprintln!("compiling with {what}, which takes minutes the first time and seconds later");
    let status = project::command_outside_cargo(Path::new(&cargo))
        .args(package::cargo_arguments([PROGRAM]))
        .args(["--features", &format!("{PROGRAM}/{feature}")])
        .current_dir(&root)
        .status()
        .context("cannot run cargo")?;
    if !status.success() {
        bail!("compiling with {what} failed ({status})");
    }
    let program = project::program(&root, PROGRAM);
    let error = project::command_outside_cargo(&program).args(arguments).exec();
    Err(error).with_context(|| format!("cannot run {}", program.display()))
}
