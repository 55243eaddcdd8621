//! Stores: where a participant keeps its data and its fences.

use crate::{
    fence::{Fence, FenceState, Recorded, Standing},
    identity::{RunDigest, StepKey},
    rejection::Refusal,
    write::{Row, RowKey, Write},
};

/// One local transaction: the fence moves and all writes are applied, or nothing is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Transaction {
    /// Which fence.
    pub fence: StepKey,
    /// The run it must be of, and is written for; `None`: of any, for a message of version 1.
    pub run: Option<RunDigest>,
    /// The [turn](Recorded::turn) it is written in.
    pub turn: u32,
    /// The state it must be in; `None`: it must be absent.
    pub expected: Option<FenceState>,
    /// What it becomes.
    pub next: Fence,
    /// The writes, at most one for each item.
    pub writes: Vec<Write>,
}

impl Transaction {
    /// Whether the fence as it is lets it be applied.
    pub fn fits(&self, now: Option<&Recorded>) -> bool {
        match now {
            None => self.expected.is_none(),
            Some(now) => {
                Some(now.fence.state()) == self.expected
                    && RunDigest::same(now.run.as_ref(), self.run.as_ref())
                    && now.turn <= self.turn
            }
        }
    }

    /// The fence that it leaves.
    pub fn recorded(&self) -> Recorded {
        // What was undone is all that a message of an earlier turn could still change.
        let turn = if self.next == Fence::Undone { self.turn } else { 0 };
        Recorded { run: self.run.clone(), turn, fence: self.next.clone() }
    }
}

/// A participant's store.
pub trait Store: Send + Sync {
    /// Reads a fence, seeing every transaction that has been applied.
    fn read_fence(&self, key: &StepKey)
    -> impl Future<Output = Result<Option<Recorded>, Unavailable>> + Send;

    /// How it stands with a fence. A store overrides this when it can tell without reading what the fence records: a step
    /// whose record cannot be read can then still be gone without.
    fn read_standing(
        &self,
        key: &StepKey,
    ) -> impl Future<Output = Result<Option<Standing>, Unavailable>> + Send {
        async move { Ok(self.read_fence(key).await?.map(Standing::from)) }
    }

    /// Reads an item, seeing every transaction that has been applied.
    fn read_row(&self, key: &RowKey) -> impl Future<Output = Result<Option<Row>, Unavailable>> + Send;

    /// Applies a transaction. When it is refused, nothing has been written; when the store is unavailable, it may or
    /// may not have been.
    fn apply(&self, transaction: &Transaction) -> impl Future<Output = Result<(), Refused>> + Send;
}

/// Why a transaction was not applied.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Refused {
    /// The fence is not in the expected state, or of another run: this is what it is. Told before any guard.
    Fence(Option<Recorded>),
    /// A guard does not hold, or an addition does not fit.
    Guard {
        /// The item and the condition, for the log: kinds and names, and no value but the key.
        what: String,
        /// The rejection the guard stands for.
        refusal: Option<Refusal>,
    },
    /// The store did not answer, or was too busy for the whole time there was.
    Unavailable(Unavailable),
}

impl Refused {
    /// Why `write` may not be done to `row`, if it may not.
    pub fn by_guard(write: &Write, row: Option<&Row>) -> Option<Self> {
        let unmet = write.unmet(row)?;
        let mut what = format!("{}: {unmet}", write.key);
        if let Some(why) = row.and_then(|row| unmet.other_kind(row)) {
            what = format!("{what}: {why}");
        }
        Some(Self::Guard { what, refusal: unmet.refusal().cloned() })
    }
}

/// The store did not do what it was asked. It may be asked again.
#[derive(Debug, Clone, PartialEq, Eq, Hash, thiserror::Error)]
#[error("the store is unavailable: {0}")]
pub struct Unavailable(pub String);

/// The longest key that DynamoDB takes.
const MAX_KEY_BYTES: usize = 2_048;

impl RowKey {
    /// Whether a store can have an item with this key. Each store asks before it does anything: an emulator of DynamoDB
    /// may take what DynamoDB does not.
    ///
    /// # Errors
    /// When the key is empty or too long.
    pub fn check(&self) -> Result<(), Unavailable> {
        let (entity, bytes) = (&self.entity, self.value.len());
        match bytes {
            1..=MAX_KEY_BYTES => Ok(()),
            0 => Err(Unavailable(format!("a key of `{entity}` is empty"))),
            _ => {
                Err(Unavailable(format!("a key of `{entity}` has {bytes} bytes, more than {MAX_KEY_BYTES}")))
            }
        }
    }
}
