//! One charge: judged by its fence, and refunded if it is an orphan.

use crate::judge::{Orphan, Verdict, judge};
use payment::Gateway;
use saga::{
    Change, Condition, Deployment, Entity, Guard, IdempotencyKey, Refused, Retry, RunDigest, StepOfRun,
    Store, Transaction, Write,
    fence::{Fence, Recorded},
};
use sagas::entities::LedgerEntry;
use std::collections::BTreeMap;

/// How often a charge is judged again because its fence moved. A fence moves three times at most.
const ATTEMPTS: usize = 4;

/// What became of a charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    /// It was left as it is. Never for an orphan.
    Left(Verdict),
    /// It was an orphan and is refunded.
    Refunded(Orphan),
}

/// Judges the charge of a step, and changes nothing. `overdue`: see [`judge`].
///
/// # Errors
/// When the store does not answer: look again.
pub async fn look(store: &impl Store, step: &StepOfRun, overdue: bool) -> Result<Verdict, Retry> {
    let fence = store.read_fence(&step.key).await?;
    let found = verdict(step, fence.as_ref(), overdue);
    if found != Verdict::Orphan(Orphan::Unclaimed) {
        return Ok(found);
    }
    if store.read_row(&LedgerEntry::key(step.key.saga_id.as_str())).await?.is_none() {
        return Ok(found);
    }
    // The entry may have come since, with its fence.
    let fence = store.read_fence(&step.key).await?;
    Ok(fence.map_or(Verdict::FenceLost, |recorded| verdict(step, Some(&recorded), overdue)))
}

/// A fence of another run of the saga id says nothing about this one, whose own is gone.
fn verdict(step: &StepOfRun, fence: Option<&Recorded>, overdue: bool) -> Verdict {
    match fence {
        Some(found) if !RunDigest::same(found.run.as_ref(), step.run.as_ref()) => Verdict::FenceLost,
        found => judge(found.map(|recorded| &recorded.fence), overdue),
    }
}

/// Judges the charge of a step and refunds it if it is an orphan. `overdue`: see [`judge`].
///
/// This is all of reconciliation that changes anything. It knows no clock and no schedule, and reaches the gateway and
/// the store by their traits only, so a model checker can run it as it is: at any moment, as often as it likes, in
/// several copies, cut off before any of its calls.
///
/// # Errors
/// When the store or the gateway does not answer: examine it again.
pub async fn examine(
    gateway: &impl Gateway,
    store: &impl Store,
    deployment: &Deployment,
    step: &StepOfRun,
    overdue: bool,
) -> Result<Finding, Retry> {
    let mut fence = store.read_fence(&step.key).await?;
    for _ in 0..ATTEMPTS {
        match verdict(step, fence.as_ref(), overdue) {
            Verdict::Orphan(Orphan::Unclaimed) => match store.apply(&fence_off(step)).await {
                Ok(()) => return refund(gateway, deployment, step, Orphan::Unclaimed).await,
                Err(Refused::Fence(now)) => fence = now,
                // A failed guard does not prove that the fence is still absent.
                Err(Refused::Guard { .. }) => match store.read_fence(&step.key).await? {
                    None => return Ok(Finding::Left(Verdict::FenceLost)),
                    now => fence = now,
                },
                Err(Refused::Unavailable(unavailable)) => return Err(unavailable.into()),
            },
            Verdict::Orphan(why) => return refund(gateway, deployment, step, why).await,
            left => return Ok(Finding::Left(left)),
        }
    }
    Err(Retry("the fence kept moving".into()))
}

async fn refund(
    gateway: &impl Gateway,
    deployment: &Deployment,
    step: &StepOfRun,
    why: Orphan,
) -> Result<Finding, Retry> {
    let key = IdempotencyKey::new(deployment, step);
    gateway.reverse(&key).await.map_err(|error| Retry(error.to_string()))?;
    Ok(Finding::Refunded(why))
}

/// Writes what an undo writes when it finds no fence, unless there is one or the ledger has the charge: the entry was
/// written in one transaction with a fence, so it proves that there was one.
fn fence_off(step: &StepOfRun) -> Transaction {
    let not_in_the_ledger = Write {
        key: LedgerEntry::key(step.key.saga_id.as_str()),
        change: Change::Update(BTreeMap::new()),
        guards: vec![Guard { condition: Condition::Absent, refusal: None }],
    };
    let writes = vec![not_in_the_ledger];
    Transaction {
        fence: step.key.clone(),
        run: step.run.clone(),
        turn: 0,
        expected: None,
        next: Fence::Undone,
        writes,
    }
}
