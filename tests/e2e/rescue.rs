//! A saga whose execution was stopped is finished or undone by another.

use crate::{
    cases::{Case, cases},
    endings::{expect_committed, expect_compensated, expect_no_money_kept},
    world::World,
};
use anyhow::Result;
use aws_sdk_sfn::types::ExecutionStatus;
use saga::{RESCUED, StartInput};
use system::eventually;

pub(crate) fn cases() -> Vec<Case> {
    cases!["rescue" in Incidents:
        an_order_whose_execution_is_stopped_while_it_is_charged_is_undone,
        an_order_whose_execution_died_after_its_pivot_is_finished_and_not_undone,
        an_execution_that_settles_and_is_stopped_too_is_settled_in_its_turn,
    ]
}

async fn an_order_whose_execution_is_stopped_while_it_is_charged_is_undone(world: &World) -> Result<()> {
    let tea = world.product("stopped-tea", 4).await?;
    let order = world.draft("stopped").line(&tea, 3, 400).pays_with("tok_slow_2500").order();
    world.place(&order).await?;
    world.gateway_is_called(&order).await?;
    let arn = world.system.stop_execution("order", &order.order_id).await?;
    let stopped = world.end_of(&order).await?;
    assert_eq!(stopped.status, ExecutionStatus::Aborted, "{stopped:?}");

    let settling = world.settled(&order, &arn).await?;
    expect_compensated(world, &order, &settling, RESCUED).await?;
    assert_eq!(world.stock(&tea).await?, (4, 0));
    Ok(())
}

async fn an_order_whose_execution_died_after_its_pivot_is_finished_and_not_undone(
    world: &World,
) -> Result<()> {
    let tea = world.product("late-tea", 2).await?;
    let order = world.draft("died-late").line(&tea, 2, 300).order();
    let execution = world.carry_out(&order).await?;
    expect_committed(world, &order, &execution, 600).await?;

    // As if it had died between its pivot and its end: the rescue function gives this input.
    let input: StartInput = serde_json::from_value(execution.input)?;
    let input = input.settled(&order.order_id, "FAILED");
    let name = format!("{}-settle", order.order_id);
    world.system.start_execution("order", &name, &input).await?;
    let settling = world.system.end_of("order", &name, world.soon()).await?;
    expect_committed(world, &order, &settling, 600).await?;
    assert_eq!(world.stock(&tea).await?, (0, 2), "nothing is reserved again");
    let calls = world.system.gateway_calls(&order.order_id).await?;
    assert_eq!((calls.charge_calls, calls.reversal_calls), (1, 0), "nothing is charged again");
    Ok(())
}

async fn an_execution_that_settles_and_is_stopped_too_is_settled_in_its_turn(world: &World) -> Result<()> {
    let tea = world.product("twice-stopped-tea", 1).await?;
    let order = world.draft("twice-stopped").line(&tea, 1, 700).pays_with("tok_slow_2500").order();
    world.place(&order).await?;
    world.gateway_is_called(&order).await?;
    let mut arn = world.system.stop_execution("order", &order.order_id).await?;
    // The second one is not always caught before it is done, and then there is no third.
    let second = saga::Settling::execution_name(&order.order_id.clone().try_into()?, &arn);
    let begun = format!("execution {second} has begun");
    eventually(&begun, world.soon(), || async {
        Ok(world.system.execution("order", &second).await?.map(|_| ()).ok_or_else(|| "not yet".to_owned()))
    })
    .await?;
    if let Ok(stopped) = world.system.stop_execution("order", &second).await {
        let status = world.system.end_of("order", &second, world.soon()).await?.status;
        if status == ExecutionStatus::Aborted {
            arn = stopped;
        }
    }
    let settling = world.settled(&order, &arn).await?;
    assert_eq!(settling.outcome(), Some("compensated"), "{settling:?}");
    expect_no_money_kept(world, &order).await?;
    assert_eq!(world.stock(&tea).await?, (1, 0));
    Ok(())
}
