//! An id means one run: another order under a taken id is refused, and what the first one did stays as it is.

use crate::{
    cases::{Case, cases},
    endings::expect_committed,
    refusals::refused,
    releases::{destroy, options},
    world::{World, report},
};
use anyhow::{Context, Result};
use saga::{OTHER_RUN, RunDigest, StartInput, TOO_LATE};
use sagas::events::{OrderEvent, OrderPlaced};
use serde_json::{Value as Json, json};
use system::{Packaging, Peer, StockLevel, System, SystemConfig};

pub(crate) fn cases() -> Vec<Case> {
    cases!["ids":
        another_order_under_the_id_of_one_that_runs_is_refused_and_told,
        another_order_under_the_id_of_one_that_ended_is_refused_and_told,
        an_id_whose_name_was_forgotten_is_not_carried_out_for_another_order,
        another_order_that_is_published_when_its_name_was_forgotten_is_turned_back,
        another_execution_of_an_order_that_committed_commits_too_and_changes_nothing,
        another_execution_of_an_order_that_turned_back_asks_the_pivot_and_turns_back,
    ]
}

/// An order of one unit, and another under its id, of two.
async fn orders(world: &World, name: &str, token: &str) -> Result<(OrderPlaced, OrderPlaced, String)> {
    let tea = world.product(&format!("{name}-tea"), 9).await?;
    let order = world.draft(name).line(&tea, 1, 300).pays_with(token).order();
    let other = world.draft(name).line(&tea, 2, 300).order();
    Ok((order, other, tea))
}

async fn another_order_under_the_id_of_one_that_runs_is_refused_and_told(world: &World) -> Result<()> {
    let (order, other, tea) = orders(world, "taken-running", "tok_slow_3000").await?;
    world.place(&order).await?;
    world.gateway_is_called(&order).await?;
    expect_refused(world, &other).await?;
    let execution = world.end_of(&order).await?;
    expect_first_stays(world, &order, &execution, &tea).await
}

async fn another_order_under_the_id_of_one_that_ended_is_refused_and_told(world: &World) -> Result<()> {
    let (order, other, tea) = orders(world, "taken-ended", "tok_approve").await?;
    let execution = world.carry_out(&order).await?;
    expect_refused(world, &other).await?;
    // The same order is no other.
    world.place(&order).await?;
    let before = [("message", "event taken"), ("outcome", "started_before")];
    world.log_lines("order-intake", &order.order_id, &before, 1).await?;
    expect_first_stays(world, &order, &execution, &tea).await
}

/// Step Functions forgets a name 90 days after its execution ended, and at once when its machine is deleted.
async fn an_id_whose_name_was_forgotten_is_not_carried_out_for_another_order(world: &World) -> Result<()> {
    let (order, _, tea) = orders(world, "taken-forgotten", "tok_approve").await?;
    let execution = world.carry_out(&order).await?;
    let machine = world.system.made_again("order", "again").await?;
    let id: saga::SagaId = order.order_id.parse()?;

    let mut input = execution.input["input"].clone();
    input["lines"][0]["quantity"] = json!(2);
    let other = StartInput::begin(id.clone(), input);
    let turned_back = world.system.carry_out_on(&machine, &other, world.soon()).await?;
    assert_eq!(turned_back.outcome(), Some("compensated"), "{turned_back:?}");
    assert_eq!(turned_back.reason(), Some(OTHER_RUN), "{turned_back:?}");
    world.log_lines("orders", id.as_str(), &[("op", "run"), ("outcome", "other_run")], 1).await?;
    expect_first_stays(world, &order, &execution, &tea).await?;

    // The same order is answered as before.
    let same = StartInput::begin(id, execution.input["input"].clone());
    assert_eq!(same.run, run_of(&execution.input), "the run is that of the first execution");
    let machine = world.system.made_again("order", "once-more").await?;
    let again = world.system.carry_out_on(&machine, &same, world.soon()).await?;
    assert_eq!(again.output, execution.output);
    expect_first_stays(world, &order, &execution, &tea).await
}

/// The whole way, in a deployment of its own: its state machine is deleted and made again.
async fn another_order_that_is_published_when_its_name_was_forgotten_is_turned_back(
    world: &World,
) -> Result<()> {
    if world.system.peer() == Peer::LocalStack {
        report("NOT TRIED: LocalStack remembers the executions of a state machine that was deleted");
        return Ok(());
    }
    let options = options(world, "fo").await;
    let config = SystemConfig {
        endpoint: Some(world.system.endpoint().to_owned()),
        deployment: options.target.deployment.clone(),
        package: Packaging::Reuse,
        ..SystemConfig::from_env()
    };
    let system = System::start(config, &mut |_| {}).await?;
    let tea = world.id("forgotten-tea");
    system.put_stock(&tea, StockLevel { available: 9, reserved: 0 }).await?;
    let order = world.draft("published-again").line(&tea, 1, 300).order();
    let other = world.draft("published-again").line(&tea, 2, 300).order();
    let mut ends = Vec::new();
    for published in [&order, &other] {
        system.publish(&OrderEvent::OrderPlaced(published.clone())).await?;
        ends.push(system.end_of("order", &order.order_id, world.soon()).await?);
        system.forget_names("order", world.soon()).await?;
    }
    assert_eq!(ends[0].outcome(), Some("committed"), "{:?}", ends[0]);
    assert_eq!(
        (ends[1].outcome(), ends[1].reason()),
        (Some("compensated"), Some(OTHER_RUN)),
        "{:?}",
        ends[1]
    );
    assert_eq!(system.stock(&tea).await?, Some(StockLevel { available: 8, reserved: 1 }));
    assert_eq!(system.gateway_charges().await?.len(), 1);

    // The first one again is the same order: it is answered as before, and nothing is done twice.
    system.publish(&OrderEvent::OrderPlaced(order.clone())).await?;
    let again = system.end_of("order", &order.order_id, world.soon()).await?;
    assert_eq!(again.output, ends[0].output);
    assert_eq!(system.stock(&tea).await?, Some(StockLevel { available: 8, reserved: 1 }));
    assert_eq!(system.gateway_charges().await?.len(), 1);
    system.stop().await;
    destroy(options).await
}

/// As somebody does in the console: 'New execution', with the input of the one that is there.
async fn joined_by_another(world: &World, execution: &system::Execution) -> Result<system::Execution> {
    let input: StartInput = serde_json::from_value(execution.input.clone())?;
    let name = format!("{}-by-hand", input.id);
    world.system.start_execution("order", &name, &input).await?;
    world.system.end_of("order", &name, world.soon()).await
}

async fn another_execution_of_an_order_that_committed_commits_too_and_changes_nothing(
    world: &World,
) -> Result<()> {
    let (order, _, tea) = orders(world, "joined-committed", "tok_approve").await?;
    let execution = world.carry_out(&order).await?;
    let another = joined_by_another(world, &execution).await?;
    assert_eq!(another.output, execution.output);
    expect_first_stays(world, &order, &execution, &tea).await
}

async fn another_execution_of_an_order_that_turned_back_asks_the_pivot_and_turns_back(
    world: &World,
) -> Result<()> {
    let (order, _, tea) = orders(world, "joined-compensated", "tok_decline").await?;
    let execution = world.carry_out(&order).await?;
    assert_eq!(execution.reason(), Some("PaymentDeclined"), "{execution:?}");
    let another = joined_by_another(world, &execution).await?;
    assert_eq!((another.outcome(), another.reason()), (Some("compensated"), Some(TOO_LATE)), "{another:?}");
    world.log_lines("orders", &order.order_id, &[("op", "settle")], 1).await?;
    assert_eq!(world.stock(&tea).await?, (9, 0));
    assert_eq!(world.system.gateway_charge(&order.order_id).await?, None);
    Ok(())
}

fn run_of(input: &Json) -> Option<RunDigest> {
    input["run"].as_str()?.parse().ok()
}

/// It is kept with its reason, and its customer is told.
async fn expect_refused(world: &World, other: &OrderPlaced) -> Result<()> {
    let event = sagas::events::OrderEvent::OrderPlaced(other.clone());
    world.system.publish(&event).await?;
    let letter = refused(world, &other.order_id).await?;
    assert_eq!(letter["event"]["lines"][0]["quantity"], json!(2), "{letter}");
    assert_eq!(letter["reasons"][0]["field"], "order_id", "{letter}");
    let mail = world.mail(other, "could not be completed").await?;
    assert!(mail.body.contains("Another order has this number, and stays as it is."), "{mail:?}");
    Ok(())
}

async fn expect_first_stays(
    world: &World,
    order: &OrderPlaced,
    execution: &system::Execution,
    sku: &str,
) -> Result<()> {
    expect_committed(world, order, execution, 300).await?;
    assert_eq!(world.stock(sku).await?, (8, 1));
    let charge = world.system.gateway_charge(&order.order_id).await?.context("it was charged")?;
    assert_eq!((charge.amount_minor, charge.status), (300, gateway::ChargeStatus::Charged), "{charge:?}");
    Ok(())
}
