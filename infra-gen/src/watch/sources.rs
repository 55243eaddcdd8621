//! Which files a deployment is made of.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::WatchError;
use crate::project;

/// Beside its `src`, what a package is made of.
const OF_A_PACKAGE: [&str; 2] = ["Cargo.toml", "build.rs"];

/// Of the workspace itself.
const OF_THE_WORKSPACE: [&str; 2] = ["Cargo.toml", "Cargo.lock"];

/// The folders of packages.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sources {
    root: PathBuf,
    packages: BTreeSet<PathBuf>,
    code: BTreeSet<PathBuf>,
}

impl Sources {
    /// Those of these packages of the workspace in `root`, and of the packages beside them that they depend on.
    pub(super) fn find(root: &Path, packages: &BTreeSet<String>) -> Result<Self, WatchError> {
        let failed = |reason: String| WatchError::Metadata { reason };
        let mut command = project::command_outside_cargo(&project::cargo());
        let command = command.args(["metadata", "--no-deps", "--format-version", "1"]).current_dir(root);
        let output = command.output().map_err(|error| failed(error.to_string()))?;
        if !output.status.success() {
            return Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
        }
        let metadata: Metadata =
            serde_json::from_slice(&output.stdout).map_err(|error| failed(error.to_string()))?;
        Ok(Self::of(root, metadata.needed_by(packages)))
    }

    pub(super) fn of(root: &Path, packages: impl IntoIterator<Item = PathBuf>) -> Self {
        let packages: BTreeSet<PathBuf> = packages.into_iter().collect();
        let code = packages.iter().map(|package| package.join("src")).collect();
        Self { root: root.to_owned(), packages, code }
    }

    pub(super) fn packages(&self) -> usize {
        self.packages.len()
    }

    /// What to watch, and whether with all that is in it.
    pub(super) fn folders(&self) -> impl Iterator<Item = (&Path, bool)> {
        let whole = self.code.iter().map(|folder| (folder.as_path(), true));
        let tops = self.packages.iter().chain([&self.root]).map(|folder| (folder.as_path(), false));
        whole.chain(tops)
    }

    /// Whether a file is one of these, and none that an editor keeps beside it.
    pub(super) fn matters(&self, path: &Path) -> bool {
        let (Some(name), Some(folder)) = (path.file_name().and_then(|name| name.to_str()), path.parent())
        else {
            return false;
        };
        if self.packages.contains(folder) && OF_A_PACKAGE.contains(&name) {
            return true;
        }
        if folder == self.root && OF_THE_WORKSPACE.contains(&name) {
            return true;
        }
        let of_an_editor =
            name.starts_with('.') || name.ends_with('~') || name.ends_with(".swp") || name == "4913";
        !of_an_editor && self.code.iter().any(|code| path.starts_with(code) && path != code)
    }
}

/// What is read of `cargo metadata`.
/// <https://doc.rust-lang.org/cargo/commands/cargo-metadata.html#json-format>
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    /// Of a package beside this one.
    path: Option<PathBuf>,
    kind: Option<String>,
}

impl Metadata {
    /// The folders of these packages and of those beside them that they depend on, tests apart.
    fn needed_by(&self, packages: &BTreeSet<String>) -> BTreeSet<PathBuf> {
        let folder = |package: &Package| package.manifest_path.parent().map(Path::to_owned);
        let by_folder: BTreeMap<PathBuf, &Package> =
            self.packages.iter().filter_map(|package| Some((folder(package)?, package))).collect();
        let mut needed = BTreeSet::new();
        let mut next: Vec<PathBuf> =
            self.packages.iter().filter(|one| packages.contains(&one.name)).filter_map(folder).collect();
        while let Some(folder) = next.pop() {
            let Some(package) = by_folder.get(&folder) else { continue };
            if needed.insert(folder) {
                let used = package.dependencies.iter().filter(|one| one.kind.as_deref() != Some("dev"));
                next.extend(used.filter_map(|dependency| dependency.path.clone()));
            }
        }
        needed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_made_of_its_package_and_what_that_depends_on() {
        let root = project::root().unwrap();
        let sources = Sources::find(&root, &["inventory".to_owned()].into()).unwrap();
        let has = |folder: &str| sources.packages.contains(&root.join(folder));
        assert!(has("functions/inventory") && has("sagas") && has("crates/saga"), "{sources:?}");
        assert!(!has("infra-gen") && !has("tests/system") && !has("stacks"), "{sources:?}");
        for (path, matters) in [
            ("sagas/src/order.rs", true),
            ("crates/saga/src/engine/data.txt", true),
            ("functions/inventory/Cargo.toml", true),
            ("Cargo.lock", true),
            ("functions/inventory/src/.main.rs.swp", false),
            ("functions/inventory/src/main.rs~", false),
            ("functions/inventory/tests/handlers.rs", false),
            ("functions/orders/src/main.rs", false),
            ("README.md", false),
        ] {
            assert_eq!(sources.matters(&root.join(path)), matters, "{path}");
        }
    }
}
