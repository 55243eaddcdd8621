//! What happening does.

use super::{
    actions::{Action, Fate},
    effects::Held,
    state::{Flight, LEFT_TO_RECONCILIATION, Mark, QUEUED, State, VOID, owner},
    tables::{Asked, FATES, Known, LABELS, Manner, Message, Tables, Work},
};
use crate::{
    asl::Event,
    intern::Id,
    process::{self, Ask, Progress},
};
use saga::{Op, Reply};
use std::sync::atomic::Ordering;

/// What is counted and is no operation and no state.
const NAMED: [&str; 6] = ["execution", "sweep", "reconciliation", "fences", "saga id", "somebody else"];

impl Tables {
    /// The state after an action, judged.
    pub(crate) fn after(&self, before: &State, action: Action) -> State {
        self.count(before, action);
        let mut state = self.follow(before, action);
        if state.verdict == 0 {
            state.verdict = self.judge(&state);
        }
        state
    }

    /// The state after an action.
    pub(super) fn follow(&self, before: &State, action: Action) -> State {
        let mut state = before.clone();
        state.faults = state.faults.saturating_sub(action.cost(self, before));
        match action {
            Action::Handle { flight, fate, choice, way } => {
                let flight = state.flights.remove(usize::from(flight));
                self.handle(&mut state, flight, fate, choice, usize::from(way));
            }
            Action::Land { flight, choice } => {
                let flight = state.flights.remove(usize::from(flight));
                let known = self.known(flight.process);
                if let Progress::Asks(ask) = &known.progress {
                    let asked = self.asked_now(&state, flight.process, ask, Manner::Well);
                    if let Some(asked) = asked.get(usize::from(choice)) {
                        state.verdict = asked.verdict;
                        state.flags |= LEFT_TO_RECONCILIATION;
                        self.change(&mut state, known, ask, asked, Manner::Well);
                    }
                }
            }
            Action::PutBack { flight } => {
                let flight = state.flights.remove(usize::from(flight));
                state.add(Flight { receives: 0, mark: Mark::Redriven, ..flight });
            }
            Action::TimeOut { slot, branch, used_up } => {
                self.happen(&mut state, usize::from(slot), self.time_out(branch, used_up), 0);
            }
            Action::SendFails { slot, branch } => {
                let token = super::state::token(usize::from(slot), branch);
                state.flights.retain(|flight| flight.token != token);
                self.happen(&mut state, usize::from(slot), self.unsent(branch), 0);
            }
            Action::Operate { token, skip, only, way } => {
                let (slot, _) = owner(token);
                if skip {
                    state.blind |= state.expired & 1 << self.standing(state.runs[slot]).saga;
                } else {
                    state.retries = state.retries.saturating_sub(1);
                }
                let event = self.operated(before.parked, token, skip, only);
                self.happen(&mut state, slot, event, usize::from(way));
            }
            Action::Abort { slot } => {
                self.happen(&mut state, usize::from(slot), self.events.id(Event::Abort), 0);
            }
            other => self.rare(&mut state, other),
        }
        state
    }

    /// What happens to executions and sagas as a whole, and on a schedule.
    fn rare(&self, state: &mut State, action: Action) {
        match action {
            Action::Redrive { slot } => {
                self.happen(state, usize::from(slot), self.events.id(Event::Redrive), 0);
            }
            Action::Write => self.write_meanwhile(state),
            Action::Another { saga } => self.begin_another(state, usize::from(saga)),
            Action::Beside { saga } => self.go_beside(state, usize::from(saga)),
            Action::Expire { saga } => self.expire(state, usize::from(saga)),
            Action::Again { saga, late } => self.come_again(state, usize::from(saga), late),
            Action::Lose { flight } => {
                state.flights.remove(usize::from(flight));
            }
            Action::Sweep => {
                let flight = Flight::new(self.messages.id(Message::sweep()), VOID);
                let process = self.begin(flight.message);
                self.go_on(state, Flight { process, ..flight }, 0);
            }
            Action::Examine { place, choice } => {
                if let Some(message) = self.examined(state.peer).get(usize::from(place)) {
                    let flight = Flight::new(*message, VOID);
                    self.handle(state, flight, Fate::Well, choice, 0);
                }
            }
            _ => {}
        }
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
            state.add(Flight { token: VOID, receives: 0, mark: Mark::Adrift, ..flight });
            return self.give_back(state, flight);
        }
        let asked = self.asked_now(state, flight.process, ask, fate.manner());
        let Some(asked) = asked.get(usize::from(choice)) else { return state.add(flight) };
        state.verdict = asked.verdict;
        self.change(state, known, ask, asked, fate.manner());
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

    /// What a question changes.
    pub(super) fn change(&self, state: &mut State, known: &Known, ask: &Ask, asked: &Asked, manner: Manner) {
        match ask {
            Ask::Outside(_) => state.peer = asked.world,
            Ask::RecordsOf(_) | Ask::Forget(..) => state.parked = asked.world,
            Ask::Start { .. } if manner != Manner::Busy => self.start(state, ask),
            Ask::Describe(_) | Ask::ListDead { .. } | Ask::Start { .. } => {}
            Ask::ReadFence(_) | Ask::ReadRow(_) | Ask::Apply(_) | Ask::Reply(_) => {
                state.stores[known.host] = asked.world;
            }
        }
    }

    /// A reply follows at once, and one page of a listing upon the other; with everything else the process can be
    /// overtaken.
    fn go_on(&self, state: &mut State, mut flight: Flight, way: usize) {
        loop {
            let known = self.known(flight.process);
            match &known.progress {
                Progress::Asks(Ask::Reply(reply)) => {
                    self.reply(state, &mut flight, reply, way);
                    flight.process = self.then(flight.process, process::Answer::Replied);
                }
                Progress::Asks(ask @ Ask::ListDead { .. }) => {
                    let asked = self.asked_now(state, flight.process, ask, Manner::Well);
                    let Some(asked) = asked.first() else { return };
                    flight.process = asked.process;
                }
                Progress::Asks(_) => return state.add(flight),
                Progress::Differs { before, now } => {
                    state.verdict = self.not_deterministic(flight.message, before, now);
                    return;
                }
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

    /// The store after a message was answered with success.
    fn close(&self, store: Id, message: Id) -> Id {
        let message = self.messages.value(message);
        let Work::Request { of: Some(of), .. } = &message.work else { return store };
        if !matches!(of.op, Op::Undo | Op::Abandon) {
            return store;
        }
        let mut held: Held = self.stores.value(store).clone();
        held.close(of);
        self.stores.id(held)
    }

    /// The handler is done with the message, or gives it back.
    fn finish(&self, state: &mut State, mut flight: Flight, way: usize) {
        let known = self.known(flight.process);
        let Progress::Unserved { why, malformed } = &known.progress else {
            state.verdict = state.verdict.max(self.let_go(state, flight.message));
            return;
        };
        if flight.receives >= self.limits.deliveries && !malformed {
            self.reply(state, &mut flight, &process::exhausted(why), way);
        }
        if flight.receives >= self.limits.deliveries && flight.mark == Mark::Redriven {
            // Looked into by hand before: it stays where it is.
            state.flags |= LEFT_TO_RECONCILIATION;
            return;
        }
        self.give_back(state, flight);
    }

    /// Rescue is done with the event that an execution died.
    fn let_go(&self, state: &State, message: Id) -> Id {
        let message = self.messages.value(message);
        let Work::Report(report) = &message.work else { return 0 };
        let left = self.slot_of(state, &report.execution).filter(|slot| {
            self.unsettled(state, *slot) && self.standing(state.runs[*slot]).redrives <= report.redrives
        });
        let told =
            || format!("rescue is done with the event that {} died, but nobody settles it", message.saga_id);
        self.broken(left.map(|_| told()))
    }

    /// The message becomes visible again, or is moved to the dead-letter queue. An event that ends there, and what was on
    /// a schedule, is left to the next sweep and the next turn.
    fn give_back(&self, state: &mut State, flight: Flight) {
        let used_up = flight.receives >= self.limits.deliveries;
        match self.messages.value(flight.message).work {
            Work::Report(_) if used_up => return,
            Work::Sweep | Work::Examine(_) => return,
            Work::Report(_) | Work::Request { .. } => {}
        }
        let mark = if used_up { Mark::Dead } else { flight.mark };
        state.add(Flight { process: QUEUED, mark, ..flight });
    }

    fn not_deterministic(&self, message: Id, before: &str, now: &str) -> Id {
        let message = self.messages.value(message);
        let participant = self.doer(message);
        self.verdicts.id(format!(
            "the handler of `{}` at {participant} is not deterministic: it asked `{before}`, and when it was run again \
             with the same answers `{now}`",
            message.what
        ))
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
            Action::Handle { flight, .. } => (of_flight(flight), 10),
            Action::Land { flight, .. } => (of_flight(flight), 11),
            Action::PutBack { flight } => (of_flight(flight), 12),
            Action::TimeOut { slot, branch, used_up } => (of_branch(slot, branch), 13 + usize::from(used_up)),
            Action::SendFails { slot, branch } => (of_branch(slot, branch), 15),
            Action::Operate { token, skip, .. } => {
                let (slot, branch) = owner(token);
                (of_branch(super::actions::small(slot), branch), 16 + usize::from(skip))
            }
            Action::Abort { slot } => {
                let standing = self.standing(state.runs[usize::from(slot)]);
                (standing.waits.first().map_or(0, |waits| Id::from(waits.label)), 18)
            }
            Action::Lose { flight } => (of_flight(flight), 19),
            Action::Redrive { .. } => (self.named("execution"), 20),
            Action::Sweep => (self.named("sweep"), 21),
            Action::Examine { .. } => (self.named("reconciliation"), 22),
            Action::Expire { .. } => (self.named("fences"), 23),
            Action::Again { late, .. } => (self.named("saga id"), if late { 28 } else { 24 }),
            Action::Beside { .. } => (self.named("execution"), 25),
            Action::Write => (self.named("somebody else"), 27),
            Action::Another { .. } => (self.named("saga id"), 26),
        }
    }

    /// The label of what is no operation and no state.
    fn named(&self, what: &'static str) -> Id {
        let place = NAMED.iter().position(|named| *named == what).unwrap_or(NAMED.len());
        *self.named.get(place as Id, || self.labels.id(what.to_owned()))
    }

    /// Who does it.
    pub(crate) fn doer(&self, message: &Message) -> &'static str {
        match &message.work {
            Work::Request { host, .. } => self.handlers.hosts[*host].participant,
            Work::Report(_) | Work::Sweep => "rescue",
            Work::Examine(_) => "reconciliation",
        }
    }

    fn label_of(&self, message: Id) -> Id {
        *self.label_of_message.get(message, || {
            let what = self.messages.value(message).what.clone();
            self.labels.id(what.strip_prefix("run ").map_or(what.clone(), str::to_owned))
        })
    }
}
