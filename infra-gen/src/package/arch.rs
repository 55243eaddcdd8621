//! For which processors functions are built.

use std::fmt;
use std::str::FromStr;

use super::PackageError;

/// For which processors, and how, functions are built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Arch {
    /// This machine's, with its own linker and C library: for an emulator on this machine.
    #[default]
    Host,
    /// 64-bit Arm, linked for Lambda's C library.
    Arm64,
    /// 64-bit Intel and AMD, linked for Lambda's C library.
    X86_64,
}

impl Arch {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Host, Self::Arm64, Self::X86_64];

    /// Its name, in options and file names.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Arm64 => "arm64",
            Self::X86_64 => "x86_64",
        }
    }

    /// What Lambda calls the processors.
    ///
    /// # Errors
    /// When Lambda has none like this machine's.
    pub fn lambda_name(self) -> Result<&'static str, PackageError> {
        match (self, std::env::consts::ARCH) {
            (Self::Arm64, _) | (Self::Host, "aarch64") => Ok("arm64"),
            (Self::X86_64, _) | (Self::Host, "x86_64") => Ok("x86_64"),
            (Self::Host, given) => Err(PackageError::UnknownHost { given }),
        }
    }

    /// What rustc calls the processors, unless they are this machine's.
    pub(super) fn rust_target(self) -> Option<&'static str> {
        match self {
            Self::Host => None,
            Self::Arm64 => Some("aarch64-unknown-linux-gnu"),
            Self::X86_64 => Some("x86_64-unknown-linux-gnu"),
        }
    }
}

impl fmt::Display for Arch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Arch {
    type Err = UnknownArch;

    fn from_str(name: &str) -> Result<Self, UnknownArch> {
        let found = Self::ALL.into_iter().find(|arch| arch.name() == name);
        found.ok_or_else(|| UnknownArch { given: name.to_owned() })
    }
}

/// A name that is not an [`Arch`].
#[derive(Debug, thiserror::Error)]
#[error("there is no architecture `{given}`: use `host`, `arm64` or `x86_64`")]
pub struct UnknownArch {
    given: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for arch in Arch::ALL {
            assert_eq!(arch.name().parse::<Arch>().unwrap(), arch);
        }
        assert_eq!(
            "arm".parse::<Arch>().unwrap_err().to_string(),
            "there is no architecture `arm`: use `host`, `arm64` or `x86_64`"
        );
    }
}
