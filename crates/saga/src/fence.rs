//! The fence: one record per step of a saga id, written in the same local transaction as the effect, that makes run and
//! undo exactly-once in effect and ordered.
//!
//! It is the [sub-transaction barrier](https://en.dtm.pub/practice/barrier.html) of dtm, as a state machine:
//!
//! | fence | run | undo | settle (pivot) | abandon |
//! | --- | --- | --- | --- | --- |
//! | absent | apply, set `done`; or set `rejected` | set `undone` | set `undone`, 'backward'; or refuse, see [`IfAbsent`] | set `abandoned` |
//! | started | call again with the same key | set `undone`, reverse by key | set `undone`, 'backward' | set `abandoned` |
//! | done | reply again | apply the inverse, set `undone` | 'forward' | set `abandoned` |
//! | rejected | reply again, after reversing an outside effect by key | set `undone` | 'backward' | set `abandoned` |
//! | undone | too late, after reversing an outside effect by key | reply again, after reversing by key | 'backward' | set `abandoned`; nothing to do when a later execution has undone it, see [`Recorded::turn`] |
//! | abandoned | refuse: an operator has decided | nothing to do, nothing is reversed | (a pivot is never abandoned) | reply again |
//! | of another run | refuse | nothing to do, nothing is touched | 'backward', nothing is touched | nothing to do |

use crate::{identity::RunDigest, message::IfAbsent, rejection::Refusal, write::Write};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

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
    /// An operator went on without the step: nothing is done or undone any more.
    Abandoned {
        /// What had become of it until then; `None` when nothing was recorded.
        was: Option<FenceState>,
    },
}

/// A fence as it is stored: what it records, and of which run.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Recorded {
    /// The run that wrote it; unknown for one of version 1.
    pub run: Option<RunDigest>,
    /// Of an undone one: which of the executions that act for the saga has undone it, in the order of time. The word of an
    /// operator that an earlier execution still has on its way does not change it any more.
    pub turn: u32,
    /// What it records.
    pub fence: Fence,
}

/// The state of a fence, without what it records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FenceState {
    /// See [`Fence::Started`].
    Started,
    /// See [`Fence::Done`].
    Done,
    /// See [`Fence::Rejected`].
    Rejected,
    /// See [`Fence::Undone`].
    Undone,
    /// See [`Fence::Abandoned`].
    Abandoned,
}

impl FenceState {
    /// Every state.
    pub const ALL: [Self; 5] = [Self::Started, Self::Done, Self::Rejected, Self::Undone, Self::Abandoned];

    /// The stored name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Done => "done",
            Self::Rejected => "rejected",
            Self::Undone => "undone",
            Self::Abandoned => "abandoned",
        }
    }

    /// The state with this stored name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
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
            Self::Abandoned { .. } => FenceState::Abandoned,
        }
    }
}

/// How it stands with a fence: what it takes to go on without the step.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Standing {
    /// The run that wrote it; unknown for one of version 1.
    pub run: Option<RunDigest>,
    /// See [`Recorded::turn`].
    pub turn: u32,
    /// Its state.
    pub state: FenceState,
    /// Of an abandoned one: its state until then.
    pub was: Option<FenceState>,
}

impl From<Recorded> for Standing {
    fn from(Recorded { run, turn, fence }: Recorded) -> Self {
        let was = if let Fence::Abandoned { was } = fence { was } else { None };
        Self { run, turn, state: fence.state(), was }
    }
}

/// A fence as a message of some run finds it.
enum Found<'a> {
    Absent,
    Ours(&'a Fence),
    OfAnotherRun,
}

fn found<'a>(recorded: Option<&'a Recorded>, run: Option<&RunDigest>) -> Found<'a> {
    match recorded {
        None => Found::Absent,
        Some(recorded) if RunDigest::same(recorded.run.as_ref(), run) => Found::Ours(&recorded.fence),
        Some(_) => Found::OfAnotherRun,
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
    /// Refuse: an operator went on without the step. Nothing is reversed.
    Abandoned,
    /// Refuse: the fence is of another run of this saga id.
    OtherRun,
}

/// What to do when a run arrives.
pub fn on_run<'a>(recorded: Option<&'a Recorded>, run: Option<&RunDigest>) -> OnRun<'a> {
    match found(recorded, run) {
        Found::Absent | Found::Ours(Fence::Started) => OnRun::Run,
        Found::Ours(Fence::Done { output, .. }) => OnRun::ReplyDone(output),
        Found::Ours(Fence::Rejected(refusal)) => OnRun::ReplyRejected(refusal),
        Found::Ours(Fence::Undone) => OnRun::TooLate,
        Found::Ours(Fence::Abandoned { .. }) => OnRun::Abandoned,
        Found::OfAnotherRun => OnRun::OtherRun,
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
    /// Reply again. A step with an outside effect first reverses it by its key again.
    AlreadyUndone,
    /// As [`Self::AlreadyUndone`], once the fence is written anew in this turn: an earlier one has undone it.
    UndoneEarlier,
    /// Reply without doing anything: an operator went on without the step.
    Abandoned,
    /// Reply without doing anything: the fence is of another run of this saga id, so this one never had an effect.
    OtherRun,
}

/// What to do when an undo arrives.
pub fn on_undo<'a>(recorded: Option<&'a Recorded>, run: Option<&RunDigest>, turn: u32) -> OnUndo<'a> {
    match found(recorded, run) {
        Found::Absent | Found::Ours(Fence::Started | Fence::Rejected(_)) => OnUndo::Tombstone,
        Found::Ours(Fence::Done { output, inverse }) => OnUndo::Reverse { output, inverse },
        Found::Ours(Fence::Undone) if recorded.is_some_and(|recorded| recorded.turn < turn) => {
            OnUndo::UndoneEarlier
        }
        Found::Ours(Fence::Undone) => OnUndo::AlreadyUndone,
        Found::Ours(Fence::Abandoned { .. }) => OnUndo::Abandoned,
        Found::OfAnotherRun => OnUndo::OtherRun,
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
    /// Refuse: the fence is gone, and it is not known what it said.
    Gone,
    /// Reply 'backward': the fence is of another run of this saga id, so the pivot of this one was never done.
    OtherRun,
}

/// What to do when a settle arrives.
pub fn on_settle<'a>(
    recorded: Option<&'a Recorded>,
    run: Option<&RunDigest>,
    if_absent: IfAbsent,
) -> OnSettle<'a> {
    match found(recorded, run) {
        Found::Absent if if_absent == IfAbsent::Refuse => OnSettle::Gone,
        Found::Absent | Found::Ours(Fence::Started) => OnSettle::FenceOff,
        Found::Ours(Fence::Done { output, .. }) => OnSettle::Forward(output),
        Found::Ours(Fence::Rejected(refusal)) => OnSettle::Backward(Some(refusal)),
        Found::Ours(Fence::Undone | Fence::Abandoned { .. }) => OnSettle::Backward(None),
        Found::OfAnotherRun => OnSettle::OtherRun,
    }
}

/// What to do when an abandon arrives.
#[derive(Debug, Clone, PartialEq)]
pub enum OnAbandon {
    /// Set `abandoned`.
    Abandon {
        /// What had become of the step until now.
        was: Option<FenceState>,
    },
    /// Reply again.
    AlreadyAbandoned {
        /// What had become of the step until then.
        was: Option<FenceState>,
    },
    /// Reply that nothing is left to go on without: an execution of a later turn has undone the step.
    UndoneSince,
    /// Reply without doing anything: the fence is of another run of this saga id.
    OtherRun,
}

/// What to do when an abandon arrives.
pub fn on_abandon(standing: Option<&Standing>, run: Option<&RunDigest>, turn: u32) -> OnAbandon {
    match standing {
        None => OnAbandon::Abandon { was: None },
        Some(found) if !RunDigest::same(found.run.as_ref(), run) => OnAbandon::OtherRun,
        Some(Standing { state: FenceState::Abandoned, was, .. }) => OnAbandon::AlreadyAbandoned { was: *was },
        Some(found) if found.turn > turn => OnAbandon::UndoneSince,
        Some(found) => OnAbandon::Abandon { was: Some(found.state) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const WAS: Option<FenceState> = Some(FenceState::Done);

    fn run(input: u32) -> RunDigest {
        RunDigest::of(&json!(input))
    }

    /// Every fence, written by a run.
    fn fences(written_by: Option<&RunDigest>) -> [Option<Recorded>; 6] {
        let recorded = |fence| Some(Recorded { run: written_by.cloned(), turn: 0, fence });
        let done = Fence::Done { output: json!(7), inverse: Vec::new() };
        [
            None,
            recorded(Fence::Started),
            recorded(done),
            recorded(Fence::Rejected(refusal())),
            recorded(Fence::Undone),
            recorded(Fence::Abandoned { was: WAS }),
        ]
    }

    fn refusal() -> Refusal {
        Refusal { error: "No".into(), cause: "{}".into() }
    }

    #[test]
    fn every_cell_of_the_table() {
        let (seven, no, one) = (json!(7), refusal(), run(1));
        let runs = || {
            [
                OnRun::Run,
                OnRun::Run,
                OnRun::ReplyDone(&seven),
                OnRun::ReplyRejected(&no),
                OnRun::TooLate,
                OnRun::Abandoned,
            ]
        };
        let undos = || {
            [
                OnUndo::Tombstone,
                OnUndo::Tombstone,
                OnUndo::Reverse { output: &seven, inverse: &[] },
                OnUndo::Tombstone,
                OnUndo::AlreadyUndone,
                OnUndo::Abandoned,
            ]
        };
        let settles = || {
            [
                OnSettle::FenceOff,
                OnSettle::FenceOff,
                OnSettle::Forward(&seven),
                OnSettle::Backward(Some(&no)),
                OnSettle::Backward(None),
                OnSettle::Backward(None),
            ]
        };
        let abandon = |was| OnAbandon::Abandon { was };
        let abandons = || {
            [
                abandon(None),
                abandon(Some(FenceState::Started)),
                abandon(Some(FenceState::Done)),
                abandon(Some(FenceState::Rejected)),
                abandon(Some(FenceState::Undone)),
                OnAbandon::AlreadyAbandoned { was: WAS },
            ]
        };
        // A message or a fence of version 1 knows no run.
        for (writer, asker) in [(Some(&one), Some(&one)), (None, Some(&one)), (Some(&one), None)] {
            let fences = fences(writer);
            for (fence, expected) in fences.iter().zip(runs()) {
                assert_eq!(on_run(fence.as_ref(), asker), expected);
            }
            for (fence, expected) in fences.iter().zip(undos()) {
                assert_eq!(on_undo(fence.as_ref(), asker, 0), expected);
            }
            for (fence, expected) in fences.iter().zip(settles()) {
                assert_eq!(on_settle(fence.as_ref(), asker, IfAbsent::Decide), expected);
            }
            for (fence, expected) in fences.iter().zip(abandons()) {
                assert_eq!(on_abandon(fence.clone().map(Standing::from).as_ref(), asker, 0), expected);
            }
        }
    }

    #[test]
    fn a_fence_of_another_run_is_never_answered_from() {
        let (one, other) = (run(1), run(2));
        for fence in fences(Some(&one)).iter().skip(1) {
            let fence = fence.as_ref();
            assert_eq!(on_run(fence, Some(&other)), OnRun::OtherRun);
            assert_eq!(on_undo(fence, Some(&other), 0), OnUndo::OtherRun);
            let standing = fence.cloned().map(Standing::from);
            assert_eq!(on_abandon(standing.as_ref(), Some(&other), 0), OnAbandon::OtherRun);
            for if_absent in [IfAbsent::Decide, IfAbsent::Refuse] {
                assert_eq!(on_settle(fence, Some(&other), if_absent), OnSettle::OtherRun);
            }
        }
    }

    #[test]
    fn what_a_later_execution_has_undone_an_earlier_one_does_not_skip() {
        let undone = |turn| Recorded { run: None, turn, fence: Fence::Undone };
        let undo = |there, turn| on_undo(Some(&undone(there)), None, turn) == OnUndo::UndoneEarlier;
        assert_eq!([undo(0, 0), undo(1, 1), undo(2, 1), undo(0, 1)], [false, false, false, true]);
        let abandon = |there, turn| on_abandon(Some(&undone(there).into()), None, turn);
        let abandoned = OnAbandon::Abandon { was: Some(FenceState::Undone) };
        assert_eq!(
            [abandon(0, 0), abandon(0, 1), abandon(1, 1)],
            [abandoned.clone(), abandoned.clone(), abandoned]
        );
        assert_eq!([abandon(1, 0), abandon(3, 2)], [OnAbandon::UndoneSince, OnAbandon::UndoneSince]);
    }

    #[test]
    fn only_an_absent_fence_can_be_gone() {
        let one = run(1);
        for fence in fences(Some(&one)) {
            let gone = on_settle(fence.as_ref(), Some(&one), IfAbsent::Refuse) == OnSettle::Gone;
            assert_eq!(gone, fence.is_none());
        }
    }

    #[test]
    fn a_state_is_read_from_its_name() {
        for state in FenceState::ALL {
            assert_eq!(FenceState::named(state.as_str()), Some(state));
        }
        assert_eq!(FenceState::named("asleep"), None);
    }
}
