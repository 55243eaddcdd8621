//! What becomes of a parked saga when nothing fails any more.

use super::{
    actions::{Action, Fate},
    state::{State, WRITTEN_MEANWHILE},
    tables::Tables,
};
use saga::{FENCE_GONE, parked_table::FAILURE};
use smallvec::SmallVec;

/// How much happens at most until a saga that was parked has ended. It ends much sooner.
const MOST_STEPS: usize = 1_000;

impl Tables {
    /// Something stays parked although the operator says 'retry' and from then on everything works.
    pub(super) fn stays_parked(&self, parked: &State) -> Option<String> {
        if !self.limits.heals || self.operable(parked.parked).is_empty() || self.lacks_a_fence(parked) {
            return None;
        }
        // Whatever still lies in a queue may never be handled.
        let (flights, flags) = (SmallVec::new(), parked.flags | WRITTEN_MEANWHILE);
        let mut state = State { faults: 0, retries: 0, flights, flags, ..parked.clone() };
        for record in self.operable(parked.parked) {
            let retry = Action::Operate { token: record.token, skip: false, only: 0, way: 0 };
            state = self.follow(&state, retry);
        }
        let mut actions = Vec::new();
        for _ in 0..MOST_STEPS {
            actions.clear();
            self.actions(&state, &mut actions);
            let works = |action: &&Action| matches!(action, Action::Handle { fate: Fate::Well, way: 0, .. });
            let timer = |action: &&Action| matches!(action, Action::TimeOut { .. });
            let Some(action) = actions.iter().find(works).or_else(|| actions.iter().find(timer)) else {
                break;
            };
            state = self.follow(&state, *action);
        }
        if self.operable(state.parked).is_empty() || self.lacks_a_fence(&state) {
            return None;
        }
        let parked = self.parked.value(state.parked);
        let (item, _) = parked.values().find(|(item, _)| item.get(FAILURE).is_some())?;
        let why = item[FAILURE]["S"].as_str().unwrap_or_default();
        Some(format!(
            "what is parked parks again when nothing fails any more and the operator says 'retry': {why}"
        ))
    }

    /// A fence is gone: only an operator knows what it said.
    fn lacks_a_fence(&self, state: &State) -> bool {
        let parked = self.parked.value(state.parked);
        let lacks = |text: &str| text.contains(FENCE_GONE);
        parked.values().any(|(item, _)| item[FAILURE]["S"].as_str().is_some_and(lacks))
    }

    /// What somebody else writes, who has nothing to do with sagas.
    pub(super) fn write_meanwhile(&self, state: &mut State) {
        let Some(written) = &self.meanwhile else { return };
        state.flags |= WRITTEN_MEANWHILE;
        let store = &mut state.stores[written.host];
        let mut held = (*self.stores.value(*store)).clone();
        if let Some(row) = held.memory.rows.get_mut(&written.key) {
            row.extend(written.row.clone());
        }
        *store = self.stores.id(held);
    }

    /// Whether the item is there that somebody else writes to, and is not written yet.
    pub(super) fn can_be_written_meanwhile(&self, state: &State) -> bool {
        let there = |written: &super::tables::Meanwhile| {
            self.stores.value(state.stores[written.host]).memory.rows.contains_key(&written.key)
        };
        state.flags & WRITTEN_MEANWHILE == 0 && self.meanwhile.as_ref().is_some_and(there)
    }
}
