//! The numbers of the README: `cargo test -p checks --test checks -- --ignored --nocapture measured`.

use crate::machines::{cancel, order};
use checks::{Bank, Scenario, handlers, order_check};
use saga_check::Verdict;

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

fn peak_megabytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.and_then(|peak| peak.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0) / 1_024
}

#[test]
#[ignore = "takes minutes: it measures"]
fn measured() {
    println!(
        "| orders | faults | states | with repeats | seconds | processor s | repeats per processor s | peak MB | bytes a state | of them in the queue |"
    );
    for orders in 1..=2 {
        for faults in 0..=3 {
            let check =
                order_check(Scenario::of_orders(orders), handlers(Bank::DECLINES), &order(), &cancel());
            let before = processor_seconds();
            let report = check.faults(faults).at_most(MOST_STATES).run().expect("the check is set up right");
            let processor = processor_seconds() - before;
            assert!(!matches!(report.verdict, Verdict::Broken(_)), "{report}");
            let cut = if report.holds() { "" } else { " (cut off)" };
            #[allow(clippy::cast_precision_loss)]
            let rate = report.states as f64 / processor.max(0.01);
            let seconds = report.milliseconds as f64 / 1_000.0;
            println!(
                "| {orders} | {faults} | {}{cut} | {} | {seconds:.1} | {processor:.1} | {rate:.0} | {} | {} | {} |",
                report.unique,
                report.states,
                peak_megabytes(),
                peak_megabytes() * 1_048_576 / report.unique as u64,
                report.state_bytes,
            );
        }
    }
}
