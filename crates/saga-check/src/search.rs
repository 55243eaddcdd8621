//! The search: breadth first, level by level, on several threads.
//!
//! A state that was seen is known by a fingerprint of 64 bits, beside that of the state before it, so that a history can be
//! told. The states themselves are kept only of the level that is worked on and of the next one, as bytes.

use crate::model::{Action, State, Tables};
use dashmap::{DashMap, mapref::entry::Entry};
use rustc_hash::FxBuildHasher;
use std::{
    hash::{DefaultHasher, Hasher},
    mem,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use crate::report::Progress;

/// The states of a history, each with what happens to it; the last one with nothing.
pub(crate) type Path = Vec<(State, Option<Action>)>;

/// How many bytes of states are handed to a thread at a time.
const BLOCK: usize = 1 << 14;

/// How often progress is told.
const TELL_EVERY: Duration = Duration::from_millis(100);

/// What a search found.
pub(crate) struct Found {
    /// The shortest history that breaks something.
    pub(crate) path: Option<Path>,
    pub(crate) progress: Progress,
    /// Every state was looked at, or a history that breaks something was found.
    pub(crate) finished: bool,
    /// The mean size of a state in the queue, in bytes.
    pub(crate) state_bytes: u64,
}

/// The bounds of a search.
pub(crate) struct Bounds<'a> {
    pub(crate) threads: usize,
    pub(crate) most_states: Option<usize>,
    pub(crate) stop: &'a AtomicBool,
}

type Fingerprint = u64;

/// Stands for the state before the first one.
const NOTHING: Fingerprint = 0;

struct Search<'a> {
    tables: &'a Tables,
    bounds: &'a Bounds<'a>,
    /// The fingerprints of the states that were seen, and of the state before each.
    seen: DashMap<Fingerprint, Fingerprint, FxBuildHasher>,
    states: AtomicUsize,
    unique: AtomicUsize,
    bytes: AtomicU64,
    broken: Mutex<Option<Fingerprint>>,
    halted: AtomicBool,
}

pub(crate) fn search(tables: &Tables, bounds: &Bounds<'_>, tell: &dyn Fn(Progress)) -> Found {
    let started = Instant::now();
    let search = Search {
        tables,
        bounds,
        seen: DashMap::default(),
        states: AtomicUsize::new(1),
        unique: AtomicUsize::new(1),
        bytes: AtomicU64::new(0),
        broken: Mutex::default(),
        halted: AtomicBool::new(false),
    };
    let first = tables.first();
    let mut packed = Vec::new();
    first.pack(&mut packed);
    search.seen.insert(fingerprint(&packed), NOTHING);
    let mut depth = 0;
    let mut level = vec![packed];
    while !level.is_empty() && !search.is_over() {
        level = search.level(level, &|| tell(search.progress(depth, started)));
        depth += usize::from(!level.is_empty() || search.is_broken());
    }
    let broken = *lock(&search.broken);
    let unique = search.unique.load(Ordering::Relaxed) as u64;
    Found {
        finished: broken.is_some() || level.is_empty() && !search.is_over(),
        path: broken.map(|last| search.path_to(last)),
        progress: search.progress(depth, started),
        state_bytes: search.bytes.load(Ordering::Relaxed) / unique.max(1),
    }
}

impl Search<'_> {
    /// Looks at every state of a level. Gives the next one.
    fn level(&self, level: Vec<Vec<u8>>, tell: &dyn Fn()) -> Vec<Vec<u8>> {
        let threads = self.bounds.threads.min(level.len()).max(1);
        let current = Mutex::new(level);
        let main = thread::current();
        let mut next = Vec::new();
        thread::scope(|scope| {
            let work = || {
                let next = self.work(&current);
                main.unpark();
                next
            };
            let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            while workers.iter().any(|worker| !worker.is_finished()) {
                thread::park_timeout(TELL_EVERY);
                tell();
            }
            for worker in workers {
                match worker.join() {
                    Ok(blocks) => next.extend(blocks),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
        });
        // Taken from the end.
        next.reverse();
        next
    }

    fn work(&self, level: &Mutex<Vec<Vec<u8>>>) -> Vec<Vec<u8>> {
        let (mut next, mut block) = (Vec::new(), Vec::with_capacity(BLOCK));
        let (mut actions, mut packed) = (Vec::new(), Vec::new());
        let take = || lock(level).pop();
        while let Some(states) = take() {
            let mut rest = states.as_slice();
            while !rest.is_empty() {
                let whole = rest;
                let state = State::unpack(&mut rest);
                let from = fingerprint(&whole[..whole.len() - rest.len()]);
                self.tables.actions(&state, &mut actions);
                for action in actions.drain(..) {
                    let after = self.tables.after(&state, action);
                    packed.clear();
                    after.pack(&mut packed);
                    if self.is_new(&packed, from, after.verdict != 0) {
                        block.extend_from_slice(&packed);
                    }
                }
                if self.is_over() {
                    return next;
                }
                if block.len() >= BLOCK {
                    next.push(mem::replace(&mut block, Vec::with_capacity(BLOCK)));
                }
            }
        }
        if !block.is_empty() {
            block.shrink_to_fit();
            next.push(block);
        }
        next
    }

    /// Whether it is the first time that this state is reached. Nothing is looked for beyond one that breaks something.
    fn is_new(&self, packed: &[u8], from: Fingerprint, broken: bool) -> bool {
        let states = self.states.fetch_add(1, Ordering::Relaxed) + 1;
        if self.bounds.most_states.is_some_and(|most| states >= most) {
            self.halted.store(true, Ordering::Relaxed);
        }
        let print = fingerprint(packed);
        let Entry::Vacant(entry) = self.seen.entry(print) else { return false };
        entry.insert(from);
        self.unique.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(packed.len() as u64, Ordering::Relaxed);
        if broken {
            lock(&self.broken).get_or_insert(print);
            self.halted.store(true, Ordering::Relaxed);
        }
        !broken
    }

    fn is_broken(&self) -> bool {
        lock(&self.broken).is_some()
    }

    fn is_over(&self) -> bool {
        self.halted.load(Ordering::Relaxed) || self.bounds.stop.load(Ordering::Relaxed)
    }

    fn progress(&self, depth: usize, started: Instant) -> Progress {
        Progress {
            states: self.states.load(Ordering::Relaxed),
            unique: self.unique.load(Ordering::Relaxed),
            depth,
            duration: started.elapsed(),
        }
    }

    /// The history that leads to a state: from fingerprint to fingerprint, it all happens again.
    fn path_to(&self, last: Fingerprint) -> Path {
        let mut prints = vec![last];
        while let Some(before) =
            prints.last().and_then(|print| self.seen.get(print)).filter(|print| **print != NOTHING)
        {
            prints.push(*before);
        }
        let mut path = Path::new();
        let mut state = self.tables.first();
        for print in prints.into_iter().rev().skip(1) {
            let mut actions = Vec::new();
            self.tables.actions(&state, &mut actions);
            let step = actions.into_iter().find_map(|action| {
                let after = self.tables.after(&state, action);
                let mut packed = Vec::new();
                after.pack(&mut packed);
                (fingerprint(&packed) == print).then_some((action, after))
            });
            let Some((action, after)) = step else { break };
            path.push((mem::replace(&mut state, after), Some(action)));
        }
        path.push((state, None));
        path
    }
}

/// A fingerprint that is none of [`NOTHING`].
fn fingerprint(packed: &[u8]) -> Fingerprint {
    let mut hasher = DefaultHasher::new();
    hasher.write(packed);
    hasher.finish().max(NOTHING + 1)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
