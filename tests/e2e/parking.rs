//! What cannot be undone waits for an operator, and the other undos go on.

use crate::{
    cases::{Case, cases},
    endings::expect_no_money_kept,
    world::World,
};
use anyhow::{Context, Result};
use infra_gen::ops::{Action, Answer, Attempt, ErrorKind, Kind, Outcome, State};
use sagas::{entities::OrderStatus, events::OrderPlaced};
use serde_json::json;
use std::time::Duration;
use system::{Decision, Execution, Parked, StockLevel, eventually};

/// Seven attempts of five deliveries each, with the waits between them.
const PARKING_LIMIT: Duration = Duration::from_mins(8);

/// How long a message is hidden here: the attempts that fail are to fail soon.
const VISIBILITY_SECONDS: u32 = 2;

const BY: &str = "arn:aws:iam::000000000000:user/operator";

pub(crate) fn cases() -> Vec<Case> {
    cases!["parking" in Incidents:
        an_undo_that_fails_is_parked_while_the_others_go_on_and_a_retry_ends_the_saga,
        a_parked_undo_that_is_skipped_shows_in_the_outcome,
    ]
}

async fn an_undo_that_fails_is_parked_while_the_others_go_on_and_a_retry_ends_the_saga(
    world: &World,
) -> Result<()> {
    let tea = world.product("retried-tea", 5).await?;
    let (order, parked) = park(world, "retried", &tea).await?;
    // What was missing is there again.
    world.system.put_stock(&tea, StockLevel { available: 2, reserved: 3 }).await?;
    answer(world, &order, &parked, Action::Retry, "the shelf is back").await?;
    let execution = world.end_of(&order).await?;
    expect_cancelled(&execution, &json!({}));
    assert_eq!(world.stock(&tea).await?, (5, 0));
    expect_decided(world, &order, "retry", "the shelf is back").await
}

async fn a_parked_undo_that_is_skipped_shows_in_the_outcome(world: &World) -> Result<()> {
    let tea = world.product("skipped-tea", 5).await?;
    let (order, parked) = park(world, "skipped", &tea).await?;
    answer(world, &order, &parked, Action::Skip, "the product was taken off the market").await?;
    let execution = world.end_of(&order).await?;
    let skipped = &execution.output.as_ref().context("it ended")?["skipped"];
    assert_eq!(skipped["reserve-stock"]["error"], saga::DELIVERIES_EXHAUSTED, "{execution:?}");
    assert_eq!(skipped["reserve-stock"]["was"], "done", "{execution:?}");
    expect_cancelled(&execution, skipped);
    assert_eq!(world.system.stock(&tea).await?, None, "it stays as it is");
    // The operator puts the units back by hand. What each attempt left in the dead-letter queue is sent back then, and
    // changes nothing any more.
    let by_hand = StockLevel { available: 5, reserved: 0 };
    world.system.put_stock(&tea, by_hand).await?;
    let url = world.system.dead_letter_queue_url("inventory");
    let letter = world.message(url, &order.order_id, world.soon()).await?;
    world.system.send_to_participant("inventory", letter.body.as_deref().context("it has a body")?).await?;
    let left_alone = [("op", "undo"), ("outcome", "abandoned_before")];
    world.log_lines("inventory", &order.order_id, &left_alone, 1).await?;
    assert_eq!(world.system.stock(&tea).await?, Some(by_hand));
    expect_decided(world, &order, "skip", "the product was taken off the market").await
}

/// Places an order, takes its product away once it is reserved, and cancels it: the stock cannot be put back. Gives the
/// record, when the saga waits.
async fn park(world: &World, name: &str, sku: &str) -> Result<(OrderPlaced, Parked)> {
    world.system.hide_messages_for("inventory", VISIBILITY_SECONDS).await?;
    let order = world.draft(name).line(sku, 3, 100).pays_with("tok_slow_3000").order();
    // Each attempt leaves a message that used up its deliveries.
    world.expect_dead(&order.order_id);
    world.place(&order).await?;
    world.gateway_is_called(&order).await?;
    world.system.take_off_shelf(sku).await?;
    world.cancel(&order).await?;

    let what = format!("{} is parked", order.order_id);
    let parked = eventually(&what, world.patiently(PARKING_LIMIT), || async {
        Ok(world.system.parked(&order.order_id).await?.pop().ok_or_else(|| "not yet".to_owned()))
    })
    .await?;
    assert_eq!((parked.what.as_str(), parked.step.as_str()), ("undo order", "reserve-stock"), "{parked:?}");
    assert_eq!((parked.attempts, parked.can_skip), (7, true), "{parked:?}");
    assert_eq!(parked.execution, order.order_id);
    assert_eq!(parked.failure["reserve-stock"]["error"], saga::DELIVERIES_EXHAUSTED, "{parked:?}");
    // The undos after it went on.
    let row = world.system.order(&order.order_id).await?.context("there is no order")?;
    assert_eq!(row.status, OrderStatus::Cancelled, "{row:?}");
    expect_no_money_kept(world, &order).await?;
    Ok((order, parked))
}

/// Answers as an operator does, who first looks.
async fn answer(
    world: &World,
    order: &OrderPlaced,
    parked: &Parked,
    action: Action,
    reason: &str,
) -> Result<()> {
    let operations = world.system.operations().await?;
    let id = order.order_id.as_str();
    let listed = operations.parked(false).await?.parked.into_iter().find(|record| record.id == id);
    let listed = listed.with_context(|| format!("{id} is not listed"))?;
    assert_eq!((&listed.what, &listed.since), (&parked.what, &Some(parked.since.clone())), "{listed:?}");
    assert_eq!(listed.steps, ["reserve-stock"], "{listed:?}");
    assert_eq!((listed.attempts, listed.can_skip), (Some(7), true), "{listed:?}");

    // Who else looks into the dead-letter queues at this moment hides what is in them.
    let story = eventually(&format!("{id} is shown with its dead letters"), world.soon(), || async {
        let story = operations.show(id).await?;
        Ok(if story.dead_letters.is_empty() { Err(format!("{story:?}")) } else { Ok(story) })
    })
    .await?;
    let row = story.sagas.iter().map(|saga| &saga.row).find(|row| row.saga == "order");
    assert_eq!(row.map(|row| row.state), Some(State::Parked), "{story:?}");
    let waits = |attempt: &&Attempt| attempt.kind == Kind::Park && attempt.result == Outcome::Waiting;
    assert_eq!(story.sagas[0].timeline.iter().filter(waits).count(), 1, "{story:?}");
    let letters = story.dead_letters.iter().filter(|letter| letter.step.as_deref() == Some("reserve-stock"));
    // On a busy machine a function may not get to the last delivery of an attempt: the queue moves that one, without a reason.
    let reasons: Vec<&str> = letters.filter_map(|letter| letter.reason.as_deref()).collect();
    assert!(!reasons.is_empty(), "no attempt left a message with its reason: {story:?}");
    assert!(reasons.iter().all(|reason| reason.contains("does not hold")), "{reasons:?}");

    let mut answer = Answer {
        id: id.to_owned(),
        action,
        what: Some("settle confirm-order".to_owned()),
        steps: Vec::new(),
        reason: reason.to_owned(),
        by: Some(BY.to_owned()),
    };
    let error = operations.answer(&answer).await.expect_err("that does not wait");
    assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
    answer.what = None;
    answer.steps = vec!["create-order".to_owned()];
    let error = operations.answer(&answer).await.expect_err("its undo is done");
    assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
    assert!(error.to_string().contains("what could not be done is `reserve-stock`"), "{error}");
    answer.steps = vec!["reserve-stock".to_owned()];
    let answered = operations.answer(&answer).await?;
    assert_eq!((answered.what.as_str(), answered.action), ("undo order", action), "{answered:?}");
    Ok(())
}

fn expect_cancelled(execution: &Execution, skipped: &serde_json::Value) {
    assert_eq!(
        (execution.outcome(), execution.reason()),
        (Some("compensated"), Some("OrderCancelled")),
        "{execution:?}"
    );
    assert_eq!(execution.output.as_ref().map(|output| &output["skipped"]), Some(skipped), "{execution:?}");
}

/// The decision is recorded, and nothing waits any more.
async fn expect_decided(world: &World, order: &OrderPlaced, action: &str, reason: &str) -> Result<()> {
    let none = format!("nothing of {} waits", order.order_id);
    eventually(&none, world.soon(), || async {
        let parked = world.system.parked(&order.order_id).await?;
        Ok(if parked.is_empty() { Ok(()) } else { Err(format!("{parked:?}")) })
    })
    .await?;
    let decision = Decision {
        of: "undo order".to_owned(),
        steps: "reserve-stock".to_owned(),
        action: action.to_owned(),
        reason: reason.to_owned(),
        by: BY.to_owned(),
    };
    assert_eq!(world.system.decisions(&order.order_id).await?, [decision]);
    Ok(())
}
