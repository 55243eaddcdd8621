//! The model: executions, queues, handlers at work, stores, an outside peer, timers and an operator.
//!
//! A state is a list of small numbers that stand for interned values, and every transition of a part is a remembered
//! pure function of that part and what happens to it. So most of the search is table look-ups.

mod actions;
mod apply;
mod judge;
mod state;
mod tables;

pub(crate) use actions::{Action, Fate, operator_event};
pub(crate) use state::{Flight, QUEUED, State, owner};
pub(crate) use tables::{FATES, Held, Limits, Manner, Process, Tables};

use stateright::{Model, Property};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// The property that the checker looks for.
pub(crate) const HOLDS: &str = "what must always hold";

/// What the checker explores.
#[derive(Clone)]
pub(crate) struct Explored {
    pub(crate) tables: Arc<Tables>,
    /// Set when the search is to stop where it is.
    pub(crate) stop: Arc<AtomicBool>,
}

impl Model for Explored {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![self.tables.first()]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if !self.stop.load(Ordering::Relaxed) {
            self.tables.actions(state, actions);
        }
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        Some(self.tables.after(state, action))
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![Property::always(HOLDS, |_, state: &State| state.verdict == 0)]
    }
}
