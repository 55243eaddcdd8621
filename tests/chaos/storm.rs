//! The storm: every fault at the same time, for as long as orders are placed.

use crate::{
    faults::{aborts, gateway_restarts, ids, kills, messages, redrives, shelf, status_events},
    operator,
    plan::{Plan, Seeds},
    traffic::{Placed, Traffic},
    travel::{Booked, Travel},
    world::{Queue, World},
};
use anyhow::{Context, Result, ensure};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use system::Moment;

/// Messages that are none: one for so many sagas, and a few in any case.
const SAGAS_PER_GARBAGE: usize = 100;
const GARBAGE_LEAST: usize = 4;
const LOOK_AT_STOCK_EVERY: Duration = Duration::from_secs(1);

/// What happened.
pub(crate) struct Raged {
    pub(crate) placed: Placed,
    pub(crate) booked: Booked,
    /// Messages that are none: the queue each was sent to, and what is known in it again.
    pub(crate) garbage: Vec<(Queue, String)>,
    /// The ids that were started once more, as if their names were forgotten.
    pub(crate) started_again: ids::StartedAgain,
    /// How long orders were placed.
    pub(crate) took: Duration,
    /// How often the stock was looked at while sagas ran, and what did not add up.
    pub(crate) looks: u64,
    pub(crate) live_violations: Vec<String>,
}

/// Lets everything loose until all orders are placed.
pub(crate) async fn rage(world: &mut World, plan: &Plan, seeds: &mut Seeds) -> Result<Raged> {
    let (mut garbage_rng, traffic_rng) = (seeds.fork(), seeds.fork());
    let (kills_rng, restarts_rng) = (seeds.fork(), seeds.fork());
    let (messages_rng, aborts_rng) = (seeds.fork(), seeds.fork());
    let (shelf_rng, ids_rng, redrives_rng) = (seeds.fork(), seeds.fork(), seeds.fork());
    let (rule_rng, events_rng, travel_rng) = (seeds.fork(), seeds.fork(), seeds.fork());
    let mut started_again = ids::StartedAgain::new();
    let mut gateway = world.gateway.take().context("the gateway is elsewhere")?;
    let world_now: &World = world;
    let mut traffic = Traffic::begin(world_now, plan, traffic_rng).await?;
    let stock = traffic.placed.stock.clone();
    let mut travel = Travel::begin(world_now, plan, travel_rng).await?;
    let pools = travel.booked.books.clone();
    let count = GARBAGE_LEAST.max(plan.sagas / SAGAS_PER_GARBAGE);
    let garbage = messages::send_garbage(world_now, count, &mut garbage_rng).await?;

    let (weather, victims) = (Arc::clone(&world_now.weather), world_now.victims.clone());
    let begun = Instant::now();
    let seen = Mutex::new((0, Vec::new()));
    weather.let_rage(true);
    let flow = async {
        let flowed = traffic.flow(plan).await;
        weather.let_rage(false);
        flowed
    };
    let watch = async {
        while weather.still_rages_after(LOOK_AT_STOCK_EVERY).await {
            let levels = world_now.system.all_stock().await?;
            let lost = world_now.trips.lost_of_trips(&pools, Moment::Live).await?;
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.0 += 1;
            seen.1.extend(lost.into_iter().map(|lost| format!("while sagas ran: {lost}")));
            for (sku, loaded) in &stock {
                // Units of a product that goes missing are counted when it is back.
                if world_now.shelves.iter().any(|shelf| shelf.sku == *sku) {
                    continue;
                }
                let held = levels.get(sku).map(|level| level.available + level.reserved);
                if held != Some(*loaded) {
                    seen.1
                        .push(format!("while sagas ran: {sku} has {held:?} units, but {loaded} were loaded"));
                }
            }
        }
        anyhow::Ok(())
    };
    let killed = async {
        kills::rage(Arc::clone(&weather), victims, kills_rng).await;
        anyhow::Ok(())
    };
    let raged = tokio::try_join!(
        flow,
        travel.flow(),
        watch,
        killed,
        gateway_restarts::rage(Arc::clone(&weather), &mut gateway, &world_now.gateway_proxy, restarts_rng),
        messages::rage(world_now, messages_rng),
        aborts::rage(world_now, aborts_rng),
        shelf::rage(world_now, shelf_rng),
        ids::rage(world_now, &mut started_again, ids_rng),
        redrives::rage(world_now, redrives_rng),
        status_events::turn_off(world_now, rule_rng),
        status_events::meddle(world_now, events_rng),
        operator::work_while_it_rages(world_now),
    );
    let took = begun.elapsed();
    let placed = std::mem::take(&mut traffic.placed);
    let booked = std::mem::take(&mut travel.booked);
    world.gateway = Some(gateway);
    // One that broke off leaves the storm raging.
    world.weather.let_rage(false);
    raged?;
    world.calm_down().await?;
    ensure!(!placed.orders.is_empty(), "no order was placed within {} s", plan.limit.as_secs());
    let (looks, live_violations) = seen.into_inner().unwrap_or_else(PoisonError::into_inner);
    ensure!(!booked.trips.is_empty(), "no trip was booked within {} s", plan.limit.as_secs());
    Ok(Raged { placed, booked, garbage, started_again, took, looks, live_violations })
}
