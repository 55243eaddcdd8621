//! What a check found out.

use crate::{
    model::{FATES, Tables},
    search::Found,
    timeline::Timeline,
};
use serde::Serialize;
use std::{collections::BTreeMap, fmt, sync::atomic::Ordering, time::Duration};

/// How far a search is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// States reached, each time again.
    pub states: usize,
    /// Different states.
    pub unique: usize,
    /// The longest history so far, in events.
    pub depth: usize,
    /// Since the search began.
    pub duration: Duration,
}

impl Progress {
    /// States reached in a second.
    pub fn states_per_second(&self) -> f64 {
        let seconds = self.duration.as_secs_f64();
        // More states than a float can count do not fit into memory.
        #[allow(clippy::cast_precision_loss)]
        let states = self.states as f64;
        if seconds > 0.0 { states / seconds } else { 0.0 }
    }
}

/// The outcome of a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Everything holds in every history within the bounds.
    Holds,
    /// It was stopped before all histories were seen; nothing broken was seen until then.
    Stopped,
    /// This history breaks something.
    Broken(Timeline),
}

/// What happened how often to one operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Covered {
    /// A step (`reserve-stock`), an operation (`undo reserve-stock`) or a state of the machine.
    pub what: String,
    /// How often each fault was tried, by its name.
    pub faults: BTreeMap<&'static str, u64>,
}

/// What a check found out.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The outcome.
    pub verdict: Verdict,
    /// The faults allowed in one history.
    pub faults: u8,
    /// The sagas that ran at the same time.
    pub sagas: usize,
    /// States reached, each time again.
    pub states: usize,
    /// Different states.
    pub unique: usize,
    /// The longest history, in events.
    pub depth: usize,
    /// The mean size of a state in the queue, in bytes.
    pub state_bytes: u64,
    /// How long it took, in milliseconds.
    pub milliseconds: u128,
    /// What was tried.
    pub coverage: Vec<Covered>,
}

/// The names of what can happen, by the number under which it is counted.
pub(crate) const NAMES: [&str; 29] = [
    "delivered",
    "delivered twice",
    "dies before",
    "dies after",
    "late answer",
    "busy",
    "answer lost",
    "dies, request adrift",
    "told its own fence",
    "told what was",
    "integration fails",
    "adrift request lands",
    "redriven",
    "times out",
    "times out for good",
    "send fails",
    "operator retries",
    "operator skips",
    "aborted",
    "event lost",
    "execution redriven",
    "swept",
    "examined",
    "expired",
    "used again",
    "joined by another",
    "taken meanwhile",
    "written meanwhile",
    "used again late",
];

impl Report {
    pub(crate) fn new(tables: &Tables, verdict: Verdict, found: &Found) -> Self {
        let progress = found.progress;
        Self {
            state_bytes: found.state_bytes,
            verdict,
            faults: tables.limits.faults,
            sagas: tables.at_first,
            states: progress.states,
            unique: progress.unique,
            depth: progress.depth,
            milliseconds: progress.duration.as_millis(),
            coverage: coverage(tables),
        }
    }

    /// Whether everything holds in every history within the bounds.
    pub fn holds(&self) -> bool {
        self.verdict == Verdict::Holds
    }

    /// The history that breaks something, if one was found.
    pub fn counterexample(&self) -> Option<&Timeline> {
        match &self.verdict {
            Verdict::Broken(timeline) => Some(timeline),
            Verdict::Holds | Verdict::Stopped => None,
        }
    }

    /// For tests.
    ///
    /// # Panics
    /// When something is broken, with the history, or when the search was stopped before its end.
    pub fn assert_holds(&self) {
        assert!(self.holds(), "{self}");
    }

    fn coverage_table(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let used: Vec<&str> = NAMES
            .into_iter()
            .filter(|name| self.coverage.iter().any(|covered| covered.faults.contains_key(name)))
            .collect();
        let first = self.coverage.iter().map(|covered| covered.what.len()).max().unwrap_or(0);
        write!(f, "{:first$}", "tried")?;
        for name in &used {
            write!(f, "  {name}")?;
        }
        writeln!(f)?;
        for covered in &self.coverage {
            write!(f, "{:first$}", covered.what)?;
            for name in &used {
                let count = covered.faults.get(name).map_or_else(|| "-".to_owned(), u64::to_string);
                write!(f, "  {count:>width$}", width = name.len())?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

fn coverage(tables: &Tables) -> Vec<Covered> {
    let mut all = Vec::new();
    for label in 0..tables.labels.len() {
        let mut faults = BTreeMap::new();
        for (place, name) in NAMES.into_iter().enumerate() {
            let count =
                tables.coverage.get(label * FATES + place).map_or(0, |count| count.load(Ordering::Relaxed));
            if count > 0 {
                faults.insert(name, count);
            }
        }
        if !faults.is_empty() {
            let what = tables.labels.value(u32::try_from(label).unwrap_or(0)).as_str().to_owned();
            all.push(Covered { what, faults });
        }
    }
    all.sort_by(|a, b| a.what.cmp(&b.what));
    all
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { faults, sagas, states, unique, depth, milliseconds, .. } = self;
        let verdict = match &self.verdict {
            Verdict::Holds => {
                format!("holds: in every history of {sagas} saga(s) with up to {faults} fault(s)")
            }
            Verdict::Stopped => "stopped before the end: nothing broken so far".to_owned(),
            Verdict::Broken(timeline) => format!("BROKEN: {}\n\n{timeline}", timeline.broken),
        };
        writeln!(f, "{verdict}")?;
        writeln!(
            f,
            "{unique} states ({states} with repeats), histories of up to {depth} events, {milliseconds} ms\n"
        )?;
        self.coverage_table(f)
    }
}
