//! Writes as data: what a commit does to one item, when it may, and how to reverse it.

use crate::rejection::Refusal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, collections::BTreeMap};

/// The fields of one item, without its key.
pub type Row = BTreeMap<Cow<'static, str>, Scalar>;

/// A stored value.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Scalar {
    /// A whole number.
    Number(i64),
    /// Text.
    Text(String),
}

impl Scalar {
    /// As text: a number in decimal.
    pub fn to_text(&self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text.clone(),
        }
    }
}

/// The identity of one item.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct RowKey {
    /// The entity's name.
    pub entity: Cow<'static, str>,
    /// The name of the key attribute.
    pub attribute: Cow<'static, str>,
    /// The key.
    pub value: String,
}

/// A guarded change of one item.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Write {
    /// Which item.
    pub key: RowKey,
    /// What to do to it.
    pub change: Change,
    /// When it may be done: all must hold for the item as it was before.
    pub guards: Vec<Guard>,
}

/// What a write does.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Creates the item.
    Insert(Row),
    /// Changes fields.
    Update(BTreeMap<Cow<'static, str>, FieldChange>),
    /// Removes the item.
    Delete,
}

/// What an update does to one field.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FieldChange {
    /// Adds a number, which may be negative.
    Add(i64),
    /// Replaces the value.
    Set(Scalar),
}

/// A condition, and what it means when it does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Guard {
    /// What must hold.
    pub condition: Condition,
    /// The rejection it stands for; without one the step is retried, like after any other failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<Refusal>,
}

/// What must hold for an item before it is written.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// There is no such item.
    Absent,
    /// There is such an item.
    Exists,
    /// The field is a number of at least this.
    AtLeast(Cow<'static, str>, i64),
    /// The field is a number of at most this.
    AtMost(Cow<'static, str>, i64),
    /// The field is this.
    Equals(Cow<'static, str>, Scalar),
}

impl Condition {
    /// Whether it holds for the item as it is.
    pub fn holds(&self, row: Option<&Row>) -> bool {
        let number = |field: &str| match row.and_then(|row| row.get(field)) {
            Some(Scalar::Number(number)) => Some(*number),
            _ => None,
        };
        match self {
            Self::Absent => row.is_none(),
            Self::Exists => row.is_some(),
            Self::AtLeast(field, least) => number(field).is_some_and(|number| number >= *least),
            Self::AtMost(field, most) => number(field).is_some_and(|number| number <= *most),
            Self::Equals(field, value) => row.and_then(|row| row.get(field)) == Some(value),
        }
    }
}

impl Write {
    /// The first guard that does not hold for the item as it is.
    pub fn failed_guard(&self, row: Option<&Row>) -> Option<&Guard> {
        self.guards.iter().find(|guard| !guard.condition.holds(row))
    }

    /// The item after this write, given the item before it. Guards are not looked at: see
    /// [`failed_guard`](Self::failed_guard). A sum beyond 64 bits stops at the limit.
    pub fn applied_to(&self, row: Option<&Row>) -> Option<Row> {
        match &self.change {
            Change::Insert(fields) => Some(fields.clone()),
            Change::Delete => None,
            Change::Update(changes) => {
                let mut after = row.cloned().unwrap_or_default();
                for (field, change) in changes {
                    let value = match (change, after.get(field)) {
                        (FieldChange::Set(value), _) => value.clone(),
                        (FieldChange::Add(n), Some(Scalar::Number(old))) => {
                            Scalar::Number(old.saturating_add(*n))
                        }
                        (FieldChange::Add(n), _) => Scalar::Number(*n),
                    };
                    after.insert(field.clone(), value);
                }
                Some(after)
            }
        }
    }

    /// Whether it changes nothing and only has guards.
    pub fn only_checks(&self) -> bool {
        matches!(&self.change, Change::Update(changes) if changes.is_empty())
    }

    /// Whether the inverse can only be known from the item as it was: it is deleted, or a field is replaced whose
    /// old value no guard names.
    pub fn inverse_needs_old(&self) -> bool {
        match &self.change {
            Change::Insert(_) => false,
            Change::Delete => true,
            Change::Update(changes) => changes.iter().any(|(field, change)| {
                matches!(change, FieldChange::Set(_)) && self.guarded_value(field).is_none()
            }),
        }
    }

    /// Guards that pin the item to what was read, so that the recorded inverse is exact: a change in between makes
    /// the write fail and be tried again.
    pub fn pin(&mut self, old: &Row) {
        let pinned: Vec<_> = match &self.change {
            Change::Insert(_) => Vec::new(),
            Change::Delete => old.keys().cloned().collect(),
            Change::Update(changes) => {
                changes.keys().filter(|field| old.contains_key(*field)).cloned().collect()
            }
        };
        for field in pinned {
            if self.guarded_value(&field).is_none() {
                let condition = Condition::Equals(field.clone(), old[&field].clone());
                self.guards.push(Guard { condition, refusal: None });
            }
        }
    }

    /// The write that reverses this one. `old` is the item as it was, where
    /// [`inverse_needs_old`](Self::inverse_needs_old) says so.
    pub fn inverse(&self, old: Option<&Row>) -> Self {
        let (change, conditions) = match &self.change {
            Change::Insert(_) => (Change::Delete, vec![Condition::Exists]),
            Change::Delete => (Change::Insert(old.cloned().unwrap_or_default()), vec![Condition::Absent]),
            Change::Update(changes) => self.inverse_of_update(changes, old),
        };
        let guards = conditions.into_iter().map(|condition| Guard { condition, refusal: None }).collect();
        Self { key: self.key.clone(), change, guards }
    }

    fn inverse_of_update(
        &self,
        changes: &BTreeMap<Cow<'static, str>, FieldChange>,
        old: Option<&Row>,
    ) -> (Change, Vec<Condition>) {
        let mut conditions = vec![Condition::Exists];
        let mut inverse = BTreeMap::new();
        for (field, change) in changes {
            let reversed = match change {
                FieldChange::Add(n) => {
                    if *n > 0 {
                        conditions.push(Condition::AtLeast(field.clone(), *n));
                    }
                    Some(FieldChange::Add(n.saturating_neg()))
                }
                FieldChange::Set(new) => {
                    conditions.push(Condition::Equals(field.clone(), new.clone()));
                    let before = self.guarded_value(field).or_else(|| old.and_then(|row| row.get(field)));
                    before.cloned().map(FieldChange::Set)
                }
            };
            inverse.extend(reversed.map(|change| (field.clone(), change)));
        }
        (Change::Update(inverse), conditions)
    }

    fn guarded_value(&self, field: &str) -> Option<&Scalar> {
        self.guards.iter().find_map(|guard| match &guard.condition {
            Condition::Equals(guarded, value) if guarded == field => Some(value),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NUMBERS: [&str; 2] = ["free", "booked"];
    const TEXTS: [&str; 2] = ["state", "owner"];

    fn key() -> RowKey {
        RowKey { entity: "stock".into(), attribute: "sku".into(), value: "a".into() }
    }

    fn text(text: &str) -> Scalar {
        Scalar::Text(text.into())
    }

    /// A row that has every field.
    fn row() -> impl Strategy<Value = Row> {
        let number = (0_i64..20).prop_map(Scalar::Number);
        let word = prop::sample::select(&["a", "b", "c"][..]).prop_map(text);
        (prop::collection::vec(number, 2), prop::collection::vec(word, 2)).prop_map(|(numbers, words)| {
            let numbers = NUMBERS.into_iter().zip(numbers);
            let fields = numbers.chain(TEXTS.into_iter().zip(words));
            fields.map(|(field, value)| (field.into(), value)).collect()
        })
    }

    fn change() -> impl Strategy<Value = Change> {
        let add = (prop::sample::select(&NUMBERS[..]), -20_i64..20)
            .prop_map(|(field, n)| (field, FieldChange::Add(n)));
        let set = (prop::sample::select(&TEXTS[..]), prop::sample::select(&["a", "b", "c"][..]))
            .prop_map(|(field, value)| (field, FieldChange::Set(text(value))));
        let changes = prop::collection::vec(prop_oneof![add, set], 0..4);
        prop_oneof![
            6 => changes.prop_map(|changes| {
                Change::Update(changes.into_iter().map(|(field, change)| (field.into(), change)).collect())
            }),
            1 => row().prop_map(Change::Insert),
            1 => Just(Change::Delete),
        ]
    }

    fn guard() -> impl Strategy<Value = Guard> {
        let condition = prop_oneof![
            (prop::sample::select(&NUMBERS[..]), 0_i64..20)
                .prop_map(|(field, n)| Condition::AtLeast(field.into(), n)),
            (prop::sample::select(&NUMBERS[..]), 0_i64..20)
                .prop_map(|(field, n)| Condition::AtMost(field.into(), n)),
            (prop::sample::select(&TEXTS[..]), prop::sample::select(&["a", "b", "c"][..]))
                .prop_map(|(field, value)| Condition::Equals(field.into(), text(value))),
        ];
        condition.prop_map(|condition| Guard { condition, refusal: None })
    }

    fn write() -> impl Strategy<Value = Write> {
        (change(), prop::collection::vec(guard(), 0..2)).prop_map(|(change, mut guards)| {
            let condition =
                if matches!(change, Change::Insert(_)) { Condition::Absent } else { Condition::Exists };
            // An insert has no fields to guard.
            guards.retain(|_| condition == Condition::Exists);
            guards.push(Guard { condition, refusal: None });
            Write { key: key(), change, guards }
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4_000, max_global_rejects: 1_000_000, ..Default::default() })]

        #[test]
        fn a_write_and_then_its_inverse_restore_the_row(write in write(), row in row()) {
            let before = (!matches!(write.change, Change::Insert(_))).then_some(row);
            prop_assume!(write.failed_guard(before.as_ref()).is_none());
            let old = before.as_ref().filter(|_| write.inverse_needs_old());
            let inverse = write.inverse(old);
            let after = write.applied_to(before.as_ref());
            // The numbers of the handlers never fall below zero, and neither do those of an undo.
            let numbers = |row: &Option<Row>| row.iter().flatten().all(|(_, value)| *value >= Scalar::Number(0));
            prop_assume!(numbers(&after));
            prop_assert_eq!(inverse.failed_guard(after.as_ref()), None);
            prop_assert_eq!(inverse.applied_to(after.as_ref()), before);
        }

        #[test]
        fn a_pinned_write_is_refused_for_any_row_that_its_inverse_would_not_restore(
            write in write(),
            read in row(),
            found in row(),
        ) {
            let mut pinned = write.clone();
            if write.inverse_needs_old() {
                pinned.pin(&read);
            }
            prop_assume!(pinned.failed_guard(Some(&found)).is_none());
            let after = pinned.applied_to(Some(&found));
            let inverse = write.inverse(write.inverse_needs_old().then_some(&read));
            prop_assume!(inverse.failed_guard(after.as_ref()).is_none());
            prop_assert_eq!(inverse.applied_to(after.as_ref()), Some(found));
        }

        #[test]
        fn writes_survive_json(write in write()) {
            let json = serde_json::to_string(&write).unwrap();
            prop_assert_eq!(serde_json::from_str::<Write>(&json).unwrap(), write);
        }
    }

    #[test]
    fn an_undo_does_not_overwrite_what_came_after() {
        let set = BTreeMap::from([("state".into(), FieldChange::Set(text("new")))]);
        let write = Write { key: key(), change: Change::Update(set), guards: Vec::new() };
        let old = Row::from([("state".into(), text("old"))]);
        let inverse = write.inverse(Some(&old));
        let moved_on = Row::from([("state".into(), text("newer"))]);
        let guard = inverse.failed_guard(Some(&moved_on)).unwrap();
        assert_eq!(guard.condition, Condition::Equals("state".into(), text("new")));
    }

    #[test]
    fn a_write_without_changes_only_checks() {
        let write = |change| Write { key: key(), change, guards: Vec::new() };
        assert!(write(Change::Update(BTreeMap::new())).only_checks());
        assert!(!write(Change::Update(BTreeMap::from([("free".into(), FieldChange::Add(0))]))).only_checks());
        assert!(!write(Change::Delete).only_checks());
        assert!(!write(Change::Insert(Row::new())).only_checks());
    }

    #[test]
    fn conditions_on_a_field_that_is_not_there_do_not_hold() {
        let row = Row::from([("state".into(), text("open"))]);
        for condition in [
            Condition::AtLeast("free".into(), 0),
            Condition::AtMost("free".into(), 0),
            Condition::AtMost("state".into(), 0),
            Condition::Equals("free".into(), Scalar::Number(0)),
        ] {
            assert!(!condition.holds(Some(&row)) && !condition.holds(None), "{condition:?}");
        }
    }
}
