//! One check: which sagas, with which handlers, within which bounds.

use crate::{
    asl::{Execution, Machine, ParseError},
    handlers::Handlers,
    invariant::Invariant,
    model::{Held, Limits, Meanwhile, Tables},
    report::{Progress, Report, Verdict},
    search::{Bounds, search},
    timeline::Timeline,
};
use saga::{Definition, Entity, NewRow, Saga, SagaId, SagaIdError, StartInput, Value, asl, budget::Timing};
use serde::Serialize;
use serde_json::json;
use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::AtomicBool},
    thread,
};

/// How many sagas one check can start: their tokens must be told apart, and those of the executions that settle them.
const MAX_SAGAS: usize = 7;

/// Begins a check of one saga: its definition is compiled, and the emitted text is read again.
pub fn check<In: Value>(saga: &Saga<In>, handlers: Handlers) -> Check {
    Check::new(handlers).also(saga.definition())
}

/// Begins a check of a state machine as it was emitted. `name`: the saga's.
pub fn check_machine(name: &str, definition: &str, handlers: Handlers) -> Check {
    Check::new(handlers).also_machine(name, definition)
}

/// A check to be run. The first mistake in building it is told by [`run`](Self::run).
#[derive(Debug)]
#[must_use = "a check does nothing until `.run()`"]
pub struct Check {
    handlers: Handlers,
    machines: Vec<(String, Machine)>,
    newer: BTreeMap<usize, Machine>,
    starts: Vec<Execution>,
    again: Vec<Execution>,
    rows: BTreeMap<usize, Held>,
    meanwhile: Option<Meanwhile>,
    invariants: Vec<Invariant>,
    limits: Limits,
    threads: usize,
    most_states: Option<usize>,
    stop: Arc<AtomicBool>,
    mistake: Option<CheckError>,
}

/// A check that is not set up right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckError {
    /// The saga does not compile.
    #[error("the saga `{saga}` does not compile: {why}")]
    Compile {
        /// The saga.
        saga: String,
        /// Why.
        why: String,
    },
    /// The emitted machine cannot be interpreted.
    #[error("the state machine of `{saga}` cannot be checked: {error}")]
    Parse {
        /// The saga.
        saga: String,
        /// What is not interpreted.
        error: ParseError,
    },
    /// Nobody serves a queue.
    #[error(
        "the saga `{saga}` sends to `{queue}`, which is the queue of nobody: add the function with `Handlers::service`"
    )]
    NoHandlers {
        /// The saga.
        saga: String,
        /// The queue as it stands in the machine.
        queue: String,
    },
    /// No saga of this name.
    #[error("there is no saga `{given}` in this check: it has {known:?}")]
    NoSaga {
        /// The name given.
        given: String,
        /// The sagas there are.
        known: Vec<String>,
    },
    /// Not a saga id.
    #[error(transparent)]
    Id(#[from] SagaIdError),
    /// An input that is not JSON.
    #[error("the input of {id} is not JSON: {why}")]
    Input {
        /// The saga id.
        id: String,
        /// Why.
        why: String,
    },
    /// Nobody owns an entity.
    #[error(
        "no participant of this check owns the entity `{entity}`: add the function with `Handlers::service`"
    )]
    NoOwner {
        /// The entity.
        entity: &'static str,
    },
    /// Too many or no sagas.
    #[error("{given} sagas are started: start 1 to {MAX_SAGAS}")]
    Sagas {
        /// How many.
        given: usize,
    },
}

impl Check {
    fn new(handlers: Handlers) -> Self {
        Self {
            handlers,
            machines: Vec::new(),
            newer: BTreeMap::new(),
            starts: Vec::new(),
            again: Vec::new(),
            rows: BTreeMap::new(),
            meanwhile: None,
            invariants: Vec::new(),
            limits: Limits { faults: 1, deliveries: 2, retries: 1, operator_retries: 1, heals: true },
            threads: thread::available_parallelism().map_or(1, usize::from),
            most_states: None,
            stop: Arc::default(),
            mistake: None,
        }
    }

    /// Adds a saga that runs beside the first one.
    pub fn also(self, definition: &Definition) -> Self {
        match emitted(definition) {
            Ok(text) => self.also_machine(definition.name, &text),
            Err(mistake) => self.wrong(mistake),
        }
    }

    /// Adds a state machine as it was emitted. `name`: the saga's.
    pub fn also_machine(mut self, name: &str, definition: &str) -> Self {
        match self.read(name, definition) {
            Ok(machine) => {
                self.machines.push((name.to_owned(), machine));
                self
            }
            Err(mistake) => self.wrong(mistake),
        }
    }

    /// A newer release is deployed while sagas of the first machine are under way: executions keep the machine that they
    /// began with, and those that settle begin with this one.
    pub fn settled_by(self, newer: &Definition) -> Self {
        match emitted(newer) {
            Ok(text) => self.settled_by_machine(newer.name, &text),
            Err(mistake) => self.wrong(mistake),
        }
    }

    /// As [`settled_by`](Self::settled_by), with a state machine as it was emitted. `name`: the saga's.
    pub fn settled_by_machine(mut self, name: &str, definition: &str) -> Self {
        match self.read(name, definition) {
            Ok(machine) => {
                self.newer.insert(0, machine);
                self
            }
            Err(mistake) => self.wrong(mistake),
        }
    }

    fn read(&self, name: &str, definition: &str) -> Result<Machine, CheckError> {
        let saga = name.to_owned();
        let machine =
            Machine::parse(definition).map_err(|error| CheckError::Parse { saga: saga.clone(), error })?;
        let served = |queue: &&str| self.handlers.hosts.iter().any(|host| host.queue == **queue);
        let unserved = machine.queues().find(|queue| !served(queue)).map(str::to_owned);
        match unserved {
            Some(queue) => Err(CheckError::NoHandlers { saga, queue }),
            None => Ok(machine),
        }
    }

    /// Starts a saga of the first machine. Several sagas run at the same time.
    pub fn start(self, id: &str, input: &impl Serialize) -> Self {
        let first = self.machines.first().map(|(name, _)| name.clone()).unwrap_or_default();
        self.start_of(&first, id, input)
    }

    /// Starts a saga of the machine with this name.
    pub fn start_of(mut self, saga: &str, id: &str, input: &impl Serialize) -> Self {
        match self.execution(saga, id, input) {
            Ok(start) => {
                let saga = self.starts.len();
                self.starts.push(Execution { saga, ..start });
                self
            }
            Err(mistake) => self.wrong(mistake),
        }
    }

    /// The id of a saga of the first machine may be used again, for another input: long after it has ended, when its
    /// execution is forgotten and its fences are not. That is a fault.
    pub fn again(mut self, id: &str, input: &impl Serialize) -> Self {
        let first = self.machines.first().map(|(name, _)| name.clone()).unwrap_or_default();
        match self.execution(&first, id, input) {
            Ok(again) => {
                self.again.push(again);
                self
            }
            Err(mistake) => self.wrong(mistake),
        }
    }

    fn execution(&self, saga: &str, id: &str, input: &impl Serialize) -> Result<Execution, CheckError> {
        let Some(machine) = self.machines.iter().position(|(name, _)| name == saga) else {
            let known = self.machines.iter().map(|(name, _)| name.clone()).collect();
            return Err(CheckError::NoSaga { given: saga.into(), known });
        };
        let id = SagaId::try_from(id.to_owned())?;
        let input = serde_json::to_value(input)
            .map_err(|error| CheckError::Input { id: id.to_string(), why: error.to_string() })?;
        let input = json!(StartInput::begin(id.clone(), input));
        Ok(Execution { machine, saga: 0, name: id.to_string(), input })
    }

    /// Puts an item into the store of its participant before anything starts.
    pub fn put<E: Entity>(mut self, row: NewRow<E>) -> Self {
        let Some(owner) = self.owner_of::<E>() else {
            return self.wrong(CheckError::NoOwner { entity: E::NAME });
        };
        let (key, row) = row.into_parts();
        self.rows.entry(owner).or_default().memory.rows.insert(key, row);
        self
    }

    /// Somebody else sets these fields of an item that is there, once, at any moment: see [`World::written_meanwhile`]. That is
    /// no fault.
    ///
    /// [`World::written_meanwhile`]: crate::World::written_meanwhile
    pub fn meanwhile<E: Entity>(mut self, row: NewRow<E>) -> Self {
        let Some(host) = self.owner_of::<E>() else {
            return self.wrong(CheckError::NoOwner { entity: E::NAME });
        };
        let (key, row) = row.into_parts();
        self.meanwhile = Some(Meanwhile { host, key, row });
        self
    }

    /// Lets sagas stay parked although nothing fails any more and an operator says 'retry'. Otherwise that is a mistake.
    pub fn need_not_heal(mut self) -> Self {
        self.limits.heals = false;
        self
    }

    /// Adds something that must hold.
    pub fn with(mut self, invariant: Invariant) -> Self {
        self.invariants.push(invariant);
        self
    }

    /// How many faults can happen in one history. Default: 1.
    pub fn faults(mut self, faults: u8) -> Self {
        self.limits.faults = faults;
        self
    }

    /// How often a message is delivered before it goes to the dead-letter queue. Default: 2, so that few faults are
    /// enough to get there.
    pub fn deliveries(mut self, deliveries: u8) -> Self {
        self.limits.deliveries = deliveries.max(1);
        self
    }

    /// How often a task is tried again, where the machine allows as many. Default: 1.
    pub fn retries(mut self, retries: u32) -> Self {
        self.limits.retries = retries;
        self
    }

    /// How often the operator says 'retry' in one history; after that, only 'skip', or a saga stays parked. Default: 1.
    pub fn operator_retries(mut self, retries: u8) -> Self {
        self.limits.operator_retries = retries;
        self
    }

    /// How many threads search. Default: all processors. With one, equal checks give equal counterexamples.
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads.max(1);
        self
    }

    /// Stops after about this many states. Default: when there are no more.
    pub fn at_most(mut self, states: usize) -> Self {
        self.most_states = Some(states);
        self
    }

    /// Stops where it is when this is set.
    pub fn stop_when(mut self, stop: Arc<AtomicBool>) -> Self {
        self.stop = stop;
        self
    }

    fn owner_of<E: Entity>(&self) -> Option<usize> {
        self.handlers.hosts.iter().position(|host| host.entities.contains(&E::NAME))
    }

    fn wrong(mut self, mistake: CheckError) -> Self {
        self.mistake.get_or_insert(mistake);
        self
    }

    /// Explores every history within the bounds, or up to the first one that breaks something.
    ///
    /// # Errors
    /// When the check is not set up right.
    pub fn run(self) -> Result<Report, CheckError> {
        self.run_and_tell(|_| ())
    }

    /// As [`run`](Self::run), and tells several times a second how far it is.
    ///
    /// # Errors
    /// When the check is not set up right.
    pub fn run_and_tell(mut self, tell: impl Fn(Progress)) -> Result<Report, CheckError> {
        if let Some(mistake) = self.mistake.take() {
            return Err(mistake);
        }
        if self.starts.is_empty() || self.starts.len() > MAX_SAGAS || self.again.len() > MAX_SAGAS {
            return Err(CheckError::Sagas { given: self.starts.len() });
        }
        let stores = (0..self.handlers.hosts.len()).map(|host| self.rows.remove(&host).unwrap_or_default());
        let stores = stores.collect();
        let Self { handlers, machines, newer, mut starts, again, meanwhile, invariants, limits, .. } = self;
        let at_first = starts.len();
        starts.extend((at_first..).zip(again).map(|(saga, again)| Execution { saga, ..again }));
        let starts = (starts, at_first);
        let first = (stores, meanwhile);
        let tables = Tables::new((machines, newer), handlers, starts, first, invariants, limits);
        let bounds = Bounds { threads: self.threads, most_states: self.most_states, stop: &self.stop };
        let found = search(&tables, &bounds, &tell);
        let verdict = match &found.path {
            Some(path) => Verdict::Broken(Timeline::of(&tables, path)),
            None if found.finished => Verdict::Holds,
            None => Verdict::Stopped,
        };
        Ok(Report::new(&tables, verdict, &found))
    }
}

/// The text of the saga's state machine.
fn emitted(definition: &Definition) -> Result<String, CheckError> {
    let wrong = |why: String| CheckError::Compile { saga: definition.name.into(), why };
    let machine = asl::compile(definition, Timing::scaled(1)).map_err(|error| wrong(error.to_string()))?;
    serde_json::to_string(&machine).map_err(|error| wrong(error.to_string()))
}
