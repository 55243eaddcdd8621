//! A placed order is confirmed, paid, reserved and told.

use crate::{
    cases::{Case, cases},
    endings::expect_committed,
    world::World,
};
use anyhow::Result;
use system::eventually;

pub(crate) fn cases() -> Vec<Case> {
    cases!["fulfilment":
        a_placed_order_is_confirmed_paid_reserved_and_told,
        a_customer_who_prefers_sms_gets_one,
        equal_skus_are_merged_and_discounts_are_taken_off,
        an_order_that_costs_nothing_is_not_charged,
    ]
}

async fn a_placed_order_is_confirmed_paid_reserved_and_told(world: &World) -> Result<()> {
    let (tea, jam) = (world.product("happy-tea", 10).await?, world.product("happy-jam", 5).await?);
    let order = world.draft("happy").line(&tea, 3, 1250).line(&jam, 5, 399).order();
    let execution = world.carry_out(&order).await?;

    let total_minor = 3 * 1250 + 5 * 399;
    expect_committed(world, &order, &execution, total_minor).await?;
    assert_eq!((world.stock(&tea).await?, world.stock(&jam).await?), ((7, 3), (0, 5)));
    assert_eq!(world.system.gateway_calls(&order.order_id).await?.charge_calls, 1);

    let id = &order.order_id;
    let mail = world.mail(&order, &format!("Order {id} is confirmed")).await?;
    assert_eq!(mail.body, format!("Your order {id} is confirmed. We charged 57.45 EUR."));
    assert_eq!(mail.to, [order.customer.email]);
    Ok(())
}

async fn a_customer_who_prefers_sms_gets_one(world: &World) -> Result<()> {
    let tea = world.product("sms-tea", 1).await?;
    // Of this run alone, like the ids.
    let digits: String = world.id("").bytes().map(|byte| char::from(b'0' + byte % 10)).collect();
    let phone = format!("+49{digits}");
    let order = world.draft("sms").line(&tea, 1, 100).by_sms(&phone).order();
    let execution = world.carry_out(&order).await?;
    expect_committed(world, &order, &execution, 100).await?;

    let texts = eventually("an SMS", world.soon(), || async {
        let mut all = world.system.sms().await?;
        Ok(all
            .remove(&phone)
            .ok_or_else(|| format!("none to {phone}, but to {:?}", all.keys().collect::<Vec<_>>())))
    })
    .await?;
    assert_eq!(texts, [format!("Your order {} is confirmed. We charged 1.00 EUR.", order.order_id)]);
    let mails = world.system.mails().await?;
    assert!(
        !mails.iter().any(|mail| mail.to.contains(&order.customer.email)),
        "told by SMS, not by e-mail too"
    );
    Ok(())
}

async fn equal_skus_are_merged_and_discounts_are_taken_off(world: &World) -> Result<()> {
    let tea = world.product("merged-tea", 10).await?;
    let order = world.draft("merged").line(&tea, 2, 100).line(&tea, 3, 50).less_percent(10).order();
    let execution = world.carry_out(&order).await?;
    expect_committed(world, &order, &execution, 2 * 100 + 135).await?;
    assert_eq!(world.stock(&tea).await?, (5, 5));
    Ok(())
}

async fn an_order_that_costs_nothing_is_not_charged(world: &World) -> Result<()> {
    let sample = world.product("free-sample", 1).await?;
    let order = world.draft("free").line(&sample, 1, 0).order();
    let execution = world.carry_out(&order).await?;
    assert_eq!(execution.outcome(), Some("committed"), "{execution:?}");
    assert_eq!(world.stock(&sample).await?, (0, 1));
    assert_eq!(world.system.gateway_calls(&order.order_id).await?.charge_calls, 0);
    assert_eq!(world.system.ledger_entry(&order.order_id).await?, None);
    Ok(())
}
