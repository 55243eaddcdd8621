//! One charge: judged by its fence, and refunded if it is an orphan.

use crate::judge::{Orphan, Verdict, judge};
use payment::Gateway;
use saga::{Deployment, IdempotencyKey, Retry, RunDigest, StepOfRun, Store};

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
    let found = store.read_fence(&step.key).await?;
    // A fence of another run of the saga id says nothing about this one.
    let own = found.filter(|found| RunDigest::same(found.run.as_ref(), step.run.as_ref()));
    Ok(judge(own.as_ref().map(|recorded| &recorded.fence), overdue))
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
    let verdict = look(store, step, overdue).await?;
    let Verdict::Orphan(why) = verdict else { return Ok(Finding::Left(verdict)) };
    let key = IdempotencyKey::new(deployment, step);
    gateway.reverse(&key).await.map_err(|error| Retry(error.to_string()))?;
    Ok(Finding::Refunded(why))
}
