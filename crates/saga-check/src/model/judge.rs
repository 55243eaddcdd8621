//! What must hold of every saga, whatever it does, and what the user says must hold.

use super::{
    state::{INTEGRATION_FAILED, State, VOID, token},
    tables::{Held, Tables},
};
use crate::{
    asl::{End, Run},
    intern::Id,
    invariant::{Outcome, SagaEnd, World},
};
use saga::{
    fence::FenceState,
    parked_table::{TASK_TOKEN, WHAT},
};
use serde_json::Value as Json;
use smallvec::SmallVec;
use std::sync::Arc;

/// What the moments and the ends are told apart by, beside the numbers.
const MOMENT: Id = 0;
const END: Id = 1;

impl Tables {
    /// The number of what is broken in this state; 0 when nothing is.
    pub(super) fn judge(&self, state: &State) -> Id {
        let mut key: SmallVec<[Id; 12]> = SmallVec::new();
        key.extend([MOMENT, state.peer]);
        key.extend(state.stores.iter().copied());
        let verdict = self.judged.get(key, || self.broken(self.judge_moment(state)));
        if verdict != 0 || !self.all_ended(state) {
            return verdict;
        }
        let untouched = Id::from(state.faults == self.limits.faults);
        let mut key: SmallVec<[Id; 12]> = SmallVec::new();
        key.extend([END, state.peer, state.parked, Id::from(state.skipped), untouched]);
        key.extend(state.stores.iter().copied());
        key.extend(state.runs.iter().copied());
        self.judged.get(key, || self.broken(self.judge_end(state)))
    }

    /// Nothing is left to happen, but for an operator.
    pub(super) fn all_ended(&self, state: &State) -> bool {
        if !state.flights.is_empty() {
            return false;
        }
        let operable = self.operable(state.parked);
        (0..state.runs.len()).all(|slot| {
            let parked = |branch| operable.iter().any(|record| record.token == token(slot, branch));
            let standing = self.standing(state.runs[slot]);
            standing.waits.iter().all(|waits| !waits.times_out || parked(waits.branch))
                && !self.needs_rescue(state, slot)
        })
    }

    fn judge_moment(&self, state: &State) -> Option<String> {
        self.with_world(state, Vec::new(), |world| self.ask_invariants(world, false))
    }

    fn ask_invariants(&self, world: &World<'_>, at_end: bool) -> Option<String> {
        self.invariants.iter().filter(|invariant| invariant.at_end == at_end).find_map(|invariant| {
            let why = (invariant.holds)(world).err()?;
            Some(format!("{}: {why}", invariant.name))
        })
    }

    fn with_world<T>(&self, state: &State, sagas: Vec<SagaEnd<'_>>, look: impl FnOnce(&World<'_>) -> T) -> T {
        let held = self.held(state);
        let peer = self.peers.value(state.peer);
        let stores = held.iter().map(|held| &held.memory).collect();
        look(&World { stores, peer: &peer, sagas })
    }

    pub(crate) fn held(&self, state: &State) -> Vec<Arc<Held>> {
        state.stores.iter().map(|store| self.stores.value(*store)).collect()
    }

    fn judge_end(&self, state: &State) -> Option<String> {
        let runs: Vec<Arc<Run>> = state.runs.iter().map(|run| self.runs.value(*run)).collect();
        let held = self.held(state);
        let mut sagas = Vec::new();
        for (saga, start) in self.starts.iter().enumerate() {
            let id = start.input["id"].as_str().unwrap_or_default();
            let (name, _) = &self.machines[start.machine];
            let skipped = state.skipped >> saga.min(6) & 1 == 1;
            let acting: Vec<usize> =
                (0..runs.len()).filter(|slot| runs[*slot].execution().saga == saga).collect();
            let outcome = self.outcome(state, &runs, &acting);
            let end = SagaEnd { saga: name, id, outcome, skipped };
            let broken = self
                .judge_saga(&end, start.machine, &held)
                .or_else(|| two_ways(&end, &runs, &acting))
                .or_else(|| self.without_cause(state, &end));
            if broken.is_some() {
                return broken;
            }
            sagas.push(end);
        }
        if let Some(left) = self.left_behind(state) {
            return Some(left);
        }
        self.with_world(state, sagas, |world| self.ask_invariants(world, true))
    }

    /// How the last execution that acted for a saga ended.
    fn outcome<'a>(&self, state: &State, runs: &'a [Arc<Run>], acting: &[usize]) -> Outcome<'a> {
        let Some(last) = acting.last() else { return Outcome::Neither(None) };
        match runs[*last].end() {
            Some(End::Succeeded(output)) => outcome_of(output).unwrap_or(Outcome::Neither(runs[*last].end())),
            None => {
                let waits = &self.standing(state.runs[*last]).waits;
                let operable = self.operable(state.parked);
                let parked = waits
                    .iter()
                    .all(|waits| operable.iter().any(|record| record.token == token(*last, waits.branch)));
                if parked && !waits.is_empty() { Outcome::Parked } else { Outcome::Neither(None) }
            }
            end => Outcome::Neither(end),
        }
    }

    fn judge_saga(&self, end: &SagaEnd<'_>, machine: usize, held: &[Arc<Held>]) -> Option<String> {
        let SagaEnd { saga, id, .. } = end;
        let steps = self.machines[machine].1.steps();
        let of_step = |step: &str| {
            let fence = held.iter().find_map(|held| {
                let mut fences = held.memory.fences.iter();
                fences
                    .find(|(key, _)| key.saga_id.as_str() == *id && key.step == step)
                    .map(|(_, recorded)| recorded.fence.state())
            });
            let effects = held.iter().find_map(|held| {
                let mut effects = held.effects.iter();
                effects
                    .find(|((saga_id, of), _)| saga_id.as_str() == *id && of == step)
                    .map(|(_, effects)| *effects)
            });
            (fence, effects.unwrap_or_default())
        };
        match end.outcome {
            Outcome::Committed(_) => steps.into_iter().find_map(|step| match of_step(step) {
                (Some(FenceState::Done), effects) if effects.undos == 0 => None,
                (fence, effects) => Some(format!(
                    "{saga} {id} is committed, but the fence of `{step}` is {} and its effect was undone {} times",
                    fence.map_or("absent", FenceState::as_str),
                    effects.undos
                )),
            }),
            Outcome::Compensated(_) if !end.skipped => {
                steps.into_iter().find_map(|step| match of_step(step) {
                    (Some(FenceState::Done), _) => {
                        Some(format!("{saga} {id} is compensated, but `{step}` is done and not undone"))
                    }
                    (_, effects) if effects.runs != effects.undos => Some(format!(
                        "{saga} {id} is compensated, but `{step}` took effect {} times and was undone {} times",
                        effects.runs, effects.undos
                    )),
                    _ => None,
                })
            }
            Outcome::Compensated(_) | Outcome::Parked => None,
            Outcome::Neither(None) => Some(format!("{saga} {id} waits for an answer that nobody will give")),
            Outcome::Neither(Some(dead)) => {
                let how = match dead {
                    End::Succeeded(output) => format!("ended with {output}, which is no outcome"),
                    End::Failed { error, cause } => format!("failed with {error} ({cause})"),
                    End::Aborted => "was stopped".into(),
                };
                Some(format!("the execution of {saga} {id} {how}, and nothing settles it"))
            }
        }
    }

    /// A record of something parked that nobody can answer. Where an integration failed for good, it may be the one
    /// that deletes the record: the machine then goes on.
    fn left_behind(&self, state: &State) -> Option<String> {
        if state.skipped & INTEGRATION_FAILED != 0 {
            return None;
        }
        let parked = self.parked.value(state.parked);
        let dead = |(item, token): &&(Json, u8)| *token == VOID && item.get(TASK_TOKEN).is_some();
        let (item, _) = parked.values().find(dead)?;
        Some(format!("the parked record {} is left, but nobody waits for its answer", item[WHAT]["S"]))
    }

    /// Without any fault a saga that is alone turns back only for a rejection. Beside others it can wait for a slow one
    /// until its deliveries are used up.
    fn without_cause(&self, state: &State, end: &SagaEnd<'_>) -> Option<String> {
        let Outcome::Compensated(output) = end.outcome else { return None };
        let error = output["reason"]["error"].as_str().unwrap_or_default();
        let technical = error.starts_with("States.") || error.starts_with("Flyover.");
        let quiet = self.starts.len() == 1 && state.faults == self.limits.faults && technical;
        quiet
            .then(|| format!("{} {} is compensated because of {error}, but nothing failed", end.saga, end.id))
    }
}

fn outcome_of(output: &Json) -> Option<Outcome<'_>> {
    match output["outcome"].as_str() {
        Some("committed") => Some(Outcome::Committed(output)),
        Some("compensated") => Some(Outcome::Compensated(output)),
        _ => None,
    }
}

/// Two executions that act for one saga never end it in two ways.
fn two_ways(end: &SagaEnd<'_>, runs: &[Arc<Run>], acting: &[usize]) -> Option<String> {
    let outcome = |slot: &usize| match runs[*slot].end() {
        Some(End::Succeeded(output)) => output["outcome"].as_str(),
        _ => None,
    };
    let mut outcomes: Vec<&str> = acting.iter().filter_map(outcome).collect();
    outcomes.dedup();
    (outcomes.len() > 1)
        .then(|| format!("{} {} ended in two ways: {}", end.saga, end.id, outcomes.join(", ")))
}
