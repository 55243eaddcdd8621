//! Each business 'no' leaves nothing behind and says why.

use crate::{
    cases::{Case, cases},
    draft::CURRENCY,
    endings::{expect_compensated, expect_no_money_kept},
    world::World,
};
use anyhow::Result;
use sagas::entities::OrderStatus;
use system::OrderRow;

pub(crate) fn cases() -> Vec<Case> {
    cases!["rejections":
        an_order_that_is_out_of_stock_reserves_none_of_its_lines,
        an_order_of_an_unknown_product_is_out_of_stock,
        a_declined_payment_puts_the_stock_back,
        an_order_whose_id_is_taken_leaves_the_older_order_as_it_was,
    ]
}

async fn an_order_that_is_out_of_stock_reserves_none_of_its_lines(world: &World) -> Result<()> {
    let (plenty, few) = (world.product("oos-plenty", 10).await?, world.product("oos-few", 1).await?);
    let order = world.draft("oos").line(&plenty, 2, 100).line(&few, 2, 100).order();
    let execution = world.carry_out(&order).await?;
    expect_compensated(world, &order, &execution, "OutOfStock").await?;
    assert_eq!((world.stock(&plenty).await?, world.stock(&few).await?), ((10, 0), (1, 0)));
    assert_eq!(world.system.gateway_calls(&order.order_id).await?.charge_calls, 0, "it never came to paying");

    let id = &order.order_id;
    let mail = world.mail(&order, &format!("Order {id} could not be completed")).await?;
    let expected = format!("Your order {id} could not be completed. A product is out of stock. ");
    assert_eq!(mail.body, expected + "You have not been charged.");
    Ok(())
}

async fn an_order_of_an_unknown_product_is_out_of_stock(world: &World) -> Result<()> {
    let sku = world.id("oos-unknown");
    let order = world.draft("oos-unknown").line(&sku, 1, 100).order();
    let execution = world.carry_out(&order).await?;
    expect_compensated(world, &order, &execution, "OutOfStock").await?;
    assert_eq!(world.system.stock(&sku).await?, None, "no product comes into being");
    Ok(())
}

async fn a_declined_payment_puts_the_stock_back(world: &World) -> Result<()> {
    let tea = world.product("declined-tea", 4).await?;
    let order = world.draft("declined").line(&tea, 3, 700).pays_with("tok_decline").order();
    let execution = world.carry_out(&order).await?;
    expect_compensated(world, &order, &execution, "PaymentDeclined").await?;
    let cause = execution.output.as_ref().and_then(|output| output["reason"]["cause"].as_str());
    assert!(cause.is_some_and(|cause| cause.contains("insufficient_funds")), "{execution:?}");
    assert_eq!(world.stock(&tea).await?, (4, 0));
    assert_eq!(world.system.gateway_charge(&order.order_id).await?, None);
    let mail = world.mail(&order, "could not be completed").await?;
    assert!(mail.body.ends_with("Your payment was declined. You have not been charged."), "{mail:?}");
    Ok(())
}

async fn an_order_whose_id_is_taken_leaves_the_older_order_as_it_was(world: &World) -> Result<()> {
    let tea = world.product("taken-tea", 4).await?;
    let order = world.draft("taken").line(&tea, 1, 100).order();
    let older = OrderRow {
        order_id: order.order_id.clone(),
        status: OrderStatus::Rejected,
        customer_id: "somebody-else".to_owned(),
        total_minor: 99,
        currency: CURRENCY.to_owned(),
        reason: Some("PaymentDeclined".to_owned()),
    };
    world.system.put_order(&older).await?;
    let execution = world.carry_out(&order).await?;
    let seen = (execution.outcome(), execution.reason());
    assert_eq!(seen, (Some("compensated"), Some("DuplicateOrder")), "{execution:?}");
    assert_eq!(world.system.order(&order.order_id).await?, Some(older));
    assert_eq!(world.stock(&tea).await?, (4, 0));
    expect_no_money_kept(world, &order).await
}
