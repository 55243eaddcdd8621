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
        for write in transaction.writes.iter().filter(|write| !write.only_checks()) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        message::SagaId,
        write::{Change, Condition, Guard, Write},
    };

    #[test]
    fn a_check_leaves_no_item_behind() {
        let key = RowKey { entity: "stock".into(), attribute: "sku".into(), value: "a".into() };
        let guards = vec![Guard { condition: Condition::Absent, refusal: None }];
        let check = Write { key: key.clone(), change: Change::Update(BTreeMap::new()), guards };
        let saga_id = SagaId::try_from("s".to_owned()).unwrap();
        let fence = FenceKey { saga_id, step: "reserve" };
        let transaction = Transaction { fence, expected: None, next: Fence::Undone, writes: vec![check] };
        let store = MemoryStore::new();
        assert_eq!(store.apply_now(&transaction), Ok(()));
        assert_eq!(store.row(&key), None);
    }
}
