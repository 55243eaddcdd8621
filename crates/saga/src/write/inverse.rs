//! How a write is reversed, exactly: what the inverse restores is what the write found, or the write is not done.

use super::{Change, Condition, FieldChange, Guard, Row, Scalar, Write};
use crate::entity::FieldSpec;
use std::{borrow::Cow, collections::BTreeMap};

impl Write {
    /// Whether the inverse can only be known from the item as it was: it is deleted, or a field is replaced whose
    /// old value no guard names.
    pub fn inverse_needs_old(&self) -> bool {
        match &self.change {
            Change::Insert(_) => false,
            Change::Delete => true,
            Change::Update(changes) => self.replaced_unseen(changes).next().is_some(),
        }
    }

    /// Guards that pin the item to what was read, so that the recorded inverse is exact: a change in between makes
    /// the write fail and be tried again. What is absent is pinned too: the item, or those of the declared fields.
    ///
    /// A store cannot be asked whether an item has fields that nobody declared, so one that is put on an item between
    /// the read and a delete goes with it.
    pub fn pin(&mut self, old: Option<&Row>, declared: &[FieldSpec]) {
        let pins = match (old, &self.change) {
            (_, Change::Insert(_)) => Vec::new(),
            (None, _) => vec![Condition::Absent],
            (Some(old), Change::Delete) => exactly(old, declared).collect(),
            (Some(old), Change::Update(changes)) => {
                let replaced = self.replaced_unseen(changes);
                replaced.map(|field| as_it_is(field.clone(), old.get(field))).collect()
            }
        };
        self.guards.extend(pins.into_iter().map(unexplained));
    }

    /// The write that reverses this one. `old` is the item as it was, where
    /// [`inverse_needs_old`](Self::inverse_needs_old) says so. What this write left behind must still be there: an
    /// undo does not overwrite what came after.
    #[must_use]
    pub fn inverse(&self, old: Option<&Row>, declared: &[FieldSpec]) -> Self {
        let (change, conditions) = match &self.change {
            Change::Insert(row) => {
                (Change::Delete, std::iter::once(Condition::Exists).chain(exactly(row, declared)).collect())
            }
            Change::Delete => (Change::Insert(old.cloned().unwrap_or_default()), vec![Condition::Absent]),
            Change::Update(changes) => self.inverse_of_update(changes, old),
        };
        let guards = conditions.into_iter().map(unexplained).collect();
        Self { key: self.key.clone(), change, guards }
    }

    fn inverse_of_update(
        &self,
        changes: &BTreeMap<Cow<'static, str>, FieldChange>,
        old: Option<&Row>,
    ) -> (Change, Vec<Condition>) {
        let before = |field: &str| self.guarded(field).unwrap_or_else(|| old.and_then(|row| row.get(field)));
        let restored = |field: &str| before(field).cloned().map_or(FieldChange::Remove, FieldChange::Set);
        let mut conditions = vec![Condition::Exists];
        let mut inverse = BTreeMap::new();
        for (field, change) in changes {
            let reversed = match change {
                FieldChange::Add(addition) => FieldChange::Add(addition.reversed()),
                FieldChange::Set(new) => {
                    conditions.push(as_it_is(field.clone(), Some(new)));
                    restored(field)
                }
                FieldChange::Remove => {
                    conditions.push(as_it_is(field.clone(), None));
                    restored(field)
                }
            };
            inverse.insert(field.clone(), reversed);
        }
        (Change::Update(inverse), conditions)
    }

    /// The fields that are replaced or removed, whatever they are.
    fn replaced_unseen<'a>(
        &self,
        changes: &'a BTreeMap<Cow<'static, str>, FieldChange>,
    ) -> impl Iterator<Item = &'a Cow<'static, str>> {
        let replaced = changes.iter().filter(|(_, change)| !matches!(change, FieldChange::Add(_)));
        replaced.map(|(field, _)| field).filter(|field| self.guarded(field).is_none())
    }

    /// What a field must be for this write to be done, if a guard says it: a value, or absent.
    fn guarded(&self, field: &str) -> Option<Option<&Scalar>> {
        self.guards.iter().find_map(|guard| match &guard.condition {
            Condition::Equals(guarded, value) if guarded == field => Some(Some(value)),
            Condition::Lacks(guarded) if guarded == field => Some(None),
            _ => None,
        })
    }
}

/// That an item has these fields, and none of the declared ones beside them.
fn exactly(row: &Row, declared: &[FieldSpec]) -> impl Iterator<Item = Condition> {
    let fields = row.iter().map(|(field, value)| as_it_is(field.clone(), Some(value)));
    let others = declared.iter().filter(|field| !row.contains_key(field.name));
    fields.chain(others.map(|field| as_it_is(field.name.into(), None)))
}

fn as_it_is(field: Cow<'static, str>, value: Option<&Scalar>) -> Condition {
    match value {
        Some(value) => Condition::Equals(field, value.clone()),
        None => Condition::Lacks(field),
    }
}

fn unexplained(condition: Condition) -> Guard {
    Guard { condition, refusal: None }
}
