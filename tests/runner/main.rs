//! The order saga with its real handlers, in memory: every ending, and every failure of every message.
//!
//! Only the payment gateway is another process's part, and it runs in this one: what it charges goes over HTTP.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test panics where it is wrong")]

mod failures;
mod samples;
mod shop;

use saga::{Outcome, Runner, SagaId};
use sagas::{
    cancel::{CancelOrder, cancel_saga},
    entities::OrderStatus,
};
use serde_json::json;
use shop::{Books, Shop, reason};
use std::time::Duration;

#[tokio::test]
async fn an_order_that_can_be_carried_out_commits() {
    let shop = Shop::open().await;
    let outcome = shop.run(&shop.order("tok_approve", 3), &[]).await;
    let Outcome::Committed { values, notices } = &outcome else { panic!("{outcome:?}") };
    assert_eq!(values["reservation"], json!({ "units": 3 }));
    assert_eq!(values["confirmation"]["total"], json!({ "minor": 9_900, "currency": "EUR" }));
    assert_eq!(notices.iter().map(|notice| notice.notice.as_str()).collect::<Vec<_>>(), ["OrderConfirmed"]);
    assert_eq!(shop.books().await, Books::sold(3));
}

#[tokio::test]
async fn every_rejection_ends_with_nothing_left() {
    let shop = Shop::open().await;
    let outcome = shop.run(&shop.order("tok_approve", 11), &[]).await;
    assert_eq!(reason(&outcome), ("reserve-stock", "OutOfStock"));
    assert_eq!(shop.books().await, Books::rejected("OutOfStock"));

    let shop = Shop::open().await;
    let outcome = shop.run(&shop.order("tok_decline", 3), &[]).await;
    assert_eq!(reason(&outcome), ("charge-payment", "PaymentDeclined"));
    assert_eq!(shop.books().await, Books::rejected("PaymentDeclined"));

    let shop = Shop::open().await;
    shop.put_order(OrderStatus::Confirmed);
    let outcome = shop.run(&shop.order("tok_approve", 3), &[]).await;
    assert_eq!(reason(&outcome), ("create-order", "DuplicateOrder"));
    let other_order = Books { order: Some(("CONFIRMED".into(), None)), ..Books::untouched() };
    assert_eq!(shop.books().await, other_order);
}

#[tokio::test]
async fn an_order_that_is_cancelled_before_its_pivot_gives_everything_back() {
    let shop = Shop::open().await;
    // The gateway takes its time, in which the customer cancels.
    let order = shop.order("tok_slow_500", 3);
    let cancelling = async {
        tokio::time::sleep(Duration::from_millis(150)).await;
        let cancel = CancelOrder { order_id: order.order_id.clone(), customer: order.customer.clone() };
        let runner = Runner::new(&cancel_saga()).service(orders::Orders, shop.orders.clone());
        runner.run(&SagaId::try_from("cancel-o-1".to_owned()).unwrap(), &cancel).await.unwrap()
    };
    let (outcome, cancel) = tokio::join!(shop.run(&order, &[]), cancelling);
    assert!(matches!(cancel, Outcome::Committed { .. }), "{cancel:?}");
    assert_eq!(reason(&outcome), ("confirm-order", "OrderCancelled"));
    let refunded = Books {
        order: Some(("CANCELLED".into(), Some("OrderCancelled".into()))),
        ledger: Some("refunded".into()),
        ..Books::untouched()
    };
    assert_eq!(shop.books().await, refunded);
}
