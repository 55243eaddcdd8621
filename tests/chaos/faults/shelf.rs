//! A product that vanishes behind the back of the inventory service: what was reserved of it cannot be put back. If that
//! lasts, the undos are parked, and the operator has to bring the product back before a retry can help.

use crate::{faults::millis, world::World};
use anyhow::Result;
use fastrand::Rng;
use std::time::Duration;
use system::StockLevel;
use tokio::sync::Mutex;

const LOOK_EVERY: Duration = Duration::from_millis(500);

/// The product that vanishes, and what there was of it while it is away.
#[derive(Debug)]
pub(crate) struct Shelf {
    /// Its SKU.
    pub(crate) sku: String,
    taken: Mutex<Option<StockLevel>>,
}

impl Shelf {
    /// Nothing is missing yet.
    pub(crate) fn of(sku: String) -> Self {
        Self { sku, taken: Mutex::new(None) }
    }

    /// Puts the product back where it was, if it is away; says whether it was.
    pub(crate) async fn restore(&self, world: &World) -> Result<bool> {
        let mut taken = self.taken.lock().await;
        let Some(level) = *taken else { return Ok(false) };
        world.system.put_stock(&self.sku, level).await?;
        *taken = None;
        Ok(true)
    }

    /// Takes the product away, units that are reserved included.
    async fn take(&self, world: &World) -> Result<()> {
        let mut taken = self.taken.lock().await;
        *taken = world.system.take_off_shelf(&self.sku).await?;
        Ok(())
    }
}

/// Takes the product away once some of it is reserved. It comes back when the storm is over, if not before.
pub(crate) async fn rage(world: &World, mut rng: Rng) -> Result<()> {
    let mut pause = millis(&mut rng, 1_000..4_000);
    while world.weather.still_rages_after(pause).await {
        pause = LOOK_EVERY;
        let level = world.system.stock(&world.shelf.sku).await?;
        if level.is_some_and(|level| level.reserved > 0) {
            world.shelf.take(world).await?;
            world.weather.count("product missing");
            break;
        }
    }
    while world.weather.still_rages_after(LOOK_EVERY).await {}
    world.shelf.restore(world).await?;
    Ok(())
}
