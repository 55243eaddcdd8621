//! What executions went through: forward to the end, or forward to a step that said no and then back over every step before
//! it, in reverse order, each once; where it ran at the same time as others, back over those and itself, too. One that does
//! not know how far its saga has got asks the pivot, and then goes back over all steps, or not at all; so does an execution
//! that settles for another, from its beginning. Once an operator was asked, only what could not be undone is undone again or
//! given up, as the answers say; and nothing after the pivot is left out without.

use super::endings::{Chain, Endings, Way};
use crate::world::World;
use anyhow::{Context, Result, ensure};
use fastrand::Rng;
use futures::{StreamExt, TryStreamExt, stream};
use saga::Definition;
use std::collections::BTreeSet;

/// The emulator keeps long histories and tells them slowly: of more orders a sample is read.
const READ_MAX: usize = 1_500;
const AT_ONCE: usize = 8;
/// How the states that undo a step are named.
const UNDO: &str = "undo ";
/// How the states that give a step up are named.
const ABANDON: &str = "abandon ";
/// The state in which an operator is asked about undos that could not be done.
const PARK: &str = "park undo";
/// The state in which an operator is asked about a pivot whose fence is gone, and the one that turns back all the same.
const PARK_RESCUE: &str = "park rescue ";
const TURN_BACK: &str = "turn back ";
/// The states that ask the pivot's fence.
const ASK: [&str; 2] = ["settle ", "rescue "];

/// Reads histories of a saga; says how many, and what is wrong with them.
pub(crate) async fn check(
    world: &World,
    saga: &Definition,
    endings: &Endings,
    rng: &mut Rng,
) -> Result<(usize, Vec<String>)> {
    let chains = endings.iter().flat_map(|(id, ending)| ending.chains().map(move |chain| (id, chain)));
    let mut ended: Vec<(&String, &Chain)> =
        chains.filter(|(_, chain)| !matches!(chain.way, Way::Open { .. })).collect();
    // Those that met something rare are all read.
    rng.shuffle(&mut ended);
    ended.sort_by_key(|(id, chain)| chain.skipped.is_empty() && chain.executions.first() == Some(*id));
    ended.truncate(READ_MAX);
    let stages: Vec<Vec<&str>> =
        saga.stages.iter().map(|stage| stage.steps().iter().map(|step| step.name).collect()).collect();
    let (stages, name, pivot) = (&stages, saga.name, saga.pivot.name);
    let read = stream::iter(ended.iter().copied()).map(async |(id, chain)| {
        let states = states_entered(world, name, chain.executions.last().unwrap_or(id)).await?;
        anyhow::Ok(
            unsound(stages, pivot, chain, &states).map(|why| format!("{name} {id}: {why}: {states:?}")),
        )
    });
    let unsound: Vec<Option<String>> = read.buffer_unordered(AT_ONCE).try_collect().await?;
    Ok((ended.len(), unsound.into_iter().flatten().collect()))
}

/// The names of the states that an execution entered, in order.
async fn states_entered(world: &World, saga: &str, name: &str) -> Result<Vec<String>> {
    let arn = world.of(saga).execution_arn(saga, name);
    let asked = world.system.clients().sfn.get_execution_history().execution_arn(arn);
    let events = asked.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
    let events = events.with_context(|| format!("cannot read the history of {name}"))?;
    Ok(events.into_iter().filter_map(|event| Some(event.state_entered_event_details?.name)).collect())
}

fn unsound(stages: &[Vec<&str>], pivot: &str, chain: &Chain, states: &[String]) -> Option<&'static str> {
    let steps = &stages.concat();
    let position = |name: &str| steps.iter().position(|step| *step == name);
    // Steps at the same time are one state, named after all of them; which of them is entered first says nothing.
    let stage = |name: &str| stages.iter().position(|stage| stage.join(" + ") == name);
    let all: Vec<usize> = (0..steps.len()).rev().collect();
    let turned = states.iter().position(|state| state.starts_with(UNDO)).unwrap_or(states.len());
    if states[turned..].iter().any(|state| stage(state).or(position(state)).is_some()) {
        return Some("it went forward again after an undo");
    }
    let asked = states.iter().position(|state| state == PARK).unwrap_or(states.len());
    let (unasked, answered) = states.split_at(asked);
    if unasked.iter().any(|state| answer(state).is_some_and(|step| position(step).is_some()))
        || skipped_unasked(steps, states)
    {
        return Some("it did what an operator says, and no operator was asked");
    }
    let back: Vec<usize> = unasked.iter().filter_map(|state| position(state.strip_prefix(UNDO)?)).collect();
    // The first round begins where the operator is asked, so nothing stands before it.
    let rounds = answered.split(|state| state == PARK).skip(1);
    if let Some(why) = rounds.into_iter().find_map(|round| unsound_round(steps, &back, round)) {
        return Some(why);
    }
    let forward: Vec<usize> = states.iter().filter_map(|state| stage(state)).collect();
    let has_committed = chain.way == Way::Committed;
    if chain.is_settled() {
        let expected = if has_committed { &[][..] } else { &all };
        let is_sound = forward.is_empty() && back == expected;
        return (!is_sound).then_some("it did not settle all or nothing").or_else(|| unasked_turn(states));
    }
    if !forward.iter().copied().eq(0..forward.len()) {
        return Some("it did not go forward step by step");
    }
    let has_asked = states[..turned].iter().any(|state| ASK.iter().any(|ask| state.starts_with(ask)));
    if has_committed {
        let is_sound = back.is_empty() && (has_asked || forward.len() == stages.len());
        return (!is_sound).then_some("it committed without all its steps, or undid some");
    }
    // A step that was rejected has nothing to undo; of several at the same time, nobody knows which were done.
    let (last, done) =
        stages[..forward.len()].split_last().map_or((&[][..], &[][..]), |(last, done)| (&last[..], done));
    let turned_at = done.concat().len() + if last.len() > 1 { last.len() } else { 0 };
    let before = &all[all.len() - turned_at..];
    let is_past_all = has_asked || states[..turned].iter().any(|state| state == pivot);
    let expected = if is_past_all { &all } else { before };
    (back != expected).then_some("it did not go back over every step")
}

/// The step that a state undoes again or gives up, because an operator said so.
fn answer(state: &str) -> Option<&str> {
    let again = state.strip_prefix(UNDO).and_then(|undo| undo.strip_suffix(" again"));
    again.or_else(|| state.strip_prefix(ABANDON))
}

/// What an answer leads to: each step is looked at, the last one first, and only steps that were undone before are
/// undone again or given up.
fn unsound_round(steps: &[&str], back: &[usize], round: &[String]) -> Option<&'static str> {
    let looked_at = round.iter().filter_map(|state| state.strip_prefix("answered ")?.strip_suffix('?'));
    if !looked_at.eq(steps.iter().rev().copied()) {
        return Some("an answer was not looked at for every step");
    }
    if round.iter().any(|state| state.starts_with(UNDO) && answer(state).is_none()) {
        return Some("it went back over a step that nobody was asked about");
    }
    let mut done = BTreeSet::new();
    for (before, state) in round.iter().zip(&round[1..]) {
        let Some(step) = answer(state) else { continue };
        let was_undone = back.iter().any(|place| steps[*place] == step);
        if *before != format!("answered {step}?") || !was_undone || !done.insert(step) {
            return Some("it did something that is no answer about an undo");
        }
    }
    done.is_empty().then_some("an answer led to nothing")
}

/// Whether it went on without a step after the pivot that was not parked.
fn skipped_unasked(steps: &[&str], states: &[String]) -> bool {
    states.iter().enumerate().any(|(place, state)| {
        let step = state.strip_prefix(ABANDON).filter(|step| !steps.contains(step));
        step.is_some_and(|step| !states[..place].iter().any(|before| *before == format!("park {step}")))
    })
}

/// Only an operator turns a saga back whose pivot has no fence any more.
fn unasked_turn(states: &[String]) -> Option<&'static str> {
    let turned = states.iter().position(|state| state.starts_with(TURN_BACK))?;
    let was_asked = states[..turned].iter().any(|state| state.starts_with(PARK_RESCUE));
    (!was_asked).then_some("it turned back, and no operator was asked")
}

/// A test of this file, run beside the storm: a way that leaves something behind is told.
pub(crate) fn what_is_unsound_is_told() -> Result<()> {
    let alone = [vec!["create"], vec!["reserve"]];
    let grouped = [vec!["flight", "hotel"], vec!["car"]];
    let found = |way: &Way, settled: bool, states: &str| {
        let stages: &[Vec<&str>] = if states.contains("hotel") { &grouped } else { &alone };
        let states: Vec<String> = states.split(", ").map(str::to_owned).collect();
        let executions = vec![String::new(); if settled { 2 } else { 1 }];
        let chain = Chain { way: way.clone(), executions, skipped: BTreeSet::new(), panicked: false };
        unsound(stages, "confirm", &chain, &states)
    };
    let committed = Way::Committed;
    let compensated = Way::Compensated { reason: "OutOfStock".to_owned() };
    for (way, settled, states) in [
        (&committed, false, "create, reserve, confirm, committed"),
        (&committed, false, "create, reserve, confirm, settle confirm, committed"),
        (&committed, false, "create, rescue confirm, recall reserve, committed"),
        (&compensated, false, "create, reserve, undo create, compensated"),
        (&compensated, false, "create, reserve, confirm, undo reserve, undo create, compensated"),
        (&compensated, false, "create, reserve, rescue confirm, undo reserve, undo create, compensated"),
        (&compensated, false, "create, rescue confirm, undo reserve, undo create, compensated"),
        (&compensated, false, "create, compensated"),
        (
            &compensated,
            false,
            "create, reserve, undo create, all undone?, park undo, decide undo, unpark undo, answered reserve?, answered \
             create?, undo create again, all undone?, compensated",
        ),
        (
            &compensated,
            false,
            "create, rescue confirm, undo reserve, undo create, park undo, answered reserve?, abandon reserve, answered \
             create?, park undo, answered reserve?, undo reserve again, answered create?, abandon create, compensated",
        ),
        (
            &committed,
            false,
            "flight + hotel, hotel, flight, gather flight + hotel, car, confirm, ticket, committed",
        ),
        (&committed, false, "flight + hotel, car, confirm, points, park points, abandon points, committed"),
        (&compensated, false, "flight + hotel, flight, hotel, undo hotel, undo flight, compensated"),
        (&compensated, false, "flight + hotel, car, undo hotel, undo flight, compensated"),
        (
            &compensated,
            false,
            "flight + hotel, flight, rescue confirm, undo car, undo hotel, undo flight, compensated",
        ),
        (&committed, true, "rescue confirm, committed"),
        (&committed, true, "rescue confirm, park rescue confirm, rescue confirm, recall reserve, committed"),
        (&compensated, true, "rescue confirm, undo reserve, undo create, compensated"),
        (
            &compensated,
            true,
            "rescue confirm, park rescue confirm, turn back confirm, undo reserve, undo create, park undo, answered \
             reserve?, abandon reserve, answered create?, compensated",
        ),
    ] {
        let found = found(way, settled, states);
        ensure!(found.is_none(), "{states} is sound, but: {found:?}");
    }
    for (way, settled, states) in [
        (&committed, false, "create, confirm, committed"),
        (&committed, false, "create, reserve, undo reserve, committed"),
        (&compensated, false, "create, reserve, undo reserve, compensated"),
        (&compensated, false, "create, reserve, undo reserve, undo create, compensated"),
        (&compensated, false, "create, rescue confirm, undo create, compensated"),
        (&compensated, false, "create, reserve, confirm, undo create, compensated"),
        (&compensated, false, "create, reserve, rescue confirm, undo create, undo reserve, compensated"),
        (
            &compensated,
            false,
            "create, reserve, rescue confirm, undo reserve, undo reserve, undo create, compensated",
        ),
        (&compensated, false, "create, reserve, undo create, reserve, compensated"),
        (&compensated, false, "create, reserve, undo create, undo create again, compensated"),
        (&compensated, false, "create, reserve, abandon create, undo create, compensated"),
        (
            &compensated,
            false,
            "create, reserve, undo create, park undo, answered create?, undo create again, compensated",
        ),
        (
            &compensated,
            false,
            "create, reserve, undo create, park undo, answered reserve?, answered create?, compensated",
        ),
        (
            &compensated,
            false,
            "create, reserve, undo create, park undo, answered reserve?, undo create, answered create?, abandon create, \
             compensated",
        ),
        (
            &compensated,
            false,
            "create, reserve, undo create, park undo, answered reserve?, undo reserve again, answered create?, compensated",
        ),
        (
            &compensated,
            false,
            "create, reserve, undo create, park undo, answered reserve?, undo create again, answered create?, compensated",
        ),
        (
            &compensated,
            false,
            "create, reserve, undo create, park undo, answered reserve?, answered create?, abandon create, reserve, compensated",
        ),
        (&committed, false, "flight + hotel, confirm, committed"),
        (&committed, false, "flight + hotel, car, confirm, points, abandon points, committed"),
        (&compensated, false, "flight + hotel, flight, hotel, undo flight, compensated"),
        (&compensated, false, "flight + hotel, hotel, undo flight, undo hotel, compensated"),
        (&compensated, false, "flight + hotel, undo hotel, flight, undo flight, compensated"),
        (&compensated, false, "flight + hotel, car, undo car, undo hotel, undo flight, compensated"),
        (&committed, true, "rescue confirm, create, reserve, committed"),
        (&compensated, true, "rescue confirm, undo create, compensated"),
        (&compensated, true, "rescue confirm, turn back confirm, undo reserve, undo create, compensated"),
    ] {
        ensure!(found(way, settled, states).is_some(), "{states} passes");
    }
    Ok(())
}
