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
use std::{collections::BTreeSet, sync::Arc};

/// What is left of a step.
pub(super) struct Left {
    pub(super) fence: Option<Fence>,
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
pub(super) fn left(held: &[Arc<Held>], ended: &Ended<'_>, step: &str) -> Left {
    let Ended { end, start, .. } = ended;
    let run = start.input["run"].as_str();
    let ours = |key: &StepKey, of: Option<&RunDigest>| {
        key.saga.as_str() == end.saga
            && key.saga_id.as_str() == end.id
            && key.step == step
            && (run.is_none() || of.is_none_or(|of| Some(of.as_str()) == run))
    };
    let mut fences = held.iter().flat_map(|held| held.memory.fences.iter());
    let mut effects = held.iter().flat_map(|held| held.effects.iter());
    Left {
        fence: fences
            .find(|(key, recorded)| ours(key, recorded.run.as_ref()))
            .map(|(_, recorded)| recorded.fence.clone()),
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
        (!self.is_abandoned())
            .then(|| format!("{saga} {id} went on without `{step}`, but the fence of `{step}` is {fence}"))
    }
}

/// The steps that its executions say they went on without.
pub(super) fn skipped<'a>(runs: &'a [Arc<Run>], acting: &[usize]) -> BTreeSet<&'a str> {
    let of = |slot: &usize| match runs[*slot].end() {
        Some(End::Succeeded(output)) => output["skipped"].as_object(),
        _ => None,
    };
    acting.iter().filter_map(of).flat_map(|skipped| skipped.keys().map(String::as_str)).collect()
}
