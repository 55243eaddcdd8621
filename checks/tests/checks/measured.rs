//! The numbers of the README: `cargo test -p checks --test checks -- --ignored --nocapture measured`.

use crate::machines::{cancel, order};
use checks::{Bank, Scenario, handlers, order_check};
use saga_check::{Report, Verdict};
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

/// Names the orders and faults to measure: each has a process of its own, because memory that is freed is kept.
const ONE: &str = "MEASURED";

#[test]
#[ignore = "takes minutes: it measures"]
fn measured() {
    if let Ok(one) = std::env::var(ONE) {
        let (orders, faults) = one.split_once(' ').expect("orders and faults");
        println!("\n{}", measure(orders.parse().expect("orders"), faults.parse().expect("faults")));
        return;
    }
    println!(
        "| orders | faults | states | with repeats | seconds | processor s | repeats per processor s | peak MB | bytes a state | of them in the queue |"
    );
    let this = std::env::current_exe().expect("this test");
    for orders in 1..=2 {
        for faults in 0..=3 {
            let mut one = Command::new(&this);
            one.args(["--ignored", "--nocapture", "--exact", "measured::measured"]);
            let output = one.env(ONE, format!("{orders} {faults}")).output().expect("it runs");
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
            let told = String::from_utf8_lossy(&output.stdout);
            told.lines().filter(|line| line.starts_with('|')).for_each(|line| println!("{line}"));
        }
    }
}

fn measure(orders: u32, faults: u8) -> String {
    let check = order_check(Scenario::of_orders(orders), handlers(Bank::DECLINES), &order(), &cancel());
    let before = peak_kilobytes();
    let report = check.faults(faults).at_most(MOST_STATES).run().expect("the check is set up right");
    let processor = processor_seconds();
    assert!(!matches!(report.verdict, Verdict::Broken(_)), "{report}");
    let cut = if report.holds() { "" } else { " (cut off)" };
    #[allow(clippy::cast_precision_loss)]
    let rate = report.states as f64 / processor.max(0.01);
    let seconds = report.milliseconds as f64 / 1_000.0;
    format!(
        "| {orders} | {faults} | {}{cut} | {} | {seconds:.1} | {processor:.1} | {rate:.0} | {} | {} | {} |",
        report.unique,
        report.states,
        peak_kilobytes() / 1_024,
        bytes_a_state(&report, before),
        report.state_bytes,
    )
}
