//! Bringing a folder in line with the emitted files.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use super::{SAGA_SCHEMAS, SCHEMAS};
use stacks::Stage;

/// What to do with files that were emitted before and are no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prune<'a> {
    /// Leave them: the folder may hold files of others.
    No,
    /// Remove the emitted kinds: the pictures and schemas, and the templates and state machines of these stages.
    Of(&'a [Stage]),
}

/// One file of the folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileState {
    /// Its path in the folder.
    pub path: PathBuf,
    /// How it differs from what is emitted.
    pub change: Change,
}

/// How a file in a folder differs from what is emitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Not at all.
    Unchanged,
    /// It is missing.
    Missing,
    /// Its text is another.
    Changed {
        /// The first line that differs, from 1.
        line: usize,
        /// That line in the folder; empty after its end.
        there: String,
        /// That line as emitted; empty after its end.
        emitted: String,
    },
    /// It is no more emitted.
    Stale,
}

impl FileState {
    /// Whether the folder differs here.
    #[must_use]
    pub fn differs(&self) -> bool {
        self.change != Change::Unchanged
    }
}

/// Compares `folder` with `files` and writes nothing. Ordered by path.
///
/// # Errors
/// When a file cannot be read.
pub fn compare(
    folder: &Path,
    files: &BTreeMap<PathBuf, String>,
    prune: Prune<'_>,
) -> Result<Vec<FileState>, FolderError> {
    let mut states = Vec::new();
    for (path, text) in files {
        let full = folder.join(path);
        let change = match std::fs::read(&full) {
            Ok(bytes) if bytes == text.as_bytes() => Change::Unchanged,
            Ok(bytes) => first_difference(&String::from_utf8_lossy(&bytes), text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Change::Missing,
            Err(source) => return Err(FolderError { what: "read", path: full, source }),
        };
        states.push(FileState { path: path.clone(), change });
    }
    if let Prune::Of(stages) = prune {
        let found = emitted_kinds(folder, stages)?;
        let stale = found.into_iter().filter(|path| !files.contains_key(path));
        states.extend(stale.map(|path| FileState { path, change: Change::Stale }));
    }
    states.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(states)
}

/// Brings `folder` in line with `files`: writes what differs, each file at once, and removes what is stale. Returns
/// what it found before.
///
/// # Errors
/// When a file cannot be read, written or removed.
pub fn write(
    folder: &Path,
    files: &BTreeMap<PathBuf, String>,
    prune: Prune<'_>,
) -> Result<Vec<FileState>, FolderError> {
    let states = compare(folder, files, prune)?;
    for state in states.iter().filter(|state| state.differs()) {
        let path = folder.join(&state.path);
        match files.get(&state.path) {
            Some(text) => write_at_once(&path, text)?,
            None => std::fs::remove_file(&path).map_err(FolderError::new("remove", &path))?,
        }
    }
    Ok(states)
}

/// A reader sees the old text or the new, never a part.
fn write_at_once(path: &Path, text: &str) -> Result<(), FolderError> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(FolderError::new("create", folder))?;
    }
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    let temporary = path.with_file_name(name);
    let written = std::fs::write(&temporary, text).and_then(|()| std::fs::rename(&temporary, path));
    written.map_err(|source| {
        // What went wrong is told; that the rest of it could not be removed either is not news.
        let _ = std::fs::remove_file(&temporary);
        FolderError { what: "write", path: path.to_owned(), source }
    })
}

fn first_difference(there: &str, emitted: &str) -> Change {
    let mut old = there.lines();
    let mut new = emitted.lines();
    let mut line = 0;
    loop {
        line += 1;
        match (old.next(), new.next()) {
            (Some(old), Some(new)) if old == new => {}
            (old, new) => {
                let text = |line: Option<&str>| line.unwrap_or_default().to_owned();
                return Change::Changed { line, there: text(old), emitted: text(new) };
            }
        }
    }
}

/// The files in `folder` of the kinds that are emitted: pictures in it, schemas in their folders, templates and state
/// machines in the folders of the stages.
fn emitted_kinds(folder: &Path, stages: &[Stage]) -> Result<Vec<PathBuf>, FolderError> {
    let mut found = files_in(folder, Path::new(""), &["mmd", "svg", "dot"])?;
    for schemas in [SCHEMAS, SAGA_SCHEMAS] {
        found.extend(files_in(folder, Path::new(schemas), &["json"])?);
    }
    for stage in stages {
        found.extend(files_in(folder, Path::new(stage.name()), &["yaml", "json"])?);
    }
    Ok(found)
}

fn files_in(root: &Path, folder: &Path, extensions: &[&str]) -> Result<Vec<PathBuf>, FolderError> {
    let full = root.join(folder);
    let entries = match std::fs::read_dir(&full) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(FolderError { what: "list", path: full, source }),
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = folder.join(entry.map_err(FolderError::new("list", &full))?.file_name());
        let extension = path.extension().and_then(|extension| extension.to_str());
        if extension.is_some_and(|extension| extensions.contains(&extension)) {
            found.push(path);
        }
    }
    Ok(found)
}

/// The system refused something.
#[derive(Debug, thiserror::Error)]
#[error("cannot {what} {}", path.display())]
pub struct FolderError {
    what: &'static str,
    path: PathBuf,
    source: io::Error,
}

impl FolderError {
    fn new(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self { what, path: path.to_owned(), source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEV: Prune<'static> = Prune::Of(&[Stage::Dev]);

    fn files(list: &[(&str, &str)]) -> BTreeMap<PathBuf, String> {
        list.iter().map(|(path, text)| (PathBuf::from(path), (*text).to_owned())).collect()
    }

    fn changes(states: &[FileState]) -> Vec<(&str, &Change)> {
        states.iter().map(|state| (state.path.to_str().unwrap(), &state.change)).collect()
    }

    #[test]
    fn only_what_differs_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let first = files(&[("dev/app.yaml", "a\nb\n"), ("order.mmd", "x\n")]);
        let states = write(folder.path(), &first, DEV).unwrap();
        assert_eq!(changes(&states), [("dev/app.yaml", &Change::Missing), ("order.mmd", &Change::Missing)]);
        let before = std::fs::metadata(folder.path().join("order.mmd")).unwrap().modified().unwrap();

        let second = files(&[("dev/app.yaml", "a\nc\n"), ("order.mmd", "x\n")]);
        let states = write(folder.path(), &second, DEV).unwrap();
        let changed = Change::Changed { line: 2, there: "b".into(), emitted: "c".into() };
        assert_eq!(changes(&states), [("dev/app.yaml", &changed), ("order.mmd", &Change::Unchanged)]);
        assert_eq!(std::fs::read_to_string(folder.path().join("dev/app.yaml")).unwrap(), "a\nc\n");
        assert_eq!(std::fs::metadata(folder.path().join("order.mmd")).unwrap().modified().unwrap(), before);
        assert_eq!(
            std::fs::read_dir(folder.path().join("dev")).unwrap().count(),
            1,
            "nothing temporary is left"
        );
    }

    #[test]
    fn stale_files_of_the_emitted_kinds_and_stages_go_and_no_others() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("dev")).unwrap();
        std::fs::create_dir_all(folder.path().join("prod")).unwrap();
        std::fs::create_dir_all(folder.path().join("schemas/sagas")).unwrap();
        for path in [
            "dev/old.yaml",
            "dev/old.asl.json",
            "dev/notes.md",
            "prod/old.yaml",
            "old.svg",
            "schemas/sagas/old.json",
            "README.md",
        ] {
            std::fs::write(folder.path().join(path), "x").unwrap();
        }
        let none = files(&[]);
        assert_eq!(compare(folder.path(), &none, Prune::No).unwrap(), []);
        let states = write(folder.path(), &none, DEV).unwrap();
        let stale: Vec<_> = changes(&states).into_iter().map(|(path, _)| path).collect();
        assert_eq!(stale, ["dev/old.asl.json", "dev/old.yaml", "old.svg", "schemas/sagas/old.json"]);
        for (path, there) in [("dev/old.yaml", false), ("dev/notes.md", true), ("prod/old.yaml", true)] {
            assert_eq!(folder.path().join(path).exists(), there, "{path}");
        }
    }

    #[test]
    fn comparing_writes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let states = compare(folder.path(), &files(&[("dev/app.yaml", "a\n")]), DEV).unwrap();
        assert!(states.iter().all(FileState::differs));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn the_first_difference_may_be_the_end() {
        let longer = Change::Changed { line: 2, there: String::new(), emitted: "b".into() };
        assert_eq!(first_difference("a\n", "a\nb\n"), longer);
    }
}
