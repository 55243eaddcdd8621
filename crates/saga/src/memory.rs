//! A store in memory: the fence's interpreter for tests, the runner and the checker.

use crate::{
    fence::{Fence, Recorded},
    identity::StepKey,
    store::{Refused, Store, Transaction, Unavailable},
    write::{Row, RowKey, Write},
};
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// What a store holds at one moment: a value that can be compared, kept and taken up again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct MemoryState {
    /// The items, by key.
    pub rows: BTreeMap<RowKey, Row>,
    /// The fences, by step.
    pub fences: BTreeMap<StepKey, Recorded>,
}

impl MemoryState {
    /// Applies a transaction, with the semantics of DynamoDB.
    ///
    /// # Errors
    /// When the fence or a guard refuses it, or when it writes one item twice, to a key that DynamoDB never takes, or a
    /// number with more digits than it keeps; then nothing is written.
    pub fn apply(&mut self, transaction: &Transaction) -> Result<(), Refused> {
        for write in &transaction.writes {
            write.key.check().map_err(Refused::Unavailable)?;
        }
        if let Some(twice) = written_twice(&transaction.writes) {
            let why = format!("a transaction cannot write {twice} twice");
            return Err(Refused::Unavailable(Unavailable(why)));
        }
        let fence = self.fences.get(&transaction.fence);
        if !transaction.fits(fence) {
            return Err(Refused::Fence(fence.cloned()));
        }
        for write in &transaction.writes {
            if let Some(refused) = Refused::by_guard(write, self.rows.get(&write.key)) {
                return Err(refused);
            }
        }
        for write in &transaction.writes {
            if let Some(field) = write.overlong(self.rows.get(&write.key)) {
                let why = format!("{}: the sum in {field} has too many digits", write.key);
                return Err(Refused::Unavailable(Unavailable(why)));
            }
        }
        for write in transaction.writes.iter().filter(|write| !write.only_checks()) {
            match write.applied_to(self.rows.get(&write.key)) {
                Some(row) => self.rows.insert(write.key.clone(), row),
                None => self.rows.remove(&write.key),
            };
        }
        self.fences.insert(transaction.fence.clone(), transaction.recorded());
        Ok(())
    }
}

fn written_twice(writes: &[Write]) -> Option<&RowKey> {
    let earlier =
        |(place, write): (usize, &Write)| writes[..place].iter().any(|other| other.key == write.key);
    writes.iter().enumerate().find(|entry| earlier(*entry)).map(|(_, write)| &write.key)
}

/// A [`Store`] in memory, with the semantics of DynamoDB transactions.
#[derive(Debug, Default)]
pub struct MemoryStore {
    state: Mutex<MemoryState>,
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
    pub fn recorded(&self, key: &StepKey) -> Option<Recorded> {
        self.lock().fences.get(key).cloned()
    }

    /// What a fence records now.
    pub fn fence(&self, key: &StepKey) -> Option<Fence> {
        self.recorded(key).map(|recorded| recorded.fence)
    }

    /// Applies a transaction, without waiting.
    ///
    /// # Errors
    /// As [`MemoryState::apply`].
    pub fn apply_now(&self, transaction: &Transaction) -> Result<(), Refused> {
        self.lock().apply(transaction)
    }

    fn lock(&self) -> MutexGuard<'_, MemoryState> {
        // A transaction is checked before it changes anything, so a poisoned state is still whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    async fn read_fence(&self, key: &StepKey) -> Result<Option<Recorded>, Unavailable> {
        Ok(self.recorded(key))
    }

    async fn read_row(&self, key: &RowKey) -> Result<Option<Row>, Unavailable> {
        key.check()?;
        Ok(self.row(key))
    }

    async fn apply(&self, transaction: &Transaction) -> Result<(), Refused> {
        self.apply_now(transaction)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::write::{Addition, Change, Condition, FieldChange, Guard, Scalar};
    use futures::executor::block_on;

    fn key(value: impl Into<String>) -> RowKey {
        RowKey { entity: "stock".into(), attribute: "sku".into(), value: value.into() }
    }

    fn delete(key: RowKey) -> Write {
        Write { key, change: Change::Delete, guards: Vec::new() }
    }

    fn transaction(writes: Vec<Write>) -> Transaction {
        let fence = StepKey::at("s-1".parse().unwrap(), "shop/reserve").unwrap();
        Transaction { fence, run: None, turn: 0, expected: None, next: Fence::Undone, writes }
    }

    /// Why it is not done. Nothing is written.
    fn unavailable(transaction: &Transaction) -> String {
        let mut state = MemoryState::default();
        let refused = state.apply(transaction).unwrap_err();
        assert_eq!(state, MemoryState::default());
        match refused {
            Refused::Unavailable(Unavailable(why)) => why,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_check_leaves_no_item_behind() {
        let guards = vec![Guard { condition: Condition::Absent, refusal: None }];
        let check = Write { key: key("a"), change: Change::Update(BTreeMap::new()), guards };
        let store = MemoryStore::new();
        assert_eq!(store.apply_now(&transaction(vec![check])), Ok(()));
        assert_eq!(store.row(&key("a")), None);
    }

    #[test]
    fn a_sum_of_more_digits_than_dynamodb_keeps_is_refused() {
        let mut state = MemoryState::default();
        let number = Scalar::number(&format!("0.{}", "1".repeat(37))).unwrap();
        state.rows.insert(key("a"), [("free".into(), number)].into());
        let before = state.clone();
        let add = |n| Write {
            key: key("a"),
            change: Change::Update(
                [("free".into(), FieldChange::Add(Addition { n, least: 0, most: 99 }))].into(),
            ),
            guards: Vec::new(),
        };
        let refused = state.apply(&transaction(vec![add(30)])).unwrap_err();
        assert_eq!(
            refused,
            Refused::Unavailable(Unavailable("stock/a: the sum in free has too many digits".into()))
        );
        assert_eq!(state, before);
        assert_eq!(state.apply(&transaction(vec![add(3)])), Ok(()));
    }

    #[test]
    fn one_item_is_not_written_twice_in_a_transaction() {
        let why = unavailable(&transaction(vec![delete(key("a")), delete(key("a"))]));
        assert_eq!(why, "a transaction cannot write stock/a twice");
    }

    #[test]
    fn a_key_that_dynamodb_does_not_take_is_refused() {
        let longest = key("k".repeat(2_048));
        for (value, why) in [
            (String::new(), "a key of `stock` is empty"),
            ("k".repeat(2_049), "a key of `stock` has 2049 bytes, more than 2048"),
        ] {
            assert_eq!(
                unavailable(&transaction(vec![delete(longest.clone()), delete(key(value.clone()))])),
                why
            );
            assert_eq!(block_on(MemoryStore::new().read_row(&key(value))), Err(Unavailable(why.into())));
        }
        let store = MemoryStore::new();
        assert_eq!(store.apply_now(&transaction(vec![delete(longest.clone())])), Ok(()));
        assert_eq!(block_on(store.read_row(&longest)), Ok(None));
    }
}
