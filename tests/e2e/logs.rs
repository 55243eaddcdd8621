//! What all functions log about a saga, as `infra-gen logs` shows it.

use crate::{
    cases::{Case, cases},
    world::World,
};
use anyhow::{Result, ensure};
use infra_gen::{
    aws::{AwsError, Target},
    logs::{LogLine, Logs, Selection},
};
use stacks::Stage;
use std::collections::BTreeSet;
use system::{SystemConfig, eventually};
use tokio::sync::Mutex;

pub(crate) fn cases() -> Vec<Case> {
    cases!["logs":
        the_lines_of_a_saga_come_from_all_functions_and_once_each,
        a_function_that_is_not_there_is_refused,
    ]
}

async fn the_lines_of_a_saga_come_from_all_functions_and_once_each(world: &World) -> Result<()> {
    let tea = world.product("logged-tea", 1).await?;
    let order = world.draft("logged").line(&tea, 1, 100).order();
    let execution = world.carry_out(&order).await?;
    ensure!(execution.outcome() == Some("committed"), "{execution:?}");

    let selection = Selection { saga_id: Some(order.order_id.clone()), ..Selection::default() };
    let config = world.system.sdk_config().await;
    let logs = Logs::open(&target(), Some(&config), selection).await?;
    let heard = Mutex::new((logs, Vec::new()));
    eventually("lines of every function", world.soon(), || async {
        let (logs, seen) = &mut *heard.lock().await;
        seen.extend(logs.news().await?);
        let functions: BTreeSet<&str> = seen.iter().map(|line: &LogLine| line.function.as_str()).collect();
        let all = ["inventory", "order-intake", "orders", "payment"];
        Ok(if all.iter().all(|name| functions.contains(name)) {
            Ok(())
        } else {
            Err(format!("{functions:?}"))
        })
    })
    .await?;

    // A moment more: what is told twice would be told now.
    let (mut logs, mut seen) = heard.into_inner();
    seen.extend(logs.news().await?);
    ensure!(seen.iter().all(|line| line.saga_id() == Some(&order.order_id)), "{seen:?}");
    let steps: BTreeSet<&str> = seen.iter().filter_map(|line| line.text_of("step")).collect();
    for step in ["create-order", "reserve-stock", "charge-payment", "confirm-order"] {
        ensure!(steps.contains(step), "{step} in {steps:?}");
    }
    // What was served twice has another duration.
    let lines: BTreeSet<_> = seen.iter().map(|line| (&line.function, line.at_ms, &line.text)).collect();
    ensure!(lines.len() == seen.len(), "a line is told twice: {seen:?}");
    Ok(())
}

async fn a_function_that_is_not_there_is_refused(world: &World) -> Result<()> {
    let selection = Selection { functions: ["shipping".to_owned()].into(), ..Selection::default() };
    let refused = Logs::open(&target(), Some(&world.system.sdk_config().await), selection).await;
    let Err(AwsError::UnknownFunction { given, known }) = refused else { anyhow::bail!("{refused:?}") };
    ensure!(given == "shipping" && known.contains(&"inventory".to_owned()), "{known:?}");
    Ok(())
}

fn target() -> Target {
    Target::new(SystemConfig::from_env().deployment, Stage::Dev, stacks::synth)
}
