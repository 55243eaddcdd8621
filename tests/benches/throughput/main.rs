//! Sagas through the emulator: how many a second, and how long each takes, with 1, 50 and 300 in flight.
//!
//! `cargo bench -p tests --bench throughput` starts an emulator with IAM enforced, deploys, and publishes orders so
//! that as many are in flight as said. The saga's latency is that of its execution; from publish to end, SNS, SQS and
//! the intake function come on top. Publishing and watching share the machine with what is measured, and the emulator
//! is one Python process: the figures are a floor, not AWS.
#![forbid(unsafe_code)]

mod memory;
mod traffic;

use anyhow::{Result, ensure};
use comfy_table::{Table, presets::ASCII_MARKDOWN};
use hdrhistogram::Histogram;
use infra_gen::package::Profile;
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
    let mut out = std::io::stdout();
    writeln!(out, "{}\n\n{}", throughput_table(&measured?), memory::table(&memory))?;
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
    for Measured { in_flight, sagas, took, saga, end_to_end } in measured {
        #[expect(clippy::cast_precision_loss, reason = "a few thousand sagas")]
        let per_second = *sagas as f64 / took.as_secs_f64();
        table.add_row([
            in_flight.to_string(),
            sagas.to_string(),
            format!("{per_second:.1}"),
            quantile(saga, 0.5),
            quantile(saga, 0.99),
            quantile(end_to_end, 0.5),
            quantile(end_to_end, 0.99),
        ]);
    }
    table
}

/// Of milliseconds.
fn quantile(histogram: &Histogram<u64>, quantile: f64) -> String {
    let shown = Duration::from_millis(histogram.value_at_quantile(quantile));
    format!("{:.2} s", shown.as_secs_f64())
}
