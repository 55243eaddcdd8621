//! The verbs that need more than this was compiled with.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};
use infra_gen::project;

/// Becomes `cargo run` of this program with a feature and the same arguments.
pub(crate) fn with(feature: &str, what: &str) -> anyhow::Result<ExitCode> {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let Some(cargo) = std::env::var_os("CARGO") else {
        let line: Vec<_> = arguments.iter().map(|argument| argument.to_string_lossy()).collect();
        bail!(
            "this program was compiled without {what}: run `cargo run -p infra-gen --features {feature} -- {}`",
            line.join(" ")
        );
    };
    let manifest = project::root()?.join("Cargo.toml");
    eprintln!("compiling with {what} (takes a minute or two the first time)");
    let error = project::command_outside_cargo(Path::new(&cargo))
        .args(["run", "-q", "-p", "infra-gen", "--features", feature, "--manifest-path"])
        .arg(manifest)
        .arg("--")
        .args(arguments)
        .exec();
    Err(error).context("cannot run cargo")
}
