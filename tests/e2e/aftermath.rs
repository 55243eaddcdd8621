//! When all is over, units and money add up and nothing is left in any queue.

use crate::{
    cases::{Case, cases},
    world::World,
};
use anyhow::Result;
use aws_sdk_sfn::types::ExecutionStatus;
use system::{Depth, Moment, eventually};

pub(crate) fn cases() -> Vec<Case> {
    let calm = cases!["aftermath":
        units_and_money_add_up,
        every_execution_has_succeeded,
        queues_are_empty_and_every_dead_letter_was_wanted,
        no_call_of_reconciliation_failed,
    ];
    let incidents = cases!["aftermath_of_incidents" in Incidents:
        units_and_money_add_up,
        queues_are_empty_and_every_dead_letter_was_wanted,
        no_call_of_reconciliation_failed,
    ];
    let trips = cases!["aftermath_of_trips" in Trips:
        trips_add_up,
        queues_of_trips_are_empty_and_every_dead_letter_was_wanted,
    ];
    [calm, incidents, trips].concat()
}

async fn units_and_money_add_up(world: &World) -> Result<()> {
    let books = world.books().clone();
    let report = world.system.conservation(&books, Moment::Settled).await?;
    assert!(report.holds(), "{report}");
    Ok(())
}

async fn trips_add_up(world: &World) -> Result<()> {
    let books = world.trips().clone();
    let lost = world.system.lost_of_trips(&books, Moment::Settled).await?;
    assert!(lost.is_empty(), "{lost:?}");
    Ok(())
}

/// A compensated order is a correct result: an execution that fails is always an incident.
async fn every_execution_has_succeeded(world: &World) -> Result<()> {
    for saga in sagas::all() {
        let mut executions = world.system.executions(saga.name).await?;
        executions.retain(|name, found| world.is_ours(name) && found.status != ExecutionStatus::Succeeded);
        assert!(executions.is_empty(), "saga {}: {executions:?}", saga.name);
    }
    Ok(())
}

async fn queues_are_empty_and_every_dead_letter_was_wanted(world: &World) -> Result<()> {
    let functions = ["order-intake", "orders", "inventory", "payment", "notification", "rescue"];
    queues_are_empty(world, &functions).await
}

async fn queues_of_trips_are_empty_and_every_dead_letter_was_wanted(world: &World) -> Result<()> {
    queues_are_empty(world, &["airline", "hotel", "agency", "rescue"]).await
}

async fn queues_are_empty(world: &World, functions: &[&str]) -> Result<()> {
    for function in functions {
        eventually(&format!("the queue of {function} is empty"), world.all_deliveries(), || async {
            let depth = world.system.depth(world.system.queue_url(function)).await?;
            Ok(if depth == Depth::default() { Ok(()) } else { Err(format!("{depth:?}")) })
        })
        .await?;
    }
    for function in functions {
        let dead = world.system.receive_all(world.system.dead_letter_queue_url(function)).await?;
        for letter in dead {
            let body = letter.body.unwrap_or_default();
            assert!(
                !world.is_ours(&body) || world.is_expected_dead(&body),
                "{function} left a dead letter: {body}"
            );
        }
    }
    Ok(())
}

/// Elsewhere the schedule also calls while no gateway runs.
async fn no_call_of_reconciliation_failed(world: &World) -> Result<()> {
    if world.system.log_file().is_some() {
        let failed = world.system.dead_letter_queue_url("reconciliation");
        assert_eq!(world.system.depth(failed).await?, Depth::default());
    }
    Ok(())
}
