//! What goes wrong, one file a kind.

pub(crate) mod aborts;
pub(crate) mod accounts;
pub(crate) mod aws_calls;
pub(crate) mod gateway_calls;
pub(crate) mod gateway_restarts;
pub(crate) mod ids;
pub(crate) mod kills;
pub(crate) mod messages;
pub(crate) mod redrives;
pub(crate) mod shelf;
pub(crate) mod status_events;

use fastrand::Rng;
use std::{
    collections::BTreeMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{sync::watch, time::timeout};

/// Whether the storm rages, and what it has done so far.
#[derive(Debug, Default)]
pub(crate) struct Weather {
    rages: watch::Sender<bool>,
    calls: AtomicU64,
    disturbed: AtomicU64,
    faults: Mutex<BTreeMap<String, u64>>,
}

impl Weather {
    /// Lets the storm begin or end.
    pub(crate) fn let_rage(&self, rages: bool) {
        self.rages.send_replace(rages);
    }

    /// Whether faults may happen.
    pub(crate) fn rages(&self) -> bool {
        *self.rages.borrow()
    }

    /// Waits, but not past the end of the storm; says whether it still rages.
    pub(crate) async fn still_rages_after(&self, pause: Duration) -> bool {
        let mut rages = self.rages.subscribe();
        // Elapsed: it goes on. The sender cannot be gone, it is ours.
        timeout(pause, rages.wait_for(|rages| !rages)).await.is_err()
    }

    /// Counts a fault.
    pub(crate) fn count(&self, fault: impl Into<String>) {
        *self.faults.lock().unwrap_or_else(PoisonError::into_inner).entry(fault.into()).or_default() += 1;
    }

    /// Counts a call of a function, and what is done to it.
    fn count_call(&self, fault: Option<String>) {
        self.calls.fetch_add(1, Ordering::Relaxed);
        if let Some(fault) = fault {
            self.disturbed.fetch_add(1, Ordering::Relaxed);
            self.count(fault);
        }
    }

    /// Every fault so far, by kind.
    pub(crate) fn faults(&self) -> BTreeMap<String, u64> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many calls came by while the storm raged, and how many of them were disturbed.
    pub(crate) fn calls(&self) -> (u64, u64) {
        (self.calls.load(Ordering::Relaxed), self.disturbed.load(Ordering::Relaxed))
    }
}

/// One row of a table of faults.
struct Rate<K> {
    /// How many of a thousand meet it.
    per_mille: u32,
    /// What it is.
    kind: K,
}

/// Draws from a table of faults. Nothing, for as many of a thousand as the rows leave.
fn draw<K: Copy>(rng: &mut Rng, rates: &[Rate<K>]) -> Option<K> {
    let mut drawn = rng.u32(0..1000);
    for Rate { per_mille, kind } in rates {
        if drawn < *per_mille {
            return Some(*kind);
        }
        drawn -= per_mille;
    }
    None
}

/// A duration of so many milliseconds.
pub(crate) fn millis(rng: &mut Rng, range: std::ops::Range<u64>) -> Duration {
    Duration::from_millis(rng.u64(range))
}
