//! What is left of the steps of a saga that has ended.

use super::effects::{Effects, Held};
use crate::{
    asl::{End, Execution, Run},
    invariant::SagaEnd,
};
use saga::{
    RunDigest, StepKey,
    fence::{Fence, FenceState},
};
use std::collections::BTreeSet;

/// What is left of a step.
pub(super) struct Left {
    pub(super) fence: Option<Fence>,
    /// The fence is of another run of the saga id.
    taken: bool,
    pub(super) effects: Effects,
}

/// A saga that has ended.
pub(super) struct Ended<'a> {
    pub(super) end: SagaEnd<'a>,
    /// The steps that its executions say they went on without.
    pub(super) skipped: BTreeSet<&'a str>,
    pub(super) start: &'a Execution,
    /// Its fences are gone, or it has none.
    pub(super) expired: bool,
    /// And an operator decided something then.
    pub(super) blind: bool,
}

/// What is left of a step of this run.
pub(super) fn left(held: &[&Held], ended: &Ended<'_>, step: &str) -> Left {
    let Ended { end, start, .. } = ended;
    let run = start.input["run"].as_str();
    let of_id =
        |key: &StepKey| key.saga.as_str() == end.saga && key.saga_id.as_str() == end.id && key.step == step;
    let of_run = |of: Option<&RunDigest>| run.is_none() || of.is_none_or(|of| Some(of.as_str()) == run);
    let ours = |key: &StepKey, of: Option<&RunDigest>| of_id(key) && of_run(of);
    let mut fences = held.iter().flat_map(|held| held.memory.fences.iter());
    let mut effects = held.iter().flat_map(|held| held.effects.iter());
    let found = fences.find(|(key, _)| of_id(key)).map(|(_, recorded)| recorded);
    let (fence, taken) = match found {
        Some(recorded) if of_run(recorded.run.as_ref()) => (Some(recorded.fence.clone()), false),
        other => (None, other.is_some()),
    };
    Left {
        fence,
        taken,
        effects: effects.find(|((key, of), _)| ours(key, of.as_ref())).map(|(_, of)| *of).unwrap_or_default(),
    }
}

impl Left {
    /// Whether it is in this state, or was when it was abandoned: the message of an earlier skip can come late.
    pub(super) fn is_or_was(&self, state: FenceState) -> bool {
        match &self.fence {
            Some(Fence::Abandoned { was }) => *was == Some(state),
            fence => fence.as_ref().map(Fence::state) == Some(state),
        }
    }

    pub(super) fn is_abandoned(&self) -> bool {
        matches!(self.fence, Some(Fence::Abandoned { .. }))
    }

    pub(super) fn told(&self) -> &'static str {
        self.fence.as_ref().map_or("absent", |fence| fence.state().as_str())
    }

    pub(super) fn not_abandoned(&self, end: &SagaEnd<'_>, step: &str) -> Option<String> {
        let SagaEnd { saga, id, .. } = end;
        let fence = self.told();
        // What is of another run keeps a step from having an effect just as well.
        let nothing_to_abandon = self.taken && self.effects.runs == self.effects.undos;
        (!self.is_abandoned() && !nothing_to_abandon)
            .then(|| format!("{saga} {id} went on without `{step}`, but the fence of `{step}` is {fence}"))
    }
}

/// The steps that its executions say they went on without.
pub(super) fn skipped<'a>(runs: &[&'a Run], acting: &[usize]) -> BTreeSet<&'a str> {
    let of = |slot: &usize| match runs[*slot].end() {
        Some(End::Succeeded(output)) => output["skipped"].as_object(),
        _ => None,
    };
    acting.iter().filter_map(of).flat_map(|skipped| skipped.keys().map(String::as_str)).collect()
}
