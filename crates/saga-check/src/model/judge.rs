//! What must hold of every saga, whatever it does, and what the user says must hold.

use super::{
    effects::Held,
    executions::is_left,
    left::{Ended, Left, left, skipped},
    state::{INTEGRATION_FAILED, LEFT_TO_RECONCILIATION, QUEUED, State, WRITTEN_MEANWHILE, token},
    tables::Tables,
};
use crate::{
    asl::{End, Run},
    intern::Id,
    invariant::{Outcome, SagaEnd, World},
};
use saga::{OTHER_RUN, fence::FenceState, parked_table::WHAT};
use serde_json::Value as Json;
use smallvec::SmallVec;

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
        if self.needs_sweep(state) {
            // The next sweep goes on from here.
            return self.broken(self.left_by_sweep(state));
        }
        let untouched = Id::from(state.faults == self.limits.faults);
        let handled = Id::from(state.flights.is_empty());
        let mut key: SmallVec<[Id; 12]> = SmallVec::new();
        key.extend([END, state.peer, state.parked, state.notices, Id::from(state.flags), untouched, handled]);
        key.push(Id::from(state.expired) << 16 | Id::from(state.blind));
        key.extend(state.stores.iter().copied());
        key.extend(state.runs.iter().copied());
        self.judged.get(key, || self.broken(self.judge_end(state)))
    }

    /// Nothing is left to happen, but for an operator, and for messages that may never be handled again.
    pub(super) fn all_ended(&self, state: &State) -> bool {
        if state.flights.iter().any(|flight| flight.process != QUEUED) {
            return false;
        }
        let operable = self.operable(state.parked);
        (0..state.runs.len()).all(|slot| {
            let parked = |branch| operable.iter().any(|record| record.token == token(slot, branch));
            let standing = self.standing(state.runs[slot]);
            standing.waits.iter().all(|waits| !waits.times_out || parked(waits.branch))
        })
    }

    /// A dead execution that no sweep settles, or whose record none takes away. One of which the event is still to come is not judged.
    fn left_by_sweep(&self, state: &State) -> Option<String> {
        if self.event_pending(state) {
            return None;
        }
        let swept = self.swept(state);
        let name = |slot: usize| self.standing(state.runs[slot]).name.clone();
        let mut slots = 0..state.runs.len();
        if let Some(left) = slots.clone().find(|slot| self.unsettled(&swept, *slot)) {
            return Some(format!("the execution {} died, and no sweep settles it", name(left)));
        }
        let left = slots.find(|slot| self.left_record(&swept, *slot))?;
        Some(format!("the execution {} died, and no sweep takes away what it parked", name(left)))
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
        let written_meanwhile = !sagas.is_empty() && state.flags & WRITTEN_MEANWHILE != 0;
        look(&World { stores, peer, sagas, written_meanwhile })
    }

    pub(crate) fn held(&self, state: &State) -> Vec<&Held> {
        state.stores.iter().map(|store| self.stores.value(*store)).collect()
    }

    fn judge_end(&self, state: &State) -> Option<String> {
        let runs: Vec<&Run> = state.runs.iter().map(|run| self.runs.value(*run)).collect();
        let held = self.held(state);
        let mut sagas = Vec::new();
        for (saga, start) in self.starts.iter().enumerate() {
            let acting: Vec<usize> =
                (0..runs.len()).filter(|slot| runs[*slot].execution().saga == saga).collect();
            if acting.is_empty() {
                // Its id is not used again in this history.
                continue;
            }
            let (name, machine) = &self.machines[start.machine];
            let skipped = skipped(&runs, &acting);
            let blind = state.blind >> saga & 1 == 1;
            let end = SagaEnd {
                saga: name,
                id: &start.name,
                outcome: self.outcome(state, &runs, &acting),
                skipped: !skipped.is_empty() || blind,
            };
            // The fences under an id that is used again are those of the first.
            let expired = state.expired >> saga & 1 == 1 || self.first_of(saga).is_some();
            let ended = Ended { end, skipped, start, expired, blind };
            let broken = self
                .judge_saga(&ended, &held)
                .or_else(|| self.waits_for_nobody(state, &end, &acting))
                .or_else(|| self.notices_broken(state, &end, saga))
                .or_else(|| if blind { None } else { two_ways(&end, &runs, &acting) })
                .or_else(|| self.without_cause(state, &end))
                .or_else(|| self.turned_away(&end, saga))
                .or_else(|| self.used_again(state, &ended, saga, &held));
            if broken.is_some() {
                return broken;
            }
            // One that comes when nothing is left of the first can commit, and a part of a group may be left to an operator.
            let can_have_effect = |first: usize| {
                let is_undone = matches!(end.outcome, Outcome::Compensated(_)) && !end.skipped;
                !is_undone && (state.expired >> first & 1 == 1 || machine.begins_with_group())
            };
            if self.first_of(saga).is_none_or(can_have_effect) {
                sagas.push(end);
            }
        }
        let left = self.left_behind(state).or_else(|| self.stays_parked(state));
        if left.is_some() {
            return left;
        }
        // Where every message was handled, nothing is left to reconciliation.
        let handled = state.flights.is_empty() && state.flags & LEFT_TO_RECONCILIATION == 0;
        let last = if handled { state.clone() } else { self.reconciled(state) };
        self.with_world(&last, sagas, |world| self.ask_invariants(world, true))
    }

    /// How the executions that acted for a saga ended: the first that has an outcome, or else the last.
    fn outcome<'a>(&self, state: &State, runs: &[&'a Run], acting: &[usize]) -> Outcome<'a> {
        let outcome = |slot: &usize| match runs[*slot].end() {
            Some(End::Succeeded(output)) => outcome_of(output),
            _ => None,
        };
        if let Some(outcome) = acting.iter().find_map(outcome) {
            return outcome;
        }
        let Some(last) = acting.last() else { return Outcome::Neither(None) };
        match runs[*last].end() {
            None if !self.standing(state.runs[*last]).waits.is_empty() => Outcome::Parked,
            end => Outcome::Neither(end),
        }
    }

    /// An execution that waits for an operator who has no record of it: somebody took it away, or wrote over it.
    fn waits_for_nobody(&self, state: &State, end: &SagaEnd<'_>, acting: &[usize]) -> Option<String> {
        let operable = self.operable(state.parked);
        let unanswerable = |slot: &usize| {
            let waits = &self.standing(state.runs[*slot]).waits;
            waits
                .iter()
                .any(|waits| !operable.iter().any(|record| record.token == token(*slot, waits.branch)))
        };
        let slot = acting.iter().find(|slot| unanswerable(slot))?;
        let name = &self.standing(state.runs[*slot]).name;
        Some(format!(
            "{} {}: the execution {name} waits for an answer that nobody will give",
            end.saga, end.id
        ))
    }

    /// The run that has the id is not turned away because of another one. Where the first stage is a group each of the two may
    /// have a part of it, and then neither goes on.
    fn turned_away(&self, end: &SagaEnd<'_>, saga: usize) -> Option<String> {
        let Outcome::Compensated(output) = end.outcome else { return None };
        let (_, machine) = &self.machines[self.starts[saga].machine];
        let has_it = saga < self.at_first && !machine.begins_with_group();
        (has_it && output["reason"]["error"] == OTHER_RUN).then(|| {
            format!("{} {} had its id first, and is turned back because of another run", end.saga, end.id)
        })
    }

    /// An id that is used again means another run: it has no effect, for as long as there are fences of the first.
    fn used_again(&self, state: &State, ended: &Ended<'_>, saga: usize, held: &[&Held]) -> Option<String> {
        let first = self.first_of(saga)?;
        if state.expired >> first & 1 == 1 {
            return None;
        }
        let SagaEnd { saga, id, outcome, .. } = ended.end;
        let machine = &self.machines[ended.start.machine].1;
        // A part of a group may be done before another part is found to be of the first, and is undone.
        let of_group = machine.begins_with_group();
        let mut steps = machine.steps().filter(|_| !of_group);
        let effect = steps.find(|step| left(held, ended, step).effects.runs > 0);
        if let Some(step) = effect {
            return Some(format!("{saga} {id} was used again, and `{step}` took effect for it"));
        }
        match outcome {
            Outcome::Committed(_) => Some(format!("{saga} {id} was used again, and committed")),
            Outcome::Compensated(output)
                if state.faults + 1 == self.limits.faults && output["reason"]["error"] != OTHER_RUN =>
            {
                let error = &output["reason"]["error"];
                Some(format!("{saga} {id} was used again, and is compensated because of {error}"))
            }
            _ => None,
        }
    }

    fn judge_saga(&self, ended: &Ended<'_>, held: &[&Held]) -> Option<String> {
        let Ended { end, skipped, start, expired, blind } = ended;
        let SagaEnd { saga, id, .. } = end;
        let mut steps = self.machines[start.machine].1.steps();
        let of_step = |step: &str| left(held, ended, step);
        if *blind {
            // An operator decided what nobody can know any more.
            return None;
        }
        match end.outcome {
            Outcome::Committed(_) => steps.find_map(|step| match (skipped.contains(step), of_step(step)) {
                (true, _) if *expired => None,
                (true, left) => left.not_abandoned(end, step),
                (false, left)
                    if (*expired || left.is_or_was(FenceState::Done)) && left.effects.undos == 0 =>
                {
                    None
                }
                (false, left) => Some(format!(
                    "{saga} {id} is committed, but the fence of `{step}` is {} and its effect was undone {} times",
                    left.told(),
                    left.effects.undos
                )),
            }),
            Outcome::Compensated(_) => {
                // What a newer machine undid, or should have.
                let mut all = steps.chain(self.newer_steps(start.machine));
                all.find_map(|step| match (skipped.contains(step), of_step(step)) {
                    (true, _) if *expired => None,
                (true, left) => left.not_abandoned(end, step),
                    (false, left) if left.is_or_was(FenceState::Done) => {
                        let is = if left.is_abandoned() { "abandoned" } else { "done" };
                        Some(format!("{saga} {id} is compensated, but `{step}` is {is} and not undone"))
                    }
                    (false, Left { effects, .. }) if effects.runs != effects.undos => Some(format!(
                        "{saga} {id} is compensated, but `{step}` took effect {} times and was undone {} times",
                        effects.runs, effects.undos
                    )),
                    _ => None,
                })
            }
            Outcome::Parked => None,
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
        if state.flags & INTEGRATION_FAILED != 0 {
            return None;
        }
        let parked = self.parked.value(state.parked);
        let (item, _) = parked.values().find(|record| is_left(record))?;
        Some(format!("the parked record {} is left, but nobody waits for its answer", item[WHAT]["S"]))
    }

    /// A saga is alone, and nothing has failed.
    fn is_quiet(&self, state: &State) -> bool {
        self.at_first == 1 && state.faults == self.limits.faults
    }

    /// Without any fault a saga that is alone turns back only for a rejection. Beside others it can wait for a slow one
    /// until its deliveries are used up.
    fn without_cause(&self, state: &State, end: &SagaEnd<'_>) -> Option<String> {
        let Outcome::Compensated(output) = end.outcome else { return None };
        let error = output["reason"]["error"].as_str().unwrap_or_default();
        let technical = error.starts_with("States.") || error.starts_with("Flyover.");
        let quiet = self.is_quiet(state) && technical;
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
fn two_ways(end: &SagaEnd<'_>, runs: &[&Run], acting: &[usize]) -> Option<String> {
    let outcome = |slot: &usize| match runs[*slot].end() {
        Some(End::Succeeded(output)) => output["outcome"].as_str(),
        _ => None,
    };
    let mut outcomes: Vec<&str> = acting.iter().filter_map(outcome).collect();
    outcomes.dedup();
    (outcomes.len() > 1)
        .then(|| format!("{} {} ended in two ways: {}", end.saga, end.id, outcomes.join(", ")))
}
