//! Calling cargo-lambda, and cargo alone for what runs on this machine only.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{Arch, PackageError, PackageOptions, Profile};
use crate::project;

/// One build.
pub(super) struct Build<'a> {
    pub(super) options: &'a PackageOptions,
    /// The packages of all functions: also of those not asked for, see [`arguments`].
    pub(super) packages: &'a BTreeSet<String>,
    /// All functions.
    pub(super) functions: &'a BTreeSet<String>,
    /// Where cargo-lambda puts the binaries: `<function>/bootstrap`.
    pub(super) binaries: &'a Path,
}

impl Build<'_> {
    /// Where the program of a function of the project in `root` is, once it is built.
    pub(super) fn program(&self, root: &Path, function: &str) -> PathBuf {
        if self.is_by_cargo() {
            project::program(root, function)
        } else {
            self.binaries.join(function).join("bootstrap")
        }
    }

    /// Quickly and for this machine: then the functions are built like everything else here, so that what they share with
    /// the demo, the tests and this program is compiled once.
    fn is_by_cargo(&self) -> bool {
        (self.options.profile, self.options.arch) == (Profile::Quick, Arch::Host)
    }
}

/// Builds the functions of the project in `root`.
pub(super) fn build(root: &Path, build: &Build<'_>) -> Result<(), PackageError> {
    if build.is_by_cargo() { by_cargo(root, build) } else { by_cargo_lambda(root, build) }
}

/// The arguments of cargo that build programs of this workspace quickly, for this machine.
///
/// Always of the whole workspace: cargo unites the features of the packages that it is given, so with a smaller choice it would
/// compile again what they have in common.
pub fn cargo_arguments<'a>(programs: impl IntoIterator<Item = &'a str>) -> Vec<OsString> {
    let programs = programs.into_iter().flat_map(|program| ["--bin", program]);
    ["build", "--workspace", "--locked"].into_iter().chain(programs).map(Into::into).collect()
}

fn by_cargo(root: &Path, build: &Build<'_>) -> Result<(), PackageError> {
    let cargo = project::cargo();
    let mut command = project::command_outside_cargo(&cargo);
    command.args(cargo_arguments(build.functions.iter().map(String::as_str)));
    if build.options.quiet {
        command.arg("--quiet");
    }
    run(command.current_dir(root), &cargo)
}

fn by_cargo_lambda(root: &Path, build: &Build<'_>) -> Result<(), PackageError> {
    let venv = root.join(".venv/bin");
    let tool = find("cargo-lambda", &venv)
        .ok_or_else(|| PackageError::MissingTool { tool: "cargo-lambda", venv: venv.clone() })?;
    if let Some(target) = build.options.arch.rust_target() {
        if find("zig", &venv).or_else(|| find("python-zig", &venv)).is_none() {
            return Err(PackageError::MissingTool { tool: "zig", venv });
        }
        if !is_target_installed(root, target)? {
            return Err(PackageError::MissingTarget { arch: build.options.arch, target });
        }
    }
    forget_binaries(build)?;
    let mut command = project::command_outside_cargo(&tool);
    run(command.args(arguments(build)).current_dir(root).env("PATH", path_with(&venv)), &tool)
}

fn run(command: &mut Command, tool: &Path) -> Result<(), PackageError> {
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).status();
    let status = status.map_err(PackageError::io("run", tool))?;
    if status.success() { Ok(()) } else { Err(PackageError::Build { status }) }
}

/// The arguments of cargo-lambda.
///
/// The packages are always all functions, even when one binary is asked for: cargo unites the features of the
/// packages it builds together, so another set of packages could give another binary.
fn arguments(build: &Build<'_>) -> Vec<OsString> {
    let mut arguments: Vec<OsString> =
        ["lambda", "build", "--output-format", "binary", "--profile"].map(Into::into).into();
    arguments.push(build.options.profile.name().into());
    match build.options.arch {
        // This machine's linker is enough for this machine: zig is for another C library or processor.
        Arch::Host => arguments.extend(["--compiler", "cargo"].map(Into::into)),
        Arch::Arm64 => arguments.extend(["--arm64", "--skip-target-check"].map(Into::into)),
        Arch::X86_64 => arguments.extend(["--x86-64", "--skip-target-check"].map(Into::into)),
    }
    if build.options.quiet {
        arguments.push("--quiet".into());
    }
    for package in build.packages {
        arguments.extend(["--package".into(), package.into()]);
    }
    if let Some(only) = &build.options.only {
        arguments.extend(["--bin".into(), only.into()]);
    }
    arguments.extend(["--lambda-dir".into(), build.binaries.into()]);
    arguments
}

/// Removes the binaries of the last build, so that one that is built no more is not taken for built.
fn forget_binaries(build: &Build<'_>) -> Result<(), PackageError> {
    for function in build.functions {
        let path = build.binaries.join(function).join("bootstrap");
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(PackageError::Io { what: "remove", path, source: error });
            }
            _ => {}
        }
    }
    std::fs::create_dir_all(build.binaries).map_err(PackageError::io("create", build.binaries))
}

/// The program in the project's virtual environment or on the PATH.
fn find(program: &str, venv: &Path) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(venv.to_owned()).chain(std::env::split_paths(&path));
    folders.map(|folder| folder.join(program)).find(|path| path.is_file())
}

/// The PATH with the project's virtual environment before it: cargo-lambda looks there for zig.
fn path_with(venv: &Path) -> OsString {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(venv.to_owned()).chain(std::env::split_paths(&path));
    // A folder with a colon in its name cannot be on a PATH: then zig is looked for on the PATH as it is.
    std::env::join_paths(folders).unwrap_or(path)
}

/// Whether rustc has the standard library of the target.
fn is_target_installed(root: &Path, target: &str) -> Result<bool, PackageError> {
    let rustc = std::env::var_os("RUSTC").map_or_else(|| PathBuf::from("rustc"), PathBuf::from);
    let output = Command::new(&rustc)
        .args(["--print", "target-libdir", "--target", target])
        .current_dir(root)
        .output()
        .map_err(PackageError::io("run", &rustc))?;
    Ok(Path::new(String::from_utf8_lossy(&output.stdout).trim()).is_dir())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments_of(arch: Arch, only: Option<&str>) -> String {
        let functions = ["inventory".to_owned(), "orders".to_owned()].into();
        let options = PackageOptions { arch, only: only.map(ToOwned::to_owned), ..PackageOptions::default() };
        let binaries = Path::new("/out");
        let build = Build { options: &options, packages: &functions, functions: &functions, binaries };
        arguments(&build).join(std::ffi::OsStr::new(" ")).into_string().unwrap()
    }

    #[test]
    fn the_host_is_built_by_its_own_linker() {
        assert_eq!(
            arguments_of(Arch::Host, None),
            "lambda build --output-format binary --profile release --compiler cargo --package inventory --package orders \
             --lambda-dir /out"
        );
    }

    #[test]
    fn one_function_is_built_with_the_features_of_all() {
        assert_eq!(
            arguments_of(Arch::Arm64, Some("orders")),
            "lambda build --output-format binary --profile release --arm64 --skip-target-check --package inventory \
             --package orders --bin orders --lambda-dir /out"
        );
    }

    #[test]
    fn programs_of_one_package_are_built_with_it() {
        let packages = ["orders".to_owned(), "trips".to_owned()].into();
        let functions = ["airline".to_owned(), "hotel".to_owned(), "orders".to_owned()].into();
        let options =
            PackageOptions { profile: Profile::Quick, arch: Arch::X86_64, ..PackageOptions::default() };
        let binaries = Path::new("/out");
        let build = Build { options: &options, packages: &packages, functions: &functions, binaries };
        assert_eq!(
            arguments(&build).join(std::ffi::OsStr::new(" ")),
            "lambda build --output-format binary --profile quick --x86-64 --skip-target-check --package orders \
             --package trips --lambda-dir /out"
        );
    }

    #[test]
    fn what_is_built_quickly_for_this_machine_is_a_program_of_the_workspace() {
        let (root, nothing) = (Path::new("/project"), BTreeSet::new());
        let program = |profile, arch| {
            let options = PackageOptions { profile, arch, ..PackageOptions::default() };
            let binaries = Path::new("/out");
            let build = Build { options: &options, packages: &nothing, functions: &nothing, binaries };
            build.program(root, "orders")
        };
        assert_eq!(program(Profile::Quick, Arch::Host), project::target_folder(root).join("debug/orders"));
        for (profile, arch) in [(Profile::Quick, Arch::Arm64), (Profile::Release, Arch::Host)] {
            assert_eq!(program(profile, arch), Path::new("/out/orders/bootstrap"));
        }
    }

    #[test]
    fn the_virtual_environment_comes_first() {
        let path = path_with(Path::new("/project/.venv/bin"));
        assert!(path.to_str().unwrap().starts_with("/project/.venv/bin:"));
        assert_eq!(find("no-such-program", Path::new("/nowhere")), None);
    }
}
