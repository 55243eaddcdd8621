//! Values by number: states of the model are lists of small numbers, and equal values have one.

use dashmap::DashMap;
use rustc_hash::FxBuildHasher;
use std::{
    hash::Hash,
    sync::{Arc, PoisonError, RwLock},
};

/// A number that stands for a value of one [`Interner`].
pub(crate) type Id = u32;

/// Gives equal values one number.
pub(crate) struct Interner<T: Eq + Hash> {
    ids: DashMap<Arc<T>, Id, FxBuildHasher>,
    values: RwLock<Vec<Arc<T>>>,
}

impl<T: Eq + Hash> Default for Interner<T> {
    fn default() -> Self {
        Self { ids: DashMap::default(), values: RwLock::default() }
    }
}

impl<T: Eq + Hash> Interner<T> {
    pub(crate) fn id(&self, value: T) -> Id {
        let value = Arc::new(value);
        if let Some(id) = self.ids.get(&value) {
            return *id;
        }
        let kept = value.clone();
        *self.ids.entry(value).or_insert_with(|| {
            let mut values = self.values.write().unwrap_or_else(PoisonError::into_inner);
            values.push(kept);
            // More distinct values than this do not fit into memory.
            Id::try_from(values.len() - 1).unwrap_or(Id::MAX)
        })
    }

    /// The value of a number that [`id`](Self::id) gave.
    pub(crate) fn value(&self, id: Id) -> Arc<T> {
        self.values.read().unwrap_or_else(PoisonError::into_inner)[id as usize].clone()
    }

    pub(crate) fn len(&self) -> usize {
        self.values.read().unwrap_or_else(PoisonError::into_inner).len()
    }
}

/// Remembers the results of a pure function.
pub(crate) struct Memo<K: Eq + Hash, V>(DashMap<K, V, FxBuildHasher>);

impl<K: Eq + Hash, V> Default for Memo<K, V> {
    fn default() -> Self {
        Self(DashMap::default())
    }
}

impl<K: Eq + Hash, V: Clone> Memo<K, V> {
    /// The remembered result, or else what `compute` gives.
    pub(crate) fn get(&self, key: K, compute: impl FnOnce() -> V) -> V {
        if let Some(known) = self.0.get(&key) {
            return known.clone();
        }
        // Computed outside the lock: it may look up other things, and doing it twice gives the same.
        let value = compute();
        self.0.insert(key, value.clone());
        value
    }
}
