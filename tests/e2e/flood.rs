//! More orders than participants get done at once: they wait before they begin, and none is turned back for it.

use crate::{
    cases::{Case, cases},
    world::World,
};
use anyhow::{Result, ensure};
use saga::HELD_BACK_EVENT;
use sagas::entities::OrderStatus;
use std::time::Duration;

/// The flood shares ten functions with all the other tests here.
const FLOOD_LIMIT: Duration = Duration::from_mins(6);

pub(crate) fn cases() -> Vec<Case> {
    cases!["flood" in Incidents: a_flood_of_orders_waits_before_it_begins_and_all_commit]
}

async fn a_flood_of_orders_waits_before_it_begins_and_all_commit(world: &World) -> Result<()> {
    let crowd = world.fewer(150);
    let tea = world.product("flood-tea", crowd).await?;
    // The gateway answers slowly, so that charges pile up while orders begin at once.
    let order = |n| world.draft(&format!("flood-{n}")).line(&tea, 1, 100).pays_with("tok_slow_1500").order();
    let orders: Vec<_> = (0..crowd).map(order).collect();
    world.place_all(&orders).await?;
    let ids: Vec<&str> = orders.iter().map(|order| order.order_id.as_str()).collect();
    world.system.wait_for_end("order", &ids, world.patiently(FLOOD_LIMIT)).await?;
    let rows = world.system.all_orders().await?;
    for id in ids {
        let status = rows.get(id).map(|row| row.status);
        ensure!(status == Some(OrderStatus::Confirmed), "{id}: {:?}", rows.get(id));
    }
    ensure!(world.stock(&tea).await? == (0, i64::from(crowd)), "{:?}", world.stock(&tea).await?);
    let held_back = world.system.logs("order-intake", &format!("{HELD_BACK_EVENT:?}")).await?;
    ensure!(!held_back.is_empty(), "no order was held back: all {crowd} began at once");
    Ok(())
}
