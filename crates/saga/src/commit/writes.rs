//! Typed writes, merged by item.
#![allow(
    clippy::needless_pass_by_value,
    reason = "handlers pass freshly made values; `&` before each would be noise"
)]

use super::{CommitError, Guarded, Update};
use crate::{
    entity::{Entity, FieldKind, NewRow},
    rejection::{Never, Refusal, Rejection},
    write::{Addition, Change, Condition, FieldChange, Guard, Row, RowKey, Scalar, Write},
};
use std::{collections::BTreeMap, marker::PhantomData};

/// Typed writes, one for each item: writes to one key are merged. `R` is the rejection a guard can stand for.
#[derive(Debug)]
pub struct Writes<R> {
    by_key: BTreeMap<RowKey, Write>,
    /// The first mistake of the handler.
    mistake: Option<CommitError>,
    otherwise: Option<Box<Writes<R>>>,
    rejection: PhantomData<fn(R)>,
}

impl<R> Default for Writes<R> {
    fn default() -> Self {
        Self { by_key: BTreeMap::new(), mistake: None, otherwise: None, rejection: PhantomData }
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
        for (field, value) in &row.fields {
            self.declared::<E>(field, value.kind());
        }
        Guarded::new(self, Pending::Insert(row.key, row.fields))
    }

    /// Changes an item, which must exist.
    pub fn update<E: Entity>(&mut self, key: impl Into<E::Key>) -> Update<'_, R, E> {
        Update::new(self, E::key(key))
    }

    /// Removes an item. It must exist: say what it means if it does not.
    pub fn delete<E: Entity>(&mut self, key: impl Into<E::Key>) -> Guarded<'_, R> {
        Guarded::new(self, Pending::Delete(E::key(key)))
    }

    /// The merged writes, ordered by key.
    ///
    /// # Errors
    /// When they contradict each other, are more than `most`, or one has an empty key, names a field that its entity does
    /// not declare, or adds more than the field can hold.
    pub fn finish(self, most: usize) -> Result<Vec<Write>, CommitError> {
        if let Some(mistake) = self.mistake {
            return Err(mistake);
        }
        let mut writes: Vec<Write> = self.by_key.into_values().collect();
        if writes.len() > most {
            return Err(CommitError::TooMany { writes: writes.len(), most });
        }
        if let Some(write) = writes.iter().find(|write| write.key.value.is_empty()) {
            return Err(CommitError::EmptyKey { entity: write.key.entity.to_string() });
        }
        for write in &writes {
            // Nothing that the field can hold is left of a sum this far away.
            if let Some((field, addition)) =
                write.additions().find(|(_, addition)| addition.fits().is_empty())
            {
                return Err(CommitError::overflow(&write.key, field, addition));
            }
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
        self.mistake.get_or_insert(CommitError::Contradiction { key: key.to_string(), what });
    }

    fn overflow(&mut self, key: &RowKey, field: &'static str, addition: Addition) {
        self.mistake.get_or_insert(CommitError::overflow(key, field, &addition));
    }

    /// Notes a field that the entity does not declare, or declares with another kind.
    pub(super) fn declared<E: Entity>(&mut self, field: &str, kind: Option<FieldKind>) {
        if !E::FIELDS.iter().any(|declared| declared.name == field && Some(declared.kind) == kind) {
            self.mistake.get_or_insert(CommitError::Undeclared { entity: E::NAME, field: field.to_owned() });
        }
    }

    fn updating(&mut self, key: &RowKey) -> &mut Write {
        self.by_key.entry(key.clone()).or_insert_with(|| Write {
            key: key.clone(),
            change: Change::Update(BTreeMap::new()),
            guards: Vec::new(),
        })
    }

    /// Adds to a field and returns what is added to it now.
    pub(super) fn add(&mut self, key: &RowKey, field: &'static str, addition: Addition) -> i64 {
        let nothing = FieldChange::Add(Addition { n: 0, ..addition });
        match &mut self.updating(key).change {
            Change::Update(changes) => match changes.entry(field.into()).or_insert(nothing) {
                FieldChange::Add(sum) => match sum.n.checked_add(addition.n).filter(|n| *n != i64::MIN) {
                    Some(n) => {
                        sum.n = n;
                        return n;
                    }
                    None => self.overflow(key, field, addition),
                },
                FieldChange::Set(_) | FieldChange::Remove => {
                    self.contradict(key, "it sets a field and adds to it");
                }
            },
            Change::Insert(_) => self.contradict(key, "it inserts the item and updates it"),
            Change::Delete => self.contradict(key, "it deletes the item and updates it"),
        }
        0
    }

    pub(super) fn set(&mut self, key: &RowKey, field: &'static str, value: Scalar) {
        let what = match &mut self.updating(key).change {
            Change::Update(changes) => match changes.get(field) {
                Some(FieldChange::Add(_)) => "it sets a field and adds to it",
                Some(FieldChange::Remove) => "it removes a field and sets it",
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

    pub(super) fn apply(&mut self, pending: Pending, refusal: Option<Refusal>) {
        match pending {
            Pending::Insert(key, row) => {
                self.whole(key, Change::Insert(row), Guard { condition: Condition::Absent, refusal });
            }
            Pending::Delete(key) => {
                self.whole(key, Change::Delete, Guard { condition: Condition::Exists, refusal });
            }
            Pending::Subtract(key, field, addition) => {
                let sum = self.add(&key, field, addition);
                // What must be there at the start for this and everything merged before it.
                let condition = Condition::AtLeast(field.into(), sum.saturating_neg());
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

#[derive(Debug)]
pub(super) enum Pending {
    Insert(RowKey, Row),
    Delete(RowKey),
    /// Adds what is negative.
    Subtract(RowKey, &'static str, Addition),
    Transition(RowKey, &'static str, Scalar, Scalar),
    Check(RowKey, Condition),
}
