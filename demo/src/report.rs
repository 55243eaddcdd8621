//! The tables at the end.

use crate::{
    evidence::{Ending, Evidence},
    format::{grouped, money, seconds},
    measure::{Measures, Rate},
};
use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table, TableStyle};
use std::collections::BTreeMap;

/// A line under the header, and nothing else.
const STYLE: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// All tables, one after another, as wide as this at most.
pub(crate) fn tables(evidence: &Evidence, width: u16) -> String {
    [orders, numbers, effects, conservation].map(|table| text(table(evidence), width)).join("\n\n")
}

fn text(mut table: Table, width: u16) -> String {
    table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width).trim_fmt()
}

/// `right`: the column of numbers.
fn table<const N: usize>(header: [&str; N], right: usize) -> Table {
    let mut table = Table::new();
    table.load_style(STYLE).set_header(header);
    if let Some(column) = table.column_mut(right) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn orders(evidence: &Evidence) -> Table {
    let mut counts: BTreeMap<&Ending, usize> = BTreeMap::new();
    for order in &evidence.orders {
        *counts.entry(&order.ending).or_default() += 1;
    }
    let mut table = table(["outcome", "reason", "orders", ""], 2);
    for (ending, count) in counts {
        let (outcome, reason, note) = describe(ending);
        table.add_row([outcome, reason, &grouped(count), note]);
    }
    table.add_row(["all", "", &grouped(evidence.orders.len()), ""]);
    table
}

/// Outcome, reason, and what that means.
fn describe(ending: &Ending) -> (&str, &str, &'static str) {
    match ending {
        Ending::Confirmed => ("confirmed", "", "every step took effect once"),
        Ending::Rejected(reason) => ("rejected", reason, meaning(reason)),
        Ending::Refused => ("refused", "at intake", "no saga began; the queue of refused orders says why"),
        Ending::Failed(error) => ("FAILED", error, "an incident: the execution died"),
        Ending::Unfinished => ("UNFINISHED", "", "the execution still runs"),
        Ending::Missing => ("LOST", "", "neither an execution nor a refusal"),
    }
}

fn meaning(reason: &str) -> &'static str {
    match reason {
        "OutOfStock" => "nothing was reserved",
        "PaymentDeclined" => "the stock was put back",
        "OrderCancelled" => "the customer was faster than the pivot",
        saga::DELIVERIES_EXHAUSTED | "States.Timeout" => "outcome of the charge unknown: money returned",
        _ => "",
    }
}

fn numbers(evidence: &Evidence) -> Table {
    let measures = Measures::of(&evidence.orders);
    let mut table = table(["measured", "p50", "p99", ""], 1);
    if let Some(column) = table.column_mut(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let mut add_rate = |rate: Rate, note: &str| {
        let of = format!("{} sagas in {}{note}", grouped(rate.sagas), seconds(rate.duration));
        table.add_row(["sagas", &format!("{:.1}/s", rate.per_second()), "", &of]);
    };
    let without =
        if measures.all == measures.without_redeliveries { "" } else { ", without the lost answers" };
    add_rate(measures.without_redeliveries, without);
    if !without.is_empty() {
        add_rate(measures.all, ", with the lost answers, which are redelivered");
    }
    for (what, latency, note) in [
        ("execution", measures.execution, "start to end"),
        ("order", measures.publish_to_end, "publish to end"),
    ] {
        table.add_row([what, &seconds(latency.p50), &seconds(latency.p99), &format!("{note}{without}")]);
    }
    table
}

fn effects(evidence: &Evidence) -> Table {
    let Evidence { gateway, told, cancels, .. } = evidence;
    let mut table = table(["outside", "count", ""], 1);
    table.add_row(["charges", &grouped(gateway.charges), &format!("{} refunded", grouped(gateway.refunds))]);
    table.add_row(["repeated charges", &grouped(gateway.duplicates), "answered without charging again"]);
    let due = grouped(evidence.notices());
    let sms = grouped(told.sms);
    table.add_row(["e-mails", &grouped(told.mails), &format!("and {sms} SMS; {due} messages were due")]);
    let asked = cancels.in_time + cancels.too_late + cancels.open.len();
    let cancelled = format!("{} in time, {} too late", cancels.in_time, cancels.too_late);
    table.add_row(["cancels", &grouped(asked), &cancelled]);
    for (function, found) in &evidence.dead_letters {
        if found.lost_answers > 0 {
            let note = format!("of {function}: answers lost at every delivery, as planned");
            table.add_row(["dead letters", &grouped(found.lost_answers), &note]);
        }
        if found.unexpected > 0 {
            table.add_row([
                "DEAD LETTERS",
                &grouped(found.unexpected),
                &format!("of {function}: unexpected"),
            ]);
        }
    }
    table
}

/// Each line is a sum: what was put in is what is found.
fn conservation(evidence: &Evidence) -> Table {
    let found = &evidence.conservation;
    let mut table = table(["conserved", "put in", "found"], 1);
    let (available, reserved) = (grouped(found.units_available), grouped(found.units_reserved));
    let confirmed = grouped(found.units_confirmed);
    let stock = format!("{available} available + {reserved} reserved; confirmed orders have {confirmed}");
    table.add_row(["stock, units", &grouped(found.units_loaded), &stock]);
    for (currency, totals) in &found.money {
        let of = |minor| money(minor, currency);
        let (refunded, net) = (of(totals.refunded_minor), of(totals.net_minor));
        let (confirmed, ledger) = (of(totals.confirmed_minor), of(totals.ledger_minor));
        let held = format!("{refunded} refunded + {net} held; confirmed {confirmed}, ledger {ledger}");
        table.add_row([&format!("money, {currency}"), &of(totals.charged_minor), &held]);
    }
    table
}
