//! A lost answer, an error or a slow peer is settled either way, never half.

use crate::{
    cases::{Case, cases},
    endings::{expect_committed, expect_compensated},
    world::World,
};
use anyhow::{Context, Result};
use gateway::ChargeStatus;
use saga::DELIVERIES_EXHAUSTED;
use sagas::entities::LedgerEntry;

pub(crate) fn cases() -> Vec<Case> {
    cases!["unknown_outcomes":
        a_charge_whose_answer_is_always_lost_ends_with_the_money_back,
        a_charge_whose_answer_is_lost_once_is_taken_exactly_once,
        a_gateway_that_fails_once_is_asked_again,
        a_gateway_that_always_fails_ends_with_the_stock_back,
        a_slow_gateway_is_waited_for,
    ]
}

async fn a_charge_whose_answer_is_always_lost_ends_with_the_money_back(world: &World) -> Result<()> {
    let tea = world.product("lossy-tea", 2).await?;
    let order = world.draft("lossy").line(&tea, 2, 500).pays_with("tok_lossy").order();
    world.expect_dead(&order.order_id);
    world.place(&order).await?;
    let execution = world.end_within(&order, world.all_deliveries()).await?;
    expect_compensated(world, &order, &execution, DELIVERIES_EXHAUSTED).await?;
    assert_eq!(world.stock(&tea).await?, (2, 0));

    let charge = world.system.gateway_charge(&order.order_id).await?.context("the money was never taken")?;
    assert_eq!((charge.status, charge.amount_minor), (ChargeStatus::Refunded, 1000), "{charge:?}");
    let mail = world.mail(&order, "could not be completed").await?;
    assert!(mail.body.ends_with("If you were charged, you have your money back."), "{mail:?}");
    Ok(())
}

async fn a_charge_whose_answer_is_lost_once_is_taken_exactly_once(world: &World) -> Result<()> {
    let tea = world.product("lossy-once-tea", 2).await?;
    let order = world.draft("lossy-once").line(&tea, 2, 500).pays_with("tok_lossy_once").order();
    world.place(&order).await?;
    let execution = world.end_within(&order, world.all_deliveries()).await?;
    expect_committed(world, &order, &execution, 1000).await?;
    assert_eq!(world.stock(&tea).await?, (0, 2));
    let calls = world.system.gateway_calls(&order.order_id).await?;
    assert_eq!((calls.charge_calls, calls.reversal_calls), (2, 0), "lost, then told");
    Ok(())
}

async fn a_gateway_that_fails_once_is_asked_again(world: &World) -> Result<()> {
    let tea = world.product("error-once-tea", 1).await?;
    let order = world.draft("error-once").line(&tea, 1, 250).pays_with("tok_error_once").order();
    world.place(&order).await?;
    let execution = world.end_within(&order, world.all_deliveries()).await?;
    expect_committed(world, &order, &execution, 250).await?;
    let calls = world.system.gateway_calls(&order.order_id).await?;
    assert_eq!((calls.charge_calls, calls.reversal_calls), (2, 0), "failed, then done");
    Ok(())
}

async fn a_gateway_that_always_fails_ends_with_the_stock_back(world: &World) -> Result<()> {
    let tea = world.product("error-tea", 1).await?;
    let order = world.draft("error").line(&tea, 1, 250).pays_with("tok_error").order();
    world.expect_dead(&order.order_id);
    world.place(&order).await?;
    let execution = world.end_within(&order, world.all_deliveries()).await?;
    expect_compensated(world, &order, &execution, DELIVERIES_EXHAUSTED).await?;
    assert_eq!(world.stock(&tea).await?, (1, 0));
    assert_eq!(world.system.gateway_charge(&order.order_id).await?, None, "nothing was taken");
    Ok(())
}

async fn a_slow_gateway_is_waited_for(world: &World) -> Result<()> {
    let tea = world.product("slow-tea", 1).await?;
    let order = world.draft("slow").line(&tea, 1, 250).pays_with("tok_slow_1500").order();
    world.place(&order).await?;
    let execution = world.end_within(&order, world.all_deliveries()).await?;
    expect_committed(world, &order, &execution, 250).await?;
    let entry = world.system.ledger_entry(&order.order_id).await?.context("no ledger entry")?;
    assert_eq!((entry.status.as_str(), entry.amount_minor), (LedgerEntry::CHARGED, 250), "{entry:?}");
    Ok(())
}
