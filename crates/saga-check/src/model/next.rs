//! What can happen next.

use super::{
    actions::{Action, Fate, event_of, operator_event, small},
    state::{Flight, Mark, QUEUED, State, VOID, owner, token},
    tables::{Asked, Known, Manner, Message, Operable, Tables, Work},
};
use crate::{
    asl::Event,
    intern::Id,
    process::{Ask, Progress},
};
use saga::{
    Reply,
    parked_table::{CAN_SKIP, FAILURE, NO},
};
use serde_json::Value as Json;
use smallvec::SmallVec;

/// Every way in which a question can be answered.
pub(crate) type Answers = SmallVec<[Asked; 4]>;

impl Tables {
    pub(crate) fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if state.verdict != 0 {
            return;
        }
        for (place, flight) in state.flights.iter().enumerate() {
            // Equal messages have equal futures.
            if place == 0 || state.flights[place - 1] != *flight {
                self.flight_actions(state, place, actions);
            }
        }
        for slot in 0..state.runs.len() {
            self.run_actions(state, slot, actions);
        }
        if self.can_be_written_meanwhile(state) {
            actions.push(Action::Write);
        }
        self.executions_beside(state, actions);
        self.operator_actions(state, actions);
        self.scheduled_actions(state, actions);
        self.late_actions(state, actions);
    }

    /// What runs on a schedule can begin at any moment. Where it would find nothing to do it is left out.
    fn scheduled_actions(&self, state: &State, actions: &mut Vec<Action>) {
        let works = |work: &dyn Fn(&Work) -> bool| {
            state.flights.iter().any(|flight| work(&self.messages.value(flight.message).work))
        };
        let sweep = Action::Sweep;
        if self.needs_sweep(state)
            && sweep.cost(self, state) <= state.faults
            && !works(&|work| *work == Work::Sweep)
        {
            actions.push(sweep);
        }
        for (place, message) in self.examined(state.peer).iter().enumerate() {
            if state.flights.iter().any(|flight| flight.message == *message) {
                continue;
            }
            let process = self.begin(*message);
            let known = self.known(process);
            let Progress::Asks(ask) = &known.progress else { continue };
            for (choice, asked) in self.asked_now(state, process, ask, Manner::Well).iter().enumerate() {
                if !matches!(self.known(asked.process).progress, Progress::Served) {
                    actions.push(Action::Examine { place: small(place), choice: small(choice) });
                }
            }
        }
    }

    /// What reconciliation has to look at.
    pub(crate) fn examined(&self, peer: Id) -> &[Id] {
        self.examined.get(peer, || {
            let Some(reconciliation) = &self.handlers.reconciliation else { return Box::default() };
            let keys = (reconciliation.list)(self.peers.value(peer));
            keys.into_iter().map(|key| self.messages.id(Message::examine(key))).collect()
        })
    }

    /// The event that an execution died is still to be handled, and nobody settles for it yet.
    pub(super) fn event_pending(&self, state: &State) -> bool {
        state.flights.iter().any(|flight| match &self.messages.value(flight.message).work {
            Work::Report(report) => {
                self.slot_of(state, &report.execution).is_some_and(|slot| self.unsettled(state, slot))
            }
            _ => false,
        })
    }

    /// How a question can be answered at this moment.
    pub(crate) fn asked_now(&self, state: &State, process: Id, ask: &Ask, manner: Manner) -> Answers {
        match ask {
            Ask::Describe(_) | Ask::ListDead { .. } | Ask::Start { .. } => {
                self.asked_executions(state, process, ask, manner)
            }
            _ => self.asked(process, self.world(state, self.known(process), ask), manner).into(),
        }
    }

    fn flight_actions(&self, state: &State, place: usize, actions: &mut Vec<Action>) {
        let flight = state.flights[place];
        let number = small(place);
        match flight.mark {
            Mark::Dead => return actions.push(Action::PutBack { flight: number }),
            Mark::Adrift => {
                let known = self.known(flight.process);
                let Progress::Asks(ask) = &known.progress else { return };
                let ways = self.asked_now(state, flight.process, ask, Manner::Well).len();
                actions.extend((0..small(ways)).map(|choice| Action::Land { flight: number, choice }));
                return;
            }
            Mark::Live | Mark::Redriven => {}
        }
        let queued = flight.process == QUEUED;
        let process = if queued { self.begin(flight.message) } else { flight.process };
        let handle = |fate, choice, way| Action::Handle { flight: number, fate, choice, way };
        let known = self.known(process);
        let Progress::Asks(ask) = &known.progress else {
            return actions.push(handle(Fate::Well, 0, 0));
        };
        let faults = state.faults > 0;
        for (choice, asked) in (0..).zip(self.asked_now(state, process, ask, Manner::Well).iter()) {
            actions.push(handle(Fate::Well, choice, 0));
            if !faults {
                continue;
            }
            if queued {
                actions.push(handle(Fate::Doubled, choice, 0));
            }
            if let Some(ways) = self.answer_ways(state, asked, flight.token) {
                actions.extend((1..small(ways)).map(|way| handle(Fate::Well, choice, way)));
                if self.can_time_out(state, flight.token) {
                    actions.push(handle(Fate::Late, choice, 0));
                }
            }
            if ask.changes() && self.replies(asked) {
                actions.push(handle(Fate::DiesAfter, choice, 0));
            }
            if matches!(ask, Ask::Outside(_)) {
                actions.push(handle(Fate::Adrift, choice, 0));
            }
            if matches!(ask, Ask::Outside(_) | Ask::Apply(_) | Ask::Start { .. } | Ask::Forget(..)) {
                actions.push(handle(Fate::AnswerLost, choice, 0));
            }
        }
        if faults {
            self.process_faults(state, process, queued, &handle, actions);
            let event = matches!(self.messages.value(flight.message).work, Work::Report(_));
            if event && queued && flight.receives == 0 {
                actions.push(Action::Lose { flight: number });
            }
        }
    }

    /// What can go wrong with a question, whatever the answer would be.
    fn process_faults(
        &self,
        state: &State,
        process: Id,
        queued: bool,
        handle: &dyn Fn(Fate, u8, u8) -> Action,
        actions: &mut Vec<Action>,
    ) {
        let known = self.known(process);
        let Progress::Asks(ask) = &known.progress else { return };
        if queued || known.changed {
            actions.push(handle(Fate::DiesBefore, 0, 0));
        }
        match ask {
            Ask::Reply(_) => {}
            Ask::Apply(_) => {
                actions.extend([Fate::Busy, Fate::Adrift, Fate::Again].map(|fate| handle(fate, 0, 0)));
            }
            Ask::Describe(_) => {
                actions.push(handle(Fate::Busy, 0, 0));
                let told = self.asked_now(state, process, ask, Manner::Stale).len();
                actions.extend((0..small(told)).map(|choice| handle(Fate::Stale, choice, 0)));
            }
            Ask::RecordsOf(id) => {
                actions.push(handle(Fate::Busy, 0, 0));
                if self.may_be_on_its_way(state.parked, id) {
                    actions.push(handle(Fate::Stale, 0, 0));
                }
            }
            _ => actions.push(handle(Fate::Busy, 0, 0)),
        }
    }

    /// The part of the world that a question is about.
    pub(crate) fn world(&self, state: &State, known: &Known, ask: &Ask) -> Id {
        match ask {
            Ask::Outside(_) => state.peer,
            Ask::RecordsOf(_) | Ask::Forget(..) => state.parked,
            _ => state.stores[known.host],
        }
    }

    /// A reply follows right after this.
    fn replies(&self, asked: &Asked) -> bool {
        matches!(&self.known(asked.process).progress, Progress::Asks(Ask::Reply(_)))
    }

    /// The event that the reply of a handler is for a task that waits in this branch.
    pub(super) fn answer(&self, process: Id, reply: &Reply, branch: u8) -> Id {
        self.answers.get((process, branch), || self.events.id(event_of(reply, branch)))
    }

    pub(super) fn time_out(&self, branch: u8, used_up: bool) -> Id {
        let (error, cause) = ("States.Timeout".into(), String::new());
        self.time_outs
            .get((branch, used_up), || self.events.id(Event::Failure { branch, error, cause, used_up }))
    }

    /// The event that a message cannot be sent.
    pub(super) fn unsent(&self, branch: u8) -> Id {
        let (error, cause) = ("SQS.SqsException".into(), "the queue did not take it".into());
        *self
            .unsent
            .get(branch.into(), || self.events.id(Event::Failure { branch, error, cause, used_up: true }))
    }

    /// In how many ways the execution that waits for it can take the reply that comes right after this.
    fn answer_ways(&self, state: &State, asked: &Asked, to: u8) -> Option<usize> {
        let known = self.known(asked.process);
        let Progress::Asks(Ask::Reply(reply)) = &known.progress else { return None };
        if to == VOID {
            return None;
        }
        let (slot, branch) = owner(to);
        let event = self.answer(asked.process, reply, branch);
        Some(self.moves(*state.runs.get(slot)?, event).len())
    }

    fn can_time_out(&self, state: &State, token: u8) -> bool {
        let (slot, branch) = owner(token);
        let Some(run) = state.runs.get(slot) else { return false };
        self.standing(*run).waits.iter().any(|waits| waits.branch == branch && waits.times_out)
    }

    /// Some message can still be answered with this token.
    pub(super) fn in_flight(&self, state: &State, token: u8) -> bool {
        state.flights.iter().any(|flight| flight.token == token && flight.mark != Mark::Dead)
    }

    fn run_actions(&self, state: &State, slot: usize, actions: &mut Vec<Action>) {
        let faults = state.faults > 0;
        let number = small(slot);
        let standing = self.standing(state.runs[slot]);
        for waits in standing.waits.iter().filter(|waits| waits.times_out) {
            let (slot, branch) = (number, waits.branch);
            let token = token(usize::from(slot), branch);
            if faults || !self.in_flight(state, token) {
                actions.push(Action::TimeOut { slot, branch, used_up: false });
            }
            if faults && waits.retries_timeout {
                actions.push(Action::TimeOut { slot, branch, used_up: true });
            }
            let unseen =
                |flight: &&Flight| flight.token == token && flight.process == QUEUED && flight.receives == 0;
            if faults && state.flights.iter().filter(unseen).count() == 1 {
                actions.push(Action::SendFails { slot, branch });
            }
        }
        if faults && standing.settles && !standing.waits.is_empty() {
            actions.push(Action::Abort { slot: number });
        }
        if faults && standing.settles && standing.is_dead() && self.can_be_redriven(state, standing.saga) {
            actions.push(Action::Redrive { slot: number });
        }
    }

    fn operator_actions(&self, state: &State, actions: &mut Vec<Action>) {
        for record in self.operable(state.parked) {
            let answers = [(false, state.retries > 0), (true, record.can_skip)];
            for skip in answers.into_iter().filter_map(|(skip, can)| can.then_some(skip)) {
                let token = record.token;
                let some = if record.steps > 1 { record.steps } else { 0 };
                for only in 0..=some {
                    let ways = self.operator_ways(state, token, skip, only);
                    let ways = if state.faults > 0 { ways } else { ways.min(1) };
                    actions.extend((0..small(ways)).map(|way| Action::Operate { token, skip, only, way }));
                }
            }
        }
    }

    fn operator_ways(&self, state: &State, token: u8, skip: bool, only: u8) -> usize {
        let (slot, _) = owner(token);
        let event = self.operated(state.parked, token, skip, only);
        state.runs.get(slot).map_or(0, |run| self.moves(*run, event).len())
    }

    /// The event that an operator answers.
    pub(super) fn operated(&self, parked: Id, token: u8, skip: bool, only: u8) -> Id {
        self.operated.get((parked, token, skip, only), || {
            let (_, branch) = owner(token);
            let only = self.only(parked, token, only);
            self.events.id(operator_event(branch, skip, only.as_deref()))
        })
    }

    /// The parked records whose token is waited for.
    pub(super) fn operable(&self, parked: Id) -> &[Operable] {
        self.operable.get(parked, || {
            let parked = self.parked.value(parked);
            let live = parked.values().filter(|(_, token)| *token != VOID);
            live.map(|(item, token)| Operable {
                token: *token,
                can_skip: item[CAN_SKIP]["S"] != NO,
                steps: small(failed(item).len()),
            })
            .collect()
        })
    }

    /// The step that an answer is about, when it is not all of those that could not be done.
    pub(crate) fn only(&self, parked: Id, token: u8, only: u8) -> Option<String> {
        let parked = self.parked.value(parked);
        let (item, _) = parked.values().find(|(_, answers)| *answers == token)?;
        failed(item).into_iter().nth(usize::from(only.checked_sub(1)?))
    }
}

/// The steps that could not be done, as a parked record has them.
fn failed(item: &Json) -> Vec<String> {
    let failed: Json =
        item[FAILURE]["S"].as_str().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    failed.as_object().map(|steps| steps.keys().cloned().collect()).unwrap_or_default()
}
