//! Executions that somebody stops, those that settle for stopped ones included. The rescue function has to settle them.

use super::millis;
use crate::{traffic::running, world::World};
use anyhow::Result;
use aws_sdk_sfn::types::ExecutionStatus;
use fastrand::Rng;

/// Stops one every now and then.
pub(crate) async fn rage(world: &World, mut rng: Rng) -> Result<()> {
    while world.weather.still_rages_after(millis(&mut rng, 200..1_200)).await {
        let sagas = sagas::all();
        let Some(saga) = rng.choice(&sagas) else { return Ok(()) };
        let running = running(world, saga.name).await?;
        let Some(name) = rng.choice(&running) else { continue };
        if let Err(error) = world.system.stop_execution(saga.name, name).await {
            // It may have ended since it was looked for.
            let found = world.system.execution(saga.name, name).await?;
            if found.is_none_or(|found| found.status == ExecutionStatus::Running) {
                return Err(error);
            }
            continue;
        }
        world.weather.count(format!("execution of {} stopped", saga.name));
    }
    Ok(())
}
