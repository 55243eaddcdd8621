//! Puts right by hand what skipped steps have left: units that are reserved go back on the shelf, money that was charged
//! is left at the gateway and noted. Once, and only when the fence says that the step is abandoned: until then its undo
//! can still come.

use super::Notes;
use crate::world::World;
use anyhow::{Context, Result, ensure};
use saga::{Step, StepKey, fence::FenceState};
use sagas::order::{ChargePayment, ORDER_SAGA, PlaceOrder, order_saga};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// How long the operator waits until he looks at the gateway: a call of a function that began before the step was
/// abandoned has arrived or will never.
const CALLS_LAND: Duration = Duration::from_secs(12);

/// What became of a step that the operator skipped.
#[derive(Debug, Clone, Copy)]
pub(super) enum Skipped {
    /// The saga was told.
    Answered,
    /// It is fenced off, since so long.
    Abandoned { was: Option<FenceState>, since: Instant },
    /// What it left is put right.
    PutRight,
}

/// Puts right what can be; says how much has to wait a little.
pub(super) async fn put_right(world: &World, notes: &mut Notes) -> Result<usize> {
    let mut waiting = 0;
    for ((id, step), skipped) in &mut notes.skipped {
        if matches!(skipped, Skipped::Answered)
            && let Some(was) = abandoned(world, id, step).await?
        {
            *skipped = Skipped::Abandoned { was, since: Instant::now() };
        }
        let Skipped::Abandoned { was, since } = *skipped else { continue };
        waiting += 1;
        let is_right = if step == ChargePayment::NAME {
            since.elapsed() >= CALLS_LAND && note_money(world, id, &mut notes.money).await?
        } else {
            was != Some(FenceState::Done) || put_units_back(world, id).await?
        };
        if is_right {
            *skipped = Skipped::PutRight;
        }
    }
    Ok(waiting)
}

/// What the step was, if it is abandoned.
async fn abandoned(world: &World, id: &str, step: &str) -> Result<Option<Option<FenceState>>> {
    let saga = order_saga();
    let spec = saga.definition().steps().find(|spec| spec.name == step).context("a step of the saga")?;
    let key = StepKey { saga: ORDER_SAGA.parse()?, saga_id: id.parse()?, step: step.to_owned(), item: None };
    let fence = world.system.fence(spec.participant, &key).await?;
    Ok(fence.filter(|fence| fence.state == FenceState::Abandoned).map(|fence| fence.was))
}

/// Not while a product is missing, so that is brought back then.
async fn put_units_back(world: &World, id: &str) -> Result<bool> {
    let units = units_of(world, id).await?;
    let done = world.system.put_back_by_hand(&units).await?;
    if done {
        world.weather.count("(units of a skipped undo put back by hand)");
    }
    for shelf in world.shelves.iter().filter(|shelf| !done && units.contains_key(&shelf.sku)) {
        shelf.restore(world).await?;
    }
    Ok(done)
}

/// How many units an order has of each product.
pub(super) async fn units_of(world: &World, id: &str) -> Result<BTreeMap<String, i64>> {
    let execution = world.system.execution(ORDER_SAGA, id).await?.context("the order has a saga")?;
    let order: PlaceOrder = serde_json::from_value(execution.input["input"].clone())?;
    let mut units: BTreeMap<String, i64> = BTreeMap::new();
    for line in order.lines {
        *units.entry(line.sku).or_default() += i64::from(line.quantity);
    }
    Ok(units)
}

/// From then on the account takes money again, so that whoever pays back what was left is seen.
async fn note_money(world: &World, id: &str, money: &mut BTreeMap<String, i64>) -> Result<bool> {
    let charge = world.system.gateway_charge(id).await?;
    let held = charge.filter(|charge| charge.status == gateway::ChargeStatus::Charged);
    let minor = held.map_or(0, |charge| charge.amount_minor);
    ensure!(money.insert(id.to_owned(), minor).is_none(), "the money of {id} was noted before");
    world.weather.count(if minor > 0 {
        "(money of a skipped undo left as it is)"
    } else {
        "(skipped undo left no money)"
    });
    world.accounts.mend(id, &world.weather);
    Ok(true)
}
