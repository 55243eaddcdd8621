//! The functions as zips that Lambda takes.
//!
//! One workspace build by cargo-lambda, or by cargo where it is to be quick and for this machine; then one zip per
//! function, named by the hash of its binary: an unchanged function has the same zip, byte for byte, and is neither
//! uploaded nor redeployed.

mod arch;
mod bundle;
mod manifest;
mod profile;
mod tool;

pub use arch::{Arch, UnknownArch};
pub use manifest::{Bundle, Manifest};
pub use profile::{Profile, UnknownProfile};
pub use tool::cargo_arguments;

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use stacks::{Stage, Synth};

use crate::functions::{self, FunctionError};
use crate::project::{self, NotInProject};

/// What to package.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PackageOptions {
    /// For which processors.
    pub arch: Arch,
    /// How they are compiled. Default: as they are shipped.
    pub profile: Profile,
    /// Only this function. Default: all.
    pub only: Option<String>,
    /// What is packaged beside the functions of the deployment. Default: nothing.
    pub also: Vec<Programs>,
    /// Whether cargo's messages are left out. Its errors never are. Default: no.
    pub quiet: bool,
}

/// Functions of another deployment that are programs of one package of this workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Programs {
    /// The package.
    pub package: String,
    /// The functions, each named as its program.
    pub functions: Vec<String>,
}

/// A function that was packaged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packaged {
    /// The function.
    pub function: String,
    /// Its zip.
    pub bundle: Bundle,
    /// Whether the zip is new; otherwise the binary had not changed.
    pub built: bool,
}

/// Builds the functions of a deployment, zips them and writes the manifest. Zips of older binaries are removed.
///
/// # Errors
/// When a tool is missing, the build fails, or a file cannot be written.
pub fn package(synth: Synth, options: &PackageOptions) -> Result<Vec<Packaged>, PackageError> {
    let root = project::root()?;
    let mut functions = function_names(synth)?;
    functions::check(&root, functions.iter().map(String::as_str))?;
    let mut packages = functions.clone();
    for Programs { package, functions: programs } in &options.also {
        packages.insert(package.clone());
        functions.extend(programs.iter().cloned());
    }
    if let Some(only) = options.only.as_ref().filter(|only| !functions.contains(*only)) {
        return Err(PackageError::UnknownFunction { given: only.clone(), functions });
    }
    let binaries = folder(&root).join("bin").join(options.arch.name());
    let build = tool::Build { options, packages: &packages, functions: &functions, binaries: &binaries };
    tool::build(&root, &build)?;
    let wanted = functions.iter().filter(|name| options.only.as_ref().is_none_or(|only| only == *name));
    let programs = wanted.map(|name| (name, build.program(&root, name)));
    bundle_all(&folder(&root), options, programs)
}

/// The folder of the zips and manifests, of the project in `root`.
#[must_use]
pub fn folder(root: &Path) -> PathBuf {
    project::target_folder(root).join("flyover")
}

/// The functions of a deployment: those of every stage.
///
/// # Errors
/// When the stacks of a stage are refused.
pub fn function_names(synth: Synth) -> Result<BTreeSet<String>, PackageError> {
    let mut names = BTreeSet::new();
    for stage in Stage::ALL {
        let app = synth(stage).map_err(|source| PackageError::Refused { stage, source })?;
        names.extend(app.functions.iter().map(|function| function.name.to_string()));
    }
    Ok(names)
}

/// Zips the binaries and updates the manifest.
fn bundle_all<'a>(
    folder: &Path,
    options: &PackageOptions,
    programs: impl Iterator<Item = (&'a String, PathBuf)>,
) -> Result<Vec<Packaged>, PackageError> {
    std::fs::create_dir_all(folder).map_err(PackageError::io("create", folder))?;
    let arch = options.arch;
    let mut manifest = Manifest::load(folder, arch)?.unwrap_or_else(|| Manifest::empty(arch));
    let mut all = Vec::new();
    for (function, program) in programs {
        let (bundle, built) = bundle::bundle(folder, function, options, &program)?;
        manifest.functions.insert(function.clone(), bundle.clone());
        all.push(Packaged { function: function.clone(), bundle, built });
    }
    manifest.save(folder)?;
    Ok(all)
}

/// Why the functions cannot be packaged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PackageError {
    /// Not in the project.
    #[error(transparent)]
    NotInProject(#[from] NotInProject),
    /// A function of the stacks has no crate.
    #[error(transparent)]
    Function(#[from] FunctionError),
    /// The stacks, which name the functions, are refused.
    #[error("stage {stage} cannot be synthesised")]
    Refused {
        /// Of which stage.
        stage: Stage,
        /// Why.
        source: stacks::SynthError,
    },
    /// There is no such function.
    #[error("there is no function `{given}`: use one of {}", join(functions))]
    UnknownFunction {
        /// The name given.
        given: String,
        /// Those there are.
        functions: BTreeSet<String>,
    },
    /// A tool is not installed.
    #[error("{tool} was not found in {} or on the PATH: run `make venv`", venv.display())]
    MissingTool {
        /// Which tool.
        tool: &'static str,
        /// Where it is looked for first.
        venv: PathBuf,
    },
    /// Rust's standard library is not installed for these processors.
    #[error("the Rust target for {arch} is not installed: run `rustup target add {target}`")]
    MissingTarget {
        /// Which processors.
        arch: Arch,
        /// What rustc calls them.
        target: &'static str,
    },
    /// This machine's processors are none that Lambda has.
    #[error(
        "this machine is {given}, and Lambda has arm64 and x86_64: use `--arch arm64` or `--arch x86_64`"
    )]
    UnknownHost {
        /// What the machine is.
        given: &'static str,
    },
    /// The build ended with an error, which cargo has printed.
    #[error("the build of the functions failed ({status})")]
    Build {
        /// How it ended.
        status: ExitStatus,
    },
    /// The build did not give the program of a function.
    #[error("the build of package `{function}` gave no binary {}", path.display())]
    NoBinary {
        /// The function.
        function: String,
        /// Where the binary was expected.
        path: PathBuf,
    },
    /// A manifest cannot be understood.
    #[error("{} is not a manifest: remove it and package again", path.display())]
    Manifest {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// A zip cannot be written.
    #[error("cannot zip {}", path.display())]
    Zip {
        /// The binary.
        path: PathBuf,
        /// Why.
        source: zip::result::ZipError,
    },
    /// The system refused something.
    #[error("cannot {what} {}", path.display())]
    Io {
        /// What was to be done.
        what: &'static str,
        /// To which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl PackageError {
    /// For `map_err`: says what could not be done to which file.
    fn io(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { what, path: path.to_owned(), source }
    }
}

fn join(names: &BTreeSet<String>) -> String {
    names.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}
