//! How much the compiler does to make functions small and quick.

use std::fmt;
use std::str::FromStr;

/// How functions are compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Profile {
    /// As small and as quick to start as they get: what is shipped.
    #[default]
    Release,
    /// Built in a fraction of the time, several times as large: for the demo and tests, which run the same code. For this
    /// machine they are programs like all others of the workspace, in cargo's profile `dev`.
    Quick,
}

impl Profile {
    /// Every one.
    pub const ALL: [Self; 2] = [Self::Release, Self::Quick];

    /// Its name, which is also that of cargo-lambda's profile in `Cargo.toml`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Quick => "quick",
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Profile {
    type Err = UnknownProfile;

    fn from_str(name: &str) -> Result<Self, UnknownProfile> {
        let found = Self::ALL.into_iter().find(|profile| profile.name() == name);
        found.ok_or_else(|| UnknownProfile { given: name.to_owned() })
    }
}

/// A name that is not a [`Profile`].
#[derive(Debug, thiserror::Error)]
#[error("there is no profile `{given}`: use `release` or `quick`")]
pub struct UnknownProfile {
    given: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for profile in Profile::ALL {
            assert_eq!(profile.name().parse::<Profile>().unwrap(), profile);
        }
        assert_eq!(
            "debug".parse::<Profile>().unwrap_err().to_string(),
            "there is no profile `debug`: use `release` or `quick`"
        );
    }
}
