//! Step Functions and the table of parked sagas, in memory.

use crate::{
    CallError, Dead, Death, Execution, Listed, Orchestrator, Page, Record, Report, Settled, Started, Status,
    execution::execution_arn,
};
use saga::{SagaId, StartInput, parked_table::sort_key};
use serde_json::{Value as Json, json};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, MutexGuard},
    time::{Duration, SystemTime},
};

pub(super) const MACHINE: &str = "arn:aws:states:eu-central-1:1:stateMachine:order";
pub(super) const CANCELS: &str = "arn:aws:states:eu-central-1:1:stateMachine:cancel-order";

/// A world in which nothing has happened yet.
#[derive(Default)]
pub(super) struct World(Mutex<State>);

#[derive(Default)]
pub(super) struct State {
    /// By ARN.
    pub(super) executions: BTreeMap<String, Execution>,
    /// What `describe` still says of them, in turn, before it says what is so.
    pub(super) stale: BTreeMap<String, VecDeque<Option<Execution>>>,
    pub(super) records: BTreeMap<(SagaId, String), Record>,
    /// The calls that are not answered, by how they begin, one by one.
    pub(super) lost: Vec<&'static str>,
    /// The most executions of a page.
    pub(super) page_size: Option<usize>,
    pub(super) calls: Vec<String>,
}

impl World {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// An execution that died, at this second.
    pub(super) fn died(&self, machine: &str, name: &str, input: Json, second: u64) -> Execution {
        let mut execution = Execution::new(machine, name, Status::Dead(Death::Failed), input);
        execution.stopped = Some(at(second));
        self.put(execution)
    }

    pub(super) fn put(&self, execution: Execution) -> Execution {
        self.state().executions.insert(execution.arn.clone(), execution.clone());
        execution
    }

    pub(super) fn park(&self, execution: &Execution, thing: &str) {
        let record = Record {
            sort_key: sort_key(thing, &execution.name),
            execution_arn: execution.arn.clone(),
            redrives: execution.redrives,
        };
        let id = execution.start_input().unwrap().id;
        self.state().records.insert((id, record.sort_key.clone()), record);
    }

    pub(super) fn parked(&self) -> Vec<String> {
        self.state()
            .records
            .values()
            .map(|record| format!("{} of {}", record.sort_key, record.execution_arn))
            .collect()
    }

    /// The names of the executions that were started.
    pub(super) fn started(&self) -> Vec<String> {
        let state = self.state();
        let starts = state.calls.iter().filter_map(|call| call.strip_prefix("start "));
        starts.map(str::to_owned).collect()
    }

    fn called(&self, call: String) -> Result<MutexGuard<'_, State>, CallError> {
        let mut state = self.state();
        let lost = state.lost.iter().position(|lost| call.starts_with(lost));
        state.calls.push(call);
        match lost {
            Some(lost) => {
                state.lost.remove(lost);
                Err(CallError::unanswered("Step Functions", "Rate exceeded"))
            }
            None => Ok(state),
        }
    }
}

impl Orchestrator for World {
    async fn describe(&self, arn: &str) -> Result<Option<Execution>, CallError> {
        let mut state = self.called(format!("describe {}", name_of(arn)))?;
        if let Some(said) = state.stale.get_mut(arn).and_then(VecDeque::pop_front) {
            return Ok(said);
        }
        Ok(state.executions.get(arn).cloned())
    }

    async fn list_dead(&self, machine: &str, death: Death, page: Option<&str>) -> Result<Page, CallError> {
        let state = self.called(format!("list {} {}", name_of(machine), death.as_str()))?;
        let from: usize = page.map_or(0, |page| page.parse().unwrap());
        let dead = state.executions.values().filter(|execution| {
            execution.state_machine == machine && execution.status == Status::Dead(death)
        });
        let listed = |execution: &Execution| Listed {
            arn: execution.arn.clone(),
            redrives: execution.redrives,
            stopped: execution.stopped,
        };
        let mut executions: Vec<_> = dead.skip(from).map(listed).collect();
        let size = state.page_size.unwrap_or(1_000);
        let next = (executions.len() > size).then(|| (from + size).to_string());
        executions.truncate(size);
        Ok(Page { executions, next })
    }

    async fn start(&self, machine: &str, name: &str, input: &StartInput) -> Result<Started, CallError> {
        let mut state = self.called(format!("start {name}"))?;
        if state.executions.contains_key(&execution_arn(machine, name)) {
            return Ok(Started::NameTaken);
        }
        let begun = Execution::new(machine, name, Status::Running, json!(input));
        state.executions.insert(begun.arn.clone(), begun);
        Ok(Started::Now)
    }

    async fn records_of(&self, saga_id: &SagaId) -> Result<Vec<Record>, CallError> {
        let state = self.called(format!("records {saga_id}"))?;
        let of_saga = state.records.iter().filter(|((id, _), _)| id == saga_id);
        Ok(of_saga.map(|(_, record)| record.clone()).collect())
    }

    async fn forget(&self, saga_id: &SagaId, record: &Record) -> Result<(), CallError> {
        let mut state = self.called(format!("forget {}", record.sort_key))?;
        let key = (saga_id.clone(), record.sort_key.clone());
        if state.records.get(&key) == Some(record) {
            state.records.remove(&key);
        }
        Ok(())
    }
}

fn name_of(arn: &str) -> &str {
    arn.rsplit(':').next().unwrap_or_default()
}

pub(super) fn at(second: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(second)
}

/// What an order's execution is given.
pub(super) fn order(id: &str) -> Json {
    json!(StartInput::begin(id.parse().unwrap(), json!({ "customer": "maria@example.com" })))
}

pub(super) fn report(execution: &Execution) -> Report {
    Report { execution: execution.arn.clone(), death: Death::Failed, redrives: execution.redrives }
}

/// The execution that settles for a dead one.
pub(super) fn successor_of(dead: &Execution, status: Status) -> Execution {
    let dead = Dead::of(dead).unwrap().unwrap();
    Execution::new(&dead.state_machine, &dead.successor_name(), status, json!(dead.successor_input()))
}

pub(super) fn told(settled: &Settled) -> (&str, bool) {
    (settled.dead.name.as_str(), settled.before)
}
