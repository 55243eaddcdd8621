//! An account with few functions at a time slows sagas and compensates none.

use crate::{
    cases::{Case, cases},
    world::World,
};
use anyhow::Result;
use sagas::entities::OrderStatus;
use std::time::Duration;

/// Fifty sagas share ten functions with all the other tests here.
const CROWD_LIMIT: Duration = Duration::from_mins(6);

pub(crate) fn cases() -> Vec<Case> {
    cases!["throttling" in Incidents: fifty_sagas_in_an_account_with_ten_functions_all_commit]
}

async fn fifty_sagas_in_an_account_with_ten_functions_all_commit(world: &World) -> Result<()> {
    let tea = world.product("crowded-tea", 50).await?;
    let order = |n| world.draft(&format!("throttled-{n}")).line(&tea, 1, 100).order();
    let orders: Vec<_> = (0..50).map(order).collect();
    world.place_all(&orders).await?;
    let ids: Vec<&str> = orders.iter().map(|order| order.order_id.as_str()).collect();
    world.system.wait_for_end("order", &ids, world.patiently(CROWD_LIMIT)).await?;
    let rows = world.system.all_orders().await?;
    for id in ids {
        let status = rows.get(id).map(|row| row.status);
        assert_eq!(status, Some(OrderStatus::Confirmed), "{id}: {:?}", rows.get(id));
    }
    assert_eq!(world.stock(&tea).await?, (0, 50));
    Ok(())
}
