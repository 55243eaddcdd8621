//! Noticing that somebody saved a file of which the deployment is made.

mod sources;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{Instant, timeout, timeout_at};

use crate::project::{self, NotInProject};
use sources::Sources;

/// How long it must be quiet: an editor or a formatter saves several files, each in several steps.
const QUIET: Duration = Duration::from_millis(100);

/// How long is waited for that.
const QUIET_LIMIT: Duration = Duration::from_secs(2);

/// What somebody saves.
#[derive(Debug)]
pub struct Changes {
    root: PathBuf,
    sources: Sources,
    events: UnboundedReceiver<notify::Result<notify::Event>>,
    // It watches for as long as it is there.
    _watcher: RecommendedWatcher,
}

impl Changes {
    /// Watches the packages of this workspace that the named ones, and what they depend on, are made of.
    ///
    /// # Errors
    /// When cargo does not tell which they are, or the system does not watch them.
    pub fn of(packages: &BTreeSet<String>) -> Result<Self, WatchError> {
        let root = project::root()?;
        let sources = Sources::find(&root, packages)?;
        Self::watch(root, sources)
    }

    fn watch(root: PathBuf, sources: Sources) -> Result<Self, WatchError> {
        let not_watched = |path: &Path| {
            let path = path.to_owned();
            move |source| WatchError::NotWatched { path, source }
        };
        let (sender, events) = unbounded_channel();
        let watcher = notify::recommended_watcher(move |event| {
            // It can only fail when nobody listens any more.
            let _ = sender.send(event);
        });
        let mut watcher = watcher.map_err(not_watched(&root))?;
        for (path, whole) in sources.folders() {
            let mode = if whole { RecursiveMode::Recursive } else { RecursiveMode::NonRecursive };
            watcher.watch(path, mode).map_err(not_watched(path))?;
        }
        Ok(Self { root, sources, events, _watcher: watcher })
    }

    /// How many packages are watched.
    #[must_use]
    pub fn packages(&self) -> usize {
        self.sources.packages()
    }

    /// Waits until something is saved and it is quiet again; the files, from the project's root. None: what was there is gone.
    ///
    /// # Errors
    /// When the system lost track of what changes.
    pub async fn next(&mut self) -> Result<BTreeSet<PathBuf>, WatchError> {
        let mut saved = BTreeSet::new();
        while saved.is_empty() {
            let event = self.events.recv().await.ok_or(WatchError::Ended)?;
            self.note(event, &mut saved)?;
        }
        let limit = Instant::now() + QUIET_LIMIT;
        while let Ok(Ok(Some(event))) = timeout_at(limit, timeout(QUIET, self.events.recv())).await {
            self.note(event, &mut saved)?;
        }
        // What an editor writes beside a file is there for a moment only; a source that is gone counts.
        saved.retain(|path| {
            path.extension().is_some_and(|ending| ending == "rs") || self.root.join(path).exists()
        });
        Ok(saved)
    }

    fn note(
        &self,
        event: notify::Result<notify::Event>,
        saved: &mut BTreeSet<PathBuf>,
    ) -> Result<(), WatchError> {
        let event = event.map_err(|source| WatchError::NotWatched { path: self.root.clone(), source })?;
        if matches!(event.kind, EventKind::Access(_)) {
            return Ok(());
        }
        let paths = event.paths.into_iter().filter(|path| self.sources.matters(path));
        saved.extend(paths.map(|path| relative(&self.root, &path)));
        Ok(())
    }
}

fn relative(root: &Path, path: &Path) -> PathBuf {
    path.strip_prefix(root).unwrap_or(path).to_owned()
}

/// Why files cannot be watched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WatchError {
    /// Not in the project.
    #[error(transparent)]
    NotInProject(#[from] NotInProject),
    /// Cargo does not say which packages there are.
    #[error("`cargo metadata` does not say which packages there are: {reason}")]
    Metadata {
        /// Why.
        reason: String,
    },
    /// The system does not watch.
    #[error(
        "{} cannot be watched for changes (on Linux, `fs.inotify.max_user_watches` and `max_user_instances` say how much can)",
        path.display()
    )]
    NotWatched {
        /// What.
        path: PathBuf,
        /// Why not.
        source: notify::Error,
    },
    /// The system watches no more.
    #[error("the system stopped telling of changes: start again")]
    Ended,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A project of one package, watched; and its folder.
    fn project() -> (tempfile::TempDir, Changes) {
        let folder = tempfile::tempdir().unwrap();
        // Where the system's own names lead: macOS has its temporary folder behind a link.
        let root = folder.path().canonicalize().unwrap();
        std::fs::create_dir_all(root.join("orders/src/deep")).unwrap();
        std::fs::write(root.join("orders/src/lib.rs"), "").unwrap();
        let sources = Sources::of(&root, [root.join("orders")]);
        (folder, Changes::watch(root, sources).unwrap())
    }

    #[tokio::test]
    async fn what_is_saved_together_is_told_together() {
        let (_folder, mut changes) = project();
        let root = changes.root.clone();
        std::fs::write(root.join("orders/notes.txt"), "no source").unwrap();
        std::fs::write(root.join("orders/src/lib.rs"), "fn a() {}").unwrap();
        std::fs::write(root.join("orders/src/deep/b.rs"), "fn b() {}").unwrap();
        let saved = changes.next().await.unwrap();
        assert!(saved.contains(Path::new("orders/src/lib.rs")), "{saved:?}");
        assert!(!saved.contains(Path::new("orders/notes.txt")), "{saved:?}");
        std::fs::write(root.join("orders/Cargo.toml"), "[package]").unwrap();
        loop {
            // A busy machine can tell of what was saved before in two parts.
            if changes.next().await.unwrap().contains(Path::new("orders/Cargo.toml")) {
                break;
            }
        }
    }
}
