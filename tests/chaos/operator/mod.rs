//! Whoever is on duty: mends what is broken, answers what is parked with 'retry' or 'skip', puts right by hand what a
//! skipped step has left, and sends dead letters back to their queues, those of skipped steps too.
//!
//! | module | does |
//! | --- | --- |
//! | `answers` | looks at what is parked, and answers it |
//! | `by_hand` | puts right what skipped steps have left, once |
//! | `letters` | sends dead letters back |

mod answers;
mod by_hand;
mod letters;

pub(crate) use answers::{parked, what_is_answered_is_told};

use crate::world::World;
use anyhow::Result;
use by_hand::Skipped;
use fastrand::Rng;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};
use tokio::sync::Mutex;

const LOOK_EVERY: Duration = Duration::from_secs(4);

/// What the operator remembers.
#[derive(Debug)]
pub(crate) struct Desk(Mutex<Notes>);

#[derive(Debug)]
struct Notes {
    rng: Rng,
    /// Since when what is parked is known, by its task token.
    known: BTreeMap<String, Instant>,
    /// The ids of the sagas that have something parked.
    parked: BTreeSet<String>,
    /// What was skipped, by saga id and step.
    skipped: BTreeMap<(String, String), Skipped>,
    /// The money that was left at the gateway, by order.
    money: BTreeMap<String, i64>,
}

impl Desk {
    /// An empty one.
    pub(crate) fn of(rng: Rng) -> Self {
        let (known, parked) = (BTreeMap::new(), BTreeSet::new());
        Self(Mutex::new(Notes { rng, known, parked, skipped: BTreeMap::new(), money: BTreeMap::new() }))
    }

    /// The money that was left at the gateway, in minor units, by order.
    pub(crate) async fn money_left(&self) -> BTreeMap<String, i64> {
        self.0.lock().await.money.clone()
    }
}

/// Works until the storm is over.
pub(crate) async fn work_while_it_rages(world: &World) -> Result<()> {
    while world.weather.still_rages_after(LOOK_EVERY).await {
        work(world).await?;
    }
    Ok(())
}

/// Does everything there is to do now; says how much it was, with what has to wait a little.
pub(crate) async fn work(world: &World) -> Result<usize> {
    let notes = &mut *world.desk.0.lock().await;
    let mut todo = answers::answer_parked(world, notes).await?;
    todo += by_hand::put_right(world, notes).await?;
    for queue in world.queues() {
        todo += letters::send_back(world, &queue, notes).await?;
    }
    Ok(todo)
}
