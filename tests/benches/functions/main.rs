//! What a function costs before it does anything: cold start, resident memory and zip size.
//!
//! `cargo bench -p tests --bench functions` packages the functions as they are shipped and starts each of them twenty
//! times against a Runtime API of its own. A cold start is measured from the start of the process to its first
//! `GET …/invocation/next`, which is when Lambda takes it for initialised. With `-- --json` it prints a line of JSON for
//! each function, which `make bench` reads.
#![forbid(unsafe_code)]

mod cold_start;

use anyhow::{Context, Result};
use cold_start::{Start, start};
use comfy_table::{Table, presets::ASCII_MARKDOWN};
use infra_gen::{
    package::{self, Bundle, PackageOptions, Packaged},
    project,
};
use serde_json::json;
use std::{io::Write, path::Path, time::Duration};

const RUNS: usize = 20;

#[tokio::main]
async fn main() -> Result<()> {
    let options = PackageOptions::default();
    let arch = options.arch.name();
    let packages = tokio::task::spawn_blocking(move || package::package(stacks::synth, &options)).await??;
    let binaries = package::folder(&project::root()?).join("bin").join(arch);
    let (json, mut out) = (std::env::args().any(|argument| argument == "--json"), std::io::stdout());
    let mut table = Table::new();
    let header = ["function", "cold start (median)", "slowest", "resident", "binary", "zip"];
    table.load_style(ASCII_MARKDOWN).set_header(header);
    for Packaged { function, bundle, .. } in packages {
        let starts = run_all(&binaries.join(&function).join("bootstrap")).await;
        let cost = Cost::of(&starts.with_context(|| format!("function {function}"))?, &bundle);
        if json {
            writeln!(out, "{}", cost.json(&function))?;
        } else {
            table.add_row(cost.row(&function));
        }
    }
    if !json {
        writeln!(out, "{table}")?;
    }
    Ok(())
}

async fn run_all(binary: &Path) -> Result<Vec<Start>> {
    let mut starts = Vec::new();
    for _ in 0..RUNS {
        starts.push(start(binary).await?);
    }
    starts.sort_by_key(|start| start.took);
    Ok(starts)
}

/// What one function costs.
struct Cost {
    cold_start_median: Duration,
    cold_start_slowest: Duration,
    resident_bytes: u64,
    binary_bytes: u64,
    zip_bytes: u64,
}

impl Cost {
    /// `starts` from the quickest to the slowest.
    fn of(starts: &[Start], bundle: &Bundle) -> Self {
        let took = |start: Option<&Start>| start.map(|start| start.took).unwrap_or_default();
        Self {
            cold_start_median: took(starts.get(starts.len() / 2)),
            cold_start_slowest: took(starts.last()),
            resident_bytes: starts.iter().map(|start| start.resident_bytes).max().unwrap_or_default(),
            binary_bytes: bundle.binary_bytes,
            zip_bytes: bundle.zip_bytes,
        }
    }

    fn row(&self, function: &str) -> [String; 6] {
        let millis = |took: Duration| format!("{:.1} ms", took.as_secs_f64() * 1e3);
        [
            function.to_owned(),
            millis(self.cold_start_median),
            millis(self.cold_start_slowest),
            megabytes(self.resident_bytes),
            megabytes(self.binary_bytes),
            megabytes(self.zip_bytes),
        ]
    }

    fn json(&self, function: &str) -> serde_json::Value {
        json!({
            "what": function,
            "cold_start_seconds": self.cold_start_median.as_secs_f64(),
            "resident_bytes": self.resident_bytes,
            "zip_bytes": self.zip_bytes,
        })
    }
}

fn megabytes(bytes: u64) -> String {
    let hundredths = bytes / 10_000;
    format!("{}.{:02} MB", hundredths / 100, hundredths % 100)
}
