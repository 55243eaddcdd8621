//! How many sagas, for how long, and the seed of all faults.

use anyhow::{Context, Result, ensure};
use fastrand::Rng;
use std::{fmt, time::Duration};

/// A run that `make test` can afford.
const SAGAS: u64 = 150;
/// The emulator keeps every execution in memory.
const SAGAS_MAX: u64 = 100_000;
/// How long orders are placed at most.
const SECONDS: u64 = 600;
const SECONDS_MAX: u64 = 86_400;

/// What was asked for, by `CHAOS_SAGAS`, `CHAOS_SECONDS` and `CHAOS_SEED`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    /// The seed of every fault. Default: one that was not used before.
    pub(crate) seed: u64,
    /// How many orders are placed.
    pub(crate) sagas: usize,
    /// How long they may be placed: what has not been placed by then is not.
    pub(crate) limit: Duration,
}

impl Plan {
    pub(crate) fn from_env() -> Result<Self> {
        Ok(Self {
            seed: given("CHAOS_SEED", 0, u64::MAX)?.unwrap_or_else(|| fastrand::u64(1..1_000_000)),
            sagas: usize::try_from(given("CHAOS_SAGAS", 1, SAGAS_MAX)?.unwrap_or(SAGAS))?,
            limit: Duration::from_secs(given("CHAOS_SECONDS", 1, SECONDS_MAX)?.unwrap_or(SECONDS)),
        })
    }

    pub(crate) fn seeds(&self) -> Seeds {
        Seeds(Rng::with_seed(self.seed))
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, sagas, limit } = self;
        write!(f, "CHAOS_SEED={seed} CHAOS_SAGAS={sagas} CHAOS_SECONDS={}", limit.as_secs())
    }
}

/// Gives every source of chance a generator of its own, so that how often one draws does not change what others draw.
pub(crate) struct Seeds(Rng);

impl Seeds {
    pub(crate) fn fork(&mut self) -> Rng {
        self.0.fork()
    }
}

fn given(name: &str, least: u64, most: u64) -> Result<Option<u64>> {
    let Some(text) = std::env::var(name).ok().filter(|text| !text.is_empty()) else { return Ok(None) };
    let allowed = || format!("{name} is {text:?}: give a whole number from {least} to {most}");
    let number: u64 = text.parse().with_context(allowed)?;
    ensure!((least..=most).contains(&number), allowed());
    Ok(Some(number))
}
