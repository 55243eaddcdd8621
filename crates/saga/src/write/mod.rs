//! Writes as data: what a commit does to one item, when it may, and how to reverse it.

mod addition;
mod condition;
mod decimal;
mod inverse;
mod row;

pub use addition::Addition;
pub use condition::{Condition, Guard, Unmet};
pub use row::{Row, RowKey, Scalar};

use decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, collections::BTreeMap};

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
    /// Adds to a number. A field that is no number, or that does not stay in its range, refuses the write.
    Add(Addition),
    /// Replaces the value.
    Set(Scalar),
    /// Removes the field.
    Remove,
}

impl Write {
    /// Why this may not be done to the item as it is: the first guard that does not hold, or else an addition that
    /// does not fit. So what a guard stands for is told before an addition that it was there to prevent.
    pub fn unmet(&self, row: Option<&Row>) -> Option<Unmet<'_>> {
        let guard = self.guards.iter().find(|guard| !guard.condition.holds(row));
        guard.map(Unmet::Guard).or_else(|| {
            let mut additions = self.additions();
            let unfit = additions.find(|(field, addition)| number(row, field, **addition).is_none());
            unfit.map(|(field, addition)| Unmet::Addition(field, *addition))
        })
    }

    /// What is added to which fields.
    pub fn additions(&self) -> impl Iterator<Item = (&Cow<'static, str>, &Addition)> {
        let changes = match &self.change {
            Change::Update(changes) => Some(changes),
            Change::Insert(_) | Change::Delete => None,
        };
        changes.into_iter().flatten().filter_map(|(field, change)| match change {
            FieldChange::Add(addition) => Some((field, addition)),
            FieldChange::Set(_) | FieldChange::Remove => None,
        })
    }

    /// The item after this write, given the item before it. Whether it may be done is not looked at: see
    /// [`unmet`](Self::unmet). An addition that does not fit changes nothing.
    pub fn applied_to(&self, row: Option<&Row>) -> Option<Row> {
        match &self.change {
            Change::Insert(fields) => Some(fields.clone()),
            Change::Delete => None,
            Change::Update(changes) => {
                let mut after = row.cloned().unwrap_or_default();
                for (field, change) in changes {
                    let value = match change {
                        FieldChange::Set(value) => Some(value.clone()),
                        FieldChange::Add(addition) => {
                            number(row, field, *addition).and_then(|number| number.plus(addition.n))
                        }
                        FieldChange::Remove => {
                            after.remove(field);
                            None
                        }
                    };
                    after.extend(value.map(|value| (field.clone(), value)));
                }
                Some(after)
            }
        }
    }

    /// The field whose sum would have more digits than DynamoDB keeps: an addition to a number that somebody else has put
    /// there. DynamoDB does not do such a write, whatever its guards say.
    pub(crate) fn overlong(&self, row: Option<&Row>) -> Option<&str> {
        let overlong = |(field, addition): &(&Cow<'static, str>, &Addition)| {
            number(row, field, **addition).is_some_and(|number| number.plus(addition.n).is_none())
        };
        self.additions().find(overlong).map(|(field, _)| &**field)
    }

    /// Whether it changes nothing and only has guards.
    pub fn only_checks(&self) -> bool {
        matches!(&self.change, Change::Update(changes) if changes.is_empty())
    }
}

/// The number that this can be added to.
fn number(row: Option<&Row>, field: &str, addition: Addition) -> Option<Decimal> {
    Decimal::of(row?.get(field)?).filter(|number| number.is_within(&addition.fits()))
}

#[cfg(test)]
mod tests;
