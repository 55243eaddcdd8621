//! The executions of the sagas: which run, which are dead, and who settles the dead ones.

use crate::world::World;
use anyhow::{Context, Result};
use aws_sdk_sfn::types::ExecutionStatus;
use saga::{SagaId, Settling};
use std::collections::BTreeSet;
use system::System;

/// What stands between a saga id and what tells executions of it apart. No saga id has one.
const OF_SAGA: char = '.';

/// The statuses of an execution that ended without an outcome.
pub(crate) const DEAD: [ExecutionStatus; 3] =
    [ExecutionStatus::Aborted, ExecutionStatus::Failed, ExecutionStatus::TimedOut];

/// The name of the second execution of a saga, as if somebody had redriven the first one.
pub(crate) fn redriven(id: &str) -> String {
    format!("{id}{OF_SAGA}redriven")
}

/// Whether it is the first execution of its saga.
pub(crate) fn is_first(name: &str) -> bool {
    !name.contains(OF_SAGA)
}

/// The id of the saga that an execution acts for.
pub(crate) fn saga_id(name: &str) -> &str {
    name.split_once(OF_SAGA).map_or(name, |(id, _)| id)
}

/// The name of the execution that settles for this one, once it is dead.
pub(crate) fn successor(system: &System, saga: &str, name: &str) -> Result<String> {
    let id = SagaId::try_from(saga_id(name).to_owned())?;
    Ok(Settling::execution_name(&id, &system.execution_arn(saga, name)))
}

/// The names of the executions of a saga that run.
pub(crate) async fn running(world: &World, saga: &str) -> Result<Vec<String>> {
    let machine = world.system.output(&stacks::outputs::state_machine_arn(saga));
    named(world, machine, ExecutionStatus::Running).await
}

/// The names of the executions of a state machine that stand like this.
pub(crate) async fn named(world: &World, machine: &str, status: ExecutionStatus) -> Result<Vec<String>> {
    let asked = world.system.clients().sfn.list_executions().state_machine_arn(machine);
    let mut pages = asked.status_filter(status).into_paginator().send();
    let mut names = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.with_context(|| format!("cannot list the executions of {machine}"))?;
        names.extend(page.executions.into_iter().map(|execution| execution.name));
    }
    Ok(names)
}

/// The dead executions that nobody settles. Those in `settled` are known to be, and what is found out goes there.
pub(crate) async fn unsettled(world: &World, settled: &mut BTreeSet<String>) -> Result<Vec<String>> {
    let mut unsettled = Vec::new();
    for saga in sagas::all() {
        let machine = world.system.output(&stacks::outputs::state_machine_arn(saga.name));
        for status in DEAD {
            for name in named(world, machine, status).await? {
                let successor = successor(&world.system, saga.name, &name)?;
                if settled.contains(&successor) {
                    continue;
                }
                if world.system.execution(saga.name, &successor).await?.is_some() {
                    settled.insert(successor);
                } else {
                    unsettled.push(name);
                }
            }
        }
    }
    Ok(unsettled)
}
