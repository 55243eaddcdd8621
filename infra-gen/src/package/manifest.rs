//! What was packaged last, for `deploy`.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Arch, PackageError};

/// What was packaged last for one architecture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// The name of the [`Arch`].
    pub arch: String,
    /// The zips, by function.
    pub functions: BTreeMap<String, Bundle>,
}

/// A function's zip.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Bundle {
    /// The zip's file name, which is also its key in the artifact bucket.
    pub zip: String,
    /// The SHA-256 of the binary, in hexadecimal.
    pub sha256: String,
    /// The size of the binary.
    pub binary_bytes: u64,
    /// The size of the zip.
    pub zip_bytes: u64,
}

impl Manifest {
    /// Nothing packaged.
    pub(super) fn empty(arch: Arch) -> Self {
        Self { arch: arch.name().to_owned(), functions: BTreeMap::new() }
    }

    /// The manifest in `folder`, if one was written.
    ///
    /// # Errors
    /// When it cannot be read or understood.
    pub fn load(folder: &Path, arch: Arch) -> Result<Option<Self>, PackageError> {
        let path = path(folder, arch.name());
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(PackageError::Io { what: "read", path, source }),
        };
        serde_json::from_str(&text).map(Some).map_err(|source| PackageError::Manifest { path, source })
    }

    pub(super) fn save(&self, folder: &Path) -> Result<(), PackageError> {
        let path = path(folder, &self.arch);
        let text = serde_json::to_string_pretty(self)
            .map_err(|source| PackageError::Manifest { path: path.clone(), source })?;
        std::fs::write(&path, text + "\n").map_err(PackageError::io("write", &path))
    }
}

fn path(folder: &Path, arch: &str) -> PathBuf {
    folder.join(format!("manifest-{arch}.json"))
}
