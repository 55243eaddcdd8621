//! What decides for good: the direction of a pivot, and an operator's word. Neither needs a handler.

use super::{ATTEMPTS, fence_kept_moving, moved, moving, recorded, renew};
use crate::{
    fence::{Fence, FenceState, OnAbandon, OnSettle, on_abandon, on_settle},
    handler::{Context, Retry},
    message::{AbandonReply, Direction, SettleReply},
    rejection::Refusal,
    serve::{Handled, OTHER_RUN, Outcomes},
    store::{Refused, Store, Transaction},
};
use serde_json::{Value as Json, json};

/// Asks the pivot's fence for the direction, and by asking decides it.
pub(crate) async fn settle(store: &impl Store, cx: &Context) -> Result<Handled, Retry> {
    let mut fence = store.read_fence(cx.key()).await?;
    for _ in 0..ATTEMPTS {
        match on_settle(fence.as_ref(), cx.run(), cx.if_absent()) {
            OnSettle::Forward(output) => return Ok(settled(Direction::Forward, Some(output), None)),
            OnSettle::Backward(refusal) => return Ok(settled(Direction::Backward, None, refusal)),
            OnSettle::Gone => return Ok(Handled::fence_gone()),
            OnSettle::OtherRun => {
                if let Some(now) = renew(store, cx, fence.as_ref()).await? {
                    fence = now;
                    continue;
                }
                let cause = "another saga had this id: what it did stays as it is".into();
                return Ok(settled(
                    Direction::Backward,
                    None,
                    Some(&Refusal { error: OTHER_RUN.into(), cause }),
                ));
            }
            OnSettle::FenceOff => {
                match store.apply(&moving(cx, fence.as_ref(), Fence::Undone, Vec::new())).await {
                    Ok(()) => return Ok(settled(Direction::Backward, None, None)),
                    Err(refused) => fence = moved(refused)?,
                }
            }
        }
    }
    Err(fence_kept_moving())
}

/// Leaves a step as it is, for good. Neither the code of a handler nor what the fence records is needed, so nothing that
/// is broken about the step stands in the way.
pub(crate) async fn abandon(store: &impl Store, cx: &Context) -> Result<Handled, Retry> {
    let reply =
        |outcome, was| Ok(Handled::success(outcome, json!(AbandonReply { was, undone_since: false })));
    for _ in 0..ATTEMPTS {
        let standing = store.read_standing(cx.key()).await?;
        let was = match on_abandon(standing.as_ref(), cx.run(), cx.turn()) {
            OnAbandon::AlreadyAbandoned { was } => return reply(Outcomes::AbandonedBefore, was),
            OnAbandon::OtherRun => return reply(Outcomes::OtherRun, None),
            OnAbandon::UndoneSince => {
                let reply = AbandonReply { was: Some(FenceState::Undone), undone_since: true };
                return Ok(Handled::success(Outcomes::UndoneBefore, json!(reply)));
            }
            OnAbandon::Abandon { was } => was,
        };
        let abandoned = Transaction {
            fence: cx.key().clone(),
            run: cx.run().or_else(|| standing.as_ref()?.run.as_ref()).cloned(),
            turn: cx.turn(),
            expected: standing.as_ref().map(|standing| standing.state),
            next: Fence::Abandoned { was },
            writes: Vec::new(),
        };
        match store.apply(&abandoned).await {
            Ok(()) => return reply(Outcomes::Abandoned, was),
            Err(Refused::Fence(_)) => {}
            Err(refused) => return Err(moved(refused).err().unwrap_or_else(fence_kept_moving)),
        }
    }
    Err(fence_kept_moving())
}

/// Answers a run with what was recorded, and does nothing: for a saga whose pivot is done, so that its steps are, and for
/// one that asks whose its id is.
pub(crate) async fn recall(store: &impl Store, cx: &Context) -> Result<Handled, Retry> {
    Ok(recorded(store, cx, false).await?.unwrap_or_else(Handled::nothing_recorded))
}

fn settled(direction: Direction, output: Option<&Json>, refusal: Option<&Refusal>) -> Handled {
    let outcome = match direction {
        Direction::Forward => Outcomes::SettledForward,
        Direction::Backward => Outcomes::SettledBackward,
    };
    let reply = SettleReply {
        direction,
        output: output.cloned(),
        error: refusal.map(|refusal| refusal.error.clone()),
        cause: refusal.map(|refusal| refusal.cause.clone()),
    };
    Handled::success(outcome, json!(reply))
}
