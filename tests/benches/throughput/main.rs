//! Sagas through the emulator: how many a second, and how long each takes, with 1, 50 and 300 in flight.
//!
//! `cargo bench -p tests --bench throughput` starts an emulator with IAM enforced, deploys, and publishes orders so
//! that as many are in flight as said. The saga's latency is that of its execution; from publish to end, SNS, SQS and
//! the intake function come on top. Publishing and watching share the machine with what is measured, and the emulator
//! is one Python process: the figures are a floor, not AWS. With `-- --json` it prints a line of JSON for each level, which
//! `make bench` reads.
#![forbid(unsafe_code)]

mod memory;
mod traffic;

use anyhow::{Result, ensure};
use comfy_table::{Table, presets::ASCII_MARKDOWN};
use hdrhistogram::Histogram;
use infra_gen::package::Profile;
use serde_json::json;
use std::{io::Write, time::Duration};
use system::{Books, Moment, System, SystemConfig};
use traffic::{Measured, Traffic};

/// How many are in flight, and how many sagas that is measured with.
const LEVELS: [(usize, usize); 3] = [(1, 40), (50, 500), (300, 1_200)];
/// Sagas that warm up functions and connections, not measured.
const WARM_UP: (usize, usize) = (50, 100);

#[tokio::main]
async fn main() -> Result<()> {
    let mut report = |line: &str| {
        // Without standard error there is nobody to tell.
        let _ = writeln!(std::io::stderr(), "{line}");
    };
    // What is measured is what is shipped.
    let config = SystemConfig { profile: Profile::Release, ..SystemConfig::from_env() };
    let system = System::start(config, &mut report).await?;
    let measured = measure(&system).await;
    let memory = memory::of_functions(&system);
    system.stop().await;
    let (measured, mut out) = (measured?, std::io::stdout());
    if std::env::args().any(|argument| argument == "--json") {
        measured.iter().try_for_each(|level| writeln!(out, "{}", json_line(level)))?;
    } else {
        writeln!(out, "{}\n\n{}", throughput_table(&measured), memory::table(&memory))?;
    }
    Ok(())
}

async fn measure(system: &System) -> Result<Vec<Measured>> {
    let mut books = Books::default();
    let mut traffic = Traffic::begin(system, &mut books).await?;
    traffic.run(WARM_UP.0, WARM_UP.1).await?;
    let mut measured = Vec::new();
    for (in_flight, sagas) in LEVELS {
        measured.push(traffic.run(in_flight, sagas).await?);
    }
    let report = system.conservation(&books, Moment::Settled).await?;
    ensure!(report.holds(), "something was lost: {report}");
    Ok(measured)
}

fn throughput_table(measured: &[Measured]) -> Table {
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN).set_header([
        "in flight",
        "sagas",
        "sagas/s",
        "saga p50",
        "saga p99",
        "publish to end p50",
        "publish to end p99",
    ]);
    for level in measured {
        let Measured { in_flight, sagas, saga, end_to_end, .. } = level;
        let shown = |histogram, of| format!("{:.2} s", seconds(histogram, of));
        table.add_row([
            in_flight.to_string(),
            sagas.to_string(),
            format!("{:.1}", per_second(level)),
            shown(saga, 0.5),
            shown(saga, 0.99),
            shown(end_to_end, 0.5),
            shown(end_to_end, 0.99),
        ]);
    }
    table
}

fn json_line(level: &Measured) -> serde_json::Value {
    let Measured { in_flight, sagas, saga, end_to_end, .. } = level;
    json!({
        "what": format!("{in_flight} in flight"),
        "sagas": sagas,
        "sagas_per_second": per_second(level),
        "saga_seconds_p50": seconds(saga, 0.5),
        "saga_seconds_p99": seconds(saga, 0.99),
        "publish_to_end_seconds_p50": seconds(end_to_end, 0.5),
        "publish_to_end_seconds_p99": seconds(end_to_end, 0.99),
    })
}

fn per_second(Measured { sagas, took, .. }: &Measured) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a few thousand sagas")]
    let sagas = *sagas as f64;
    sagas / took.as_secs_f64()
}

/// Of a histogram of milliseconds.
fn seconds(histogram: &Histogram<u64>, quantile: f64) -> f64 {
    Duration::from_millis(histogram.value_at_quantile(quantile)).as_secs_f64()
}
