//! What can happen next.

use super::{
    state::{Mark, QUEUED, State, VOID, owner, token},
    tables::{Asked, Known, Manner, Message, Operable, Tables, Work},
};
use crate::{
    asl::Event,
    intern::Id,
    process::{Ask, Progress},
};
use saga::{
    Reply,
    parked_table::{ACTION, BY, CAN_SKIP, REASON, RETRY, SKIP},
};
use std::sync::Arc;

/// One thing that happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// The message at this place is delivered, or its handler goes on by one operation.
    Handle { flight: u8, fate: Fate, choice: u8, way: u8 },
    /// The request of a handler that died arrives.
    Land { flight: u8, choice: u8 },
    /// An operator puts a message from the dead-letter queue back into its queue.
    PutBack { flight: u8 },
    /// The event that an execution died is never delivered.
    Lose { flight: u8 },
    /// A step takes too long. `used_up`: and so do all its retries.
    TimeOut { slot: u8, branch: u8, used_up: bool },
    /// A message cannot be sent, however often it is tried.
    SendFails { slot: u8, branch: u8 },
    /// An operator answers a parked saga.
    Operate { token: u8, skip: bool, way: u8 },
    /// An execution is stopped from outside.
    Abort { slot: u8 },
    /// Somebody has a dead execution run again.
    Redrive { slot: u8 },
    /// A sweep for dead executions begins.
    Sweep,
    /// The fences of a saga expire.
    Expire { saga: u8 },
    /// The id of a saga that has ended is used again.
    Again { saga: u8 },
    /// Reconciliation looks at what stands under this key of its list.
    Examine { place: u8, choice: u8 },
}

/// What becomes of one operation of a handler.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub(crate) enum Fate {
    /// It works.
    Well,
    /// It works, and the message is delivered a second time as well.
    Doubled,
    /// The process dies before it.
    DiesBefore,
    /// The process dies after it.
    DiesAfter,
    /// It works, but the answer comes after the step timed out.
    Late,
    /// The store or the peer fails without doing it.
    Busy,
    /// The store or the peer does it, and the answer is lost.
    AnswerLost,
    /// The process dies, and its request arrives later.
    Adrift,
    /// The store does it, and it is tried again because the answer is lost: it is the second try that is answered.
    Again,
    /// The answer is what was so some time ago.
    Stale,
}

impl Fate {
    pub(crate) fn manner(self) -> Manner {
        match self {
            Self::Busy => Manner::Busy,
            Self::AnswerLost => Manner::Lost,
            Self::Again => Manner::Again,
            Self::Stale => Manner::Stale,
            _ => Manner::Well,
        }
    }
}

impl Action {
    /// What it costs of the fault budget.
    pub(crate) fn cost(self, tables: &Tables, state: &State) -> u8 {
        match self {
            Self::Handle { fate, way, .. } => u8::from(fate != Fate::Well) + u8::from(way > 0),
            Self::Land { .. } | Self::PutBack { .. } | Self::Examine { .. } => 0,
            // An event that a sweep overtakes is later than it should be.
            Self::Sweep => u8::from(tables.event_pending(state)),
            Self::Operate { way, .. } => u8::from(way > 0),
            Self::TimeOut { slot, branch, used_up } => {
                let token = token(usize::from(slot), branch);
                // Nobody has the message any more: this timer is what is left to happen.
                u8::from(used_up || tables.in_flight(state, token))
            }
            Self::SendFails { .. }
            | Self::Abort { .. }
            | Self::Lose { .. }
            | Self::Redrive { .. }
            | Self::Expire { .. }
            | Self::Again { .. } => 1,
        }
    }
}

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
    pub(crate) fn examined(&self, peer: Id) -> Arc<[Id]> {
        self.examined.get(peer, || {
            let Some(reconciliation) = &self.handlers.reconciliation else { return Arc::default() };
            let keys = (reconciliation.list)(&self.peers.value(peer));
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
    pub(crate) fn asked_now(&self, state: &State, process: Id, ask: &Ask, manner: Manner) -> Arc<[Asked]> {
        match ask {
            Ask::Describe(_) | Ask::ListDead { .. } | Ask::Start { .. } => {
                self.asked_executions(state, process, ask, manner)
            }
            _ => self.asked(process, self.world(state, &self.known(process), ask), manner),
        }
    }

    fn flight_actions(&self, state: &State, place: usize, actions: &mut Vec<Action>) {
        let flight = state.flights[place];
        let number = small(place);
        let asks_of = |process| {
            let known = self.known(process);
            match &known.progress {
                Progress::Asks(ask) => Some((known.clone(), ask.clone())),
                _ => None,
            }
        };
        match flight.mark {
            Mark::Dead => return actions.push(Action::PutBack { flight: number }),
            Mark::Adrift => {
                let Some((_, ask)) = asks_of(flight.process) else { return };
                let ways = self.asked_now(state, flight.process, &ask, Manner::Well).len();
                actions.extend((0..small(ways)).map(|choice| Action::Land { flight: number, choice }));
                return;
            }
            Mark::Live | Mark::Redriven => {}
        }
        let queued = flight.process == QUEUED;
        let process = if queued { self.begin(flight.message) } else { flight.process };
        let handle = |fate, choice, way| Action::Handle { flight: number, fate, choice, way };
        let Some((known, ask)) = asks_of(process) else {
            return actions.push(handle(Fate::Well, 0, 0));
        };
        let faults = state.faults > 0;
        for (choice, asked) in (0..).zip(self.asked_now(state, process, &ask, Manner::Well).iter()) {
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
        if !faults {
            return;
        }
        if queued || known.changed {
            actions.push(handle(Fate::DiesBefore, 0, 0));
        }
        match &ask {
            Ask::Reply(_) => {}
            Ask::Apply(_) => {
                actions.extend([Fate::Busy, Fate::Adrift, Fate::Again].map(|fate| handle(fate, 0, 0)));
            }
            Ask::Describe(_) => {
                actions.push(handle(Fate::Busy, 0, 0));
                let told = self.asked_now(state, process, &ask, Manner::Stale).len();
                actions.extend((0..small(told)).map(|choice| handle(Fate::Stale, choice, 0)));
            }
            _ => actions.push(handle(Fate::Busy, 0, 0)),
        }
        let event = matches!(self.messages.value(flight.message).work, Work::Report(_));
        if event && queued && flight.receives == 0 {
            actions.push(Action::Lose { flight: number });
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
            let unseen = |flight: &&super::state::Flight| {
                flight.token == token && flight.process == QUEUED && flight.receives == 0
            };
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
        for record in self.operable(state.parked).iter() {
            let answers = [(false, state.retries > 0), (true, record.can_skip)];
            for skip in answers.into_iter().filter_map(|(skip, can)| can.then_some(skip)) {
                let ways = self.operator_ways(state, record.token, skip);
                let ways = if state.faults > 0 { ways } else { ways.min(1) };
                actions.extend((0..small(ways)).map(|way| Action::Operate {
                    token: record.token,
                    skip,
                    way,
                }));
            }
        }
    }

    fn operator_ways(&self, state: &State, token: u8, skip: bool) -> usize {
        let (slot, branch) = owner(token);
        let event = self.events.id(operator_event(branch, skip));
        state.runs.get(slot).map_or(0, |run| self.moves(*run, event).len())
    }

    /// The parked records whose token is waited for.
    pub(super) fn operable(&self, parked: Id) -> Arc<[Operable]> {
        self.operable.get(parked, || {
            let parked = self.parked.value(parked);
            let live = parked.values().filter(|(_, token)| *token != VOID);
            live.map(|(item, token)| Operable { token: *token, can_skip: item[CAN_SKIP]["BOOL"] != false })
                .collect()
        })
    }
}

/// What the operator says, to the state machine.
pub(crate) fn operator_event(branch: u8, skip: bool) -> Event {
    let action = if skip { SKIP } else { RETRY };
    let output = serde_json::json!({ ACTION: action, REASON: "looked into it", BY: "operator" });
    Event::Success { branch, output }
}

pub(super) fn event_of(reply: &Reply, branch: u8) -> Event {
    match reply {
        Reply::Success(output) => Event::Success { branch, output: output.clone() },
        Reply::Failure { error, cause } => {
            Event::Failure { branch, error: error.clone(), cause: cause.clone(), used_up: false }
        }
    }
}

/// Places in a state are few.
pub(super) fn small(place: usize) -> u8 {
    u8::try_from(place).unwrap_or(u8::MAX)
}
