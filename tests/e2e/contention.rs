//! Concurrent orders never oversell.

use crate::{
    cases::{Case, cases},
    endings::{expect_committed, expect_compensated},
    world::World,
};
use anyhow::{Context, Result};
use sagas::entities::OrderStatus;
use std::{collections::BTreeMap, time::Duration};

/// The sagas share one Python process with all the other tests.
const CROWD_LIMIT: Duration = Duration::from_mins(3);

pub(crate) fn cases() -> Vec<Case> {
    cases!["contention":
        of_two_orders_that_race_for_the_last_unit_exactly_one_wins,
        a_crowd_of_concurrent_orders_never_oversells,
    ]
}

async fn of_two_orders_that_race_for_the_last_unit_exactly_one_wins(world: &World) -> Result<()> {
    let last = world.product("last-unit", 1).await?;
    let orders = ["racer-1", "racer-2"].map(|name| world.draft(name).line(&last, 1, 900).order());
    world.place_all(&orders).await?;
    let ends = [world.end_of(&orders[0]).await?, world.end_of(&orders[1]).await?];
    let first_won = ends[0].outcome() == Some("committed");
    let (winner, loser) = if first_won { (0, 1) } else { (1, 0) };
    expect_committed(world, &orders[winner], &ends[winner], 900).await?;
    expect_compensated(world, &orders[loser], &ends[loser], "OutOfStock").await?;
    assert_eq!(world.stock(&last).await?, (0, 1));
    Ok(())
}

async fn a_crowd_of_concurrent_orders_never_oversells(world: &World) -> Result<()> {
    // Where sagas are slow there are fewer: a crowd that waits longer than a step may take is compensated, rightly.
    let (units, crowd) = (world.fewer(120), world.fewer(200));
    let scarce = world.product("scarce", units).await?;
    let draft = |n| world.draft(&format!("crowd-{n}")).line(&scarce, 1, 100).order();
    let orders: Vec<_> = (0..crowd).map(draft).collect();
    world.place_all(&orders).await?;
    let ids: Vec<&str> = orders.iter().map(|order| order.order_id.as_str()).collect();
    world.system.wait_for_end("order", &ids, world.patiently(CROWD_LIMIT)).await?;

    let rows = world.system.all_orders().await?;
    let mut ends: BTreeMap<(&str, Option<&str>), usize> = BTreeMap::new();
    for id in &ids {
        let row = rows.get(*id).with_context(|| format!("there is no order {id}"))?;
        *ends.entry((row.status.as_str(), row.reason.as_deref())).or_default() += 1;
    }
    let expected = [
        ((OrderStatus::Confirmed.as_str(), None), units as usize),
        ((OrderStatus::Rejected.as_str(), Some("OutOfStock")), (crowd - units) as usize),
    ];
    assert_eq!(ends, expected.into());
    assert_eq!(world.stock(&scarce).await?, (0, i64::from(units)));
    let charges = world.system.charges_of_orders().await?;
    let charged = ids.iter().filter(|id| charges.contains_key(**id)).count();
    assert_eq!(charged, units as usize, "only those who got a unit were charged");
    Ok(())
}
