//! What was done, and what came of it.

use crate::{invariants::Found, plan::Plan, storm::Raged, world::World};
use comfy_table::{CellAlignment, Table, presets::ASCII_MARKDOWN};
use std::collections::BTreeMap;

/// The report, for a person.
pub(crate) fn of(plan: &Plan, world: &World, raged: &Raged, found: &Found) -> String {
    let (calls, disturbed) = world.weather.calls();
    let (sagas, trips) = (raged.placed.orders.len(), raged.booked.trips.len());
    let percent = (disturbed * 100 + calls / 2) / calls.max(1);
    let money = found.conservation.money.iter();
    let money: Vec<String> = money
        .map(|(currency, sum)| {
            format!(
                "{currency}: charged {} - refunded {} = confirmed {} + left to an operator {}",
                sum.charged_minor, sum.refunded_minor, sum.confirmed_minor, sum.left_minor
            )
        })
        .collect();
    let mut lines = vec![
        String::new(),
        plan.to_string(),
        format!("{sagas} orders and {trips} trips, begun within {:.0} s", raged.took.as_secs_f64()),
        String::new(),
        table("sagas by outcome", found.outcomes.iter().map(|(name, count)| (name.as_str(), *count as u64))),
        String::new(),
        table("faults", world.weather.faults().iter().map(|(name, count)| (name.as_str(), *count))),
        String::new(),
        format!("{disturbed} of {calls} calls of functions were disturbed: {percent} %"),
        format!(
            "stock, seats, rooms and cars added up at {} looks while sagas ran, if nothing else is said below",
            raged.looks
        ),
        format!("{} dead executions were settled by a sweep: no event had told of them", found.swept),
        format!("{} times order intake held events back: participants had enough to do", found.held_back),
        format!("{} histories were read", found.histories),
        format!("{}", found.conservation),
        money.join("; "),
        format!("{} violations", found.violations.len()),
    ];
    lines.extend(found.evidence.iter().map(|line| format!("  {line}")));
    lines.join("\n")
}

fn table<'a>(what: &str, rows: impl Iterator<Item = (&'a str, u64)>) -> String {
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN).set_header([what, "count"]);
    let rows: BTreeMap<&str, u64> = rows.collect();
    for (name, count) in rows {
        table.add_row([name.to_owned(), count.to_string()]);
    }
    if let Some(counts) = table.column_mut(1) {
        counts.set_cell_alignment(CellAlignment::Right);
    }
    table.to_string()
}
