//! The numbers of the README: `cargo test -p checks --test checks -- --ignored --nocapture measured`.
//!
//! With `MEASURED=json` it prints a line of JSON for each, which `make bench` reads; with `MEASURED="1 2"` that of one order
//! and two faults.

use crate::machines::{cancel, order};
use checks::{Bank, Scenario, handlers, order_check};
use saga_check::{Report, Verdict};
use serde_json::{Value, json};
use std::process::Command;

/// Where a search is cut off.
const MOST_STATES: usize = 20_000_000;

/// The processor time of this process in seconds, of user and system.
fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // After the name in brackets: fields 14 and 15, in hundredths of a second.
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
    let ticks = |place: usize| fields.get(place).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}

fn peak_kilobytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.and_then(|peak| peak.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0)
}

/// With all that is kept beside the states, which is much where they are few. `before`: what the process had then.
fn bytes_a_state(report: &Report, before_kilobytes: u64) -> u64 {
    let unique = u64::try_from(report.unique).unwrap_or(u64::MAX);
    peak_kilobytes().saturating_sub(before_kilobytes) * 1_024 / unique.max(1)
}

/// How, or which orders and faults: each has a process of its own, because memory that is freed is kept.
const ASKED: &str = "MEASURED";

#[test]
#[ignore = "takes minutes: it measures"]
fn measured() {
    let asked = std::env::var(ASKED).ok();
    match asked.as_deref() {
        None => {
            println!(
                "| orders | faults | states | with repeats | seconds | processor s | repeats per processor s | peak MB | bytes a state | of them in the queue |"
            );
            println!("| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
            in_processes(|measured| println!("{}", row(&measured)));
        }
        Some("json") => {
            // Behind what the harness has said in this line.
            println!();
            in_processes(|measured| println!("{measured}"));
        }
        Some(one) => {
            let (orders, faults) = one.split_once(' ').expect("`json`, or orders and faults");
            let measured = measure(orders.parse().expect("orders"), faults.parse().expect("faults"));
            println!("\n{measured}");
        }
    }
}

fn in_processes(tell: impl Fn(Value)) {
    let this = std::env::current_exe().expect("this test");
    for orders in 1..=2 {
        for faults in 0..=3 {
            let mut one = Command::new(&this);
            one.args(["--ignored", "--nocapture", "--exact", "measured::measured"]);
            let output = one.env(ASKED, format!("{orders} {faults}")).output().expect("it runs");
            let told = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success(), "{told}");
            let line = told.lines().find(|line| line.starts_with('{')).expect("a line of JSON");
            tell(serde_json::from_str(line).expect("JSON"));
        }
    }
}

fn measure(orders: u32, faults: u8) -> Value {
    let check = order_check(Scenario::of_orders(orders), handlers(Bank::DECLINES), &order(), &cancel());
    let before = peak_kilobytes();
    let report = check.faults(faults).at_most(MOST_STATES).run().expect("the check is set up right");
    let processor = processor_seconds();
    assert!(!matches!(report.verdict, Verdict::Broken(_)), "{report}");
    json!({
        "what": format!("orders {orders}, faults {faults}"),
        "orders": orders,
        "faults": faults,
        "states": report.unique,
        "with_repeats": report.states,
        "is_cut_off": !report.holds(),
        "seconds": f64::from(u32::try_from(report.milliseconds).unwrap_or(u32::MAX)) / 1_000.0,
        "processor_seconds": processor,
        "peak_kilobytes": peak_kilobytes(),
        "bytes_a_state": bytes_a_state(&report, before),
        "bytes_a_queued_state": report.state_bytes,
    })
}

fn row(measured: &Value) -> String {
    let number = |name: &str| measured[name].as_f64().expect("a number");
    let cut = if measured["is_cut_off"] == true { " (cut off)" } else { "" };
    let processor = number("processor_seconds");
    format!(
        "| {} | {} | {}{cut} | {} | {:.1} | {processor:.1} | {:.0} | {:.0} | {} | {} |",
        measured["orders"],
        measured["faults"],
        measured["states"],
        measured["with_repeats"],
        number("seconds"),
        number("with_repeats") / processor.max(0.01),
        number("peak_kilobytes") / 1_024.0,
        measured["bytes_a_state"],
        measured["bytes_a_queued_state"],
    )
}
