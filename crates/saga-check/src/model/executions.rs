//! Executions as Step Functions knows them, and what rescue asks of them.

use super::{
    actions::{Action, small},
    next::Answers,
    state::{State, VOID},
    tables::{Asked, Manner, Standing, Tables, Waits},
};
use crate::{
    asl::{End, Event, Execution, Run, Waiting},
    intern::Id,
    orchestrator::unanswered,
    process::{Answer, Ask},
};
use saga::{
    SagaId, Settling,
    parked_table::{EXECUTION_ARN, REDRIVES, SAGA_ID, TASK_TOKEN, WHAT},
};
use saga_executions::{self as known, Dead, Death, Listed, Page, Record, Started, Status};
use serde_json::Value as Json;
use std::sync::Arc;

/// The state machine at this place of the check.
pub(crate) fn machine_arn(machine: usize) -> String {
    format!("arn:aws:states:us-east-1:000000000000:stateMachine:m{machine}")
}

impl Tables {
    pub(crate) fn standing(&self, run: Id) -> &Standing {
        self.standing.get(run, || {
            let value = self.runs.value(run);
            let execution = value.execution();
            let machine = self.machine_of(execution);
            let waits = |waiting: Waiting<'_>| Waits {
                branch: waiting.branch,
                label: small(self.labels.id(waiting.state.to_owned()) as usize),
                times_out: waiting.times_out,
                retries_timeout: waiting.retries_timeout,
            };
            let known = described(value);
            Standing {
                waits: value.waiting(machine).into_iter().map(waits).collect(),
                saga: execution.saga,
                settles: machine.settles(),
                attempts: Dead::of(&known).ok().flatten().map(|dead| dead.attempts()),
                settling: known.start_input().and_then(|input| input.settle),
                arn: known.arn,
                name: known.name,
                status: known.status,
                redrives: known.redrives,
            }
        })
    }

    /// The execution of this ARN, if there is one that is not forgotten.
    pub(super) fn slot_of(&self, state: &State, arn: &str) -> Option<usize> {
        (0..state.runs.len()).rev().find(|slot| {
            let standing = self.standing(state.runs[*slot]);
            standing.arn == arn && !self.is_forgotten(state, standing.saga)
        })
    }

    /// An execution is dead, and none settles for it.
    pub(super) fn unsettled(&self, state: &State, slot: usize) -> bool {
        let standing = self.standing(state.runs[slot]);
        let Some(attempts) = standing.attempts else { return false };
        let settles = |run: &Id| {
            let other = self.standing(*run);
            let for_it = |of: &Settling| of.execution == standing.name && of.attempt == attempts + 1;
            other.saga == standing.saga && other.settling.as_ref().is_some_and(for_it)
        };
        standing.settles && !state.runs.iter().any(settles)
    }

    /// Every way in which a question about executions can be answered.
    pub(super) fn asked_executions(&self, state: &State, process: Id, ask: &Ask, manner: Manner) -> Answers {
        let lost = matches!(manner, Manner::Busy | Manner::Lost);
        if let (Ask::ListDead { state_machine, death, .. }, false) = (ask, lost) {
            let page = self.listed(state, state_machine, *death);
            let process = self.then(process, Answer::Listed(Ok(page)));
            return [Asked { world: state.parked, process, verdict: 0 }].into_iter().collect();
        }
        let about = self.known(process).about.as_deref();
        let there = about.and_then(|arn| self.slot_of(state, arn)).map(|slot| state.runs[slot]);
        let answers = self.answered.get((process, manner, there), || {
            let there = there.map(|run| self.runs.value(run));
            let answers = if lost { [not_answered(ask)].into() } else { answers(ask, there, manner) };
            let answered = |answer| Asked { world: 0, process: self.then(process, answer), verdict: 0 };
            answers.into_iter().map(answered).collect()
        });
        answers.iter().map(|asked| Asked { world: state.parked, ..*asked }).collect()
    }

    fn listed(&self, state: &State, state_machine: &str, death: Death) -> Page {
        let listed = |run: &Id| {
            let standing = self.standing(*run);
            let machine = self.runs.value(*run).execution().machine;
            let dead = standing.status == Status::Dead(death)
                && self.state_machines[machine] == state_machine
                && !self.is_forgotten(state, standing.saga);
            dead.then(|| Listed { arn: standing.arn.clone(), redrives: standing.redrives, stopped: None })
        };
        Page { executions: state.runs.iter().rev().filter_map(listed).collect(), next: None }
    }

    /// Starts the execution that is asked for, unless there has been one of this name.
    pub(super) fn start(&self, state: &mut State, ask: &Ask) {
        let Ask::Start { state_machine, name, input } = ask else { return };
        let machine = (0..self.machines.len()).find(|machine| machine_arn(*machine) == *state_machine);
        let Some(machine) = machine else { return };
        let ours = |start: &Execution| {
            start.machine == machine && start.input["id"] == input["id"] && start.input["run"] == input["run"]
        };
        let saga = self.starts.iter().position(ours).unwrap_or(usize::MAX);
        let execution = Execution { machine, saga, name: name.clone(), input: input.clone() };
        if self.slot_of(state, &execution.arn()).is_some() {
            return;
        }
        self.begin_execution(state, execution);
    }

    /// Nothing may assume that one execution is the only one that goes forward: somebody starts another in the console, or
    /// a saga is handed over by what began it. One more for each saga is enough to see it.
    pub(super) fn executions_beside(&self, state: &State, actions: &mut Vec<Action>) {
        if state.faults == 0 {
            return;
        }
        for saga in 0..self.at_first {
            let settles = self.machines[self.starts[saga].machine].1.settles();
            let (_, arn) = self.beside(saga);
            if settles
                && state.expired >> saga & 1 == 0
                && self.slot_of(state, arn).is_none()
                && !self.is_forgotten(state, saga)
            {
                actions.push(Action::Beside { saga: small(saga) });
            }
        }
    }

    /// Starts another execution for a saga that goes forward too.
    pub(super) fn go_beside(&self, state: &mut State, saga: usize) {
        self.begin_run(state, self.beside(saga).0);
    }

    /// An execution begins, whatever is there already.
    pub(super) fn begin_execution(&self, state: &mut State, execution: Execution) {
        self.begin_run(state, self.runs.id(Run::new(execution)));
    }

    fn begin_run(&self, state: &mut State, run: Id) {
        state.runs.push(run);
        self.happen(state, state.runs.len() - 1, self.events.id(Event::Start), 0);
    }

    /// The execution that goes forward too, before it starts, and its ARN.
    fn beside(&self, saga: usize) -> &(Id, String) {
        self.besides.get(saga as Id, || {
            let first = &self.starts[saga];
            let execution = Execution { name: format!("{}-beside", first.name), ..first.clone() };
            let arn = execution.arn();
            (self.runs.id(Run::new(execution)), arn)
        })
    }

    pub(super) fn ask_records(&self, process: Id, id: &SagaId, parked: Id, manner: Manner) -> Asked {
        let answer = match manner {
            Manner::Busy | Manner::Lost => Err(unanswered()),
            _ => {
                let items = self.parked.value(parked);
                let arrived = |token: u8| manner != Manner::Stale || token != VOID;
                let of_saga = items.values().filter(|(item, _)| item[SAGA_ID]["S"] == id.as_str());
                let arrived = of_saga.filter(|(_, token)| arrived(*token));
                Ok(arrived.filter_map(|(item, _)| record(item)).collect())
            }
        };
        Asked { world: parked, process: self.then(process, Answer::Records(answer)), verdict: 0 }
    }

    /// There is a record of an execution that died. Such a write may arrive after the death is known.
    pub(super) fn may_be_on_its_way(&self, parked: Id, id: &SagaId) -> bool {
        let parked = self.parked.value(parked);
        parked.values().any(|record| is_left(record) && record.0[SAGA_ID]["S"] == id.as_str())
    }

    pub(super) fn ask_forget(
        &self,
        process: Id,
        id: &SagaId,
        record: &Record,
        parked: Id,
        manner: Manner,
    ) -> Asked {
        let lost = matches!(manner, Manner::Busy | Manner::Lost);
        let process = self.then(process, Answer::Forgotten(if lost { Err(unanswered()) } else { Ok(()) }));
        if manner == Manner::Busy {
            return Asked { world: parked, process, verdict: 0 };
        }
        let mut items = (*self.parked.value(parked)).clone();
        items.retain(|_, (item, _)| {
            let meant = item[SAGA_ID]["S"] == id.as_str() && item[WHAT]["S"] == record.sort_key.as_str();
            let still = item[EXECUTION_ARN]["S"] == record.execution_arn.as_str()
                && redrives_of(item) <= record.redrives;
            !(meant && still)
        });
        Asked { world: self.parked.id(items), process, verdict: 0 }
    }

    /// Something that a dead execution left is to be settled or taken away: what the next sweep does.
    pub(super) fn needs_sweep(&self, state: &State) -> bool {
        (0..state.runs.len()).any(|slot| self.unsettled(state, slot) || self.left_record(state, slot))
    }

    /// What a dead execution parked is there still: it was redriven, parked and died again, or the record arrived late.
    pub(super) fn left_record(&self, state: &State, slot: usize) -> bool {
        let standing = self.standing(state.runs[slot]);
        standing.is_dead()
            && self
                .parked
                .value(state.parked)
                .values()
                .any(|record| is_left(record) && record.0[EXECUTION_ARN]["S"] == standing.arn.as_str())
    }
}

/// The execution that a question is about, by its ARN.
pub(super) fn about(ask: &Ask) -> Option<String> {
    match ask {
        Ask::Describe(arn) => Some(arn.clone()),
        Ask::Start { state_machine, name, .. } => {
            Some(known::Execution::new(state_machine, name, Status::Running, Json::Null).arn)
        }
        _ => None,
    }
}

/// Every answer to a question about an execution, which is there or not.
fn answers(ask: &Ask, there: Option<&Run>, manner: Manner) -> Vec<Answer> {
    match ask {
        Ask::Describe(_) => {
            let now = there.map(described);
            let told = if manner == Manner::Stale { before(now) } else { vec![now] };
            told.into_iter().map(|known| Answer::Described(Ok(known.map(Box::new)))).collect()
        }
        Ask::Start { input, .. } => {
            // As AWS: the same input of an execution that still runs is a success.
            let same = |there: &Run| there.end().is_none() && there.execution().input == *input;
            let now = there.is_none_or(same);
            vec![Answer::Started(Ok(if now { Started::Now } else { Started::NameTaken }))]
        }
        _ => Vec::new(),
    }
}

/// No answer to a question about executions.
fn not_answered(ask: &Ask) -> Answer {
    match ask {
        Ask::Describe(_) => Answer::Described(Err(unanswered())),
        Ask::ListDead { .. } => Answer::Listed(Err(unanswered())),
        _ => Answer::Started(Err(unanswered())),
    }
}

/// What was said of an execution some time ago: that it runs, that it is not known, or that it is still dead.
fn before(now: Option<known::Execution>) -> Vec<Option<known::Execution>> {
    let Some(now) = now else { return Vec::new() };
    let mut told = vec![None];
    if now.status != Status::Running {
        told.push(Some(known::Execution { status: Status::Running, ..now.clone() }));
    }
    if let (Status::Running, Some(redrives)) = (now.status, now.redrives.checked_sub(1)) {
        told.push(Some(known::Execution { status: Status::Dead(Death::Aborted), redrives, ..now }));
    }
    told
}

fn described(run: &Run) -> known::Execution {
    let execution = run.execution();
    let status = match run.end() {
        None => Status::Running,
        Some(End::Succeeded(_)) => Status::Succeeded,
        Some(End::Failed { .. }) => Status::Dead(Death::Failed),
        Some(End::Aborted) => Status::Dead(Death::Aborted),
    };
    let machine = machine_arn(execution.machine);
    let known = known::Execution::new(&machine, &execution.name, status, execution.input.clone());
    known::Execution { redrives: run.redrives(), ..known }
}

/// It asks for an answer, and nobody waits for that any more.
pub(super) fn is_left((item, token): &(Arc<Json>, u8)) -> bool {
    *token == VOID && item.get(TASK_TOKEN).is_some()
}

fn record(item: &Json) -> Option<Record> {
    item.get(TASK_TOKEN)?;
    Some(Record {
        sort_key: item[WHAT]["S"].as_str()?.to_owned(),
        execution_arn: item[EXECUTION_ARN]["S"].as_str()?.to_owned(),
        redrives: redrives_of(item),
    })
}

fn redrives_of(item: &Json) -> u32 {
    item[REDRIVES]["N"].as_str().and_then(|count| count.parse().ok()).unwrap_or_default()
}
