//! A duplicate, late or reordered message changes nothing.

use crate::{
    cases::{Case, cases},
    crafted::Crafted,
    endings::{expect_committed, expect_compensated},
    world::World,
};
use anyhow::{Context, Result};
use serde_json::json;
use system::eventually;

pub(crate) fn cases() -> Vec<Case> {
    cases!["repetition":
        an_order_published_three_times_is_carried_out_once,
        every_step_of_a_committed_saga_delivered_again_changes_nothing,
        a_run_and_an_undo_of_a_compensated_saga_delivered_again_change_nothing,
        a_run_that_comes_after_its_undo_has_no_effect,
        a_run_delivered_ten_times_at_once_reserves_once,
        a_notice_that_comes_five_times_is_told_twice_at_most,
    ]
}

async fn an_order_published_three_times_is_carried_out_once(world: &World) -> Result<()> {
    let tea = world.product("thrice-tea", 10).await?;
    let order = world.draft("thrice").line(&tea, 2, 300).order();
    world.place_all(&[order.clone(), order.clone(), order.clone()]).await?;
    let execution = world.end_of(&order).await?;
    let id = &order.order_id;
    let taken = world.log_lines("order-intake", id, &[("message", "event taken")], 3).await?;
    // While the execution runs AWS answers the second start as the first; when it has ended, that it exists. MiniStack
    // always says that it exists. https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
    let outcomes: Vec<_> = taken.iter().filter_map(|line| line["outcome"].as_str()).collect();
    let started = outcomes.iter().filter(|outcome| **outcome == "started").count();
    assert!(started >= 1, "{outcomes:?}");
    assert!(outcomes.iter().all(|outcome| ["started", "started_before"].contains(outcome)), "{outcomes:?}");

    expect_committed(world, &order, &execution, 600).await?;
    assert_eq!(world.stock(&tea).await?, (8, 2));
    assert_eq!(world.system.gateway_calls(id).await?.charge_calls, 1);
    world.mail(&order, "is confirmed").await?;
    Ok(())
}

async fn every_step_of_a_committed_saga_delivered_again_changes_nothing(world: &World) -> Result<()> {
    let tea = world.product("again-tea", 10).await?;
    let order = world.draft("again").line(&tea, 4, 250).order();
    let execution = world.carry_out(&order).await?;
    let id = order.order_id.as_str();
    let placed = &execution.input["input"];
    let entry = world.system.ledger_entry(id).await?.context("no ledger entry")?;
    let total = json!({ "minor": entry.amount_minor, "currency": entry.currency });
    let (charge, reservation) =
        (json!({ "charge_id": entry.charge_id, "amount": total }), json!({ "units": 4 }));
    let confirm = [("order", placed), ("reservation", &reservation), ("charge", &charge)];
    let steps = [
        ("orders", Crafted::new(id, "create-order", &[("order", placed)])?, "create-order"),
        ("inventory", Crafted::new(id, "reserve-stock", &[("order", placed)])?, "reserve-stock"),
        ("payment", Crafted::new(id, "charge-payment", &[("order", placed)])?, "charge-payment"),
        ("orders", Crafted::new(id, "confirm-order", &confirm)?, "confirm-order"),
    ];
    for (participant, step, _) in &steps {
        let message = step.run()?;
        world.system.send_batch_to_participant(participant, &[&message, &message]).await?;
    }
    for (participant, _, step) in &steps {
        let members = [("step", *step), ("op", "run"), ("outcome", "done_before"), ("reply", "late_reply")];
        world.log_lines(participant, id, &members, 2).await?;
    }
    expect_committed(world, &order, &execution, 1000).await?;
    assert_eq!(world.stock(&tea).await?, (6, 4));
    assert_eq!(world.system.gateway_calls(id).await?.charge_calls, 1);
    Ok(())
}

async fn a_run_and_an_undo_of_a_compensated_saga_delivered_again_change_nothing(world: &World) -> Result<()> {
    let tea = world.product("undone-tea", 10).await?;
    let order = world.draft("undone").line(&tea, 4, 250).pays_with("tok_decline").order();
    let execution = world.carry_out(&order).await?;
    let id = order.order_id.as_str();
    let step = Crafted::new(id, "reserve-stock", &[("order", &execution.input["input"])])?;
    world.system.send_to_participant("inventory", &step.undo()?).await?;
    world.system.send_to_participant("inventory", &step.run()?).await?;
    world.log_lines("inventory", id, &[("op", "undo"), ("outcome", "undone_before")], 1).await?;
    world.log_lines("inventory", id, &[("op", "run"), ("outcome", "too_late")], 1).await?;
    expect_compensated(world, &order, &execution, "PaymentDeclined").await?;
    assert_eq!(world.stock(&tea).await?, (10, 0));
    Ok(())
}

async fn a_run_that_comes_after_its_undo_has_no_effect(world: &World) -> Result<()> {
    let tea = world.product("reordered-tea", 10).await?;
    let id = world.id("reordered");
    let step = Crafted::reservation(&id, &tea, 3)?;
    world.system.send_to_participant("inventory", &step.undo()?).await?;
    // Where the store's answer gets lost, the next delivery says `undone_before`.
    world.log_lines("inventory", &id, &[("message", "served"), ("op", "undo")], 1).await?;
    world.system.send_to_participant("inventory", &step.run()?).await?;
    let late = [("op", "run"), ("outcome", "too_late"), ("error", saga::TOO_LATE)];
    world.log_lines("inventory", &id, &late, 1).await?;
    assert_eq!(world.stock(&tea).await?, (10, 0));
    Ok(())
}

async fn a_run_delivered_ten_times_at_once_reserves_once(world: &World) -> Result<()> {
    let tea = world.product("tenfold-tea", 100).await?;
    let id = world.id("tenfold");
    let step = Crafted::reservation(&id, &tea, 7)?;
    let message = step.run()?;
    world.system.send_batch_to_participant("inventory", &[message.as_str(); 10]).await?;
    let served = world.log_lines("inventory", &id, &[("message", "served"), ("op", "run")], 10).await?;
    world.expect_outcomes(&served, "done", 1);
    assert_eq!(world.stock(&tea).await?, (93, 7));
    // No saga ever wanted it: put it back, so that the books are right.
    world.system.send_to_participant("inventory", &step.undo()?).await?;
    world.log_lines("inventory", &id, &[("message", "served"), ("op", "undo")], 1).await?;
    assert_eq!(world.stock(&tea).await?, (100, 0));
    Ok(())
}

/// As when those who told it died each time: it is not known whether it was told.
async fn a_notice_that_comes_five_times_is_told_twice_at_most(world: &World) -> Result<()> {
    let order = world.draft("told").order();
    let id = order.order_id.as_str();
    let placed = json!({
        "order_id": id, "customer": order.customer, "lines": [], "payment_token": order.payment_token,
        "total": { "minor": 100, "currency": order.currency },
    });
    let reason = json!({ "step": "reserve-stock", "error": "OutOfStock", "cause": "{}" });
    let notice = json!({
        "v": 2, "type": "OrderRejected", "saga": "order", "id": id, "input": { "order": placed }, "reason": reason,
    });
    let notice = notice.to_string();
    world.system.send_batch_to_participant("notification", &[notice.as_str(); 5]).await?;
    // Those that come while one is being sent are put back, and find that it was sent.
    let told = eventually("five notices are done with", world.all_deliveries(), || async {
        let lines = world.log_lines("notification", id, &[], 5).await?;
        let with = |outcome: &str| lines.iter().filter(|line| line["outcome"] == outcome).count();
        let (sent, done) = (with("sent"), with("sent") + with("sent_before") + with("unknown"));
        Ok(if done >= 5 { Ok(sent) } else { Err(format!("{lines:?}")) })
    })
    .await?;
    let mails = world.system.mails().await?;
    let mails: Vec<_> = mails.iter().filter(|mail| mail.to.contains(&order.customer.email)).collect();
    // Once more at most, when it is not known whether it was sent.
    assert!((1..=2).contains(&mails.len()) && mails.len() >= told, "{told}: {mails:?}");
    Ok(())
}
