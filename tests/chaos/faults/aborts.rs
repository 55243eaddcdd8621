//! Executions that somebody stops, those that settle for stopped ones included. The rescue function has to settle them.
//! Now and then somebody settles one by hand and stops that again at once: before it has asked anybody anything, so that
//! the next one cannot know whether the fence it asks was ever there.

use super::{millis, status_events};
use crate::{
    executions::{is_first, running, sagas, successor},
    world::World,
};
use anyhow::{Context, Result};
use aws_sdk_sfn::types::ExecutionStatus;
use fastrand::Rng;
use saga::StartInput;
use std::sync::atomic::Ordering;

/// After so many attempts to settle a saga nobody stops the next one: the rescue function makes a few more only.
const ATTEMPTS_STOPPED: u32 = 2;
/// Out of 100 orders that are stopped, how many are settled by somebody who changes his mind.
const BY_HAND_PERCENT: u32 = 20;
/// Out of 100 that are stopped, of how many more than one event tells.
const DOUBLED_PERCENT: u32 = 35;

/// Stops one every now and then.
pub(crate) async fn rage(world: &World, mut rng: Rng) -> Result<()> {
    while world.weather.still_rages_after(millis(&mut rng, 100..550)).await {
        let Some(saga) = rng.choice(sagas()) else { return Ok(()) };
        let running = running(world, saga).await?;
        // Those that settle are few and soon over.
        let settling: Vec<&String> = running.iter().filter(|name| !is_first(name)).collect();
        let settling = if rng.bool() { rng.choice(settling) } else { None };
        let Some(name) = settling.or_else(|| rng.choice(&running)) else { continue };
        if !stop(world, saga, name).await? {
            continue;
        }
        if is_first(name) && rng.u32(0..100) < BY_HAND_PERCENT {
            settle_and_stop(world, saga, name).await?;
        }
        if rng.u32(0..100) < DOUBLED_PERCENT {
            status_events::double(world, saga, name, &mut rng).await?;
        }
    }
    Ok(())
}

/// Stops an execution; says whether it was stopped: it may have ended since it was looked for.
pub(crate) async fn stop(world: &World, saga: &str, name: &str) -> Result<bool> {
    let system = world.of(saga);
    let found = system.execution(saga, name).await?.context("it is listed")?;
    let input: StartInput = serde_json::from_value(found.input)?;
    if input.settle.is_some_and(|settling| settling.attempt > ATTEMPTS_STOPPED) {
        return Ok(false);
    }
    let is_untold = world.deaths_are_untold.load(Ordering::Relaxed);
    if let Err(error) = system.stop_execution(saga, name).await {
        let found = system.execution(saga, name).await?;
        return if found.is_none_or(|found| found.status == ExecutionStatus::Running) {
            Err(error)
        } else {
            Ok(false)
        };
    }
    let told = if is_untold { ", while no event told" } else { "" };
    let which = if is_first(name) { "execution" } else { "settling or redriven execution" };
    world.weather.count(format!("{which} of {saga} stopped{told}"));
    Ok(true)
}

async fn settle_and_stop(world: &World, saga: &str, name: &str) -> Result<()> {
    let system = world.of(saga);
    let dead = system.execution(saga, name).await?.context("it was stopped")?;
    let input: StartInput = serde_json::from_value(dead.input)?;
    let successor = successor(system, saga, name)?;
    system.start_execution(saga, &successor, &input.settled(name, "ABORTED", 0)).await?;
    if system.stop_execution(saga, &successor).await.is_ok() {
        world.weather.count(format!("execution of {saga} settled by hand, and that stopped at once"));
    }
    Ok(())
}
