//! One charge: judged by its fence, and refunded if it is an orphan.

use crate::judge::{Verdict, judge};
use payment::{Gateway, Peer};
use saga::{
    Change, Condition, Deployment, Entity, Guard, IdempotencyKey, Refused, Retry, StepKey, Store,
    Transaction, Write, fence::Fence,
};
use sagas::entities::LedgerEntry;
use std::{collections::BTreeMap, time::Duration};

/// How often a charge is judged again because its fence moved. A fence moves three times at most.
const ATTEMPTS: usize = 4;

/// What became of a charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    /// An order's charge: kept.
    Kept,
    /// Its saga has not decided: left alone.
    InFlight,
    /// Its saga should have decided long ago: left alone, for people to look at.
    Unsettled,
    /// An operator went on without the step: left alone.
    Abandoned,
    /// The ledger has it but its fence is gone: left alone, for people to look at.
    FenceLost,
    /// Refunded.
    Refunded(Orphan),
}

/// Why a charge was an orphan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Orphan {
    /// The step was rejected.
    Rejected,
    /// The step was undone.
    Undone,
    /// No run ever claimed it.
    Unclaimed,
}

impl Orphan {
    /// The name in logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rejected => "rejected",
            Self::Undone => "undone",
            Self::Unclaimed => "absent",
        }
    }
}

/// Judges the charge of a step, and refunds it if it is an orphan. `age` is the charge's, `longest` is how long a saga
/// can take to decide.
///
/// # Errors
/// When the store or the gateway does not answer: examine it again.
pub(crate) async fn examine(
    peer: &Peer,
    store: &impl Store,
    deployment: &Deployment,
    key: &StepKey,
    age: Duration,
    longest: Duration,
) -> Result<Finding, Retry> {
    let mut fence = store.read_fence(key).await?;
    for _ in 0..ATTEMPTS {
        match judge(fence.as_ref().map(|recorded| &recorded.fence), age, longest) {
            Verdict::Kept => return Ok(Finding::Kept),
            Verdict::InFlight => return Ok(Finding::InFlight),
            Verdict::Unsettled => return Ok(Finding::Unsettled),
            Verdict::Abandoned => return Ok(Finding::Abandoned),
            Verdict::Orphan => {
                let undone = fence.is_some_and(|recorded| recorded.fence == Fence::Undone);
                let why = if undone { Orphan::Undone } else { Orphan::Rejected };
                return refund(peer, deployment, key, why).await;
            }
            Verdict::Unclaimed => match store.apply(&fence_off(key)).await {
                Ok(()) => return refund(peer, deployment, key, Orphan::Unclaimed).await,
                Err(Refused::Fence(now)) => fence = now,
                // A failed guard does not prove that the fence is still absent.
                Err(Refused::Guard { .. }) => match store.read_fence(key).await? {
                    None => return Ok(Finding::FenceLost),
                    now => fence = now,
                },
                Err(Refused::Unavailable(unavailable)) => return Err(unavailable.into()),
            },
        }
    }
    Err(Retry("the fence kept moving".into()))
}

async fn refund(peer: &Peer, deployment: &Deployment, key: &StepKey, why: Orphan) -> Result<Finding, Retry> {
    let key = IdempotencyKey::new(deployment, key);
    peer.reverse(&key).await.map_err(|error| Retry(error.to_string()))?;
    Ok(Finding::Refunded(why))
}

/// Writes what an undo writes when it finds no fence, unless there is one or the ledger has the charge: the entry was
/// written in one transaction with a fence, so it proves that there was one.
fn fence_off(key: &StepKey) -> Transaction {
    let not_in_the_ledger = Write {
        key: LedgerEntry::key(key.saga_id.as_str()),
        change: Change::Update(BTreeMap::new()),
        guards: vec![Guard { condition: Condition::Absent, refusal: None }],
    };
    let writes = vec![not_in_the_ledger];
    Transaction { fence: key.clone(), run: None, expected: None, next: Fence::Undone, writes }
}
