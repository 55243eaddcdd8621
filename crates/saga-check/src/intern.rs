//! Values by number: states of the model are lists of small numbers, and equal values have one.
//!
//! What has a number stays where it is, so that every thread reads it without a lock and without counting references.

use dashmap::DashMap;
use rustc_hash::FxBuildHasher;
use std::{
    array,
    hash::Hash,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

/// A number that stands for a value of one [`Interner`].
pub(crate) type Id = u32;

/// How many values the first part of [`ById`] has; each that follows has twice as many as the one before.
const FIRST: usize = 1 << 6;

/// As many parts as all numbers need.
const PARTS: usize = (Id::BITS - FIRST.ilog2()) as usize + 1;

/// Gives equal values one number.
pub(crate) struct Interner<T: Eq + Hash> {
    ids: DashMap<Arc<T>, Id, FxBuildHasher>,
    values: ById<Arc<T>>,
    next: AtomicU32,
}

impl<T: Eq + Hash> Default for Interner<T> {
    fn default() -> Self {
        Self { ids: DashMap::default(), values: ById::default(), next: AtomicU32::new(0) }
    }
}

impl<T: Eq + Hash> Interner<T> {
    pub(crate) fn id(&self, value: T) -> Id {
        if let Some(id) = self.ids.get(&value) {
            return *id;
        }
        let value = Arc::new(value);
        let kept = value.clone();
        *self.ids.entry(value).or_insert_with(|| {
            // More distinct values than there are numbers do not fit into memory.
            let id = self.next.fetch_add(1, Ordering::Relaxed);
            self.values.get(id, || kept);
            id
        })
    }

    /// The value of a number that [`id`](Self::id) gave.
    pub(crate) fn value(&self, id: Id) -> &T {
        match self.values.place(id).get() {
            Some(value) => value,
            None => unreachable!("{id} is no number of this interner"),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.next.load(Ordering::Relaxed) as usize
    }
}

/// Remembers the results of a pure function of a number.
pub(crate) struct ById<T>([OnceLock<Box<[OnceLock<T>]>>; PARTS]);

impl<T> Default for ById<T> {
    fn default() -> Self {
        Self(array::from_fn(|_| OnceLock::new()))
    }
}

impl<T> ById<T> {
    /// The remembered result, or else what `compute` gives.
    pub(crate) fn get(&self, id: Id, compute: impl FnOnce() -> T) -> &T {
        let place = self.place(id);
        if let Some(known) = place.get() {
            return known;
        }
        // Computed while nobody waits for it: it may look up other things, and doing it twice gives the same.
        let value = compute();
        place.get_or_init(|| value)
    }

    fn place(&self, id: Id) -> &OnceLock<T> {
        let id = id as usize;
        let part = (id / FIRST + 1).ilog2() as usize;
        let before = FIRST * ((1 << part) - 1);
        let new = || (0..FIRST << part).map(|_| OnceLock::new()).collect();
        &self.0[part].get_or_init(new)[id - before]
    }
}

/// Remembers the small results of a pure function.
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

/// Remembers the results of a pure function, each in one place.
pub(crate) struct Lists<K: Eq + Hash, V> {
    ids: DashMap<K, Id, FxBuildHasher>,
    values: ById<Box<[V]>>,
    next: AtomicU32,
}

impl<K: Eq + Hash, V> Default for Lists<K, V> {
    fn default() -> Self {
        Self { ids: DashMap::default(), values: ById::default(), next: AtomicU32::new(0) }
    }
}

impl<K: Eq + Hash, V> Lists<K, V> {
    /// The remembered result, or else what `compute` gives.
    pub(crate) fn get(&self, key: K, compute: impl FnOnce() -> Box<[V]>) -> &[V] {
        // The lock is not held while the value is looked up or computed.
        let known = self.ids.get(&key).map(|id| *id);
        if let Some(id) = known {
            return self.values.get(id, Box::default);
        }
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let value = self.values.get(id, compute);
        self.ids.insert(key, id);
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_has_a_place_of_its_own() {
        let by_id = ById::default();
        let ids = (0..1_000).chain([65_535, 65_536, 1_000_000]);
        for id in ids.clone() {
            assert_eq!(*by_id.get(id, || id), id);
        }
        for id in ids {
            assert_eq!(*by_id.get(id, || Id::MAX), id);
        }
    }

    #[test]
    fn equal_values_have_one_number() {
        let interner = Interner::default();
        let ids: Vec<Id> = (0..300).map(|n| interner.id(n % 100)).collect();
        assert_eq!(interner.len(), 100);
        for (id, n) in ids.into_iter().zip(0..) {
            assert_eq!(*interner.value(id), n % 100);
        }
    }
}
