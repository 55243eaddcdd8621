//! What a process asks next, and every way in which it can be answered.

use super::{
    executions::about,
    tables::{Asked, Known, Manner, Message, Process, Tables, Work},
};
use crate::{
    intern::Id,
    outside::Outside,
    process::{self, Answer, Answered, Ask, Progress},
};
use saga::{Refused, Unavailable};
use serde_json::Value as Json;

impl Tables {
    /// The process that takes up a message.
    pub(crate) fn begin(&self, message: Id) -> Id {
        *self.begun.get(message, || self.processes.id(Process::Start(message)))
    }

    pub(crate) fn then(&self, process: Id, answer: Answer) -> Id {
        self.processes.id(Process::Then(process, answer))
    }

    pub(crate) fn known(&self, process: Id) -> &Known {
        self.known.get(process, || {
            let (message, answered) = self.log_of(process);
            let changed = answered.last().is_some_and(|(ask, _)| ask.changes());
            let told =
                |fence: &saga::fence::Recorded| matches!(fence.fence, saga::fence::Fence::Abandoned { .. });
            let abandoned = answered.iter().any(|(_, answer)| answer.fence().is_some_and(told));
            let sent = self.messages.value(message);
            let progress = self.progress(sent, answered);
            let about = match &progress {
                Progress::Asks(ask) => about(ask),
                _ => None,
            };
            Known { message, host: self.host_of(sent), progress, changed, abandoned, about }
        })
    }

    /// What a process was begun for, and what it asked and was answered.
    pub(crate) fn log_of(&self, process: Id) -> (Id, Vec<Answered>) {
        let mut answered = Vec::new();
        let mut at = process;
        let message = loop {
            match self.processes.value(at) {
                Process::Start(message) => break *message,
                Process::Then(before, answer) => {
                    at = *before;
                    // Only a question is answered.
                    if let Progress::Asks(ask) = &self.known(at).progress {
                        answered.push((ask.clone(), answer.clone()));
                    }
                }
            }
        };
        answered.reverse();
        (message, answered)
    }

    fn progress(&self, message: &Message, answered: Vec<Answered>) -> Progress {
        let rescue = &self.handlers.rescue;
        match &message.work {
            Work::Request { host, body, .. } => {
                process::handle(&*self.handlers.hosts[*host].host, body, answered)
            }
            Work::Report(report) => process::run(|io| rescue.settle(io, report), answered),
            Work::Sweep => process::run(|io| rescue.sweep(io, &self.state_machines), answered),
            Work::Examine(key) => match &self.handlers.reconciliation {
                Some(reconciliation) => {
                    let examine =
                        |io: process::Io| (reconciliation.examine)(io.clone(), Outside::new(io), key.clone());
                    process::run(examine, answered)
                }
                None => Progress::Served,
            },
        }
    }

    /// Whose store is asked.
    fn host_of(&self, message: &Message) -> usize {
        match (&message.work, &self.handlers.reconciliation) {
            (Work::Request { host, .. }, _) => *host,
            (Work::Examine(_), Some(reconciliation)) => {
                let owner =
                    |host: &crate::handlers::Registered| host.participant == reconciliation.participant;
                self.handlers.hosts.iter().position(owner).unwrap_or_default()
            }
            _ => 0,
        }
    }

    /// Every way a question can be answered. `world`: the store, the peer's memory or the table of parked sagas.
    pub(crate) fn asked(&self, process: Id, world: Id, manner: Manner) -> &[Asked] {
        self.asked.get((process, world, manner), || {
            let known = self.known(process);
            let Progress::Asks(ask) = &known.progress else { return Box::default() };
            match ask {
                Ask::Outside(request) => self.ask_peer(process, known, request, world, manner),
                Ask::Reply(_) => {
                    Box::new([Asked { world, process: self.then(process, Answer::Replied), verdict: 0 }])
                }
                Ask::ReadFence(_) | Ask::ReadRow(_) | Ask::Apply(_) => {
                    Box::new([self.ask_store(process, known, ask, world, manner)])
                }
                Ask::RecordsOf(id) => Box::new([self.ask_records(process, id, world, manner)]),
                Ask::Forget(id, record) => Box::new([self.ask_forget(process, id, record, world, manner)]),
                // Asked of executions, see `executions.rs`.
                Ask::Describe(_) | Ask::ListDead { .. } | Ask::Start { .. } => Box::default(),
            }
        })
    }

    fn ask_peer(
        &self,
        process: Id,
        known: &Known,
        request: &Json,
        world: Id,
        manner: Manner,
    ) -> Box<[Asked]> {
        if manner == Manner::Busy {
            let process = self.then(process, Answer::Outside(None));
            return Box::new([Asked { world, process, verdict: 0 }]);
        }
        let ways = self.handlers.peer.take(self.peers.value(world), request);
        let way = |(memory, answer): (Json, Json)| {
            let answer = (manner == Manner::Well).then_some(answer);
            let process = self.then(process, Answer::Outside(answer));
            let after = self.peers.id(memory);
            let what = &self.messages.value(known.message).what;
            let broken = (known.abandoned && after != world)
                .then(|| format!("`{what}` changed the peer after it was told that the step is abandoned"));
            Asked { world: after, process, verdict: self.broken(broken) }
        };
        ways.into_iter().map(way).collect()
    }

    fn ask_store(&self, process: Id, known: &Known, ask: &Ask, world: Id, manner: Manner) -> Asked {
        let busy = || Unavailable("the store is busy".into());
        let held = self.stores.value(world);
        let (after, answer, verdict) = match (ask, manner) {
            (Ask::ReadFence(_), Manner::Busy | Manner::Lost) => (None, Answer::Fence(Err(busy())), 0),
            (Ask::ReadRow(_), Manner::Busy | Manner::Lost) => (None, Answer::Row(Err(busy())), 0),
            (Ask::ReadFence(key), _) => (None, Answer::Fence(Ok(held.memory.fences.get(key).cloned())), 0),
            (Ask::ReadRow(key), _) => (None, Answer::Row(Ok(held.memory.rows.get(key).cloned())), 0),
            (Ask::Apply(transaction), Manner::Well | Manner::Lost | Manner::Again | Manner::Stale) => {
                let mut after = (*held).clone();
                let mut applied = after.memory.apply(transaction);
                let verdict = match (&applied, &self.messages.value(known.message).work) {
                    (Ok(()), Work::Request { of: Some(of), .. }) => self.broken(after.note(of, transaction)),
                    _ => 0,
                };
                if manner == Manner::Again {
                    applied = after.memory.apply(transaction);
                }
                let answer = if manner == Manner::Lost { Err(Refused::Unavailable(busy())) } else { applied };
                (Some(after), Answer::Applied(answer), verdict)
            }
            _ => (None, Answer::Applied(Err(Refused::Unavailable(busy()))), 0),
        };
        let world = after.map_or(world, |after| self.stores.id(after));
        Asked { world, process: self.then(process, answer), verdict }
    }

    /// The number of what is broken; 0 when nothing is.
    pub(super) fn broken(&self, what: Option<String>) -> Id {
        what.map_or(0, |what| self.verdicts.id(what))
    }
}
