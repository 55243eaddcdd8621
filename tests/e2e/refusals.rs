//! What cannot be served is set aside with its reasons and holds up nobody.

use crate::{
    cases::{Case, cases},
    crafted::Crafted,
    endings::expect_committed,
    world::World,
};
use anyhow::{Context, Result};
use saga::dead_letter;
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;
use system::Peer;

pub(crate) fn cases() -> Vec<Case> {
    cases!["refusals":
        a_malformed_message_goes_to_the_dead_letter_queue_and_its_batch_mates_are_served,
        an_invalid_order_is_kept_with_every_reason_and_others_go_on,
        an_event_that_is_no_json_is_kept_as_it_came,
        a_cancel_of_an_unknown_order_is_refused,
    ]
}

async fn a_malformed_message_goes_to_the_dead_letter_queue_and_its_batch_mates_are_served(
    world: &World,
) -> Result<()> {
    let tea = world.product("mates-tea", 10).await?;
    let (id, secret) = (world.id("malformed"), world.id("nancy@example.com"));
    let malformed = json!({ "v": 1, "saga": "order", "id": id, "op": secret }).to_string();
    world.expect_dead(&secret);
    let mates = ["mate-1", "mate-2"].map(|name| world.id(name));
    let steps = [Crafted::reservation(&mates[0], &tea, 1)?, Crafted::reservation(&mates[1], &tea, 2)?];
    let batch = [steps[0].run()?, malformed.clone(), steps[1].run()?];
    let batch: Vec<&str> = batch.iter().map(String::as_str).collect();
    world.system.send_batch_to_participant("inventory", &batch).await?;

    for mate in &mates {
        let served = world.log_lines("inventory", mate, &[("message", "served"), ("op", "run")], 1).await?;
        world.expect_outcomes(&served, "done", 1);
    }
    assert_eq!(world.stock(&tea).await?, (7, 3));
    let url = world.system.dead_letter_queue_url("inventory");
    let dead = world.message(url, &secret, world.all_deliveries()).await?;
    let body = dead.body.as_deref().context("it has a body")?;
    if world.system.peer() == Peer::LocalStack {
        // A function there gets JSON as LocalStack writes it again.
        assert_eq!(serde_json::from_str::<Json>(body)?, serde_json::from_str::<Json>(&malformed)?);
    } else {
        assert_eq!(body, malformed, "it arrives as it was sent");
    }

    let told = |name: &str| dead.message_attributes.as_ref()?.get(name)?.string_value.clone();
    let reason = told(dead_letter::REASON).context("it is kept with its reason")?;
    assert!(reason.starts_with("not a request: "), "{reason}");
    let message_id = told(dead_letter::MESSAGE_ID).context("it is kept with the id it had")?;
    let members = [("outcome", "malformed"), ("message_id", message_id.as_str())];
    let lines = world.log_lines("inventory", &message_id, &members, 1).await?;
    for line in &lines {
        assert!(line["reason"].as_str().is_some_and(|reason| reason.contains("not a request")), "{line}");
        assert!(!line.to_string().contains(&secret), "personal data is not logged: {line}");
    }
    // No saga ever wanted them: put back what they reserved, so that the books are right.
    for (mate, step) in mates.iter().zip(&steps) {
        world.system.send_to_participant("inventory", &step.undo()?).await?;
        let served = world.log_lines("inventory", mate, &[("message", "served"), ("op", "undo")], 1).await?;
        world.expect_outcomes(&served, "undone", 1);
    }
    Ok(())
}

async fn an_invalid_order_is_kept_with_every_reason_and_others_go_on(world: &World) -> Result<()> {
    let tea = world.product("valid-tea", 1).await?;
    let valid = world.draft("valid").line(&tea, 1, 100).order();
    let mut invalid = world.draft("invalid").line(&tea, 0, -1).line("", 1, 100).less_percent(101).order();
    invalid.order_id.push('!');
    invalid.currency = "EURO".to_owned();
    invalid.customer.email = "nobody".to_owned();
    let event = json!({ "type": "OrderPlaced", "order_id": "x", "customer": { "id": "c" } });
    let unreadable = world.id("unreadable");
    world.place_all(&[invalid.clone(), valid.clone()]).await?;
    let mut incomplete = event.clone();
    incomplete["order_id"] = json!(unreadable);
    world.system.publish_raw(&incomplete.to_string()).await?;

    let letter = refused(world, &invalid.order_id).await?;
    assert_eq!(letter["event"]["order_id"], json!(invalid.order_id), "{letter}");
    let fields = fields_of(&letter);
    let expected = [
        "currency",
        "customer.email",
        "lines[0].quantity",
        "lines[0].unit_price_minor",
        "lines[1].discount_percent",
        "lines[1].sku",
        "order_id",
    ];
    assert_eq!(fields, expected.map(str::to_owned).into(), "{letter}");
    let letter = refused(world, &unreadable).await?;
    let expected = ["currency", "customer.email", "lines", "payment_token"];
    assert_eq!(fields_of(&letter), expected.map(str::to_owned).into(), "{letter}");

    let execution = world.end_of(&valid).await?;
    expect_committed(world, &valid, &execution, 100).await
}

async fn an_event_that_is_no_json_is_kept_as_it_came(world: &World) -> Result<()> {
    let text = format!("{{ oops {}", world.id("no-json"));
    world.system.publish_raw(&text).await?;
    let letter = refused(world, &world.id("no-json")).await?;
    assert_eq!(letter["event"], json!(text), "{letter}");
    Ok(())
}

async fn a_cancel_of_an_unknown_order_is_refused(world: &World) -> Result<()> {
    let order = world.draft("never-placed").order();
    let cancel = world.cancel(&order).await?;
    // Events may overtake each other, so the order is waited for as long as a message can be under way, which begins a second
    // round of deliveries; and a third when many orders stand in line just then.
    let url = world.system.refused_orders_queue_url();
    let message = world.message(url, &order.order_id, 3 * world.all_deliveries()).await?;
    let letter: Json = serde_json::from_str(message.body.as_deref().unwrap_or_default())?;
    assert_eq!(letter["reasons"], json!([{ "field": "order_id", "problem": "no such order" }]), "{letter}");
    assert_eq!(world.system.execution("cancel-order", &cancel).await?, None);
    Ok(())
}

/// What the queue of refused orders keeps about an event that contains this.
pub(crate) async fn refused(world: &World, text: &str) -> Result<Json> {
    let message = world.message(world.system.refused_orders_queue_url(), text, world.soon()).await?;
    Ok(serde_json::from_str(message.body.as_deref().unwrap_or_default())?)
}

fn fields_of(letter: &Json) -> BTreeSet<String> {
    let reasons = letter["reasons"].as_array().map(Vec::as_slice).unwrap_or_default();
    reasons.iter().filter_map(|reason| reason["field"].as_str()).map(str::to_owned).collect()
}
