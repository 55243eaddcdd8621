//! Somebody has dead executions run again, while others settle for them.
//!
//! The emulator knows no `RedriveExecution`. What one amounts to is done instead: an execution of another name is started
//! with the input of the dead one, and does not settle. It runs from the beginning, but the fences answer what was done,
//! so it goes on from where the first one died; and it is told by the name, [`redriven`], which no order can have.

use super::millis;
use crate::{
    executions::{is_first, machine, named, redriven, successor},
    world::World,
};
use anyhow::{Context, Result};
use aws_sdk_sfn::types::ExecutionStatus;
use fastrand::Rng;
use saga::StartInput;
use sagas::order::ORDER_SAGA;
use std::collections::BTreeSet;
use system::System;
use trips::booking::TRIP_SAGA;

const SAGAS: [&str; 2] = [ORDER_SAGA, TRIP_SAGA];

/// How many are looked at in one go.
const LOOKED_AT_MAX: usize = 12;

/// Out of 100 looks, how often one is redriven: before it is settled, while it is, and after. Settling takes a moment only.
const BEFORE_PERCENT: u32 = 1;
const MEANWHILE_PERCENT: u32 = 80;
const AFTER_PERCENT: u32 = 4;

/// Has one run again every now and then.
pub(crate) async fn rage(world: &World, mut rng: Rng) -> Result<()> {
    let mut done = BTreeSet::new();
    let mut sagas = SAGAS.into_iter().cycle();
    while world.weather.still_rages_after(millis(&mut rng, 100..300)).await {
        let Some(saga) = sagas.next() else { return Ok(()) };
        let system = world.of(saga);
        let mut dead = named(world, machine(world, saga), ExecutionStatus::Aborted).await?;
        dead.retain(|name| is_first(name) && !done.contains(name));
        // Those that died last are listed first.
        dead.truncate(LOOKED_AT_MAX);
        for name in dead {
            let settling = system.execution(saga, &successor(system, saga, &name)?).await?;
            let (percent, when) = match settling.map(|settling| settling.status) {
                None => (BEFORE_PERCENT, "before it was settled"),
                Some(ExecutionStatus::Running) => (MEANWHILE_PERCENT, "while it was settled"),
                Some(_) => (AFTER_PERCENT, "after it was settled"),
            };
            if rng.u32(0..100) < percent {
                redrive(system, saga, &name).await?;
                world.weather.count(format!("execution redriven {when}"));
                done.insert(name);
            }
        }
    }
    Ok(())
}

async fn redrive(system: &System, saga: &str, name: &str) -> Result<()> {
    let execution = system.execution(saga, name).await?.context("it is listed")?;
    let input: StartInput = serde_json::from_value(execution.input)?;
    system.start_execution(saga, &redriven(name), &input).await
}
