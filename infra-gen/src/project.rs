//! Where the project is, and how to call its cargo.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder with the workspace's `Cargo.toml`.
///
/// Looked for upwards from the package that cargo runs, then from the current folder, then from where this was
/// compiled.
///
/// # Errors
/// When none of them is in the project.
pub fn root() -> Result<PathBuf, NotInProject> {
    let starts = [
        std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from),
        std::env::current_dir().ok(),
        Some(PathBuf::from(env!("CARGO_MANIFEST_DIR"))),
    ];
    starts.iter().flatten().find_map(|start| root_above(start)).ok_or(NotInProject)
}

/// The folder of the project that `start` is in.
fn root_above(start: &Path) -> Option<PathBuf> {
    start.ancestors().find(|folder| folder.join("infra-gen/Cargo.toml").is_file()).map(Path::to_path_buf)
}

/// Cargo's target folder of the project in `root`.
#[must_use]
pub fn target_folder(root: &Path) -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => root.join(folder),
        None => root.join("target"),
    }
}

/// The cargo that runs this program, or that of the PATH.
#[must_use]
pub fn cargo() -> PathBuf {
    std::env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from)
}

/// Where cargo puts a program of the project in `root` that it builds in its profile `dev`.
#[must_use]
pub fn program(root: &Path, name: &str) -> PathBuf {
    target_folder(root).join("debug").join(name)
}

/// A command for a cargo that is started from a program that cargo runs.
///
/// Cargo tells the program it runs about its package by environment variables. Build scripts that watch them would
/// run again, and with them everything that depends on them, if the next cargo saw them.
#[must_use]
pub fn command_outside_cargo(program: &Path) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(is_set_by_cargo_run) {
            command.env_remove(name);
        }
    }
    command
}

fn is_set_by_cargo_run(name: &str) -> bool {
    const NAMES: [&str; 6] = [
        "CARGO_BIN_NAME",
        "CARGO_CRATE_NAME",
        "CARGO_MANIFEST_DIR",
        "CARGO_MANIFEST_PATH",
        "CARGO_PRIMARY_PACKAGE",
        "OUT_DIR",
    ];
    name.starts_with("CARGO_PKG_") || NAMES.contains(&name)
}

/// No project around.
#[derive(Debug, thiserror::Error)]
#[error("no folder with `infra-gen/Cargo.toml` here or above: run this inside the project")]
pub struct NotInProject;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_found_from_any_folder_of_the_project() {
        let root = root().unwrap();
        assert!(root.join("Cargo.toml").is_file());
        assert_eq!(root_above(&root.join("infra-gen/src/synth")), Some(root));
        assert_eq!(root_above(Path::new("/")), None);
    }

    #[test]
    fn cargo_does_not_inherit_what_cargo_said_about_a_package() {
        assert!(is_set_by_cargo_run("CARGO_PKG_NAME"));
        assert!(is_set_by_cargo_run("CARGO_MANIFEST_DIR"));
        assert!(!is_set_by_cargo_run("CARGO_TARGET_DIR"));
        assert!(!is_set_by_cargo_run("CARGO_HOME"));
    }
}
