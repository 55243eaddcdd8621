//! Commits: what a handler returns instead of writing.

mod update;
mod writes;

pub use update::{Guarded, Update};
pub use writes::Writes;

use crate::{
    step::Step,
    write::{Addition, RowKey, Write},
};

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
    /// When the writes contradict each other, are more than [`Step::MAX_WRITES`], or one has an empty key, names a field
    /// that its entity does not declare, or adds more than the field can hold.
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
    /// Whatever the field holds, the sum would be out of its range.
    #[error(
        "the commit adds more to `{field}` of {key} than a number from {least} to {most} can change by: add less, or in \
         several steps"
    )]
    Overflow {
        /// The item.
        key: String,
        /// The field.
        field: String,
        /// The least number that the field may hold.
        least: i64,
        /// The largest number that the field may hold.
        most: i64,
    },
    /// An undo would not see the field, or no store would take it: it may be the key.
    #[error(
        "the commit names the field `{field}` of `{entity}`, which `Entity::FIELDS` does not have so: list it there, with \
         this type, or name another"
    )]
    Undeclared {
        /// The entity.
        entity: &'static str,
        /// The field.
        field: String,
    },
    /// No store has an item without a key.
    #[error("the commit writes an item of `{entity}` whose key is empty: give each item a key of its own")]
    EmptyKey {
        /// The entity.
        entity: String,
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

impl CommitError {
    fn overflow(key: &RowKey, field: &str, addition: &Addition) -> Self {
        let Addition { least, most, .. } = *addition;
        Self::Overflow { key: key.to_string(), field: field.to_owned(), least, most }
    }
}

#[cfg(test)]
mod tests;
