//! Interned values and remembered functions.

use super::{
    effects::Held,
    executions::machine_arn,
    notices::{Notice, Notices},
    state::State,
};
use crate::{
    asl::{Event, Execution, Machine, Run},
    handlers::Handlers,
    intern::{ById, Id, Interner, Lists, Memo},
    invariant::Invariant,
    process::{Answer, Progress},
};
use saga::{Op, Request, Row, RowKey, RunDigest, Settling, StepKey};
use saga_executions::{Report, Status};
use serde_json::Value as Json;
use smallvec::SmallVec;
use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::AtomicU64},
};

/// The bounds of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) faults: u8,
    /// How often a queue delivers a message before it goes to the dead-letter queue.
    pub(crate) deliveries: u8,
    /// How often one retrier is used, where it has as many attempts.
    pub(crate) retries: u32,
    /// How often the operator says 'retry'.
    pub(crate) operator_retries: u8,
    /// Whether what is parked must end when nothing fails any more and the operator says 'retry'.
    pub(crate) heals: bool,
}

/// What somebody else writes, who has nothing to do with sagas.
#[derive(Debug, Clone)]
pub(crate) struct Meanwhile {
    /// The participant that owns the item.
    pub(crate) host: usize,
    pub(crate) key: RowKey,
    /// The fields that are set.
    pub(crate) row: Row,
}

/// Something to do: a message without its token, an event, or a turn of what runs on a schedule.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Message {
    pub(crate) work: Work,
    /// For instance `undo reserve-stock`.
    pub(crate) what: String,
    pub(crate) saga_id: String,
}

impl Message {
    /// It is time for a sweep.
    pub(super) fn sweep() -> Self {
        Self { work: Work::Sweep, what: "sweep".into(), saga_id: String::new() }
    }

    /// It is time to look at what stands under a key.
    pub(super) fn examine(key: String) -> Self {
        Self { what: "reconciliation".into(), saga_id: key.clone(), work: Work::Examine(key) }
    }
}

/// Who has to do it, and what.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Work {
    /// The participant at this place.
    Request {
        host: usize,
        body: String,
        /// What it asks for; `None` when it cannot be read.
        of: Option<Wanted>,
    },
    /// Rescue: an execution died.
    Report(Report),
    /// Rescue: look for executions that died.
    Sweep,
    /// Reconciliation: look at what stands at the peer under this key.
    Examine(String),
}

/// An operation of a step, for one run.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Wanted {
    pub(crate) key: StepKey,
    pub(crate) run: Option<RunDigest>,
    pub(crate) op: Op,
}

impl Wanted {
    pub(super) fn of(body: &str) -> Option<Self> {
        let Request { saga, id, step, item, run, op, .. } = Request::decode(body).ok()?;
        Some(Self { key: StepKey { saga, saga_id: id, step, item }, run, op })
    }
}

/// A handler at work: its message and the answers it got, last first.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Process {
    Start(Id),
    Then(Id, Answer),
}

/// The table of parked sagas: items by key, with the token that answers each.
pub(crate) type Parked = BTreeMap<String, (Arc<Json>, u8)>;

/// What is known of a handler at work.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) message: Id,
    /// Whose store it works on.
    pub(crate) host: usize,
    pub(crate) progress: Progress,
    /// What it asked last can have changed the world.
    pub(crate) changed: bool,
    /// It was told that an operator went on without its step.
    pub(crate) abandoned: bool,
    /// The ARN of the execution that it asks about.
    pub(crate) about: Option<String>,
}

/// What asking does.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    /// The store afterwards, or the peer's memory.
    pub(crate) world: Id,
    pub(crate) process: Id,
    pub(crate) verdict: Id,
}

/// Where an event moves an execution, in numbers.
#[derive(Debug)]
pub(crate) struct Move {
    pub(crate) run: Id,
    pub(crate) effects: Vec<Done>,
    /// The state whose integration failed for good, if one did.
    pub(crate) failed: Option<String>,
    /// What it breaks.
    pub(crate) broken: Id,
}

/// An effect of a move.
#[derive(Debug)]
pub(crate) enum Done {
    Send { branch: u8, message: Id, answerable: bool },
    Lost { why: String },
    Publish { notice: Notice, fails: bool },
    Park { branch: u8, key: String, item: Arc<Json> },
    Put { key: String, item: Arc<Json> },
    Set { key: String, attributes: Vec<(String, Json)> },
    Delete { key: String },
    Void { branch: u8 },
}

/// How a question is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Manner {
    /// As it should be.
    Well,
    /// Not done, and answered with a failure that may pass.
    Busy,
    /// Done, and the answer is lost.
    Lost,
    /// Done, and done again because the answer was lost: it is the second try that is answered.
    Again,
    /// Answered with what was so some time ago.
    Stale,
}

/// A move: the execution, the event, and the way.
pub(super) type Moving = (Id, Id, usize);

/// How many labels and fates the coverage tells apart.
pub(crate) const LABELS: usize = 128;
pub(crate) const FATES: usize = 32;

/// Everything the model knows.
pub(crate) struct Tables {
    pub(crate) machines: Vec<(String, Machine)>,
    /// Those of a newer release, by the place of the one that they took the place of.
    pub(crate) newer: BTreeMap<usize, Machine>,
    /// Their ARNs.
    pub(crate) state_machines: Vec<String>,
    pub(crate) handlers: Handlers,
    pub(crate) invariants: Vec<Invariant>,
    pub(crate) limits: Limits,
    /// First those that are started at the beginning, then those whose id is used again.
    pub(crate) starts: Vec<Execution>,
    /// How many are started at the beginning.
    pub(crate) at_first: usize,
    pub(crate) first_stores: Vec<Held>,
    pub(crate) meanwhile: Option<Meanwhile>,
    pub(crate) runs: Interner<Run>,
    pub(crate) events: Interner<Event>,
    pub(crate) messages: Interner<Message>,
    pub(crate) stores: Interner<Held>,
    pub(crate) peers: Interner<Json>,
    pub(crate) parked: Interner<Parked>,
    pub(crate) notices: Interner<Notices>,
    pub(crate) processes: Interner<Process>,
    /// Number 0 is the empty text: nothing is broken.
    pub(crate) verdicts: Interner<String>,
    pub(crate) labels: Interner<String>,
    pub(crate) coverage: Vec<AtomicU64>,
    pub(super) known: ById<Known>,
    pub(super) asked: Lists<(Id, Id, Manner), Asked>,
    pub(super) moves: Lists<(Id, Id), Move>,
    pub(super) standing: ById<Standing>,
    /// The event of a handler's reply, by the handler and the branch that waits.
    pub(super) answers: Memo<(Id, u8), Id>,
    pub(super) time_outs: Memo<(u8, bool), Id>,
    /// The event that a message cannot be sent, by the branch.
    pub(super) unsent: ById<Id>,
    /// The event of an operator's answer, by the table of parked sagas and the answer.
    pub(super) operated: Memo<(Id, u8, bool, u8), Id>,
    pub(super) judged: Memo<SmallVec<[Id; 12]>, Id>,
    pub(super) voided: Memo<(Id, u8), Id>,
    pub(super) operable: ById<Box<[Operable]>>,
    pub(super) examined: ById<Box<[Id]>>,
    pub(super) closed: Memo<(Id, Id), Id>,
    pub(super) label_of_message: ById<Id>,
    /// The process that takes up a message.
    pub(super) begun: ById<Id>,
    /// The event that an execution died.
    pub(super) reports: ById<Id>,
    /// By saga: another execution that goes forward for it, and its ARN.
    pub(super) besides: ById<(Id, String)>,
    /// A store without the fences of a saga.
    pub(super) expiries: Memo<(Id, usize), Id>,
    /// The sagas of which a store has a fence that is `done`, as bits.
    pub(super) done_under: ById<u16>,
    /// The table of parked sagas after an effect: by the table before, the move of an execution, its place among the executions,
    /// and the place of the effect.
    pub(super) parkings: Memo<(Id, Moving, usize, usize), Id>,
    /// The labels of what is no operation and no state.
    pub(super) named: ById<Id>,
    /// What a question about an execution comes to, by how that one stands.
    pub(super) answered: Lists<(Id, Manner, Option<Id>), Asked>,
}

/// How an execution stands.
#[derive(Debug)]
pub(crate) struct Standing {
    pub(crate) waits: Vec<Waits>,
    pub(crate) saga: usize,
    /// An execution of its machine can settle what a dead one left.
    pub(crate) settles: bool,
    pub(crate) arn: String,
    pub(crate) name: String,
    pub(crate) status: Status,
    pub(crate) redrives: u32,
    /// Where it has ended without an outcome: how many settling executions came before it, with itself.
    pub(crate) attempts: Option<u32>,
    /// For which one it settles.
    pub(crate) settling: Option<Settling>,
}

impl Standing {
    /// It has ended without an outcome.
    pub(crate) fn is_dead(&self) -> bool {
        self.status.is_dead()
    }
}

/// A task that waits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Waits {
    pub(crate) branch: u8,
    pub(crate) label: u8,
    pub(crate) times_out: bool,
    pub(crate) retries_timeout: bool,
}

/// A parked record that the operator can answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Operable {
    pub(crate) token: u8,
    pub(crate) can_skip: bool,
    /// How many steps could not be done.
    pub(crate) steps: u8,
}

impl Tables {
    pub(crate) fn new(
        (machines, newer): (Vec<(String, Machine)>, BTreeMap<usize, Machine>),
        handlers: Handlers,
        (starts, at_first): (Vec<Execution>, usize),
        (first_stores, meanwhile): (Vec<Held>, Option<Meanwhile>),
        invariants: Vec<Invariant>,
        limits: Limits,
    ) -> Self {
        let verdicts = Interner::default();
        verdicts.id(String::new());
        Self {
            state_machines: (0..machines.len()).map(machine_arn).collect(),
            machines,
            newer,
            handlers,
            invariants,
            limits,
            starts,
            at_first,
            first_stores,
            meanwhile,
            runs: Interner::default(),
            events: Interner::default(),
            messages: Interner::default(),
            stores: Interner::default(),
            peers: Interner::default(),
            parked: Interner::default(),
            notices: Interner::default(),
            processes: Interner::default(),
            verdicts,
            labels: Interner::default(),
            coverage: (0..LABELS * FATES).map(|_| AtomicU64::new(0)).collect(),
            known: ById::default(),
            asked: Lists::default(),
            moves: Lists::default(),
            standing: ById::default(),
            answers: Memo::default(),
            time_outs: Memo::default(),
            unsent: ById::default(),
            operated: Memo::default(),
            judged: Memo::default(),
            voided: Memo::default(),
            operable: ById::default(),
            examined: ById::default(),
            closed: Memo::default(),
            label_of_message: ById::default(),
            begun: ById::default(),
            reports: ById::default(),
            besides: ById::default(),
            expiries: Memo::default(),
            done_under: ById::default(),
            parkings: Memo::default(),
            named: ById::default(),
            answered: Lists::default(),
        }
    }

    /// What an execution runs. One that settles begins after the newer release was deployed, if there is one.
    pub(crate) fn machine_of(&self, execution: &Execution) -> &Machine {
        let settles = execution.input.get("settle").is_some();
        let newer = self.newer.get(&execution.machine).filter(|_| settles);
        newer.unwrap_or(&self.machines[execution.machine].1)
    }

    /// The steps that only the newer release of a machine has.
    pub(super) fn newer_steps(&self, machine: usize) -> impl Iterator<Item = &str> {
        let old = &self.machines[machine].1;
        let steps = self.newer.get(&machine).into_iter().flat_map(Machine::steps);
        steps.filter(|step| !old.steps().any(|other| other == *step))
    }

    /// The state in which every saga has just been started.
    pub(crate) fn first(&self) -> State {
        let run = |start: &Execution| self.runs.id(Run::new(start.clone()));
        let mut state = State {
            runs: self.starts.iter().take(self.at_first).map(run).collect(),
            stores: self.first_stores.iter().map(|held| self.stores.id(held.clone())).collect(),
            flights: SmallVec::new(),
            peer: self.peers.id(self.handlers.peer.start()),
            parked: self.parked.id(Parked::new()),
            notices: self.notices.id(Notices::new()),
            verdict: 0,
            faults: self.limits.faults,
            retries: self.limits.operator_retries,
            flags: 0,
            expired: 0,
            blind: 0,
        };
        for slot in 0..state.runs.len() {
            self.happen(&mut state, slot, self.events.id(Event::Start), 0);
        }
        state
    }
}
