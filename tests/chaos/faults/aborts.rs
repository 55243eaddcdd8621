//! Executions that somebody stops, those that settle for stopped ones included. The rescue function has to settle them.

use super::millis;
use crate::{traffic::running, world::World};
use anyhow::Result;
use fastrand::Rng;

/// Stops one every now and then.
pub(crate) async fn rage(world: &World, mut rng: Rng) -> Result<()> {
    while world.weather.still_rages_after(millis(&mut rng, 200..1_200)).await {
        let sagas = sagas::all();
        let Some(saga) = rng.choice(&sagas) else { return Ok(()) };
        let running = running(world, saga.name).await?;
        let Some(name) = rng.choice(&running) else { continue };
        world.system.stop_execution(saga.name, name).await?;
        world.weather.count(format!("execution of {} stopped", saga.name));
    }
    Ok(())
}
