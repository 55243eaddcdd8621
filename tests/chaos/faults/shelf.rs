//! Products that vanish behind the back of the inventory service: what was reserved of them cannot be put back. If that
//! lasts, the undos are parked, and the operator has to bring the product back before a retry can help, or a hand that
//! puts back what a skip has left. Only customers want them who cannot make up their minds.

use crate::{faults::millis, world::World};
use anyhow::Result;
use fastrand::Rng;
use std::sync::atomic::{AtomicBool, Ordering};
use system::StockLevel;
use tokio::sync::Mutex;

/// How many units must have been reserved since the last look, so that taking the product away meets several sagas.
const RESERVED_LEAST: i64 = 5;

/// The product that vanishes, and what there was of it while it is away.
#[derive(Debug)]
pub(crate) struct Shelf {
    /// Its SKU.
    pub(crate) sku: String,
    is_away: AtomicBool,
    taken: Mutex<Option<StockLevel>>,
}

impl Shelf {
    /// Nothing is missing yet.
    pub(crate) fn of(sku: String) -> Self {
        Self { sku, is_away: AtomicBool::new(false), taken: Mutex::new(None) }
    }

    /// Whether the product is away.
    pub(crate) fn is_away(&self) -> bool {
        self.is_away.load(Ordering::Relaxed)
    }

    /// Puts the product back where it was, if it is away; says whether it was.
    pub(crate) async fn restore(&self, world: &World) -> Result<bool> {
        let mut taken = self.taken.lock().await;
        let Some(level) = *taken else { return Ok(false) };
        world.system.put_stock(&self.sku, level).await?;
        *taken = None;
        self.is_away.store(false, Ordering::Relaxed);
        world.weather.count("(missing product brought back by the operator)");
        Ok(true)
    }

    /// Takes the product away, units that are reserved included.
    async fn take(&self, world: &World) -> Result<()> {
        let mut taken = self.taken.lock().await;
        // What was taken before is not lost when there is nothing more to take.
        if let Some(level) = world.system.take_off_shelf(&self.sku).await? {
            *taken = Some(level);
            self.is_away.store(true, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// Takes a product away as soon as several want it, again and again. The operator brings it back, at last when nothing
/// else is left to do.
pub(crate) async fn rage(world: &World, mut rng: Rng) -> Result<()> {
    let mut reserved = vec![0; world.shelves.len()];
    while world.weather.still_rages_after(millis(&mut rng, 100..250)).await {
        for (shelf, before) in world.shelves.iter().zip(&mut reserved) {
            if shelf.is_away() {
                continue;
            }
            let Some(level) = world.system.stock(&shelf.sku).await? else { continue };
            if level.reserved >= *before + RESERVED_LEAST {
                shelf.take(world).await?;
                world.weather.count("product missing");
            }
            *before = level.reserved;
        }
    }
    Ok(())
}
