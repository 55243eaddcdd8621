//! What a store holds, and an account of what was done to it.

use super::tables::Wanted;
use saga::{MemoryState, Op, RunDigest, StepKey, Transaction, Write};
use std::collections::BTreeMap;

/// What a participant's store holds, and what was done to it on the way.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Held {
    pub(crate) memory: MemoryState,
    pub(crate) effects: BTreeMap<Effector, Effects>,
}

/// Who takes effect: a step of one run of a saga id.
pub(crate) type Effector = (StepKey, Option<RunDigest>);

/// What the writes of one step of one run came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) struct Effects {
    pub(crate) runs: u8,
    pub(crate) undos: u8,
    /// An undo was answered: nothing may happen any more.
    pub(crate) closed: bool,
    /// An abandon was answered: nothing may happen any more.
    pub(crate) abandoned: bool,
}

impl Held {
    /// Keeps account of an applied transaction. Says what it breaks.
    pub(super) fn note(&mut self, of: &Wanted, transaction: &Transaction) -> Option<String> {
        if transaction.writes.iter().all(Write::only_checks) {
            return None;
        }
        let (step, id) = (&of.key.step, &of.key.saga_id);
        let effects = self.effects.entry((of.key.clone(), of.run.clone())).or_default();
        let abandoned =
            effects.abandoned.then(|| format!("`{step}` of {id} took effect after it was abandoned"));
        if of.op == Op::Run {
            effects.runs = effects.runs.saturating_add(1).min(3);
            if effects.closed || effects.undos > 0 {
                return Some(format!("`{step}` of {id} took effect after it was undone"));
            }
            let twice = (effects.runs > 1).then(|| format!("`{step}` of {id} took effect twice"));
            return abandoned.or(twice);
        }
        effects.undos = effects.undos.saturating_add(1).min(3);
        if effects.runs == 0 {
            return Some(format!("`{step}` of {id} was undone without having taken effect"));
        }
        let twice = (effects.undos > 1).then(|| format!("`{step}` of {id} was undone twice"));
        abandoned.or(twice)
    }

    /// A message was answered with success: what it undid is undone for good, and what it abandoned is left for good.
    pub(super) fn close(&mut self, of: &Wanted) {
        let effects = self.effects.entry((of.key.clone(), of.run.clone())).or_default();
        match of.op {
            Op::Undo => effects.closed = true,
            Op::Abandon => effects.abandoned = true,
            Op::Run | Op::Settle => {}
        }
    }
}
