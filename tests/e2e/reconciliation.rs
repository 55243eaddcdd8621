//! Charges that no order wants are found on a schedule and refunded; orders' charges are kept.
//!
//! The saga itself leaves none behind, so they are planted at the gateway: as the request of a process that died,
//! landing after the last delivery of its message.

use crate::{
    cases::{Case, cases},
    crafted::Crafted,
    draft::CURRENCY,
    endings::expect_committed,
    world::World,
};
use anyhow::{Context, Result};
use gateway::ChargeStatus;
use infra_gen::aws::{self, DeployOptions, DestroyOptions, Silent, Target};
use sagas::environment::{ORPHANED_CHARGE_REFUNDED_EVENT, REFUND_BRAKE_EVENT, UNSETTLED_CHARGE_EVENT};
use serde_json::{Value as Json, json};
use stacks::{Stage, parameters};
use std::{collections::BTreeMap, time::Duration};
use system::{Packaging, System, SystemConfig, charge_step, eventually};

pub(crate) fn cases() -> Vec<Case> {
    cases!["reconciliation":
        a_charge_that_lands_after_its_undo_is_refunded_and_told,
        a_charge_without_a_fence_is_left_alone_and_told,
        charges_of_orders_and_of_others_are_kept,
        too_many_refunds_are_withheld_until_an_operator_lets_them_through,
    ]
}

async fn a_charge_that_lands_after_its_undo_is_refunded_and_told(world: &World) -> Result<()> {
    let id = world.id("orphan-undone");
    let line = refunded(world, &id, 4_200).await?;
    let told = json!({
        "fence": "undone", "amount_minor": 4_200, "currency": CURRENCY, "level": "WARN", "saga_id": id,
    });
    for (member, value) in told.as_object().context("an object")? {
        assert_eq!(&line[member], value, "{member} of {line}");
    }
    Ok(())
}

/// As when the fence table was restored: the order may well have been sold.
async fn a_charge_without_a_fence_is_left_alone_and_told(world: &World) -> Result<()> {
    let id = world.id("fence-gone");
    world.system.plant_charge(&world.system.charge_key(&id).await?, 100, CURRENCY).await?;
    let what = format!("the charge of {id} is told");
    let told = eventually(&what, patience(world), || async {
        let lines = world.system.logs("reconciliation", &format!("{id:?}")).await?;
        let mut lines = lines.iter().filter_map(|line| serde_json::from_str::<Json>(line).ok());
        let told = lines.find(|line| line["event"] == UNSETTLED_CHARGE_EVENT);
        Ok(told.ok_or_else(|| "no line".to_owned()))
    })
    .await?;
    let expected = json!({ "amount_minor": 100, "currency": CURRENCY, "level": "ERROR", "saga_id": id });
    for (member, value) in expected.as_object().context("an object")? {
        assert_eq!(&told[member], value, "{member} of {told}");
    }
    // This one is younger: when it is refunded, the one before it was looked at once more.
    refunded(world, &world.id("orphan-after-fence-gone"), 300).await?;
    let charge = world.system.gateway_charge(&id).await?.context("the charge is gone")?;
    assert_eq!(charge.status, ChargeStatus::Charged, "{charge:?}");
    // Nothing was fenced off: its saga can go on.
    world.system.send_to_participant("payment", &Crafted::charge(&id)?.run()?).await?;
    eventually(&format!("{id} is in the ledger"), world.soon(), || async {
        Ok(world.system.ledger_entry(&id).await?.ok_or_else(|| "no entry".to_owned()))
    })
    .await?;
    Ok(())
}

async fn charges_of_orders_and_of_others_are_kept(world: &World) -> Result<()> {
    let tea = world.product("kept-tea", 1).await?;
    let order = world.draft("kept").line(&tea, 1, 700).order();
    let execution = world.carry_out(&order).await?;
    let foreign = format!("{}/invoice", world.id("foreign"));
    world.system.plant_charge(&foreign, 700, CURRENCY).await?;
    // This one is the youngest: when it is refunded, the two before it were looked at as well.
    refunded(world, &world.id("orphan-after-kept"), 300).await?;

    expect_committed(world, &order, &execution, 700).await?;
    let charges = world.system.gateway_charges().await?;
    let charge = charges.get(&foreign).context("the charge of others is gone")?;
    assert_eq!(charge.status, ChargeStatus::Charged, "{charge:?}");
    let told = world.system.logs("reconciliation", &format!("{:?}", order.order_id)).await?;
    assert!(told.is_empty(), "an order's charge is nothing to tell of: {told:?}");
    Ok(())
}

/// In a deployment of its own, so that the brake holds nobody else's refunds. It is at the others' gateway: neither looks
/// at the other's charges.
async fn too_many_refunds_are_withheld_until_an_operator_lets_them_through(world: &World) -> Result<()> {
    let limit = |most: &str| BTreeMap::from([(parameters::MAX_REFUNDS.to_owned(), most.to_owned())]);
    let config = SystemConfig {
        endpoint: Some(world.system.endpoint().to_owned()),
        gateway_url: Some(world.system.gateway_url().to_owned()),
        deployment: world.id("brake"),
        package: Packaging::Reuse,
        parameters: limit("0"),
        ..SystemConfig::from_env()
    };
    let target = Target::new(config.deployment.clone(), Stage::Dev, stacks::synth);
    let shop = System::start(config, &mut |_| {}).await?;
    let ids = ["withheld-1", "withheld-2", "withheld-3"].map(|name| world.id(name));
    for id in &ids {
        plant_orphan(&shop, id, 500).await?;
    }
    eventually("the refunds are withheld", patience(world), || async {
        let lines = shop.logs("reconciliation", &format!("{REFUND_BRAKE_EVENT:?}")).await?;
        let lines = lines.iter().filter_map(|line| serde_json::from_str::<Json>(line).ok());
        let seen: Vec<_> = lines.map(|line| (line["orphans"].as_u64(), line["undone"].as_u64())).collect();
        Ok(if seen.contains(&(Some(3), Some(3))) { Ok(()) } else { Err(format!("{seen:?}")) })
    })
    .await?;
    assert_eq!(statuses(&shop, &ids).await?, [Some(ChargeStatus::Charged); 3]);

    let config = world.system.sdk_config().await;
    let raise = DeployOptions {
        package: false,
        parameters: limit("3"),
        config: Some(config.clone()),
        ..DeployOptions::new(target.clone())
    };
    aws::deploy(&raise, &mut Silent).await?;
    eventually("the charges are refunded", patience(world), || async {
        let statuses = statuses(&shop, &ids).await?;
        let all = statuses == [Some(ChargeStatus::Refunded); 3];
        Ok(if all { Ok(()) } else { Err(format!("{statuses:?}")) })
    })
    .await?;
    let destroy = DestroyOptions { confirmed: true, config: Some(config), ..DestroyOptions::new(target) };
    aws::destroy(&destroy, &mut Silent).await?;
    Ok(())
}

/// Where the money of these orders is.
async fn statuses(shop: &System, ids: &[String]) -> Result<Vec<Option<ChargeStatus>>> {
    let mut statuses = Vec::new();
    for id in ids {
        statuses.push(shop.gateway_charge(id).await?.map(|charge| charge.status));
    }
    Ok(statuses)
}

/// Plants a charge that lands after its undo.
async fn plant_orphan(system: &System, id: &str, amount_minor: i64) -> Result<()> {
    // Not by an undo: our gateway then voids the key, and no charge could land after it. Others do not.
    system.put_undone_fence("payment", &charge_step(id)?).await?;
    system.plant_charge(&system.charge_key(id).await?, amount_minor, CURRENCY).await?;
    Ok(())
}

/// Plants such a charge of an order, waits until it is refunded, and gives the log line that tells of it.
async fn refunded(world: &World, id: &str, amount_minor: i64) -> Result<Json> {
    plant_orphan(&world.system, id, amount_minor).await?;
    let what = format!("the orphaned charge of {id} is refunded");
    eventually(&what, patience(world), || async {
        let charge = world.system.gateway_charge(id).await?.context("the charge is gone")?;
        Ok(if charge.status == ChargeStatus::Refunded { Ok(()) } else { Err(format!("{charge:?}")) })
    })
    .await?;
    let event = [("event", ORPHANED_CHARGE_REFUNDED_EVENT)];
    let mut lines = world.log_lines("reconciliation", id, &event, 1).await?;
    assert_eq!(lines.len(), 1, "told once: {lines:?}");
    lines.pop().context("a line")
}

/// A charge is looked at when it is old enough and the schedule comes round.
fn patience(world: &World) -> Duration {
    let timing = world.system.timing();
    timing.reconciliation_grace() + timing.reconciliation_interval() * 2 + world.soon()
}
