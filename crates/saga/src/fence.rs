//! The fence: one record per saga id and step, written in the same local transaction as the effect, that makes run
//! and undo exactly-once in effect and ordered.
//!
//! It is the [sub-transaction barrier](https://en.dtm.pub/practice/barrier.html) of dtm, as a state machine:
//!
//! | fence | run | undo | settle (pivot) |
//! | --- | --- | --- | --- |
//! | absent | apply, set `done`; or set `rejected` | set `undone` | set `undone`, 'backward' |
//! | started | call again with the same key | set `undone`, reverse by key | set `undone`, 'backward' |
//! | done | reply again | apply the inverse, set `undone` | 'forward' |
//! | rejected | reply again, after reversing an outside effect by key | set `undone` | 'backward' |
//! | undone | too late, after reversing an outside effect by key | reply again | 'backward' |

use crate::{message::SagaId, rejection::Refusal, write::Write};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// Which fence.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FenceKey {
    /// The saga id.
    pub saga_id: SagaId,
    /// The step.
    pub step: &'static str,
}

/// What a fence records.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fence {
    /// The call of a step with an outside effect may have been sent.
    Started,
    /// The step took effect.
    Done {
        /// What it produced.
        output: Json,
        /// The writes that reverse it.
        inverse: Vec<Write>,
    },
    /// The step said no, without effect.
    Rejected(Refusal),
    /// The step has been undone, or will never be done.
    Undone,
}

/// The state of a fence, without what it records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FenceState {
    /// See [`Fence::Started`].
    Started,
    /// See [`Fence::Done`].
    Done,
    /// See [`Fence::Rejected`].
    Rejected,
    /// See [`Fence::Undone`].
    Undone,
}

impl FenceState {
    /// The stored name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Done => "done",
            Self::Rejected => "rejected",
            Self::Undone => "undone",
        }
    }
}

impl Fence {
    /// Its state.
    pub fn state(&self) -> FenceState {
        match self {
            Self::Started => FenceState::Started,
            Self::Done { .. } => FenceState::Done,
            Self::Rejected(_) => FenceState::Rejected,
            Self::Undone => FenceState::Undone,
        }
    }
}

/// What to do when a run arrives.
#[derive(Debug, PartialEq)]
pub enum OnRun<'a> {
    /// Do the step.
    Run,
    /// Reply the recorded output again.
    ReplyDone(&'a Json),
    /// Reply the recorded rejection again.
    ReplyRejected(&'a Refusal),
    /// Refuse: the saga is compensating. A step with an outside effect first reverses it by its key.
    TooLate,
}

/// What to do when a run arrives.
pub fn on_run(fence: Option<&Fence>) -> OnRun<'_> {
    match fence {
        None | Some(Fence::Started) => OnRun::Run,
        Some(Fence::Done { output, .. }) => OnRun::ReplyDone(output),
        Some(Fence::Rejected(refusal)) => OnRun::ReplyRejected(refusal),
        Some(Fence::Undone) => OnRun::TooLate,
    }
}

/// What to do when an undo arrives.
#[derive(Debug, PartialEq)]
pub enum OnUndo<'a> {
    /// Nothing is known to have taken effect: set `undone` alone, so that a late run finds it.
    Tombstone,
    /// Apply the inverse and set `undone`.
    Reverse {
        /// What the step produced.
        output: &'a Json,
        /// The recorded inverse.
        inverse: &'a [Write],
    },
    /// Reply again.
    AlreadyUndone,
}

/// What to do when an undo arrives.
pub fn on_undo(fence: Option<&Fence>) -> OnUndo<'_> {
    match fence {
        None | Some(Fence::Started | Fence::Rejected(_)) => OnUndo::Tombstone,
        Some(Fence::Done { output, inverse }) => OnUndo::Reverse { output, inverse },
        Some(Fence::Undone) => OnUndo::AlreadyUndone,
    }
}

/// What to do when a settle arrives.
#[derive(Debug, PartialEq)]
pub enum OnSettle<'a> {
    /// Set `undone`: by asking, the answer is decided.
    FenceOff,
    /// Reply 'forward' with the output.
    Forward(&'a Json),
    /// Reply 'backward', with the rejection if one is recorded.
    Backward(Option<&'a Refusal>),
}

/// What to do when a settle arrives.
pub fn on_settle(fence: Option<&Fence>) -> OnSettle<'_> {
    match fence {
        None | Some(Fence::Started) => OnSettle::FenceOff,
        Some(Fence::Done { output, .. }) => OnSettle::Forward(output),
        Some(Fence::Rejected(refusal)) => OnSettle::Backward(Some(refusal)),
        Some(Fence::Undone) => OnSettle::Backward(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn fences() -> [Option<Fence>; 5] {
        let done = Fence::Done { output: json!(7), inverse: Vec::new() };
        [None, Some(Fence::Started), Some(done), Some(Fence::Rejected(refusal())), Some(Fence::Undone)]
    }

    fn refusal() -> Refusal {
        Refusal { error: "No".into(), cause: "{}".into() }
    }

    #[test]
    fn every_cell_of_the_table() {
        let (seven, no) = (json!(7), refusal());
        let runs =
            [OnRun::Run, OnRun::Run, OnRun::ReplyDone(&seven), OnRun::ReplyRejected(&no), OnRun::TooLate];
        let undos = [
            OnUndo::Tombstone,
            OnUndo::Tombstone,
            OnUndo::Reverse { output: &seven, inverse: &[] },
            OnUndo::Tombstone,
            OnUndo::AlreadyUndone,
        ];
        let settles = [
            OnSettle::FenceOff,
            OnSettle::FenceOff,
            OnSettle::Forward(&seven),
            OnSettle::Backward(Some(&no)),
            OnSettle::Backward(None),
        ];
        for (fence, ((run, undo), settle)) in fences().iter().zip(runs.into_iter().zip(undos).zip(settles)) {
            assert_eq!(on_run(fence.as_ref()), run, "run finds {fence:?}");
            assert_eq!(on_undo(fence.as_ref()), undo, "undo finds {fence:?}");
            assert_eq!(on_settle(fence.as_ref()), settle, "settle finds {fence:?}");
        }
    }

    #[test]
    fn a_stored_state_is_named_as_in_json() {
        for fence in fences().into_iter().flatten() {
            let json = json!(fence);
            let name = json.as_str().or_else(|| json.as_object()?.keys().next().map(String::as_str));
            assert_eq!(name, Some(fence.state().as_str()));
        }
    }
}
