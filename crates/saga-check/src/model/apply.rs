//! What happening does.

use super::{
    actions::{Action, Fate, operator_event},
    state::{Flight, Mark, QUEUED, State, VOID, owner},
    tables::{FATES, Held, LABELS, Manner, Tables},
};
use crate::{
    asl::{End, Event, Execution, Run},
    intern::Id,
    process::{self, Ask, Progress},
};
use saga::{
    Reply, SagaId, Settling, StartInput,
    parked_table::{EXECUTION_ARN, TASK_TOKEN},
};
use serde_json::json;
use std::sync::atomic::Ordering;

impl Tables {
    /// The state after an action.
    pub(super) fn after(&self, before: &State, action: Action) -> State {
        let mut state = before.clone();
        state.faults = state.faults.saturating_sub(action.cost(self, before));
        self.count(before, action);
        match action {
            Action::Handle { flight, fate, choice, way } => {
                let flight = state.flights.remove(usize::from(flight));
                self.handle(&mut state, flight, fate, choice, usize::from(way));
            }
            Action::Land { flight, choice } => {
                let flight = state.flights.remove(usize::from(flight));
                let ways = self.asked(flight.process, state.peer, Manner::Well);
                if let Some(asked) = ways.get(usize::from(choice)) {
                    state.peer = asked.world;
                }
                self.give_back(&mut state, flight);
            }
            Action::Redrive { flight } => {
                let flight = state.flights.remove(usize::from(flight));
                state.add(Flight { receives: 0, mark: Mark::Redriven, ..flight });
            }
            Action::TimeOut { slot, branch, used_up } => {
                self.happen(&mut state, usize::from(slot), self.time_out(branch, used_up), 0);
            }
            Action::SendFails { slot, branch } => {
                let token = super::state::token(usize::from(slot), branch);
                state.flights.retain(|flight| flight.token != token);
                let (error, cause) = ("SQS.SqsException".into(), "the queue did not take it".into());
                let event = Event::Failure { branch, error, cause, used_up: true };
                self.happen(&mut state, usize::from(slot), self.events.id(event), 0);
            }
            Action::Operate { token, skip, way } => {
                let (slot, branch) = owner(token);
                if skip {
                    let saga = self.standing(state.runs[slot]).saga;
                    state.skipped |= 1 << saga.min(6);
                } else {
                    state.retries = state.retries.saturating_sub(1);
                }
                let event = self.events.id(operator_event(branch, skip));
                self.happen(&mut state, slot, event, usize::from(way));
            }
            Action::Abort { slot } => {
                self.happen(&mut state, usize::from(slot), self.events.id(Event::Abort), 0);
            }
            Action::Rescue { slot } => self.rescue(&mut state, usize::from(slot)),
        }
        if state.verdict == 0 {
            state.verdict = self.judge(&state);
        }
        state
    }

    fn handle(&self, state: &mut State, mut flight: Flight, fate: Fate, choice: u8, way: usize) {
        let queued = flight.process == QUEUED;
        if queued {
            if fate == Fate::Doubled {
                state.add(flight);
            }
            flight.receives = flight.receives.saturating_add(1);
            flight.process = self.begin(flight.message);
        }
        let known = self.known(flight.process);
        let Progress::Asks(ask) = &known.progress else {
            return self.finish(state, flight, way);
        };
        if fate == Fate::DiesBefore {
            return self.give_back(state, flight);
        }
        if fate == Fate::Adrift {
            flight.mark = Mark::Adrift;
            return state.add(flight);
        }
        let manner = match fate {
            Fate::Busy => Manner::Busy,
            Fate::AnswerLost => Manner::Lost,
            _ => Manner::Well,
        };
        let asked = self.asked(flight.process, self.world(state, &known, ask), manner);
        let Some(asked) = asked.get(usize::from(choice)) else { return state.add(flight) };
        match ask {
            Ask::Outside(_) => state.peer = asked.world,
            _ => state.stores[known.host] = asked.world,
        }
        state.verdict = asked.verdict;
        if let Ask::Reply(reply) = ask {
            self.reply(state, &mut flight, reply, way);
        }
        flight.process = asked.process;
        if fate == Fate::DiesAfter {
            return self.give_back(state, flight);
        }
        if fate == Fate::Late {
            let (slot, branch) = owner(flight.token);
            self.happen(state, slot, self.time_out(branch, false), 0);
            flight.token = VOID;
        }
        self.go_on(state, flight, way);
    }

    /// A reply follows at once; with everything else the handler can be overtaken.
    fn go_on(&self, state: &mut State, mut flight: Flight, way: usize) {
        loop {
            let known = self.known(flight.process);
            match &known.progress {
                Progress::Asks(Ask::Reply(reply)) => {
                    self.reply(state, &mut flight, reply, way);
                    flight.process = self.then(flight.process, process::Answer::Replied);
                }
                Progress::Asks(_) => return state.add(flight),
                Progress::Served | Progress::Unserved { .. } => return self.finish(state, flight, way),
            }
        }
    }

    /// Answers, once: after that nobody waits for this message any more.
    fn reply(&self, state: &mut State, flight: &mut Flight, reply: &Reply, way: usize) {
        if matches!(reply, Reply::Success(_)) {
            let store = &mut state.stores[self.known(flight.process).host];
            *store = self.closed.get((*store, flight.message), || self.close(*store, flight.message));
        }
        if flight.token != VOID {
            let (slot, branch) = owner(std::mem::replace(&mut flight.token, VOID));
            self.happen(state, slot, self.answer(flight.process, reply, branch), way);
        }
    }

    /// The store after a message was answered with success: what it undid is undone for good.
    fn close(&self, store: Id, message: Id) -> Id {
        let message = self.messages.value(message);
        let (Some(("undo", step)), Ok(id)) =
            (message.what.split_once(' '), SagaId::try_from(message.saga_id.clone()))
        else {
            return store;
        };
        let mut held: Held = (*self.stores.value(store)).clone();
        held.close(&id, step);
        self.stores.id(held)
    }

    /// The handler is done with the message, or gives it back.
    fn finish(&self, state: &mut State, mut flight: Flight, way: usize) {
        let known = self.known(flight.process);
        let Progress::Unserved { why, malformed } = &known.progress else { return };
        if flight.receives >= self.limits.deliveries && !malformed {
            self.reply(state, &mut flight, &process::exhausted(why), way);
        }
        if flight.receives >= self.limits.deliveries && flight.mark == Mark::Redriven {
            // Looked into by hand before: it stays where it is.
            return;
        }
        self.give_back(state, flight);
    }

    /// The message becomes visible again, or is moved to the dead-letter queue.
    fn give_back(&self, state: &mut State, flight: Flight) {
        let used_up = flight.receives >= self.limits.deliveries;
        let mark = match (used_up, flight.mark) {
            (true, _) => Mark::Dead,
            (false, Mark::Adrift) => Mark::Live,
            (false, mark) => mark,
        };
        state.add(Flight { process: QUEUED, mark, ..flight });
    }

    /// What the function `rescue` does.
    fn rescue(&self, state: &mut State, slot: usize) {
        let dead = self.runs.value(state.runs[slot]);
        let execution = dead.execution();
        let status = match dead.end() {
            Some(End::Aborted) => "ABORTED",
            _ => "FAILED",
        };
        let arn = execution.arn();
        let Ok(input) = serde_json::from_value::<StartInput>(execution.input.clone()) else {
            state.verdict = self.verdicts.id(format!("the input of {} is none of a saga", execution.name));
            return;
        };
        // What it left in the table of parked sagas can be answered by nobody any more.
        self.park(state, |parked| {
            parked.retain(|_, (item, _)| item[EXECUTION_ARN]["S"] != arn || item.get(TASK_TOKEN).is_none());
        });
        let name = Settling::execution_name(&input.id, &arn);
        let input = json!(input.settled(execution.name.as_str(), status));
        let settling = Execution { name, input, ..execution.clone() };
        state.runs.push(self.runs.id(Run::new(settling)));
        let slot = state.runs.len() - 1;
        self.happen(state, slot, self.events.id(Event::Start), 0);
    }

    fn count(&self, state: &State, action: Action) {
        let (label, fate) = self.covered(state, action);
        if let Some(counter) = self.coverage.get((label as usize).min(LABELS - 1) * FATES + fate) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// What an action is counted as: the operation it happens to, and what happens to it.
    pub(crate) fn covered(&self, state: &State, action: Action) -> (Id, usize) {
        let of_flight = |flight: u8| self.label_of(state.flights[usize::from(flight)].message);
        let of_branch = |slot: u8, branch: u8| {
            let standing = self.standing(state.runs[usize::from(slot)]);
            standing
                .waits
                .iter()
                .find(|waits| waits.branch == branch)
                .map_or(0, |waits| Id::from(waits.label))
        };
        match action {
            Action::Handle { flight, fate, way: 0, .. } => (of_flight(flight), fate as usize),
            Action::Handle { flight, .. } => (of_flight(flight), 8),
            Action::Land { flight, .. } => (of_flight(flight), 9),
            Action::Redrive { flight } => (of_flight(flight), 10),
            Action::TimeOut { slot, branch, used_up } => (of_branch(slot, branch), 11 + usize::from(used_up)),
            Action::SendFails { slot, branch } => (of_branch(slot, branch), 13),
            Action::Operate { token, skip, .. } => {
                let (slot, branch) = owner(token);
                (of_branch(super::actions::small(slot), branch), 14 + usize::from(skip))
            }
            Action::Abort { slot } => {
                let standing = self.standing(state.runs[usize::from(slot)]);
                (standing.waits.first().map_or(0, |waits| Id::from(waits.label)), 16)
            }
            Action::Rescue { .. } => (self.labels.id("rescue".to_owned()), 17),
        }
    }

    fn label_of(&self, message: Id) -> Id {
        self.label_of_message.get(message, || {
            let what = self.messages.value(message).what.clone();
            self.labels.id(what.strip_prefix("run ").map_or(what.clone(), str::to_owned))
        })
    }
}
