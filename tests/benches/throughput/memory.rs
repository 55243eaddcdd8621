//! The memory of the functions' processes after all the work, as the system tells it.

use comfy_table::{Table, presets::ASCII_MARKDOWN};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};
use system::System;

/// The processes of one function.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    processes: usize,
    largest_kib: u64,
}

/// Of every function of the deployment that runs on this machine.
pub(crate) fn of_functions(system: &System) -> BTreeMap<String, Memory> {
    let endpoint = format!("AWS_ENDPOINT_URL={}", system.endpoint());
    let mut all: BTreeMap<String, Memory> = BTreeMap::new();
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    for process in processes.map(|entry| entry.path()) {
        let Some((function, kib)) = function_at(&process, &endpoint) else { continue };
        let memory = all.entry(function).or_default();
        memory.processes += 1;
        memory.largest_kib = memory.largest_kib.max(kib);
    }
    all
}

/// The function that a process serves, and its resident memory.
fn function_at(process: &Path, endpoint: &str) -> Option<(String, u64)> {
    // Processes come and go, and those of others cannot be read: neither is of interest.
    let environment = fs::read(process.join("environ")).ok()?;
    let environment = String::from_utf8_lossy(&environment);
    let variables: Vec<&str> = environment.split('\0').collect();
    let is_ours = variables.contains(&endpoint);
    let function = variables.iter().find_map(|variable| variable.strip_prefix("AWS_LAMBDA_FUNCTION_NAME="));
    let executable: PathBuf = fs::read_link(process.join("exe")).ok()?;
    let kib = resident_kib(process)?;
    (is_ours && executable.ends_with("bootstrap")).then_some((function?.to_owned(), kib))
}

fn resident_kib(process: &Path) -> Option<u64> {
    let status = fs::read_to_string(process.join("status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().trim_end_matches("kB").trim().parse().ok()
}

pub(crate) fn table(all: &BTreeMap<String, Memory>) -> Table {
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN).set_header([
        "function, after the work",
        "processes",
        "largest resident",
    ]);
    for (function, Memory { processes, largest_kib }) in all {
        let (whole, tenths) = (largest_kib / 1024, largest_kib % 1024 * 10 / 1024);
        table.add_row([function.clone(), processes.to_string(), format!("{whole}.{tenths} MiB")]);
    }
    table
}
