//! The whole system in a storm: while orders flow, whatever can die dies, and whatever can be late, lost or doubled is.
//! When the storm is over and everything has come to rest, what must always hold is asserted from outside.
//!
//! | module | does |
//! | --- | --- |
//! | `plan` | how many sagas, for how long, from which seed |
//! | `world` | orders and trips on one emulator, with proxies between the functions and their peers |
//! | `traffic` | places orders, some of them twice, some cancelled, many for one product, and many at once |
//! | `travel` | books trips beside them: steps that run at the same time, some after the pivot, and some that panic |
//! | `storm` | lets every fault loose at the same time, and counts |
//! | `faults` | one file a kind of fault: `aborts`, `accounts`, `aws_calls`, `gateway_calls`, `gateway_restarts`, `ids`, `kills`, `messages`, `redrives`, `shelf`, `status_events` |
//! | `executions` | tells executions of one saga apart, and who settles the dead ones |
//! | `proxy` | passes calls on, and does to each what a judge says |
//! | `proxy_check` | tries each fault of the proxy on a gateway |
//! | `operator` | what a person on duty does: answers what is parked, puts right what skipped steps left, sends dead letters back |
//! | `quiet` | waits until nothing moves any more |
//! | `invariants` | what must hold then: `endings`, `fences`, `histories`, `queues`, and units and money |
//! | `report` | says what was done and what came of it |
//!
//! `make test` runs a short one, `make chaos SAGAS=10000 SECONDS=1200 SEED=7` a long one. Every fault is drawn from the
//! one seed that is printed, each kind from a fork of its own: the same seed draws the same faults in the same order.
//! What they meet is not reproducible: that is up to threads, processes and the clock.
//!
//! Only this machine's loopback address is used, and only processes of the run's own emulator are killed: they carry
//! its mark in their environment.
#![forbid(unsafe_code)]

mod executions;
mod faults;
mod invariants;
mod operator;
mod plan;
mod proxy;
mod proxy_check;
mod quiet;
mod report;
mod storm;
mod traffic;
mod travel;
mod world;

use anyhow::{Context, Result};
use libtest_mimic::{Arguments, Failed, Trial};
use std::{io::Write, process::ExitCode};

/// The variable that asks for the storm, also where it cannot be had.
const ASKED_FOR: &str = "CHAOS";

fn main() -> ExitCode {
    if let Some(ended) = faults::gateway_restarts::serve_if_asked() {
        return ended;
    }
    let arguments = Arguments::from_args();
    let failed = |error: anyhow::Error| Failed::from(format!("{error:#}"));
    let mut trials = vec![
        Trial::test("a_history_that_is_unsound_is_told", move || {
            invariants::what_is_unsound_is_told().map_err(failed)
        }),
        Trial::test("a_fence_that_does_not_fit_is_told", move || {
            invariants::what_does_not_fit_is_told().map_err(failed)
        }),
        Trial::test("what_is_parked_is_answered_in_every_way", move || {
            operator::what_is_answered_is_told().map_err(failed)
        }),
        Trial::test("every_fault_of_the_proxy_does_what_it_says", move || {
            let runtime = tokio::runtime::Runtime::new()?;
            runtime.block_on(proxy_check::every_fault_does_what_it_says()).map_err(failed)
        }),
    ];
    match faults::kills::check_system() {
        Err(why) if std::env::var_os(ASKED_FOR).is_none() => {
            say(&format!("SKIPPED: in_a_storm_nothing_is_lost: {why}"));
        }
        _ => trials.push(Trial::test("in_a_storm_nothing_is_lost", move || {
            let runtime = tokio::runtime::Runtime::new()?;
            runtime.block_on(run()).map_err(failed)
        })),
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

async fn run() -> Result<()> {
    let plan = plan::Plan::from_env()?;
    say(&format!("  {plan}"));
    let mut seeds = plan.seeds();
    let mut world = world::World::begin(&mut seeds, &mut |line| say(&format!("  {line}"))).await?;
    let outcome = storm::rage(&mut world, &plan, &mut seeds).await;
    let result = match outcome {
        Ok(raged) => conclude(&world, &plan, &raged, &mut seeds).await,
        Err(error) => Err(error).with_context(|| format!("the storm broke off: {plan}")),
    };
    world.end().await;
    result
}

async fn conclude(
    world: &world::World,
    plan: &plan::Plan,
    raged: &storm::Raged,
    seeds: &mut plan::Seeds,
) -> Result<()> {
    let rested = quiet::come_to_rest(world, raged).await;
    // What does not come to rest is a finding too: look at it before giving up.
    let found = invariants::check(world, raged, &mut seeds.fork()).await?;
    say(&report::of(plan, world, raged, &found));
    rested?;
    found.verdict().with_context(|| plan.to_string())
}

/// A line for whoever runs it.
fn say(line: &str) {
    // Without standard error there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "{line}");
}
