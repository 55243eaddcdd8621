//! What happens after a long time: fences expire, and ids are used again.

use super::{
    actions::{Action, small},
    state::{Mark, State},
    tables::{Tables, Work},
};
use crate::{asl::Execution, intern::Id};
use saga::{
    StepKey,
    fence::{Fence, Recorded},
};

impl Tables {
    pub(super) fn late_actions(&self, state: &State, actions: &mut Vec<Action>) {
        if state.faults == 0 {
            return;
        }
        for saga in 0..self.starts.len() {
            if self.can_expire(state, saga) {
                actions.push(Action::Expire { saga: small(saga) });
            }
            if self.can_come_again(state, saga) {
                actions.extend([false, true].map(|late| Action::Again { saga: small(saga), late }));
            }
            if self.can_be_taken(state, saga) {
                actions.push(Action::Another { saga: small(saga) });
            }
        }
    }

    /// An execution that settles the saga lay parked until it died, and nobody settles for it yet: by then no message of
    /// the saga is left, and its fences are as old as they get.
    fn can_expire(&self, state: &State, saga: usize) -> bool {
        let of_saga = |slot: &usize| self.standing(state.runs[*slot]).saga == saga;
        let mut slots = (0..state.runs.len()).filter(of_saga);
        let Some(last) = slots.clone().next_back() else { return false };
        state.expired >> saga & 1 == 0
            && self.standing(state.runs[last]).settling.is_some()
            && self.unsettled(state, last)
            && slots.all(|slot| self.standing(state.runs[slot]).waits.is_empty())
            && !self.has_messages(state, saga)
    }

    fn has_messages(&self, state: &State, saga: usize) -> bool {
        let id = self.starts[saga].name.as_str();
        state.flights.iter().any(|flight| {
            let message = self.messages.value(flight.message);
            message.saga_id == id && matches!(message.work, Work::Request { .. })
        })
    }

    /// The fences of the saga are gone. What was done to it is not forgotten.
    pub(super) fn expire(&self, state: &mut State, saga: usize) {
        for store in &mut state.stores {
            *store = self.expiries.get((*store, saga), || {
                let mut held = self.stores.value(*store).clone();
                held.memory.fences.retain(|key, _| !self.is_of(key, saga));
                self.stores.id(held)
            });
        }
        state.expired |= 1 << saga;
    }

    /// Whether the fence is one under the id of this saga.
    fn is_of(&self, key: &StepKey, saga: usize) -> bool {
        let start = &self.starts[saga];
        let (name, _) = &self.machines[start.machine];
        key.saga_id.as_str() == start.name && key.saga.as_str() == name
    }

    /// The place of the saga whose id this one has, if it is one that comes again.
    pub(super) fn first_of(&self, saga: usize) -> Option<usize> {
        let again = self.starts.get(saga).filter(|_| saga >= self.at_first)?;
        self.starts.iter().position(|start| start.machine == again.machine && start.name == again.name)
    }

    /// The id of this saga was used again, long after: its executions are forgotten.
    pub(super) fn is_forgotten(&self, state: &State, saga: usize) -> bool {
        let again = |run: &Id| {
            let standing = self.standing(*run);
            self.first_of(standing.saga) == Some(saga) && standing.name == self.starts[saga].name
        };
        self.at_first < self.starts.len() && state.runs.iter().any(again)
    }

    /// Its id is used for another run, now or before.
    pub(super) fn has_begun(&self, state: &State, saga: usize) -> bool {
        state.runs.iter().any(|run| self.standing(*run).saga == saga)
    }

    /// An execution can be run again for a few days after it died.
    pub(super) fn can_be_redriven(&self, state: &State, saga: usize) -> bool {
        state.expired >> saga & 1 == 0 && !self.is_forgotten(state, saga)
    }

    /// The saga that had the id before has ended, long ago.
    fn can_come_again(&self, state: &State, saga: usize) -> bool {
        let Some(first) = self.first_of(saga) else { return false };
        if self.has_begun(state, saga) {
            return false;
        }
        let ended = |slot: usize| {
            let standing = self.standing(state.runs[slot]);
            standing.saga != first || standing.waits.is_empty() && !self.unsettled(state, slot)
        };
        let live = |mark| matches!(mark, Mark::Live | Mark::Adrift | Mark::Redriven);
        let id = self.starts[saga].name.as_str();
        !self.is_forgotten(state, first)
            && state.expired >> first & 1 == 0
            && (0..state.runs.len()).all(ended)
            && !state
                .flights
                .iter()
                .any(|flight| live(flight.mark) && self.messages.value(flight.message).saga_id == id)
    }

    /// The id is used again. No queue keeps a message for so long, and no sweep takes so long. `late`: nor is there a fence any more.
    pub(super) fn come_again(&self, state: &mut State, saga: usize, late: bool) {
        let id = self.starts[saga].name.clone();
        let kept = |message: &super::tables::Message| {
            let of_saga =
                matches!(message.work, Work::Request { .. } | Work::Report(_)) && message.saga_id == id;
            !of_saga && message.work != Work::Sweep
        };
        state.flights.retain(|flight| kept(self.messages.value(flight.message)));
        if let (true, Some(first)) = (late, self.first_of(saga)) {
            // Reconciliation has looked many times by then.
            *state = self.reconciled(state);
            self.expire(state, first);
        }
        self.begin_execution(state, self.starts[saga].clone());
    }

    /// A state machine that was made again does not know the names of the first one. The id belongs to the run that did a step:
    /// before that it is open which of the two is turned away.
    fn can_be_taken(&self, state: &State, saga: usize) -> bool {
        let Some(first) = self.first_of(saga) else { return false };
        self.machines[self.starts[first].machine].1.settles()
            && !self.has_begun(state, saga)
            && state.expired >> first & 1 == 0
            && state.stores.iter().any(|store| self.done_under(*store) >> first & 1 == 1)
    }

    /// The sagas of which a store has a fence that is `done`, as bits.
    fn done_under(&self, store: Id) -> u16 {
        *self.done_under.get(store, || {
            let done = |recorded: &Recorded| matches!(recorded.fence, Fence::Done { .. });
            let fences = &self.stores.value(store).memory.fences;
            let of =
                |saga: usize| fences.iter().any(|(key, recorded)| self.is_of(key, saga) && done(recorded));
            (0..self.starts.len()).filter(|saga| of(*saga)).fold(0, |bits, saga| bits | 1 << saga)
        })
    }

    /// Another run begins under an id that is taken.
    pub(super) fn begin_another(&self, state: &mut State, saga: usize) {
        let again = &self.starts[saga];
        let another = Execution { name: format!("{}-other", again.name), ..again.clone() };
        self.begin_execution(state, another);
    }
}
