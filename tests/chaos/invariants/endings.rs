//! Every order has a saga, and every saga has ended: committed or compensated, and the order says the same. The saga of
//! an execution that was stopped has been settled by another, and all executions that acted for one saga agree. Whoever
//! had an id a second time has touched nothing.

use crate::{
    executions::{redriven, successor},
    faults::ids::StartedAgain,
    traffic::Placed,
    travel::Booked,
    world::World,
};
use anyhow::{Context, Result};
use aws_sdk_sfn::types::ExecutionStatus;
use futures::{StreamExt, TryStreamExt, stream};
use saga::{DELIVERIES_EXHAUSTED, OTHER_RUN, Step};
use sagas::{cancel::CANCEL_SAGA, entities::OrderStatus, order::ORDER_SAGA};
use serde_json::Value as Json;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};
use system::{Execution, System};
use trips::booking::{AwardPoints, TRIP_SAGA};

/// How many executions are asked for at a time.
const AT_ONCE: usize = 8;
/// How many executions may settle one after the other: the rescue function makes no more attempts.
const SETTLED_MAX: usize = 5;
/// Why a run of a taken id turns back: it was told, or its message got lost.
const TURNED_BACK: [&str; 3] = [OTHER_RUN, DELIVERIES_EXHAUSTED, "States.Timeout"];

/// How the cause begins of a saga that a panic turns back.
const PANICKED: &str = "the handler panicked at ";

/// How it is told that a saga turned back for a panic.
pub(crate) const FOR_A_PANIC: &str = ", for a panic";

/// How a saga ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ending {
    /// By the execution of its name, and those that settled for one another.
    pub(crate) first: Chain,
    /// By the execution that was redriven, and those that settled for that.
    pub(crate) redriven: Option<Chain>,
    /// The digest of the run.
    pub(crate) run: Option<String>,
}

/// An execution, those that settled for one another, and how the last one ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chain {
    pub(crate) executions: Vec<String>,
    pub(crate) way: Way,
    /// The steps that it went on without.
    pub(crate) skipped: BTreeSet<String>,
    /// Whether it was turned back by a panic of a handler.
    pub(crate) panicked: bool,
}

/// Which way a saga ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Way {
    Committed,
    Compensated {
        /// A rejection or an error.
        reason: String,
    },
    /// Neither: a violation.
    Open {
        /// What was found instead.
        seen: String,
    },
}

impl Chain {
    /// Whether executions were stopped and others settled for them.
    pub(crate) fn is_settled(&self) -> bool {
        self.executions.len() > 1
    }
}

impl Ending {
    /// Which way, as the first executions tell.
    pub(crate) fn way(&self) -> &Way {
        &self.first.way
    }

    /// The executions that acted for it.
    pub(crate) fn chains(&self) -> impl Iterator<Item = &Chain> {
        [&self.first].into_iter().chain(&self.redriven)
    }

    /// The steps that any of them went on without.
    pub(crate) fn skipped(&self) -> BTreeSet<&str> {
        self.chains().flat_map(|chain| &chain.skipped).map(String::as_str).collect()
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Committed => write!(f, "committed"),
            Self::Compensated { reason } => write!(f, "compensated: {reason}"),
            Self::Open { seen } => write!(f, "open: {seen}"),
        }
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.way())?;
        for step in self.skipped() {
            write!(f, ", without {step}")?;
        }
        if self.first.panicked {
            write!(f, "{FOR_A_PANIC}")?;
        }
        if self.first.is_settled() {
            write!(f, ", settled after a stop")?;
        }
        if self.redriven.is_some() { write!(f, ", redriven") } else { Ok(()) }
    }
}

/// The endings of all orders, by id.
pub(crate) type Endings = BTreeMap<String, Ending>;

/// Asks for the executions of every saga with one of these ids.
pub(crate) async fn read(world: &World, saga: &str, ids: &BTreeSet<String>) -> Result<Endings> {
    let ends =
        stream::iter(ids).map(async |id| anyhow::Ok((id.clone(), ending(world.of(saga), saga, id).await?)));
    ends.buffer_unordered(AT_ONCE).try_collect().await
}

/// Compares the endings with the orders, and those of cancels too.
pub(crate) async fn check(world: &World, placed: &Placed, endings: &Endings) -> Result<Vec<String>> {
    let rows = world.system.all_orders().await?;
    let mut violations = Vec::new();
    for (id, ending) in endings {
        let status = rows.get(id).map(|row| row.status);
        let agrees = match ending.way() {
            Way::Committed => status == Some(OrderStatus::Confirmed) && ending.skipped().is_empty(),
            // Without an order when the first step was never carried out.
            Way::Compensated { .. } => {
                matches!(status, None | Some(OrderStatus::Rejected | OrderStatus::Cancelled))
            }
            Way::Open { .. } => false,
        };
        if !agrees {
            violations.push(format!("order {id}: its saga is {ending}, but the order is {status:?}"));
        }
        violations.extend(disagreement(ORDER_SAGA, id, ending));
    }
    for (id, saga_id) in &placed.cancelled {
        let ending = ending(&world.system, CANCEL_SAGA, saga_id).await?;
        let is_cancelled = rows.get(id).map(|row| row.status) == Some(OrderStatus::Cancelled);
        let agrees = match ending.way() {
            Way::Committed => is_cancelled,
            Way::Compensated { .. } => !is_cancelled,
            Way::Open { .. } => false,
        };
        if !agrees {
            violations.push(format!("order {id}: its cancel is {ending}, but cancelled is {is_cancelled}"));
        }
    }
    Ok(violations)
}

/// Compares the endings of trips with the trips that take place. Nothing is skipped but their points. A trip whose hotel
/// panics turns back, and no other trip turns back for that.
pub(crate) async fn check_trips(world: &World, booked: &Booked, endings: &Endings) -> Result<Vec<String>> {
    let trips = world.trips.trips().await?;
    let mut violations = Vec::new();
    for (id, ending) in endings {
        let (takes_place, skipped) = (trips.contains(id), ending.skipped());
        let agrees = match ending.way() {
            Way::Committed => takes_place && skipped.iter().all(|step| *step == AwardPoints::NAME),
            Way::Compensated { .. } => !takes_place && skipped.is_empty(),
            Way::Open { .. } => false,
        };
        if !agrees {
            violations
                .push(format!("trip {id}: its saga is {ending}, but that it takes place is {takes_place}"));
        }
        let is_haunted = booked.haunted.contains(id);
        if is_haunted && takes_place {
            violations.push(format!("trip {id}: it takes place, though booking its hotel panics"));
        }
        if !is_haunted && ending.chains().any(|chain| chain.panicked) {
            violations.push(format!("trip {id}: its saga is {ending}, but the panic was another's"));
        }
        violations.extend(disagreement(TRIP_SAGA, id, ending));
    }
    Ok(violations)
}

/// Two executions that act for one saga end it the same way, whatever each was told on its own way.
fn disagreement(saga: &str, id: &str, ending: &Ending) -> Option<String> {
    let redriven = ending.redriven.as_ref()?;
    let agrees = match (ending.way(), &redriven.way) {
        (Way::Committed, Way::Committed) => true,
        (Way::Compensated { .. }, Way::Compensated { reason }) => reason != OTHER_RUN,
        _ => false,
    };
    let Chain { way, executions, .. } = redriven;
    (!agrees).then(|| format!("{saga} {id}: its saga is {ending}, but {executions:?} ended {way}"))
}

/// Looks at those that had the id of another saga, and at those that had the same order once more.
pub(crate) async fn check_started_again(
    world: &World,
    started: &StartedAgain,
    endings: &Endings,
) -> Result<Vec<String>> {
    let machine = world.made_again.replace(":stateMachine:", ":execution:");
    let mut violations = Vec::new();
    for (id, is_same) in started {
        let execution = world.system.execution_at(&format!("{machine}:{id}")).await?;
        let (way, skipped) = way(execution);
        let first = endings.get(id).map(Ending::way);
        let agrees = match (&way, is_same) {
            (Way::Committed, true) => first == Some(&Way::Committed),
            (Way::Compensated { reason }, true) => {
                reason != OTHER_RUN && matches!(first, Some(Way::Compensated { .. }))
            }
            (Way::Compensated { reason }, false) => {
                TURNED_BACK.contains(&reason.as_str()) && skipped.is_empty()
            }
            _ => false,
        };
        if !agrees {
            let which = if *is_same { "the same order" } else { "another order" };
            violations.push(format!("order {id}: {which} under its id, started later, ended {way}"));
        }
    }
    Ok(violations)
}

async fn ending(system: &System, saga: &str, id: &str) -> Result<Ending> {
    let begun = system.execution(saga, id).await?;
    let run = begun.and_then(|begun| begun.input["run"].as_str().map(str::to_owned));
    let first = follow(system, saga, id).await?;
    let second = redriven(id);
    let is_redriven =
        saga != CANCEL_SAGA && first.is_settled() && system.execution(saga, &second).await?.is_some();
    let redriven = if is_redriven { Some(follow(system, saga, &second).await?) } else { None };
    Ok(Ending { first, redriven, run })
}

/// Follows executions that settled for one another to the one that did not die.
async fn follow(system: &System, saga: &str, name: &str) -> Result<Chain> {
    let mut executions = vec![name.to_owned()];
    loop {
        let name = executions.last().context("there is one")?;
        let execution = system.execution(saga, name).await?;
        let is_dead = execution.as_ref().is_some_and(|found| found.status == ExecutionStatus::Aborted);
        if !is_dead || executions.len() > SETTLED_MAX {
            let cause =
                execution.as_ref().and_then(|found| found.output.as_ref()?["reason"]["cause"].as_str());
            let panicked = cause.is_some_and(|cause| cause.starts_with(PANICKED));
            let (way, skipped) = way(execution);
            return Ok(Chain { executions, way, skipped, panicked });
        }
        executions.push(successor(system, saga, name)?);
    }
}

/// Which way an execution ended, and without which steps.
fn way(execution: Option<Execution>) -> (Way, BTreeSet<String>) {
    let Some(execution) = execution else {
        return (Way::Open { seen: "never started".to_owned() }, BTreeSet::new());
    };
    let skipped =
        execution.output.as_ref().and_then(|output| output.get("skipped")).and_then(Json::as_object);
    let skipped = skipped.map(|skipped| skipped.keys().cloned().collect()).unwrap_or_default();
    let way = match (&execution.status, execution.outcome()) {
        (ExecutionStatus::Succeeded, Some("committed")) => Way::Committed,
        (ExecutionStatus::Succeeded, Some("compensated")) => {
            Way::Compensated { reason: execution.reason().unwrap_or("no reason").to_owned() }
        }
        (status, outcome) => {
            let Execution { error, cause, .. } = &execution;
            Way::Open { seen: format!("{status}, {outcome:?}, {error:?}, {cause:?}") }
        }
    };
    (way, skipped)
}
