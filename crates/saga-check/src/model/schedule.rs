//! What runs on a schedule, when nothing else happens: it has the last word.

use super::{
    actions::Fate,
    state::State,
    tables::{Manner, Message, Tables},
};
use crate::{intern::Id, process::Progress};

/// How often reconciliation looks at everything that stands: what it does not leave alone by then it never does.
const MOST_TURNS: usize = 4;

impl Tables {
    /// What a sweep leaves.
    pub(super) fn swept(&self, state: &State) -> State {
        let mut state = state.clone();
        self.run_alone(&mut state, self.messages.id(Message::sweep()));
        state
    }

    /// What reconciliation leaves when it looks at everything that stands until nothing changes any more.
    pub(super) fn reconciled(&self, state: &State) -> State {
        let mut state = state.clone();
        for _ in 0..MOST_TURNS {
            let before = (state.peer, state.stores.clone());
            for message in self.examined(state.peer) {
                self.run_alone(&mut state, *message);
            }
            if before == (state.peer, state.stores.clone()) {
                break;
            }
        }
        state
    }

    /// Does all that there is to do for a message, and everything works.
    fn run_alone(&self, state: &mut State, message: Id) {
        let mut process = self.begin(message);
        loop {
            let known = self.known(process);
            let Progress::Asks(ask) = &known.progress else { return };
            let asked = self.asked_now(state, process, ask, Manner::Well);
            let Some(asked) = asked.first() else { return };
            self.change(state, known, ask, asked, Fate::Well.manner());
            process = asked.process;
        }
    }
}
