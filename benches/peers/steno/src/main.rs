//! A saga of four steps in memory: our runner beside the executor of crate steno, on one thread of one program.
//!
//! `make bench-steno` runs it. The steps are those of steno's example, one after the other: each reads the saga's input
//! and gives a receipt, and each undo reads the receipt. What unwinds is turned back by its last step. With `--json` it
//! prints a line of JSON for each ending, which `make bench` reads, and leaves it to the reader whether the aim is met.
//!
//! Each system runs alone in a process of this program, so that the heap one leaves behind does not slow the other. The
//! processes alternate, so that a busy machine slows both, and the median round counts. Each round begins with an empty
//! store, since both keep what they ran.

mod ours;
mod theirs;

use anyhow::{Context, Result, bail, ensure};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::{
    env,
    process::{Command, ExitCode},
    str::FromStr,
    time::{Duration, Instant},
};

/// How often each of the four is measured, each time in a process of its own.
const PROCESSES: usize = 5;
/// In each process, after one that warms up.
const ROUNDS: usize = 5;
const SAGAS_A_ROUND: u32 = 2_000;

/// How many times as fast ours has to be.
const AIM: f64 = 5.0;

fn main() -> Result<ExitCode> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => table(),
        ["--json"] => json_lines(),
        [system, ending] => {
            for took in measure(system, ending.parse()?)? {
                println!("{}", took.as_nanos());
            }
            Ok(ExitCode::SUCCESS)
        }
        _ => bail!("give nothing or `--json` to compare, or `ours` or `steno`, and `commits` or `unwinds`"),
    }
}

fn table() -> Result<ExitCode> {
    println!("| a saga of four steps, one thread | ours, sagas/s | steno, sagas/s | times as fast |");
    println!("| --- | ---: | ---: | ---: |");
    let mut missed = false;
    for (ending, name) in [("commits", "commits"), ("unwinds", "refused by the last step, three are undone")]
    {
        let (ours, theirs) = compare(ending)?;
        let times = ours / theirs;
        missed |= times < AIM;
        println!("| {name} | {ours:.0} | {theirs:.0} | {times:.1} |");
    }
    println!("\nThe aim is {AIM} times as fast: {}", if missed { "MISSED" } else { "met" });
    Ok(if missed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn json_lines() -> Result<ExitCode> {
    for ending in ["commits", "unwinds"] {
        let (ours, theirs) = compare(ending)?;
        println!("{}", json!({ "what": ending, "sagas_per_second": ours, "peer_sagas_per_second": theirs }));
    }
    Ok(ExitCode::SUCCESS)
}

/// Sagas a second, ours and theirs.
fn compare(ending: &str) -> Result<(f64, f64)> {
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..PROCESSES {
        ours.extend(in_a_process("ours", ending)?);
        theirs.extend(in_a_process("steno", ending)?);
    }
    Ok((per_second(ours), per_second(theirs)))
}

/// How long each round took.
fn in_a_process(system: &str, ending: &str) -> Result<Vec<Duration>> {
    let output = Command::new(env::current_exe()?).args([system, ending]).output()?;
    ensure!(output.status.success(), "{system}, {ending}: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout)?;
    let nanos = |line: &str| line.parse().map(Duration::from_nanos).with_context(|| line.to_owned());
    text.lines().map(nanos).collect()
}

fn measure(system: &str, ending: Ending) -> Result<Vec<Duration>> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let mut rounds = Vec::new();
    for _ in 0..=ROUNDS {
        let begun = Instant::now();
        match system {
            "ours" => runtime.block_on(ours::round(ending)),
            "steno" => runtime.block_on(theirs::round(ending)),
            other => bail!("`{other}` is neither `ours` nor `steno`"),
        }
        rounds.push(begun.elapsed());
    }
    Ok(rounds.split_off(1))
}

/// Sagas a second in the median round.
fn per_second(mut rounds: Vec<Duration>) -> f64 {
    rounds.sort_unstable();
    f64::from(SAGAS_A_ROUND) / rounds[rounds.len() / 2].as_secs_f64()
}

/// How the sagas of a round end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Commits,
    /// The last step refuses.
    Unwinds,
}

impl FromStr for Ending {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "commits" => Ok(Self::Commits),
            "unwinds" => Ok(Self::Unwinds),
            other => bail!("`{other}` is neither `commits` nor `unwinds`"),
        }
    }
}

/// The saga's input.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
struct Details {
    card: String,
    hotel: String,
    flight: String,
    car: String,
}

impl Details {
    fn new() -> Self {
        Self {
            card: "Moneybank Charge Card".into(),
            hotel: "Springfield Palace Hotel".into(),
            flight: "any flight".into(),
            car: "1998 Canyonero".into(),
        }
    }
}

/// What a step gives.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
struct Receipt(String);

impl Receipt {
    fn of(what: &str) -> Self {
        Self(what.to_owned())
    }

    /// An undo cannot do without the right receipt.
    fn check(&self) {
        assert!(!self.0.is_empty());
    }
}
