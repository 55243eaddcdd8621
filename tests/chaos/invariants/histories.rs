//! What executions went through: forward to the end, or forward to a step and then back over every step before it, in
//! reverse order, each once. An execution that settles for another only goes back, over all steps, or not at all.

use super::endings::{Ending, Endings, Way};
use crate::world::World;
use anyhow::{Context, Result, ensure};
use fastrand::Rng;
use futures::{StreamExt, TryStreamExt, stream};
use sagas::order::order_saga;

/// The emulator keeps long histories and tells them slowly: of more orders a sample is read.
const READ_MAX: usize = 1_500;
const AT_ONCE: usize = 8;
/// How the states that undo a step are named.
const UNDO: &str = "undo ";
/// The state after an operator's answer about undos that could not be done.
const RESUMED: &str = "resume undo";

/// Reads histories; says how many, and what is wrong with them.
pub(crate) async fn check(world: &World, endings: &Endings, rng: &mut Rng) -> Result<(usize, Vec<String>)> {
    let mut ended: Vec<(&String, &Ending)> =
        endings.iter().filter(|(_, ending)| !matches!(ending.way, Way::Open { .. })).collect();
    rng.shuffle(&mut ended);
    ended.truncate(READ_MAX);
    let saga = order_saga();
    let steps: Vec<&str> = saga.definition().compensable_steps().map(|step| step.name).collect();
    let steps = &steps;
    let read = stream::iter(ended.iter().copied()).map(async |(id, ending)| {
        let states = states_entered(world, ending.executions.last().unwrap_or(id)).await?;
        anyhow::Ok(unsound(steps, ending, &states).map(|why| format!("order {id}: {why}: {states:?}")))
    });
    let unsound: Vec<Option<String>> = read.buffer_unordered(AT_ONCE).try_collect().await?;
    Ok((ended.len(), unsound.into_iter().flatten().collect()))
}

/// The names of the states that an execution entered, in order.
async fn states_entered(world: &World, name: &str) -> Result<Vec<String>> {
    let machine = world.system.output(&stacks::outputs::state_machine_arn("order"));
    let arn = format!("{}:{name}", machine.replace(":stateMachine:", ":execution:"));
    let asked = world.system.clients().sfn.get_execution_history().execution_arn(arn);
    let events = asked.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
    let events = events.with_context(|| format!("cannot read the history of {name}"))?;
    Ok(events.into_iter().filter_map(|event| Some(event.state_entered_event_details?.name)).collect())
}

fn unsound(steps: &[&str], ending: &Ending, states: &[String]) -> Option<&'static str> {
    let position = |name: &str| steps.iter().position(|step| *step == name);
    let back = |states: &[String]| -> Vec<usize> {
        states.iter().filter_map(|state| position(state.strip_prefix(UNDO)?)).collect()
    };
    let all: Vec<usize> = (0..steps.len()).rev().collect();
    // When an undo was parked, the saga goes back over all its steps once more: those that are undone say so again.
    let mut rounds = states.split(|state| state == RESUMED);
    let first = rounds.next().unwrap_or_default();
    if rounds.any(|round| back(round) != all) {
        return Some("it was resumed, but did not go back over every step");
    }
    let forward: Vec<usize> = states.iter().filter_map(|state| position(state)).collect();
    let has_committed = ending.way == Way::Committed;
    if ending.is_settled() {
        let expected = if has_committed { &[][..] } else { &all };
        let is_sound = forward.is_empty() && back(first) == expected;
        return (!is_sound).then_some("it did not settle all or nothing");
    }
    if !forward.iter().copied().eq(0..forward.len()) {
        return Some("it did not go forward step by step");
    }
    if has_committed {
        let is_sound = back(first).is_empty() && forward.len() == steps.len();
        return (!is_sound).then_some("it committed without all its steps, or undid some");
    }
    let turned = states.iter().position(|state| state.starts_with(UNDO)).unwrap_or(states.len());
    if states[turned..].iter().any(|state| position(state).is_some()) {
        return Some("it went forward again after an undo");
    }
    // A step that was rejected has nothing to undo, any other one that was tried has.
    let tried = &all[all.len() - forward.len()..];
    let back = back(first);
    let is_sound = back == tried || back == tried.get(1..).unwrap_or_default();
    (!is_sound).then_some("it did not go back over every step")
}

/// A test of this file, run beside the storm: a way that leaves something behind is told.
pub(crate) fn what_is_unsound_is_told() -> Result<()> {
    let steps = ["create", "reserve"];
    let found = |way: &Way, settled: bool, states: &str| {
        let states: Vec<String> = states.split(", ").map(str::to_owned).collect();
        let executions = vec![String::new(); if settled { 2 } else { 1 }];
        unsound(&steps, &Ending { way: way.clone(), executions }, &states)
    };
    let committed = Way::Committed;
    let compensated = Way::Compensated { reason: "OutOfStock".to_owned() };
    for (way, settled, states) in [
        (&committed, false, "create, reserve, confirm, committed"),
        (&compensated, false, "create, reserve, undo create, compensated"),
        (&compensated, false, "create, reserve, undo reserve, undo create, compensated"),
        (&compensated, false, "create, compensated"),
        (
            &compensated,
            false,
            "create, undo create, park undo, resume undo, undo reserve, undo create, compensated",
        ),
        (&committed, true, "rescue confirm, committed"),
        (&compensated, true, "rescue confirm, undo reserve, undo create, compensated"),
    ] {
        let found = found(way, settled, states);
        ensure!(found.is_none(), "{states} is sound, but: {found:?}");
    }
    for (way, settled, states) in [
        (&committed, false, "create, confirm, committed"),
        (&committed, false, "create, reserve, undo reserve, committed"),
        (&compensated, false, "create, reserve, undo reserve, compensated"),
        (&compensated, false, "create, reserve, undo create, undo reserve, compensated"),
        (&compensated, false, "create, reserve, undo reserve, undo reserve, undo create, compensated"),
        (&compensated, false, "create, undo create, reserve, compensated"),
        (&compensated, false, "create, undo create, park undo, resume undo, undo create, compensated"),
        (&committed, true, "rescue confirm, create, reserve, committed"),
        (&compensated, true, "rescue confirm, undo create, compensated"),
    ] {
        ensure!(found(way, settled, states).is_some(), "{states} passes");
    }
    Ok(())
}
