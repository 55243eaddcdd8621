//! Whether the functions that the stacks name have crates.
//!
//! The stacks are pure and name functions only: a participant whose function nobody has written would be found no
//! sooner than its build. This looks into `functions/` instead, so that synth says it.

use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// Whether each function has a package of its name in `functions/` of the project in `root`, with a program of that
/// name.
///
/// # Errors
/// For the first function that has none.
pub fn check<'a>(root: &Path, functions: impl IntoIterator<Item = &'a str>) -> Result<(), FunctionError> {
    functions.into_iter().try_for_each(|function| check_one(root, function))
}

fn check_one(root: &Path, function: &str) -> Result<(), FunctionError> {
    let path = Path::new("functions").join(function).join("Cargo.toml");
    let text = match std::fs::read_to_string(root.join(&path)) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(FunctionError::NoCrate { function: function.to_owned(), path });
        }
        Err(source) => return Err(FunctionError::Read { path, source }),
    };
    let manifest: CrateManifest = match toml::from_str(&text) {
        Ok(manifest) => manifest,
        Err(source) => return Err(FunctionError::Manifest { path, source: Box::new(source) }),
    };
    let given = manifest.package.name;
    if given != function {
        return Err(FunctionError::OtherName { function: function.to_owned(), path, given });
    }
    let folder = root.join("functions").join(function);
    let listed = manifest.bin.iter().any(|bin| bin.name.as_deref() == Some(function));
    // What cargo finds by itself: <https://doc.rust-lang.org/cargo/reference/cargo-targets.html#target-auto-discovery>
    let main =
        ["src/main.rs".to_owned(), format!("src/bin/{function}.rs"), format!("src/bin/{function}/main.rs")];
    let found = manifest.package.autobins && main.iter().any(|main| folder.join(main).is_file());
    if listed || found {
        return Ok(());
    }
    Err(FunctionError::NoProgram { function: function.to_owned(), path })
}

/// What is read of a function's `Cargo.toml`.
#[derive(Deserialize)]
struct CrateManifest {
    package: Package,
    #[serde(default)]
    bin: Vec<Binary>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    #[serde(default = "yes")]
    autobins: bool,
}

#[derive(Deserialize)]
struct Binary {
    name: Option<String>,
}

fn yes() -> bool {
    true
}

/// A function of the stacks cannot be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FunctionError {
    /// It has no crate.
    #[error(
        "the stacks have a function `{function}`, but there is no {}: create that package with a `src/main.rs` and list it in the workspace's `members`, or take the participant out of the deployment",
        path.display()
    )]
    NoCrate {
        /// The function.
        function: String,
        /// The manifest that is missing, from the project's root.
        path: PathBuf,
    },
    /// The crate in its folder has another name.
    #[error(
        "the package in {} is named `{given}`, but the function is `{function}`: name the package so",
        path.display()
    )]
    OtherName {
        /// The function.
        function: String,
        /// The manifest, from the project's root.
        path: PathBuf,
        /// The package's name.
        given: String,
    },
    /// The crate has no program of the function's name.
    #[error(
        "the package `{function}` in {} has no program `{function}`: add a `src/main.rs` that calls `saga_lambda::run`",
        path.display()
    )]
    NoProgram {
        /// The function.
        function: String,
        /// The manifest, from the project's root.
        path: PathBuf,
    },
    /// The manifest is none.
    #[error("{} is no manifest of a package", path.display())]
    Manifest {
        /// The manifest, from the project's root.
        path: PathBuf,
        /// Why.
        source: Box<toml::de::Error>,
    },
    /// The manifest cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The manifest, from the project's root.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said of the function `shipping` in a project with these files in `functions/shipping/`.
    fn said(files: &[(&str, &str)]) -> String {
        let root = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = root.path().join("functions/shipping").join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        check(root.path(), ["shipping"]).map_or_else(|error| error.to_string(), |()| "fine".to_owned())
    }

    const NAMED: (&str, &str) = ("Cargo.toml", "[package]\nname = \"shipping\"\nversion.workspace = true\n");

    #[test]
    fn the_functions_of_this_project_have_crates() {
        let root = crate::project::root().unwrap();
        for stage in stacks::Stage::ALL {
            let app = stacks::synth(stage).unwrap();
            assert!(!app.functions.is_empty());
            check(&root, app.functions.iter().map(|function| function.name)).unwrap();
        }
    }

    #[test]
    fn a_participant_without_a_crate_is_named_with_what_to_do() {
        let error = said(&[]);
        assert!(
            error.contains("function `shipping`, but there is no functions/shipping/Cargo.toml"),
            "{error}"
        );
        assert!(
            error.contains("create that package") && error.contains("take the participant out"),
            "{error}"
        );
    }

    #[test]
    fn a_program_is_what_cargo_takes_for_one() {
        let listed = "[package]\nname = \"shipping\"\n[[bin]]\nname = \"shipping\"\npath = \"main.rs\"\n";
        for fitting in [
            &[NAMED, ("src/main.rs", "")][..],
            &[NAMED, ("src/bin/shipping.rs", "")],
            &[NAMED, ("src/bin/shipping/main.rs", "")],
            &[("Cargo.toml", listed)],
        ] {
            assert_eq!(said(fitting), "fine");
        }
    }

    #[test]
    fn a_crate_without_the_program_is_refused() {
        let manual = ("Cargo.toml", "[package]\nname = \"shipping\"\nautobins = false\n");
        for files in [
            &[NAMED, ("src/lib.rs", "")][..],
            &[NAMED, ("src/bin/ship.rs", "")],
            &[manual, ("src/main.rs", "")],
        ] {
            let error = said(files);
            assert!(error.contains("has no program `shipping`: add a `src/main.rs`"), "{error}");
        }
    }

    #[test]
    fn another_name_or_no_manifest_is_refused() {
        let error = said(&[("Cargo.toml", "[package]\nname = \"ship\"\n"), ("src/main.rs", "")]);
        assert!(error.contains("is named `ship`, but the function is `shipping`"), "{error}");
        assert_eq!(
            said(&[("Cargo.toml", "nothing")]),
            "functions/shipping/Cargo.toml is no manifest of a package"
        );
    }
}
