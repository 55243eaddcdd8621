//! What a user says must always hold.

use crate::asl::End;
use saga::{Entity, MemoryState, Row};
use serde_json::Value as Json;
use std::{fmt, sync::Arc};

/// Something that must hold.
#[derive(Clone)]
pub struct Invariant {
    pub(crate) name: &'static str,
    pub(crate) at_end: bool,
    pub(crate) holds: Arc<Holds>,
}

/// Says what does not hold.
type Holds = dyn Fn(&World<'_>) -> Result<(), String> + Send + Sync;

impl fmt::Debug for Invariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Invariant")
            .field("name", &self.name)
            .field("at_end", &self.at_end)
            .finish_non_exhaustive()
    }
}

impl Invariant {
    /// Must hold at every moment between two local transactions. It sees the items and the peer's memory;
    /// [`World::sagas`] is empty.
    pub fn always(
        name: &'static str,
        holds: impl Fn(&World<'_>) -> Result<(), String> + Send + Sync + 'static,
    ) -> Self {
        Self { name, at_end: false, holds: Arc::new(holds) }
    }

    /// Must hold when nothing is left to happen: every saga has ended, or is parked.
    pub fn at_end(
        name: &'static str,
        holds: impl Fn(&World<'_>) -> Result<(), String> + Send + Sync + 'static,
    ) -> Self {
        Self { name, at_end: true, holds: Arc::new(holds) }
    }
}

/// The world at one moment.
#[derive(Debug)]
pub struct World<'a> {
    pub(crate) stores: Vec<&'a MemoryState>,
    pub(crate) peer: &'a Json,
    pub(crate) sagas: Vec<SagaEnd<'a>>,
    pub(crate) written_meanwhile: bool,
}

impl<'a> World<'a> {
    /// Every item of an entity, with its key, in order.
    pub fn rows<E: Entity>(&self) -> impl Iterator<Item = (&'a str, &'a Row)> {
        let all = self.stores.iter().flat_map(|store| store.rows.iter());
        all.filter(|(key, _)| key.entity == E::NAME).map(|(key, row)| (key.value.as_str(), row))
    }

    /// One item.
    pub fn row<E: Entity>(&self, key: impl Into<E::Key>) -> Option<&'a Row> {
        let key = E::key(key);
        self.stores.iter().find_map(|store| store.rows.get(&key))
    }

    /// What the outside peer remembers.
    pub fn peer(&self) -> &'a Json {
        self.peer
    }

    /// Whether somebody else has written, when everything has ended; `false` before.
    pub fn written_meanwhile(&self) -> bool {
        self.written_meanwhile
    }

    /// How each saga ended, in the order in which they were started; empty unless everything has ended.
    pub fn sagas(&self) -> &[SagaEnd<'a>] {
        &self.sagas
    }
}

/// How a saga ended.
#[derive(Debug, Clone, Copy)]
pub struct SagaEnd<'a> {
    /// The saga's name, for example `order`.
    pub saga: &'a str,
    /// The saga id.
    pub id: &'a str,
    /// How.
    pub outcome: Outcome<'a>,
    /// The operator skipped what could not be done.
    pub skipped: bool,
}

/// How a saga ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome<'a> {
    /// All done.
    Committed(&'a Json),
    /// All undone; with the output of its execution.
    Compensated(&'a Json),
    /// It waits for an operator.
    Parked,
    /// Neither: this breaks what must hold of every saga.
    Neither(Option<&'a End>),
}
