//! Every order has a saga, and every saga has ended: committed or compensated, and the order says the same. The saga of
//! an execution that was stopped has been settled by another.

use crate::{traffic::Placed, world::World};
use anyhow::Result;
use aws_sdk_sfn::types::ExecutionStatus;
use futures::{StreamExt, TryStreamExt, stream};
use saga::{SagaId, Settling};
use sagas::entities::OrderStatus;
use serde_json::json;
use std::{collections::BTreeMap, fmt};
use system::{Execution, System};

/// How many executions are asked for at a time.
const AT_ONCE: usize = 8;
/// How many executions may settle one after the other: the rescue function makes no more attempts.
const SETTLED_MAX: usize = 5;

/// How a saga ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ending {
    /// Which way.
    pub(crate) way: Way,
    /// The executions of the saga: that of its name, and those that settled for one another.
    pub(crate) executions: Vec<String>,
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

impl Ending {
    /// Whether executions were stopped and others settled for them.
    pub(crate) fn is_settled(&self) -> bool {
        self.executions.len() > 1
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.way {
            Way::Committed => write!(f, "committed")?,
            Way::Compensated { reason } => write!(f, "compensated: {reason}")?,
            Way::Open { seen } => write!(f, "open: {seen}")?,
        }
        if self.is_settled() { write!(f, ", settled after a stop") } else { Ok(()) }
    }
}

/// The endings of all orders, by id.
pub(crate) type Endings = BTreeMap<String, Ending>;

/// Asks for the executions of every order.
pub(crate) async fn read(world: &World, placed: &Placed) -> Result<Endings> {
    let ends = stream::iter(&placed.orders)
        .map(async |id| anyhow::Ok((id.clone(), ending(&world.system, "order", id).await?)));
    ends.buffer_unordered(AT_ONCE).try_collect().await
}

/// Compares the endings with the orders, and those of cancels too.
pub(crate) async fn check(world: &World, placed: &Placed, endings: &Endings) -> Result<Vec<String>> {
    let rows = world.system.all_orders().await?;
    let mut violations = Vec::new();
    for (id, ending) in endings {
        let status = rows.get(id).map(|row| row.status);
        let agrees = match ending.way {
            Way::Committed => status == Some(OrderStatus::Confirmed),
            // Without an order when the first step was never carried out.
            Way::Compensated { .. } => {
                matches!(status, None | Some(OrderStatus::Rejected | OrderStatus::Cancelled))
            }
            Way::Open { .. } => false,
        };
        if !agrees {
            violations.push(format!("order {id}: its saga is {ending}, but the order is {status:?}"));
        }
    }
    for (id, saga_id) in &placed.cancelled {
        let ending = ending(&world.system, "cancel-order", saga_id).await?;
        let is_cancelled = rows.get(id).map(|row| row.status) == Some(OrderStatus::Cancelled);
        let agrees = match ending.way {
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

/// Follows the executions of a saga to the one that did not die.
async fn ending(system: &System, saga: &str, id: &str) -> Result<Ending> {
    let saga_id = SagaId::try_from(id.to_owned())?;
    let machine = system.output(&stacks::outputs::state_machine_arn(saga));
    let machine = machine.replace(":stateMachine:", ":execution:");
    let mut executions = vec![id.to_owned()];
    loop {
        let name = executions.last().map_or(id, String::as_str);
        let execution = system.execution(saga, name).await?;
        let is_dead = execution.as_ref().is_some_and(|found| found.status == ExecutionStatus::Aborted);
        if !is_dead || executions.len() > SETTLED_MAX {
            return Ok(Ending { way: way(execution), executions });
        }
        let settling = Settling::execution_name(&saga_id, &format!("{machine}:{name}"));
        executions.push(settling);
    }
}

fn way(execution: Option<Execution>) -> Way {
    let Some(execution) = execution else { return Way::Open { seen: "never started".to_owned() } };
    let skipped = execution.output.as_ref().and_then(|output| output.get("skipped"));
    match (&execution.status, execution.outcome()) {
        (ExecutionStatus::Succeeded, Some("committed")) => Way::Committed,
        (ExecutionStatus::Succeeded, Some("compensated"))
            if skipped.is_none_or(|left| *left == json!({})) =>
        {
            Way::Compensated { reason: execution.reason().unwrap_or("no reason").to_owned() }
        }
        (status, outcome) => {
            let Execution { error, cause, .. } = &execution;
            Way::Open { seen: format!("{status}, {outcome:?}, skipped {skipped:?}, {error:?}, {cause:?}") }
        }
    }
}
