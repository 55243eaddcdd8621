//! The executions of the sagas: which run, which are dead, and who settles the dead ones.

use crate::world::World;
use anyhow::{Context, Result};
use aws_sdk_sfn::types::ExecutionStatus;
use saga::{SagaId, Settling};
use std::collections::BTreeSet;
use system::System;
use trips::booking::TRIP_SAGA;

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
    named(world, machine(world, saga), ExecutionStatus::Running).await
}

/// The ARN of the state machine of a saga.
pub(crate) fn machine<'w>(world: &'w World, saga: &str) -> &'w str {
    world.of(saga).output(&stacks::outputs::state_machine_arn(saga))
}

/// Every saga that is deployed.
pub(crate) fn sagas() -> Vec<&'static str> {
    sagas::all().into_iter().map(|saga| saga.name).chain([TRIP_SAGA]).collect()
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
    for saga in sagas() {
        let system = world.of(saga);
        for status in DEAD {
            for name in named(world, machine(world, saga), status).await? {
                let successor = successor(system, saga, &name)?;
                if settled.contains(&successor) {
                    continue;
                }
                if system.execution(saga, &successor).await?.is_some() {
                    settled.insert(successor);
                } else {
                    unsettled.push(name);
                }
            }
        }
    }
    Ok(unsettled)
}
