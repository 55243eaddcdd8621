//! Interned values and remembered functions.

use super::state::{INTEGRATION_FAILED, QUEUED, State, VOID, token};
use crate::{
    asl::{Effect, Event, Execution, Machine, Run},
    handlers::Handlers,
    intern::{Id, Interner, Memo},
    invariant::Invariant,
    process::{self, Answer, Ask, Progress},
};
use saga::{MemoryState, SagaId, Unavailable};
use serde_json::{Value as Json, json};
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
}

/// What a participant's store holds, and what was done to it on the way.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Held {
    pub(crate) memory: MemoryState,
    pub(crate) effects: BTreeMap<(SagaId, String), Effects>,
}

/// What the writes of one step of one saga came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) struct Effects {
    pub(crate) runs: u8,
    pub(crate) undos: u8,
    /// An undo was answered: nothing may happen any more.
    pub(crate) closed: bool,
}

/// A message, without the token.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Message {
    /// Whose queue it is in.
    pub(crate) host: usize,
    pub(crate) body: String,
    /// For instance `undo reserve-stock`.
    pub(crate) what: String,
    pub(crate) saga_id: String,
}

/// A handler at work: its message and the answers it got, last first.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Process {
    Start(Id),
    Then(Id, Answer),
}

/// The table of parked sagas: items by key, with the token that answers each.
pub(crate) type Parked = BTreeMap<String, (Json, u8)>;

/// What is known of a handler at work.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) message: Id,
    /// Whose queue the message is in.
    pub(crate) host: usize,
    pub(crate) progress: Progress,
    /// What it asked last can have changed the world.
    pub(crate) changed: bool,
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
}

/// An effect of a move.
#[derive(Debug)]
pub(crate) enum Done {
    Send { branch: u8, message: Id, answerable: bool },
    Lost { why: String },
    Park { branch: u8, key: String, item: Json },
    Put { key: String, item: Json },
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
}

/// How many labels and fates the coverage tells apart.
pub(crate) const LABELS: usize = 64;
pub(crate) const FATES: usize = 24;

/// Everything the model knows.
pub(crate) struct Tables {
    pub(crate) machines: Vec<(String, Machine)>,
    pub(crate) handlers: Handlers,
    pub(crate) invariants: Vec<Invariant>,
    pub(crate) limits: Limits,
    pub(crate) starts: Vec<Execution>,
    pub(crate) first_stores: Vec<Held>,
    pub(crate) runs: Interner<Run>,
    pub(crate) events: Interner<Event>,
    pub(crate) messages: Interner<Message>,
    pub(crate) stores: Interner<Held>,
    pub(crate) peers: Interner<Json>,
    pub(crate) parked: Interner<Parked>,
    pub(crate) processes: Interner<Process>,
    /// Number 0 is the empty text: nothing is broken.
    pub(crate) verdicts: Interner<String>,
    pub(crate) labels: Interner<String>,
    pub(crate) coverage: Vec<AtomicU64>,
    known: Memo<Id, Arc<Known>>,
    asked: Memo<(Id, Id, Manner), Arc<[Asked]>>,
    moves: Memo<(Id, Id), Arc<[Move]>>,
    pub(super) standing: Memo<Id, Arc<Standing>>,
    /// The event of a handler's reply, by the handler and the branch that waits.
    pub(super) answers: Memo<(Id, u8), Id>,
    pub(super) time_outs: Memo<(u8, bool), Id>,
    pub(super) judged: Memo<SmallVec<[Id; 12]>, Id>,
    pub(super) voided: Memo<(Id, u8), Id>,
    pub(super) operable: Memo<Id, Arc<[Operable]>>,
    pub(super) closed: Memo<(Id, Id), Id>,
    pub(super) label_of_message: Memo<Id, Id>,
}

/// How an execution stands.
#[derive(Debug)]
pub(crate) struct Standing {
    pub(crate) waits: Vec<Waits>,
    pub(crate) saga: usize,
    /// An execution of its machine can settle what a dead one left.
    pub(crate) settles: bool,
    /// It has ended without an outcome.
    pub(crate) dead: bool,
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
}

impl Tables {
    pub(crate) fn new(
        machines: Vec<(String, Machine)>,
        handlers: Handlers,
        starts: Vec<Execution>,
        first_stores: Vec<Held>,
        invariants: Vec<Invariant>,
        limits: Limits,
    ) -> Self {
        let verdicts = Interner::default();
        verdicts.id(String::new());
        Self {
            machines,
            handlers,
            invariants,
            limits,
            starts,
            first_stores,
            runs: Interner::default(),
            events: Interner::default(),
            messages: Interner::default(),
            stores: Interner::default(),
            peers: Interner::default(),
            parked: Interner::default(),
            processes: Interner::default(),
            verdicts,
            labels: Interner::default(),
            coverage: (0..LABELS * FATES).map(|_| AtomicU64::new(0)).collect(),
            known: Memo::default(),
            asked: Memo::default(),
            moves: Memo::default(),
            standing: Memo::default(),
            answers: Memo::default(),
            time_outs: Memo::default(),
            judged: Memo::default(),
            voided: Memo::default(),
            operable: Memo::default(),
            closed: Memo::default(),
            label_of_message: Memo::default(),
        }
    }

    /// The state in which every saga has just been started.
    pub(crate) fn first(&self) -> State {
        let run = |start: &Execution| self.runs.id(Run::new(start.clone()));
        let mut state = State {
            runs: self.starts.iter().map(run).collect(),
            stores: self.first_stores.iter().map(|held| self.stores.id(held.clone())).collect(),
            flights: SmallVec::new(),
            peer: self.peers.id(self.handlers.peer.start()),
            parked: self.parked.id(Parked::new()),
            verdict: 0,
            faults: self.limits.faults,
            retries: self.limits.operator_retries,
            skipped: 0,
        };
        for slot in 0..state.runs.len() {
            self.happen(&mut state, slot, self.events.id(Event::Start), 0);
        }
        state
    }

    /// The handler that takes up a message.
    pub(crate) fn begin(&self, message: Id) -> Id {
        self.processes.id(Process::Start(message))
    }

    pub(crate) fn then(&self, process: Id, answer: Answer) -> Id {
        self.processes.id(Process::Then(process, answer))
    }

    pub(crate) fn known(&self, process: Id) -> Arc<Known> {
        self.known.get(process, || {
            let mut answers = Vec::new();
            let mut at = process;
            let message = loop {
                match &*self.processes.value(at) {
                    Process::Start(message) => break *message,
                    Process::Then(before, answer) => {
                        answers.push(answer.clone());
                        at = *before;
                    }
                }
            };
            let changed = match &*self.processes.value(process) {
                Process::Start(_) => false,
                Process::Then(before, _) => {
                    matches!(&self.known(*before).progress, Progress::Asks(ask) if ask.changes())
                }
            };
            answers.reverse();
            let sent = self.messages.value(message);
            let host = &self.handlers.hosts[sent.host].host;
            let progress = process::run(&**host, &sent.body, answers);
            Arc::new(Known { message, host: sent.host, progress, changed })
        })
    }

    /// Every way a question can be answered. `world`: the store, or the peer's memory when it asks the peer.
    pub(crate) fn asked(&self, process: Id, world: Id, manner: Manner) -> Arc<[Asked]> {
        self.asked.get((process, world, manner), || {
            let known = self.known(process);
            let Progress::Asks(ask) = &known.progress else { return Arc::new([]) };
            match ask {
                Ask::Outside(request) => self.ask_peer(process, request, world, manner),
                Ask::Reply(_) => {
                    Arc::new([Asked { world, process: self.then(process, Answer::Replied), verdict: 0 }])
                }
                _ => self.ask_store(process, &known, ask, world, manner),
            }
        })
    }

    fn ask_peer(&self, process: Id, request: &Json, world: Id, manner: Manner) -> Arc<[Asked]> {
        if manner == Manner::Busy {
            let process = self.then(process, Answer::Outside(None));
            return Arc::new([Asked { world, process, verdict: 0 }]);
        }
        let ways = self.handlers.peer.take(&self.peers.value(world), request);
        let way = |(memory, answer): (Json, Json)| {
            let answer = (manner == Manner::Well).then_some(answer);
            let process = self.then(process, Answer::Outside(answer));
            Asked { world: self.peers.id(memory), process, verdict: 0 }
        };
        ways.into_iter().map(way).collect()
    }

    fn ask_store(&self, process: Id, known: &Known, ask: &Ask, world: Id, manner: Manner) -> Arc<[Asked]> {
        let busy = || Unavailable("the store is busy".into());
        let held = self.stores.value(world);
        let (after, answer, verdict) = match (ask, manner) {
            (Ask::ReadFence(_), Manner::Busy | Manner::Lost) => (None, Answer::Fence(Err(busy())), 0),
            (Ask::ReadRow(_), Manner::Busy | Manner::Lost) => (None, Answer::Row(Err(busy())), 0),
            (Ask::ReadFence(key), Manner::Well) => {
                (None, Answer::Fence(Ok(held.memory.fences.get(key).cloned())), 0)
            }
            (Ask::ReadRow(key), Manner::Well) => {
                (None, Answer::Row(Ok(held.memory.rows.get(key).cloned())), 0)
            }
            (Ask::Apply(_), Manner::Busy) => (None, Answer::Applied(Err(busy().into_refused())), 0),
            (Ask::Apply(transaction), _) => {
                let mut after = (*held).clone();
                let applied = after.memory.apply(transaction);
                let what = self.messages.value(known.message);
                let verdict = match &applied {
                    Ok(()) => self.broken(after.note(&what, transaction)),
                    Err(_) => 0,
                };
                let answer = if manner == Manner::Lost { Err(busy().into_refused()) } else { applied };
                (Some(after), Answer::Applied(answer), verdict)
            }
            (Ask::Outside(_) | Ask::Reply(_), _) => return Arc::new([]),
        };
        let world = after.map_or(world, |after| self.stores.id(after));
        Arc::new([Asked { world, process: self.then(process, answer), verdict }])
    }

    /// The number of what is broken; 0 when nothing is.
    pub(super) fn broken(&self, what: Option<String>) -> Id {
        what.map_or(0, |what| self.verdicts.id(what))
    }

    pub(crate) fn moves(&self, run: Id, event: Id) -> Arc<[Move]> {
        self.moves.get((run, event), || {
            let before = self.runs.value(run);
            let (_, machine) = &self.machines[before.execution().machine];
            let moved = before.moves(machine, &self.events.value(event), self.limits.retries);
            let in_numbers = |moved: crate::asl::Moved| Move {
                effects: moved.effects.into_iter().map(|effect| self.done(&moved.run, effect)).collect(),
                failed: moved.failed,
                run: self.runs.id(moved.run),
            };
            // Where nothing can settle what a dead execution left, an integration that fails for good and is not caught
            // is an incident and not explored.
            let alive = |moved: &crate::asl::Moved| {
                moved.failed.is_none()
                    || machine.settles()
                    || !matches!(moved.run.end(), Some(crate::asl::End::Failed { .. }))
            };
            moved.into_iter().filter(alive).map(in_numbers).collect()
        })
    }

    fn done(&self, run: &Run, effect: Effect) -> Done {
        match effect {
            Effect::Send { branch, arguments } => self.sent(run, branch, &arguments),
            Effect::Park { branch, arguments } => {
                Done::Park { branch, key: key_of(&arguments["Item"]), item: arguments["Item"].clone() }
            }
            Effect::PutItem { arguments } => {
                Done::Put { key: key_of(&arguments["Item"]), item: arguments["Item"].clone() }
            }
            Effect::UpdateItem { arguments } => {
                Done::Set { key: key_of(&arguments["Key"]), attributes: attributes_of(&arguments) }
            }
            Effect::DeleteItem { arguments } => Done::Delete { key: key_of(&arguments["Key"]) },
            Effect::Publish { arguments } => Done::Lost {
                why: if arguments["TopicArn"].is_string() {
                    String::new()
                } else {
                    "a notice has no topic".into()
                },
            },
            Effect::Void { branch } => Done::Void { branch },
        }
    }

    fn sent(&self, run: &Run, branch: u8, arguments: &Json) -> Done {
        let queue = arguments["QueueUrl"].as_str().unwrap_or_default();
        let Some(host) = self.handlers.hosts.iter().position(|host| host.queue == queue) else {
            return Done::Lost {
                why: format!("a message is sent to `{queue}`, which is the queue of nobody"),
            };
        };
        let body = match &arguments["MessageBody"] {
            Json::String(text) => text.clone(),
            other => other.to_string(),
        };
        // The token is told apart by who waits, so that equal messages of different times are one.
        let token = run.token(branch);
        let text = |member: &str| arguments["MessageBody"][member].as_str().unwrap_or("?").to_owned();
        let what = format!("{} {}", text("op"), text("step"));
        let answerable = body.contains(&token);
        let message = Message { host, body: body.replace(&token, "token"), what, saga_id: text("id") };
        Done::Send { branch, message: self.messages.id(message), answerable }
    }

    /// Lets an event happen to an execution. `way`: see [`Run::moves`].
    pub(super) fn happen(&self, state: &mut State, slot: usize, event: Id, way: usize) {
        let moves = self.moves(state.runs[slot], event);
        let Some(moved) = moves.get(way) else { return };
        state.runs[slot] = moved.run;
        if moved.failed.is_some() {
            state.skipped |= INTEGRATION_FAILED;
        }
        for effect in &moved.effects {
            match effect {
                Done::Send { branch, message, answerable } => state.add(super::state::Flight {
                    message: *message,
                    process: QUEUED,
                    token: if *answerable { token(slot, *branch) } else { VOID },
                    receives: 0,
                    mark: super::state::Mark::Live,
                }),
                Done::Lost { why } if why.is_empty() => {}
                Done::Lost { why } => state.verdict = self.verdicts.id(why.clone()),
                Done::Park { branch, key, item } => {
                    self.park(state, |parked| {
                        parked.insert(key.clone(), (item.clone(), token(slot, *branch)));
                    });
                }
                Done::Put { key, item } => self.park(state, |parked| {
                    parked.insert(key.clone(), (item.clone(), VOID));
                }),
                Done::Set { key, attributes } => self.park(state, |parked| {
                    let (item, _) = parked.entry(key.clone()).or_insert_with(|| (json!({}), VOID));
                    for (name, value) in attributes {
                        item[name] = value.clone();
                    }
                }),
                Done::Delete { key } => self.park(state, |parked| {
                    parked.remove(key);
                }),
                Done::Void { branch } => {
                    let token = token(slot, *branch);
                    state.void(token);
                    state.parked = self.voided.get((state.parked, token), || {
                        let mut parked = (*self.parked.value(state.parked)).clone();
                        for (_, answers) in parked.values_mut().filter(|(_, answers)| *answers == token) {
                            *answers = VOID;
                        }
                        self.parked.id(parked)
                    });
                }
            }
        }
    }

    pub(super) fn park(&self, state: &mut State, change: impl FnOnce(&mut Parked)) {
        let mut parked = (*self.parked.value(state.parked)).clone();
        change(&mut parked);
        state.parked = self.parked.id(parked);
    }
}

/// The key of an item of the table of parked sagas.
fn key_of(item: &Json) -> String {
    json!([item["saga_id"]["S"], item["what"]["S"]]).to_string()
}

/// The attributes that an update sets. Its form was checked when the machine was read.
fn attributes_of(arguments: &Json) -> Vec<(String, Json)> {
    let sets = arguments["UpdateExpression"].as_str().and_then(|update| update.strip_prefix("SET "));
    let attribute = |set: &str| {
        let (name, value) = set.split_once(" = ")?;
        let name = arguments["ExpressionAttributeNames"][name].as_str()?;
        Some((name.to_owned(), arguments["ExpressionAttributeValues"][value].clone()))
    };
    sets.unwrap_or_default().split(", ").filter_map(attribute).collect()
}

trait IntoRefused {
    fn into_refused(self) -> saga::Refused;
}

impl IntoRefused for Unavailable {
    fn into_refused(self) -> saga::Refused {
        saga::Refused::Unavailable(self)
    }
}

impl Held {
    /// Keeps account of an applied transaction. Says what it breaks.
    fn note(&mut self, message: &Message, transaction: &saga::Transaction) -> Option<String> {
        if transaction.writes.iter().all(saga::Write::only_checks) {
            return None;
        }
        let (op, step) = message.what.split_once(' ')?;
        let key = (transaction.fence.saga_id.clone(), step.to_owned());
        let effects = self.effects.entry(key).or_default();
        let id = &message.saga_id;
        if op == "run" {
            effects.runs = effects.runs.saturating_add(1).min(3);
            if effects.closed || effects.undos > 0 {
                return Some(format!("`{step}` of {id} took effect after it was undone"));
            }
            return (effects.runs > 1).then(|| format!("`{step}` of {id} took effect twice"));
        }
        effects.undos = effects.undos.saturating_add(1).min(3);
        if effects.runs == 0 {
            return Some(format!("`{step}` of {id} was undone without having taken effect"));
        }
        (effects.undos > 1).then(|| format!("`{step}` of {id} was undone twice"))
    }

    /// An undo was answered with success.
    pub(super) fn close(&mut self, saga_id: &SagaId, step: &str) {
        self.effects.entry((saga_id.clone(), step.to_owned())).or_default().closed = true;
    }
}
