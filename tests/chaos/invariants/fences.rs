//! The fences agree with the endings: of a committed saga every step is done, of a compensated one none.

use super::endings::{Endings, Way};
use crate::world::World;
use anyhow::{Context, Result};
use aws_sdk_dynamodb::types::AttributeValue;
use saga::fence_table::{SAGA_ID, STATE, STEP};
use sagas::order::order_saga;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The states of fences, by saga id and step.
type Fences = BTreeMap<(String, String), String>;

pub(crate) async fn check(world: &World, endings: &Endings) -> Result<Vec<String>> {
    let fences = read(world).await?;
    let saga = order_saga();
    let steps: Vec<&str> = saga.definition().steps().map(|step| step.name).collect();
    let mut violations = Vec::new();
    for (id, ending) in endings {
        for step in &steps {
            let state = fences.get(&(id.clone(), (*step).to_owned())).map(String::as_str);
            let agrees = match ending.way {
                Way::Committed => state == Some("done"),
                // 'started' would be a call of which nobody knows whether it was carried out.
                Way::Compensated { .. } => matches!(state, None | Some("rejected" | "undone")),
                // Told already.
                Way::Open { .. } => true,
            };
            if !agrees {
                violations
                    .push(format!("order {id}: its saga is {ending}, but the fence of {step} is {state:?}"));
            }
        }
    }
    Ok(violations)
}

async fn read(world: &World) -> Result<Fences> {
    let participants: BTreeSet<&str> = sagas::participants().iter().map(|spec| spec.name).collect();
    let mut fences = Fences::new();
    for participant in participants {
        let table = world.system.output(&stacks::outputs::fence_table_name(participant));
        let scan = world.system.clients().dynamodb.scan().table_name(table).consistent_read(true);
        let items = scan.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
        for item in items.with_context(|| format!("cannot read the fences of {participant}"))? {
            fences.insert((text(&item, SAGA_ID)?, text(&item, STEP)?), text(&item, STATE)?);
        }
    }
    Ok(fences)
}

fn text(item: &HashMap<String, AttributeValue>, name: &str) -> Result<String> {
    let value = item.get(name).and_then(|value| value.as_s().ok());
    value.cloned().with_context(|| format!("a fence has no {name}: {:?}", item.keys()))
}
