//! Ids whose names were forgotten, and their fences not: the id of an order is started once more, with another input, on
//! a state machine that is like the first one but for its executions. Now and then with the same input, of a saga that
//! has ended: then it is answered as before.

use super::millis;
use crate::{
    executions::{is_first, named},
    world::World,
};
use anyhow::{Context, Result, ensure};
use aws_sdk_sfn::types::ExecutionStatus;
use fastrand::Rng;
use saga::{StartInput, Step, StepKey};
use sagas::order::{CreateOrder, ORDER_SAGA};
use serde_json::json;
use stacks::outputs::state_machine_arn;
use std::collections::BTreeMap;

/// Out of 100 that have ended, how many are started with the input that they had.
const SAME_PERCENT: u32 = 40;
const LOOK_AT: [ExecutionStatus; 3] =
    [ExecutionStatus::Running, ExecutionStatus::Succeeded, ExecutionStatus::Aborted];

/// Which ids were started once more, and whether with the input that they had.
pub(crate) type StartedAgain = BTreeMap<String, bool>;

/// Starts one every now and then.
pub(crate) async fn rage(world: &World, started: &mut StartedAgain, mut rng: Rng) -> Result<()> {
    while world.weather.still_rages_after(millis(&mut rng, 500..3_000)).await {
        let status = rng.choice(LOOK_AT).context("there are some")?;
        let mut names =
            named(world, world.system.output(&state_machine_arn(ORDER_SAGA)), status.clone()).await?;
        names.retain(|name| is_first(name) && !started.contains_key(name));
        let Some(id) = rng.choice(names) else { continue };
        // Before anything is recorded there is nothing to tell the two apart by: whichever comes first has the id.
        if !is_recorded(world, &id).await? {
            continue;
        }
        let same = status == ExecutionStatus::Succeeded && rng.u32(0..100) < SAME_PERCENT;
        let execution = world.system.execution(ORDER_SAGA, &id).await?.context("it is listed")?;
        let first: StartInput = serde_json::from_value(execution.input)?;
        let mut input = first.input.clone();
        if !same {
            let quantity = &mut input["lines"][0]["quantity"];
            *quantity = json!(quantity.as_u64().context("an order has lines")? + 1);
        }
        let again = StartInput::begin(first.id, input);
        ensure!((again.run == first.run) == same, "the run of {id} is not what it should be");
        let asked = world.system.clients().sfn.start_execution().state_machine_arn(&world.made_again);
        let asked = asked.name(&id).input(serde_json::to_string(&again)?);
        asked.send().await.with_context(|| format!("cannot start {id} again"))?;
        started.insert(id, same);
        world.weather.count(if same {
            "id started again after its name was forgotten, same order"
        } else {
            "id started again after its name was forgotten, another order"
        });
    }
    Ok(())
}

/// Whether the first step of an order has left a fence.
async fn is_recorded(world: &World, id: &str) -> Result<bool> {
    let step = CreateOrder::NAME.to_owned();
    let key = StepKey { saga: ORDER_SAGA.parse()?, saga_id: id.parse()?, step, item: None };
    Ok(world.system.fence("orders", &key).await?.is_some())
}
