//! Commits: what a handler returns instead of writing.
#![allow(
    clippy::needless_pass_by_value,
    reason = "handlers pass freshly made values; `&` before each would be noise"
)]

use crate::{
    entity::{Entity, Field, FieldType, NewRow},
    rejection::{Never, Refusal, Rejection},
    step::Step,
    write::{Change, Condition, FieldChange, Guard, Row, RowKey, Scalar, Write},
};
use std::{collections::BTreeMap, marker::PhantomData};

/// The output of a step and the writes that go with it. The runtime applies them in one transaction with the fence.
///
/// ```
/// # use saga::{Commit, Entity, Field, FieldSpec, Rejection, Step, Value};
/// # use schemars::JsonSchema;
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)] struct Order;
/// # impl Value for Order { const NAME: &'static str = "order"; const MAX_BYTES: usize = 9; type Producer = saga::Start; }
/// # #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)] struct Reservation;
/// # impl Value for Reservation { const NAME: &'static str = "reservation"; const MAX_BYTES: usize = 9; type Producer = ReserveStock; }
/// # #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)] struct OutOfStock;
/// # impl Rejection for OutOfStock { const NAMES: &'static [&'static str] = &["OutOfStock"]; fn name(&self) -> &'static str { "OutOfStock" } }
/// # struct Inventory;
/// # impl saga::Participant for Inventory { const NAME: &'static str = "inventory"; type Steps = (ReserveStock,); type Entities = (Stock,); }
/// # struct ReserveStock;
/// # impl Step for ReserveStock { const NAME: &'static str = "reserve-stock"; type Participant = Inventory; type Kind = saga::Compensable;
/// #   type Input = (Order,); type Output = Reservation; type Rejection = OutOfStock; const TIMEOUT: std::time::Duration = std::time::Duration::from_mins(15); }
/// # struct Stock;
/// # impl Entity for Stock { const NAME: &'static str = "stock"; const KEY: &'static str = "sku"; type Key = String; const FIELDS: &'static [FieldSpec] = &[Stock::AVAILABLE.spec()]; }
/// # impl Stock { const AVAILABLE: Field<Stock, u32> = Field::new("available"); }
/// let mut commit = Commit::<ReserveStock>::of(Reservation);
/// commit.update::<Stock>("nw-1".to_owned()).subtract(Stock::AVAILABLE, 3).or_reject(OutOfStock);
/// ```
#[derive(Debug)]
pub struct Commit<S: Step> {
    output: S::Output,
    writes: Writes<S::Rejection>,
}

impl<S: Step> Commit<S> {
    /// A commit with this output and no writes yet.
    pub fn of(output: S::Output) -> Self {
        Self { output, writes: Writes::default() }
    }

    /// The output and the merged writes.
    ///
    /// # Errors
    /// When the writes contradict each other or are more than [`Step::MAX_WRITES`].
    pub fn finish(self) -> Result<(S::Output, Vec<Write>), CommitError> {
        Ok((self.output, self.writes.finish(S::MAX_WRITES)?))
    }
}

impl<S: Step> std::ops::Deref for Commit<S> {
    type Target = Writes<S::Rejection>;

    fn deref(&self) -> &Self::Target {
        &self.writes
    }
}

impl<S: Step> std::ops::DerefMut for Commit<S> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.writes
    }
}

/// Typed writes, one for each item: writes to one key are merged. `R` is the rejection a guard can stand for.
#[derive(Debug)]
pub struct Writes<R> {
    by_key: BTreeMap<RowKey, Write>,
    contradiction: Option<CommitError>,
    otherwise: Option<Box<Writes<R>>>,
    rejection: PhantomData<fn(R)>,
}

impl<R> Default for Writes<R> {
    fn default() -> Self {
        Self { by_key: BTreeMap::new(), contradiction: None, otherwise: None, rejection: PhantomData }
    }
}

impl Writes<Never> {
    /// What an undo writes instead when a guard of these does not hold: other sagas may have moved an item on, and what
    /// they did is not to be overwritten. Each alternative is guarded by itself; when none holds, the undo is retried.
    #[must_use]
    pub fn otherwise(mut self, other: Self) -> Self {
        let mut last = &mut self.otherwise;
        while let Some(next) = last {
            last = &mut next.otherwise;
        }
        *last = Some(Box::new(other));
        self
    }

    /// The merged writes of each alternative, in order.
    ///
    /// # Errors
    /// As [`finish`](Self::finish).
    pub(crate) fn alternatives(mut self, most: usize) -> Result<Vec<Vec<Write>>, CommitError> {
        let mut alternatives = Vec::new();
        loop {
            let otherwise = self.otherwise.take();
            alternatives.push(self.finish(most)?);
            match otherwise {
                Some(next) => self = *next,
                None => return Ok(alternatives),
            }
        }
    }
}

impl<R: Rejection> Writes<R> {
    /// No writes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates an item. It must not exist: say what it means if it does.
    pub fn insert<E: Entity>(&mut self, row: NewRow<E>) -> Guarded<'_, R> {
        Guarded { writes: self, pending: Pending::Insert(row.key, row.fields) }
    }

    /// Changes an item, which must exist.
    pub fn update<E: Entity>(&mut self, key: impl Into<E::Key>) -> Update<'_, R, E> {
        Update { writes: self, key: E::key(key), entity: PhantomData }
    }

    /// Removes an item. It must exist: say what it means if it does not.
    pub fn delete<E: Entity>(&mut self, key: impl Into<E::Key>) -> Guarded<'_, R> {
        Guarded { writes: self, pending: Pending::Delete(E::key(key)) }
    }

    /// The merged writes, ordered by key.
    ///
    /// # Errors
    /// When they contradict each other or are more than `most`.
    pub fn finish(self, most: usize) -> Result<Vec<Write>, CommitError> {
        if let Some(contradiction) = self.contradiction {
            return Err(contradiction);
        }
        let mut writes: Vec<Write> = self.by_key.into_values().collect();
        if writes.len() > most {
            return Err(CommitError::TooMany { writes: writes.len(), most });
        }
        for write in &mut writes {
            // Updating an absent item would create a partial one.
            if matches!(write.change, Change::Update(_)) {
                write.guards.push(Guard { condition: Condition::Exists, refusal: None });
            }
        }
        Ok(writes)
    }

    pub(crate) fn from_recorded(writes: Vec<Write>) -> Self {
        Self {
            by_key: writes.into_iter().map(|write| (write.key.clone(), write)).collect(),
            ..Self::default()
        }
    }

    fn contradict(&mut self, key: &RowKey, what: &'static str) {
        let key = format!("{}/{}", key.entity, key.value);
        self.contradiction.get_or_insert(CommitError::Contradiction { key, what });
    }

    fn updating(&mut self, key: &RowKey) -> &mut Write {
        self.by_key.entry(key.clone()).or_insert_with(|| Write {
            key: key.clone(),
            change: Change::Update(BTreeMap::new()),
            guards: Vec::new(),
        })
    }

    /// Adds `n` to a field and returns what was added to it before.
    fn add(&mut self, key: &RowKey, field: &'static str, n: i64) -> i64 {
        match &mut self.updating(key).change {
            Change::Update(changes) => match changes.entry(field.into()).or_insert(FieldChange::Add(0)) {
                FieldChange::Add(sum) => {
                    let before = *sum;
                    *sum = sum.saturating_add(n);
                    return before;
                }
                FieldChange::Set(_) => self.contradict(key, "it sets a field and adds to it"),
            },
            Change::Insert(_) => self.contradict(key, "it inserts the item and updates it"),
            Change::Delete => self.contradict(key, "it deletes the item and updates it"),
        }
        0
    }

    fn set(&mut self, key: &RowKey, field: &'static str, value: Scalar) {
        let what = match &mut self.updating(key).change {
            Change::Update(changes) => match changes.get(field) {
                Some(FieldChange::Add(_)) => "it sets a field and adds to it",
                Some(FieldChange::Set(other)) if *other != value => "it sets a field to two values",
                _ => {
                    changes.insert(field.into(), FieldChange::Set(value));
                    return;
                }
            },
            Change::Insert(_) => "it inserts the item and updates it",
            Change::Delete => "it deletes the item and updates it",
        };
        self.contradict(key, what);
    }

    fn whole(&mut self, key: RowKey, change: Change, guard: Guard) {
        if self.by_key.contains_key(&key) {
            self.contradict(&key, "it inserts or deletes an item that it also writes elsewhere");
            return;
        }
        let write = Write { key: key.clone(), change, guards: vec![guard] };
        self.by_key.insert(key, write);
    }

    fn apply(&mut self, pending: Pending, refusal: Option<Refusal>) {
        match pending {
            Pending::Insert(key, row) => {
                self.whole(key, Change::Insert(row), Guard { condition: Condition::Absent, refusal });
            }
            Pending::Delete(key) => {
                self.whole(key, Change::Delete, Guard { condition: Condition::Exists, refusal });
            }
            Pending::Subtract(key, field, n) => {
                let before = self.add(&key, field, n.saturating_neg());
                // What must be there at the start for this and everything merged before it.
                let condition = Condition::AtLeast(field.into(), n.saturating_sub(before));
                self.updating(&key).guards.push(Guard { condition, refusal });
            }
            Pending::Transition(key, field, from, to) => {
                self.set(&key, field, to);
                let condition = Condition::Equals(field.into(), from);
                self.updating(&key).guards.push(Guard { condition, refusal });
            }
            Pending::Check(key, condition) => self.updating(&key).guards.push(Guard { condition, refusal }),
        }
    }
}

/// Changes of one item. Every method returns it again, so that changes can be chained.
#[derive(Debug)]
pub struct Update<'a, R, E> {
    writes: &'a mut Writes<R>,
    key: RowKey,
    entity: PhantomData<E>,
}

impl<'a, R: Rejection, E: Entity> Update<'a, R, E> {
    /// Adds to a number.
    pub fn add<T: FieldType + Into<i64>>(self, field: Field<E, T>, n: T) -> Self {
        self.writes.add(&self.key, field.name(), n.into());
        self
    }

    /// Subtracts from a number, which must be at least as large: say what it means if it is not.
    pub fn subtract<T: FieldType + Into<i64>>(self, field: Field<E, T>, n: T) -> GuardedUpdate<'a, R, E> {
        let pending = Pending::Subtract(self.key.clone(), field.name(), n.into());
        GuardedUpdate { update: self, pending }
    }

    /// Replaces a field, whatever it is. Prefer [`transition`](Self::transition): its inverse needs no read.
    pub fn set<T: FieldType>(self, field: Field<E, T>, value: impl Into<T>) -> Self {
        self.writes.set(&self.key, field.name(), value.into().to_scalar());
        self
    }

    /// Moves a field from one value to another. It must be at the first: say what it means if it is not.
    pub fn transition<T: FieldType>(self, field: Field<E, T>, from: T, to: T) -> GuardedUpdate<'a, R, E> {
        let pending = Pending::Transition(self.key.clone(), field.name(), from.to_scalar(), to.to_scalar());
        GuardedUpdate { update: self, pending }
    }

    /// Requires the item to exist. It must anyway; this says what it means if it does not.
    pub fn exists(self) -> GuardedUpdate<'a, R, E> {
        let pending = Pending::Check(self.key.clone(), Condition::Exists);
        GuardedUpdate { update: self, pending }
    }

    /// Requires a number of at least `n`.
    pub fn at_least<T: FieldType + Into<i64>>(self, field: Field<E, T>, n: T) -> GuardedUpdate<'a, R, E> {
        let pending = Pending::Check(self.key.clone(), Condition::AtLeast(field.name().into(), n.into()));
        GuardedUpdate { update: self, pending }
    }

    /// Requires a number of at most `n`.
    pub fn at_most<T: FieldType + Into<i64>>(self, field: Field<E, T>, n: T) -> GuardedUpdate<'a, R, E> {
        let pending = Pending::Check(self.key.clone(), Condition::AtMost(field.name().into(), n.into()));
        GuardedUpdate { update: self, pending }
    }

    /// Requires a field to have a value.
    pub fn equals<T: FieldType>(self, field: Field<E, T>, value: T) -> GuardedUpdate<'a, R, E> {
        let pending =
            Pending::Check(self.key.clone(), Condition::Equals(field.name().into(), value.to_scalar()));
        GuardedUpdate { update: self, pending }
    }
}

/// A guarded change of one item that waits to be told what a failed guard means.
#[derive(Debug)]
#[must_use = "say what it means when the guard fails: `.or_reject(..)` or `.or_retry()`"]
pub struct GuardedUpdate<'a, R, E> {
    update: Update<'a, R, E>,
    pending: Pending,
}

impl<'a, R: Rejection, E: Entity> GuardedUpdate<'a, R, E> {
    /// A failed guard rejects the step.
    pub fn or_reject(self, rejection: R) -> Update<'a, R, E> {
        self.update.writes.apply(self.pending, Some(Refusal::of(&rejection)));
        self.update
    }

    /// A failed guard is no answer: the step is retried, like after any other failure.
    pub fn or_retry(self) -> Update<'a, R, E> {
        self.update.writes.apply(self.pending, None);
        self.update
    }
}

/// An insert or a delete that waits to be told what a failed guard means.
#[derive(Debug)]
#[must_use = "say what it means when the guard fails: `.or_reject(..)` or `.or_retry()`"]
pub struct Guarded<'a, R> {
    writes: &'a mut Writes<R>,
    pending: Pending,
}

impl<R: Rejection> Guarded<'_, R> {
    /// A failed guard rejects the step.
    pub fn or_reject(self, rejection: R) {
        self.writes.apply(self.pending, Some(Refusal::of(&rejection)));
    }

    /// A failed guard is no answer: the step is retried, like after any other failure.
    pub fn or_retry(self) {
        self.writes.apply(self.pending, None);
    }
}

#[derive(Debug)]
enum Pending {
    Insert(RowKey, Row),
    Delete(RowKey),
    Subtract(RowKey, &'static str, i64),
    Transition(RowKey, &'static str, Scalar, Scalar),
    Check(RowKey, Condition),
}

/// A commit that cannot be one transaction: a mistake in a handler. Nothing is written, and the step is retried.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// Two writes to one item cannot both be done.
    #[error("the commit contradicts itself at {key}: {what}; write each item in one way")]
    Contradiction {
        /// The item.
        key: String,
        /// What it does.
        what: &'static str,
    },
    /// More items than the step declares.
    #[error(
        "the commit writes {writes} items, but the step allows {most}: raise `Step::MAX_WRITES` (99 at the most) or write less"
    )]
    TooMany {
        /// Items given.
        writes: usize,
        /// Items allowed.
        most: usize,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entity::FieldSpec;
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    struct Stock;
    impl Entity for Stock {
        const NAME: &'static str = "stock";
        const KEY: &'static str = "sku";
        type Key = String;
        const FIELDS: &'static [FieldSpec] =
            &[Stock::FREE.spec(), Stock::BALANCE.spec(), Stock::STATE.spec()];
    }
    impl Stock {
        const FREE: Field<Stock, u32> = Field::new("free");
        const BALANCE: Field<Stock, i64> = Field::new("balance");
        const STATE: Field<Stock, String> = Field::new("state");
    }

    #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
    struct No(u32);
    impl Rejection for No {
        const NAMES: &'static [&'static str] = &["No"];

        fn name(&self) -> &'static str {
            "No"
        }
    }

    fn update(writes: &mut Writes<No>) -> Update<'_, No, Stock> {
        writes.update::<Stock>("a".to_owned())
    }

    fn row(free: u32) -> Row {
        Stock::row("a".to_owned()).with(Stock::FREE, free).into_parts().1
    }

    /// The cause of the refusal that this many free units give.
    fn refused_with(write: &Write, free: u32) -> Option<String> {
        write
            .failed_guard(Some(&row(free)))
            .and_then(|guard| guard.refusal.clone())
            .map(|refusal| refusal.cause)
    }

    #[test]
    fn writes_to_one_item_are_merged_and_ordered_by_key() {
        let mut writes = Writes::<No>::new();
        writes.update::<Stock>("b".to_owned()).add(Stock::FREE, 1);
        update(&mut writes).add(Stock::FREE, 1).set(Stock::STATE, "open");
        update(&mut writes).add(Stock::FREE, 2).set(Stock::STATE, "open");
        let writes = writes.finish(2).unwrap();
        let keys: Vec<_> = writes.iter().map(|write| write.key.value.as_str()).collect();
        assert_eq!(keys, ["a", "b"]);
        let after = writes[0].applied_to(Some(&row(5))).unwrap();
        assert_eq!((Stock::FREE.read(&after), Stock::STATE.read(&after).as_deref()), (Some(8), Some("open")));
    }

    #[test]
    fn guards_of_merged_subtractions_add_up_and_the_first_that_fails_is_told() {
        let mut writes = Writes::<No>::new();
        update(&mut writes).subtract(Stock::FREE, 3).or_reject(No(1));
        update(&mut writes).subtract(Stock::FREE, 4).or_reject(No(2)).add(Stock::FREE, 5);
        update(&mut writes).subtract(Stock::FREE, 4).or_reject(No(3));
        let write = writes.finish(1).unwrap().remove(0);
        assert_eq!(refused_with(&write, 2).as_deref(), Some("1"));
        assert_eq!(refused_with(&write, 6).as_deref(), Some("2"));
        assert_eq!(write.failed_guard(Some(&row(7))), None);
        assert_eq!(write.applied_to(Some(&row(7))), Some(row(1)));
    }

    #[test]
    fn an_update_never_creates_an_item() {
        let mut writes = Writes::<No>::new();
        update(&mut writes).add(Stock::FREE, 1);
        let write = writes.finish(1).unwrap().remove(0);
        let guard = write.failed_guard(None).unwrap();
        assert_eq!((&guard.condition, &guard.refusal), (&Condition::Exists, &None));
    }

    #[test]
    fn numbers_stop_at_their_limits() {
        let mut writes = Writes::<No>::new();
        update(&mut writes).subtract(Stock::BALANCE, i64::MIN).or_retry().add(Stock::BALANCE, i64::MAX);
        let write = writes.finish(1).unwrap().remove(0);
        let Change::Update(changes) = &write.change else { panic!("{write:?}") };
        assert_eq!(changes["balance"], FieldChange::Add(i64::MAX));
    }

    /// What contradicts itself, in words.
    fn contradiction(write: impl FnOnce(&mut Writes<No>)) -> String {
        let mut writes = Writes::new();
        write(&mut writes);
        writes.finish(9).unwrap_err().to_string()
    }

    #[test]
    fn contradictions_are_told() {
        let insert = |writes: &mut Writes<No>| writes.insert(Stock::row("a".to_owned())).or_retry();
        let delete = |writes: &mut Writes<No>| writes.delete::<Stock>("a".to_owned()).or_retry();
        let told = [
            contradiction(|writes| drop(update(writes).add(Stock::FREE, 1).set(Stock::FREE, 2_u32))),
            contradiction(|writes| drop(update(writes).set(Stock::FREE, 2_u32).add(Stock::FREE, 1))),
            contradiction(|writes| drop(update(writes).set(Stock::STATE, "a").set(Stock::STATE, "b"))),
            contradiction(|writes| {
                insert(writes);
                update(writes).add(Stock::FREE, 1);
            }),
            contradiction(|writes| {
                delete(writes);
                update(writes).set(Stock::STATE, "a");
            }),
            contradiction(|writes| {
                insert(writes);
                delete(writes);
            }),
        ];
        insta::assert_snapshot!(told.join("\n"), @r#"
the commit contradicts itself at stock/a: it sets a field and adds to it; write each item in one way
the commit contradicts itself at stock/a: it sets a field and adds to it; write each item in one way
the commit contradicts itself at stock/a: it sets a field to two values; write each item in one way
the commit contradicts itself at stock/a: it inserts the item and updates it; write each item in one way
the commit contradicts itself at stock/a: it deletes the item and updates it; write each item in one way
the commit contradicts itself at stock/a: it inserts or deletes an item that it also writes elsewhere; write each item in one way
"#);
    }

    #[test]
    fn too_many_items_are_told() {
        let mut writes = Writes::<No>::new();
        for key in ["a", "b", "c"] {
            writes.delete::<Stock>(key.to_owned()).or_retry();
        }
        insta::assert_snapshot!(writes.finish(2).unwrap_err(), @"the commit writes 3 items, but the step allows 2: raise `Step::MAX_WRITES` (99 at the most) or write less");
    }
}
