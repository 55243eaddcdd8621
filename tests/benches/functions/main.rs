//! What a function costs before it does anything: cold start, resident memory and zip size.
//!
//! `cargo bench -p tests --bench functions` packages the functions as they are shipped and starts each of them twenty
//! times against a Runtime API of its own. A cold start is measured from the start of the process to its first
//! `GET …/invocation/next`, which is when Lambda takes it for initialised.
#![forbid(unsafe_code)]

mod cold_start;

use anyhow::{Context, Result};
use cold_start::{Start, start};
use comfy_table::{Table, presets::ASCII_MARKDOWN};
use infra_gen::{
    package::{self, Bundle, PackageOptions, Packaged},
    project,
};
use std::{io::Write, path::Path};

const RUNS: usize = 20;

#[tokio::main]
async fn main() -> Result<()> {
    let options = PackageOptions::default();
    let arch = options.arch.name();
    let packages = tokio::task::spawn_blocking(move || package::package(&options)).await??;
    let binaries = package::folder(&project::root()?).join("bin").join(arch);
    let mut table = Table::new();
    let header = ["function", "cold start (median)", "slowest", "resident", "binary", "zip"];
    table.load_style(ASCII_MARKDOWN).set_header(header);
    for Packaged { function, bundle, .. } in packages {
        let starts = run_all(&binaries.join(&function).join("bootstrap")).await;
        table.add_row(row(&function, &starts.with_context(|| format!("function {function}"))?, &bundle));
    }
    writeln!(std::io::stdout(), "{table}")?;
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

fn row(function: &str, starts: &[Start], bundle: &Bundle) -> [String; 6] {
    let took = |start: &Start| format!("{:.1} ms", start.took.as_secs_f64() * 1e3);
    let median = starts.get(starts.len() / 2).map(took).unwrap_or_default();
    let slowest = starts.last().map(took).unwrap_or_default();
    let resident = starts.iter().map(|start| start.resident_bytes).max().unwrap_or_default();
    let (binary, zip) = (megabytes(bundle.binary_bytes), megabytes(bundle.zip_bytes));
    [function.to_owned(), median, slowest, megabytes(resident), binary, zip]
}

fn megabytes(bytes: u64) -> String {
    let hundredths = bytes / 10_000;
    format!("{}.{:02} MB", hundredths / 100, hundredths % 100)
}
