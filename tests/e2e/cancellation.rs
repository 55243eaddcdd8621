//! A customer can cancel before the pivot, and is told when it is too late.

use crate::{
    cases::{Case, cases},
    endings::{expect_committed, expect_compensated},
    world::World,
};
use anyhow::{Context, Result};
use gateway::ChargeStatus;
use sagas::entities::OrderStatus;
use system::eventually;

pub(crate) fn cases() -> Vec<Case> {
    cases!["cancellation":
        an_order_cancelled_before_its_pivot_ends_with_money_and_stock_back,
        a_cancel_after_the_pivot_is_refused_and_says_so,
        a_cancel_of_a_rejected_order_is_refused,
        a_cancel_by_another_customer_is_refused_and_does_not_stand_in_the_way,
    ]
}

async fn an_order_cancelled_before_its_pivot_ends_with_money_and_stock_back(world: &World) -> Result<()> {
    let tea = world.product("cancelled-tea", 3).await?;
    // The charge lands, and the saga goes on with the next delivery.
    let order = world.draft("cancelled").line(&tea, 3, 400).pays_in_a_while().order();
    world.place(&order).await?;
    let id = order.order_id.as_str();
    eventually("the gateway is called", world.soon(), || async {
        let calls = world.system.gateway_calls(id).await?;
        Ok(if calls.charge_calls > 0 { Ok(()) } else { Err(format!("{calls:?}")) })
    })
    .await?;
    let cancel = world.cancel(&order).await?;
    let cancel = world.system.end_of("cancel-order", &cancel, world.soon()).await?;
    assert_eq!(cancel.outcome(), Some("committed"), "{cancel:?}");
    world.order_becomes(&order, OrderStatus::Cancelled).await?;

    let execution = world.end_within(&order, world.all_deliveries()).await?;
    expect_compensated(world, &order, &execution, "OrderCancelled").await?;
    assert_eq!(world.stock(&tea).await?, (3, 0));
    let charge = world.system.gateway_charge(id).await?.context("the charge never landed")?;
    assert_eq!((charge.status, charge.amount_minor), (ChargeStatus::Refunded, 1200), "{charge:?}");
    let mail = world.mail(&order, &format!("Order {id} is cancelled")).await?;
    let expected = format!("Your order {id} is cancelled. You cancelled it. If you were charged, ");
    assert_eq!(mail.body, expected + "you have your money back.");
    Ok(())
}

async fn a_cancel_after_the_pivot_is_refused_and_says_so(world: &World) -> Result<()> {
    let tea = world.product("too-late-tea", 3).await?;
    let order = world.draft("too-late").line(&tea, 1, 400).order();
    let execution = world.carry_out(&order).await?;
    let cancel = world.cancel(&order).await?;
    let id = order.order_id.as_str();
    let cancel = world.system.end_of("cancel-order", &cancel, world.soon()).await?;
    let seen = (cancel.outcome(), cancel.reason());
    assert_eq!(seen, (Some("compensated"), Some("TooLateToCancel")), "{cancel:?}");
    expect_committed(world, &order, &execution, 400).await?;
    assert_eq!(world.stock(&tea).await?, (2, 1));
    let mail = world.mail(&order, &format!("Order {id} was not cancelled")).await?;
    let expected = format!("We could not cancel the order {id}: it was completed before you asked.");
    assert_eq!(mail.body, expected);
    Ok(())
}

async fn a_cancel_of_a_rejected_order_is_refused(world: &World) -> Result<()> {
    let tea = world.product("rejected-tea", 1).await?;
    let order = world.draft("rejected").line(&tea, 2, 400).order();
    let execution = world.carry_out(&order).await?;
    let cancel = world.cancel(&order).await?;
    let cancel = world.system.end_of("cancel-order", &cancel, world.soon()).await?;
    assert_eq!(cancel.reason(), Some("TooLateToCancel"), "{cancel:?}");
    expect_compensated(world, &order, &execution, "OutOfStock").await
}

async fn a_cancel_by_another_customer_is_refused_and_does_not_stand_in_the_way(world: &World) -> Result<()> {
    let tea = world.product("strange-tea", 1).await?;
    let order = world.draft("strange").line(&tea, 1, 400).pays_in_a_while().order();
    world.place(&order).await?;
    let mut strange = order.clone();
    strange.customer.id = "stranger".to_owned();
    let cancel = world.cancel(&strange).await?;
    let cancel = world.system.end_of("cancel-order", &cancel, world.soon()).await?;
    assert_eq!(cancel.reason(), Some("NotYourOrder"), "{cancel:?}");

    let cancel = world.cancel(&order).await?;
    let cancel = world.system.end_of("cancel-order", &cancel, world.soon()).await?;
    assert_eq!(cancel.outcome(), Some("committed"), "{cancel:?}");
    let execution = world.end_within(&order, world.all_deliveries()).await?;
    expect_compensated(world, &order, &execution, "OrderCancelled").await
}
