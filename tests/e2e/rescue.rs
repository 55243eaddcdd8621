//! A saga whose execution was stopped is finished or undone by another.

use crate::{
    cases::{Case, cases},
    endings::{expect_committed, expect_compensated, expect_no_money_kept},
    world::World,
};
use anyhow::{Context, Result, bail};
use aws_sdk_sfn::types::ExecutionStatus;
use infra_gen::ops::{Action, Answer};
use saga::{RESCUED, StartInput};
use sagas::events::OrderPlaced;
use std::time::Duration;
use system::eventually;

/// How many orders are stopped, if need be, until the execution that settles is stopped too before it is done.
const CAUGHT_WITHIN: u32 = 8;

pub(crate) fn cases() -> Vec<Case> {
    cases!["rescue" in Incidents:
        an_order_whose_execution_is_stopped_while_it_is_charged_is_undone,
        an_order_whose_execution_died_after_its_pivot_is_finished_and_not_undone,
        an_execution_that_settles_and_is_stopped_too_is_settled_in_its_turn,
        an_execution_of_whose_death_no_event_came_is_settled_by_the_sweep,
        what_another_execution_parked_is_not_taken_away,
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
    let input = input.settled(&order.order_id, "FAILED", 0);
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
    // The second one is not always caught before it is done, and then there is no third.
    for n in 0..CAUGHT_WITHIN {
        if stop_twice(world, n).await? {
            return Ok(());
        }
    }
    bail!("none of {CAUGHT_WITHIN} executions that settle was caught before it was done")
}

/// Says whether the execution that settles was stopped before it was done.
async fn stop_twice(world: &World, n: u32) -> Result<bool> {
    let tea = world.product(&format!("twice-stopped-tea-{n}"), 1).await?;
    let order = world.draft(&format!("twice-stopped-{n}")).line(&tea, 1, 700);
    let order = order.pays_with("tok_slow_2500").order();
    world.place(&order).await?;
    world.gateway_is_called(&order).await?;
    let first = world.system.stop_execution("order", &order.order_id).await?;
    let mut arn = first.clone();
    let second = saga::Settling::execution_name(&order.order_id.clone().try_into()?, &arn);
    let begun = format!("execution {second} has begun");
    eventually(&begun, world.until_settled(), || async {
        Ok(world.system.execution("order", &second).await?.map(|_| ()).ok_or_else(|| "not yet".to_owned()))
    })
    .await?;
    if let Ok(stopped) = world.system.stop_execution("order", &second).await {
        let status = world.system.end_of("order", &second, world.soon()).await?.status;
        if status == ExecutionStatus::Aborted {
            arn = stopped;
        }
    }
    turn_back_if_asked(world, &order, &arn).await?;
    let settling = world.settled(&order, &arn).await?;
    assert_eq!(settling.outcome(), Some("compensated"), "{settling:?}");
    expect_no_money_kept(world, &order).await?;
    assert_eq!(world.stock(&tea).await?, (1, 0));
    Ok(arn != first)
}

/// When the settling execution before was stopped before it asked the pivot's fence, there is none, and the next one must
/// not tell that from one that expired: it leaves that to an operator, who turns the saga back.
async fn turn_back_if_asked(world: &World, order: &OrderPlaced, dead: &str) -> Result<()> {
    let id = order.order_id.as_str();
    let name = saga::Settling::execution_name(&id.to_owned().try_into()?, dead);
    let what = format!("execution {name} has ended, or is parked");
    let parked = eventually(&what, world.until_settled(), || async {
        let ended = world.system.execution("order", &name).await?;
        if ended.is_some_and(|execution| execution.status != ExecutionStatus::Running) {
            return Ok(Ok(None));
        }
        Ok(world.system.parked(id).await?.pop().map(Some).ok_or_else(|| "neither".to_owned()))
    })
    .await?;
    let Some(parked) = parked else { return Ok(()) };
    assert_eq!((parked.what.as_str(), parked.can_skip), ("rescue confirm-order", true), "{parked:?}");
    assert_eq!(parked.failure["confirm-order"]["error"], saga::FENCE_GONE, "{parked:?}");
    let answer = Answer {
        id: id.to_owned(),
        action: Action::Skip,
        what: None,
        steps: Vec::new(),
        reason: "it was never confirmed".to_owned(),
        by: None,
    };
    world.system.operations().await?.answer(&answer).await?;
    Ok(())
}

async fn an_execution_of_whose_death_no_event_came_is_settled_by_the_sweep(world: &World) -> Result<()> {
    let tea = world.product("unheard-tea", 4).await?;
    let order = world.draft("unheard").line(&tea, 3, 400).pays_with("tok_slow_2500").order();
    world.place(&order).await?;
    world.gateway_is_called(&order).await?;
    world.system.lose_deaths().await?;
    let stopped = stop(world, &order.order_id).await;
    // Others that die meanwhile are found by the sweep, too.
    world.system.tell_of_deaths().await?;
    let arn = stopped?;

    let name = saga::Settling::execution_name(&order.order_id.clone().try_into()?, &arn);
    let settling = world.system.end_of("order", &name, world.until_settled()).await?;
    expect_compensated(world, &order, &settling, RESCUED).await?;
    assert_eq!(world.stock(&tea).await?, (4, 0));
    let members = [("outcome", "settling"), ("message", "no event said that an execution died")];
    world.log_lines("rescue", &order.order_id, &members, 1).await?;
    Ok(())
}

/// Stops an execution; gives its ARN once Step Functions has told of it whom it tells.
async fn stop(world: &World, id: &str) -> Result<String> {
    let arn = world.system.stop_execution("order", id).await?;
    world.system.end_of("order", id, world.soon()).await?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    Ok(arn)
}

async fn what_another_execution_parked_is_not_taken_away(world: &World) -> Result<()> {
    let tea = world.product("left-tea", 2).await?;
    let order = world.draft("left").line(&tea, 1, 400).pays_with("tok_slow_2500").order();
    world.place(&order).await?;
    world.gateway_is_called(&order).await?;
    let id = order.order_id.as_str();
    let arn = world.system.stop_execution("order", id).await?;
    // A saga of another kind with this id, whose execution has the same name.
    let other = arn.replace("-order:", "-cancel-order:");
    assert_ne!(arn, other);
    world.system.plant_parked(id, "undo order", &arn).await?;
    world.system.plant_parked(id, "settle cancel-pending-order", &other).await?;

    let settling = world.settled(&order, &arn).await?;
    expect_compensated(world, &order, &settling, RESCUED).await?;
    let left = world.system.parked(id).await?;
    let kept: Vec<_> =
        left.iter().map(|record| (record.what.as_str(), record.execution_arn.as_str())).collect();
    assert_eq!(kept, [("settle cancel-pending-order", other.as_str())]);
    let record = left.first().context("it is there")?;
    world.system.take_parked_away(id, record).await
}
