//! A binary as a zip whose bytes depend on the binary only.

use std::fmt::Write as _;
use std::io::{self, Cursor, Write as _};
use std::path::Path;

use sha2::{Digest, Sha256};
use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::{Bundle, PackageError, PackageOptions, Profile};

/// Zips `binary` into `folder`, unless that zip is there, and removes the zips of the function's older binaries.
/// Returns the zip and whether it is new.
pub(super) fn bundle(
    folder: &Path,
    function: &str,
    PackageOptions { arch, profile, .. }: &PackageOptions,
    binary: &Path,
) -> Result<(Bundle, bool), PackageError> {
    let bytes = std::fs::read(binary).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => {
            PackageError::NoBinary { function: function.to_owned(), path: binary.to_owned() }
        }
        _ => PackageError::Io { what: "read", path: binary.to_owned(), source },
    })?;
    let sha256 = hex(&Sha256::digest(&bytes));
    let prefix = format!("{function}-{arch}-");
    let name = format!("{prefix}{}.zip", &sha256[..16]);
    let path = folder.join(&name);
    let built = !path.exists();
    if built {
        let zip =
            zip(&bytes, *profile).map_err(|source| PackageError::Zip { path: binary.to_owned(), source })?;
        // Under its name a zip is whole, even when packaging is interrupted.
        let temporary = folder.join(format!("{name}.tmp"));
        std::fs::write(&temporary, zip).map_err(PackageError::io("write", &temporary))?;
        std::fs::rename(&temporary, &path).map_err(PackageError::io("write", &path))?;
    }
    remove_older(folder, &prefix, &name)?;
    let zip_bytes = std::fs::metadata(&path).map_err(PackageError::io("read", &path))?.len();
    Ok((Bundle { zip: name, sha256, binary_bytes: bytes.len() as u64, zip_bytes }, built))
}

fn zip(binary: &[u8], profile: Profile) -> Result<Vec<u8>, ZipError> {
    let level = match profile {
        Profile::Release => 9,
        Profile::Quick => 1,
    };
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(level))
        // 1980-01-01, the first moment that a zip can name.
        .last_modified_time(DateTime::DEFAULT)
        .unix_permissions(0o755);
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer.start_file("bootstrap", options)?;
    writer.write_all(binary)?;
    Ok(writer.finish()?.into_inner())
}

/// Removes the zips in `folder` named `<prefix><16 hexadecimal digits>.zip` except `keep`.
fn remove_older(folder: &Path, prefix: &str, keep: &str) -> Result<(), PackageError> {
    for entry in std::fs::read_dir(folder).map_err(PackageError::io("list", folder))? {
        let name = entry.map_err(PackageError::io("list", folder))?.file_name();
        let Some(name) = name.to_str() else { continue };
        let hash = name.strip_prefix(prefix).and_then(|rest| rest.strip_suffix(".zip"));
        let is_hash = |hash: &str| hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        if name != keep && hash.is_some_and(is_hash) {
            let path = folder.join(name);
            std::fs::remove_file(&path).map_err(PackageError::io("remove", &path))?;
        }
    }
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zip_depends_on_the_binary_only() {
        let bytes = b"binary".repeat(1000);
        let first = zip(&bytes, Profile::Release).unwrap();
        assert_eq!(first, zip(&bytes, Profile::Release).unwrap());
        assert_ne!(first, zip(b"other", Profile::Release).unwrap());
        // Local file header: time 0, date 1980-01-01.
        assert_eq!(first[10..14], [0, 0, 0x21, 0]);
        let mut archive = zip::ZipArchive::new(Cursor::new(first)).unwrap();
        let file = archive.by_index(0).unwrap();
        assert_eq!(
            (file.name().unwrap().as_ref(), file.unix_mode(), file.size()),
            ("bootstrap", Some(0o100_755), 6000)
        );
    }

    #[test]
    fn an_unchanged_binary_keeps_its_zip_and_a_changed_one_replaces_it() {
        let folder = tempfile::tempdir().unwrap();
        let binary = folder.path().join("bootstrap");
        std::fs::write(&binary, "one").unwrap();
        let (first, built) = bundle(folder.path(), "inventory", &PackageOptions::default(), &binary).unwrap();
        assert!(built);
        assert_eq!(first.zip, format!("inventory-host-{}.zip", &first.sha256[..16]));
        let again = bundle(folder.path(), "inventory", &PackageOptions::default(), &binary).unwrap();
        assert_eq!(again, (first.clone(), false));

        let others = ["inventory-arm64-0123456789abcdef.zip", "inventory-host-more-0123456789abcdef.zip"];
        for other in others {
            std::fs::write(folder.path().join(other), "x").unwrap();
        }
        std::fs::write(&binary, "two").unwrap();
        let (second, built) =
            bundle(folder.path(), "inventory", &PackageOptions::default(), &binary).unwrap();
        assert!(built);
        assert!(!folder.path().join(&first.zip).exists());
        assert!(folder.path().join(&second.zip).exists());
        assert!(others.iter().all(|other| folder.path().join(other).exists()), "zips of others stay");
    }

    #[test]
    fn a_function_without_a_binary_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = bundle(folder.path(), "ghost", &PackageOptions::default(), &folder.path().join("none"))
            .unwrap_err();
        assert!(matches!(error, PackageError::NoBinary { function, .. } if function == "ghost"));
    }
}
