//! How an order can end, asserted at every place that knows of it.

use crate::{draft::CURRENCY, world::World};
use anyhow::{Context, Result};
use gateway::ChargeStatus;
use sagas::{
    entities::{LedgerEntry, OrderStatus},
    events::OrderPlaced,
};
use serde_json::json;
use system::Execution;

/// The saga committed: the order is confirmed, and exactly its total is charged.
pub(crate) async fn expect_committed(
    world: &World,
    order: &OrderPlaced,
    execution: &Execution,
    total_minor: i64,
) -> Result<()> {
    let id = &order.order_id;
    let total = json!({ "minor": total_minor, "currency": CURRENCY });
    let confirmation = json!({ "order_id": id, "total": total });
    let expected = json!({
        "outcome": "committed", "saga": "order", "id": id, "output": confirmation, "skipped": {},
    });
    assert_eq!(execution.output, Some(expected), "{execution:?}");

    let row = world.system.order(id).await?.with_context(|| format!("there is no order {id}"))?;
    assert_eq!((row.status, row.total_minor), (OrderStatus::Confirmed, total_minor), "{row:?}");
    assert_eq!((&row.customer_id, row.currency.as_str()), (&order.customer.id, CURRENCY), "{row:?}");

    let charge = world.system.gateway_charge(id).await?.with_context(|| format!("{id} is not charged"))?;
    assert_eq!((charge.status, charge.amount_minor), (ChargeStatus::Charged, total_minor), "{charge:?}");
    let entry = world.system.ledger_entry(id).await?.with_context(|| format!("{id} is not in the ledger"))?;
    assert_eq!((entry.status.as_str(), entry.amount_minor), (LedgerEntry::CHARGED, total_minor), "{entry:?}");
    assert_eq!(entry.charge_id, Some(charge.charge_id), "the ledger names the gateway's charge");
    Ok(())
}

/// The saga was compensated: the order says why, and no money is kept.
pub(crate) async fn expect_compensated(
    world: &World,
    order: &OrderPlaced,
    execution: &Execution,
    reason: &str,
) -> Result<()> {
    assert_eq!(
        (execution.outcome(), execution.reason()),
        (Some("compensated"), Some(reason)),
        "{execution:?}"
    );
    let skipped = execution.output.as_ref().and_then(|output| output.get("skipped"));
    assert_eq!(skipped, Some(&json!({})), "nothing was left undone: {execution:?}");

    let id = &order.order_id;
    let row = world.system.order(id).await?.with_context(|| format!("there is no order {id}"))?;
    let status = if reason == "OrderCancelled" { OrderStatus::Cancelled } else { OrderStatus::Rejected };
    assert_eq!((row.status, row.reason.as_deref()), (status, Some(reason)), "{row:?}");

    expect_no_money_kept(world, order).await
}

/// Neither the gateway nor the ledger holds money for the order.
pub(crate) async fn expect_no_money_kept(world: &World, order: &OrderPlaced) -> Result<()> {
    let charge = world.system.gateway_charge(&order.order_id).await?;
    let kept = charge.as_ref().is_some_and(|charge| charge.status == ChargeStatus::Charged);
    assert!(!kept, "the gateway keeps money: {charge:?}");
    let entry = world.system.ledger_entry(&order.order_id).await?;
    let booked = entry.as_ref().is_some_and(|entry| entry.status == LedgerEntry::CHARGED);
    assert!(!booked, "the ledger keeps money: {entry:?}");
    Ok(())
}
