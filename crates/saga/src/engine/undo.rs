//! Undoing a step: by the recorded inverse or by what its handler says, and outside by the idempotency key.

use super::{ATTEMPTS, check_owned, fence_kept_moving, moved, moving, renew};
use crate::{
    commit::Writes,
    fence::{Fence, OnUndo, Recorded, on_undo},
    handler::{Context, Handle, HandleOutside, Retry, Undoing},
    rejection::Never,
    serve::{Handled, Outcomes},
    step::Step,
    store::{Refused, Store, Unavailable},
    write::Write,
};
use serde_json::json;
use std::marker::PhantomData;

/// The most writes of an undo: what a `TransactWriteItems` takes beside the fence.
const MAX_UNDO_WRITES: usize = 99;

/// Undoes a step whose effects are all in the store.
pub(crate) async fn undo<S: Step, H: Handle<S>>(
    handler: &H,
    store: &impl Store,
    cx: &Context,
) -> Result<Handled, Retry> {
    undo_writes::<S, _>(|done| handler.undo(cx, done), store, cx).await
}

/// Undoes a step with an outside effect. The tombstone comes first: a run that is still under way then finds it and
/// reverses its own effect, so what is reversed here misses nothing. What an operator went on without is left alone.
pub(crate) async fn undo_outside<S: Step, H: HandleOutside<S>>(
    handler: &H,
    store: &impl Store,
    cx: &Context,
) -> Result<Handled, Retry> {
    let handled = undo_writes::<S, _>(|done| handler.undo(cx, done), store, cx).await?;
    if !matches!(handled.outcome, Outcomes::AbandonedBefore | Outcomes::OtherRun) {
        handler.reverse(cx).await?;
    }
    Ok(handled)
}

/// Undoes the writes of a step. `inverse_of`: what undoes them, as its handler says.
async fn undo_writes<S: Step, F>(
    inverse_of: impl Fn(Undoing<S>) -> F + Send + Sync,
    store: &impl Store,
    cx: &Context,
) -> Result<Handled, Retry>
where
    F: Future<Output = Result<Writes<Never>, Retry>> + Send,
{
    let nothing = |outcome| Ok(Handled::success(outcome, json!({})));
    let mut fence = store.read_fence(cx.key()).await?;
    for _ in 0..ATTEMPTS {
        let (outcome, alternatives) = match on_undo(fence.as_ref(), cx.run(), cx.turn()) {
            OnUndo::AlreadyUndone => return nothing(Outcomes::UndoneBefore),
            OnUndo::UndoneEarlier => (Outcomes::UndoneBefore, vec![Vec::new()]),
            OnUndo::Abandoned => {
                return Ok(Handled::success(Outcomes::AbandonedBefore, json!({ "abandoned": true })));
            }
            OnUndo::OtherRun => match renew(store, cx, fence.as_ref()).await? {
                None => return nothing(Outcomes::OtherRun),
                Some(now) => {
                    fence = now;
                    continue;
                }
            },
            OnUndo::Tombstone => (Outcomes::NothingToUndo, vec![Vec::new()]),
            OnUndo::Reverse { output, inverse } => {
                let done = Undoing { output: output.clone(), inverse: inverse.to_vec(), step: PhantomData };
                let alternatives = inverse_of(done).await?.alternatives(MAX_UNDO_WRITES);
                let alternatives = alternatives.map_err(|error| Retry(error.to_string()))?;
                alternatives.iter().try_for_each(|writes| check_owned::<S>(writes))?;
                (Outcomes::Undone, alternatives)
            }
        };
        match apply_first(store, cx, fence.as_ref(), alternatives).await {
            Ok(()) => return Ok(Handled::success(outcome, json!({}))),
            Err(refused) => fence = moved(refused)?,
        }
    }
    Err(fence_kept_moving())
}

/// Undoes with the first alternative whose guards hold. Says why the last one was refused when none does.
async fn apply_first(
    store: &impl Store,
    cx: &Context,
    fence: Option<&Recorded>,
    alternatives: Vec<Vec<Write>>,
) -> Result<(), Refused> {
    let mut refused = Refused::Unavailable(Unavailable("there is nothing to write".into()));
    for writes in alternatives {
        match store.apply(&moving(cx, fence, Fence::Undone, writes)).await {
            Err(guard @ Refused::Guard { .. }) => refused = guard,
            other => return other,
        }
    }
    Err(refused)
}
