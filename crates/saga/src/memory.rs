//! A store in memory: the fence's interpreter for tests, the runner and the checker.

use crate::{
    fence::{Fence, FenceKey},
    store::{Refused, Store, Transaction, Unavailable},
    write::{Row, RowKey},
};
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// A [`Store`] in memory, with the semantics of DynamoDB transactions.
#[derive(Debug, Default)]
pub struct MemoryStore {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    rows: BTreeMap<RowKey, Row>,
    fences: BTreeMap<FenceKey, Fence>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts an item, replacing what is there.
    pub fn put(&self, key: RowKey, row: Row) {
        self.lock().rows.insert(key, row);
    }

    /// The item as it is.
    pub fn row(&self, key: &RowKey) -> Option<Row> {
        self.lock().rows.get(key).cloned()
    }

    /// Every item, by key.
    pub fn rows(&self) -> BTreeMap<RowKey, Row> {
        self.lock().rows.clone()
    }

    /// The fence as it is.
    pub fn fence(&self, key: &FenceKey) -> Option<Fence> {
        self.lock().fences.get(key).cloned()
    }

    /// Applies a transaction, without waiting.
    ///
    /// # Errors
    /// When the fence or a guard refuses it; then nothing is written.
    pub fn apply_now(&self, transaction: &Transaction) -> Result<(), Refused> {
        let mut state = self.lock();
        let fence = state.fences.get(&transaction.fence);
        if fence.map(Fence::state) != transaction.expected {
            return Err(Refused::Fence(fence.cloned()));
        }
        for write in &transaction.writes {
            if let Some(refused) = Refused::by_guard(write, state.rows.get(&write.key)) {
                return Err(refused);
            }
        }
        for write in &transaction.writes {
            match write.applied_to(state.rows.get(&write.key)) {
                Some(row) => state.rows.insert(write.key.clone(), row),
                None => state.rows.remove(&write.key),
            };
        }
        state.fences.insert(transaction.fence.clone(), transaction.next.clone());
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A transaction is checked before it changes anything, so a poisoned state is still whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    async fn read_fence(&self, key: &FenceKey) -> Result<Option<Fence>, Unavailable> {
        Ok(self.fence(key))
    }

    async fn read_row(&self, key: &RowKey) -> Result<Option<Row>, Unavailable> {
        Ok(self.row(key))
    }

    async fn apply(&self, transaction: &Transaction) -> Result<(), Refused> {
        self.apply_now(transaction)
    }
}
