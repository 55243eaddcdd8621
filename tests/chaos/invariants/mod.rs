//! What must always hold, asked from outside: the five properties of the design, once everything has come to rest.
//!
//! | property | looked at in |
//! | --- | --- |
//! | every saga ends committed or compensated, the stopped ones by another execution, and all that act for one agree | `endings` |
//! | committed: all effects once; compensated: none but what an operator took over; units and money are conserved | `fences`, `system::Conservation`, what `system::TripBooks` has, and both at every look while sagas ran |
//! | no effect after its undo, no undo without its run or twice | `fences`, `histories`, units and money |
//! | duplicate, late, reordered and lost messages change nothing | all of the above |
//! | a message that nobody can understand harms only itself | `queues` |
//! | a message whose handler panics harms only its own saga | `endings` |
//! | an id means one run | `endings`, `fences`, `queues` |

mod endings;
mod fences;
mod histories;
mod queues;

pub(crate) use fences::what_does_not_fit_is_told;
pub(crate) use histories::what_is_unsound_is_told;

use crate::{
    operator,
    storm::Raged,
    world::{Deployment, RESCUE, World},
};
use anyhow::{Result, bail};
use fastrand::Rng;
use saga::HELD_BACK_EVENT;
use sagas::order::{ORDER_SAGA, order_saga};
use std::collections::BTreeMap;
use system::{Conservation, Moment};
use trips::booking::{TRIP_SAGA, trip_saga};

/// From so many orders on a storm is long.
const LONG: usize = 400;
/// Of so many trips whose hotel panics, one at least is not stopped before.
const HAUNTED_ENOUGH: usize = 10;
/// Of how many orders that violate something the logs are shown.
const SHOWN_MAX: usize = 3;
/// How many violations are shown.
const VIOLATIONS_MAX: usize = 40;

/// What was found.
#[derive(Debug)]
pub(crate) struct Found {
    /// Sagas by how they ended.
    pub(crate) outcomes: BTreeMap<String, usize>,
    /// How many histories were read.
    pub(crate) histories: usize,
    /// How many dead executions a sweep found to be settled by nobody.
    pub(crate) swept: usize,
    /// How many times order intake held events back.
    pub(crate) held_back: usize,
    /// Units and money.
    pub(crate) conservation: Conservation,
    /// What does not hold, one sentence each.
    pub(crate) violations: Vec<String>,
    /// What the functions logged about some of the orders that violate something.
    pub(crate) evidence: Vec<String>,
}

impl Found {
    /// An error that shows the violations, if there are any.
    pub(crate) fn verdict(&self) -> Result<()> {
        if self.violations.is_empty() {
            return Ok(());
        }
        let shown = &self.violations[..self.violations.len().min(VIOLATIONS_MAX)];
        bail!("{} violations:\n- {}", self.violations.len(), shown.join("\n- "));
    }
}

/// Looks at everything.
pub(crate) async fn check(world: &World, raged: &Raged, rng: &mut Rng) -> Result<Found> {
    let mut violations = raged.live_violations.clone();
    let endings = endings::read(world, ORDER_SAGA, &raged.placed.orders).await?;
    violations.extend(endings::check(world, &raged.placed, &endings).await?);
    violations.extend(endings::check_started_again(world, &raged.started_again, &endings).await?);
    let trips = endings::read(world, TRIP_SAGA, &raged.booked.trips).await?;
    violations.extend(endings::check_trips(world, &raged.booked, &trips).await?);
    let (orders, mut histories) = (order_saga(), 0);
    for (saga, endings) in [(orders.definition(), &endings), (trip_saga().definition(), &trips)] {
        violations.extend(fences::check(world, saga, endings).await?);
        let (read, unsound) = histories::check(world, saga, endings, rng).await?;
        histories += read;
        violations.extend(unsound);
    }
    violations.extend(queues::check(world, raged).await?);
    for record in operator::parked(world).await? {
        violations.push(format!("still parked: {:?}", record.get(saga::parked_table::SAGA_ID)));
    }
    let mut books = raged.placed.books.clone();
    for (id, minor) in world.desk.money_left().await {
        books.leave_money(&id, minor);
    }
    let conservation = world.system.conservation(&books, Moment::Settled).await?;
    violations.extend(conservation.violations.iter().cloned());

    let mut books = raged.booked.books.clone();
    for id in fences::without_points(world).await? {
        books.leave_points(&id);
    }
    violations.extend(world.trips.lost_of_trips(&books, Moment::Settled).await?);

    let mut outcomes = BTreeMap::new();
    for ending in trips.values() {
        *outcomes.entry(format!("trip {ending}")).or_default() += 1;
    }
    for ending in endings.values() {
        *outcomes.entry(ending.to_string()).or_default() += 1;
    }
    let mut swept = 0;
    for deployment in Deployment::ALL {
        let lines = world.at(deployment).logs(RESCUE, r#""no event said that an execution died""#).await?;
        swept += lines.len();
    }
    let held_back = world.system.logs("order-intake", &format!("{HELD_BACK_EVENT:?}")).await?.len();
    violations.extend(untried(raged, held_back, &outcomes));
    let evidence = evidence(world, raged, &violations).await?;
    Ok(Found { outcomes, histories, swept, held_back, conservation, violations, evidence })
}

/// A long storm that did not do what it is for.
fn untried(raged: &Raged, held_back: usize, outcomes: &BTreeMap<String, usize>) -> Vec<String> {
    let mut untried = Vec::new();
    if raged.placed.orders.len() >= LONG && held_back == 0 {
        untried.push("no order was held back, though they came in rushes".to_owned());
    }
    let panicked = outcomes.keys().any(|outcome| outcome.contains(endings::FOR_A_PANIC));
    if raged.booked.haunted.len() >= HAUNTED_ENOUGH && !panicked {
        untried.push("no trip turned back for a panic, though hotels panicked".to_owned());
    }
    untried
}

async fn evidence(world: &World, raged: &Raged, violations: &[String]) -> Result<Vec<String>> {
    let is_named = |id: &&String| {
        let id = format!("{id}:");
        violations.iter().any(|violation| violation.contains(&id))
    };
    let mut evidence = Vec::new();
    let sagas = raged.placed.orders.iter().chain(&raged.booked.trips);
    for id in sagas.filter(is_named).take(SHOWN_MAX) {
        for queue in world.queues() {
            evidence.extend(world.at(queue.of).logs(queue.function, &format!("{id:?}")).await?);
        }
    }
    Ok(evidence)
}
