//! Looks at what is parked, mends the cause, and answers.

use super::{
    Notes,
    by_hand::{Skipped, units_of},
};
use crate::{
    faults::{aborts::stop, shelf::Shelf},
    world::{Deployment, World},
};
use anyhow::{Context, Result};
use aws_sdk_dynamodb::types::AttributeValue;
use saga::{
    FENCE_GONE, Step,
    parked_table::{
        ACTION, BY, CAN_SKIP, EXECUTION, FAILURE, REASON, RETRY, SAGA, SAGA_ID, SKIP, STEPS, TASK_TOKEN,
        WHAT, YES, thing_of,
    },
};
use sagas::order::{ChargePayment, ORDER_SAGA, ReserveStock};
use serde_json::{Map, Value as Json, json};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::{Duration, Instant},
};
use trips::booking::{AwardPoints, TRIP_SAGA, Trip};

type Item = HashMap<String, AttributeValue>;

/// How long something waits until it is answered: meanwhile more of the kind is parked, and executions die that wait.
const PATIENCE: Duration = Duration::from_secs(12);
/// Out of 100, how many are skipped that can be.
const SKIP_PERCENT: u32 = 50;
/// And how many executions are stopped instead: others settle for them, and park again.
const STOP_PERCENT: u32 = 8;
/// What is known how to put right by hand.
const CORRECTABLE: [&str; 2] = [ReserveStock::NAME, ChargePayment::NAME];

/// What is parked.
#[derive(Debug)]
struct Parked {
    id: String,
    saga: String,
    execution: String,
    what: String,
    token: String,
    can_skip: bool,
    /// Why each step could not be done.
    failure: Map<String, Json>,
}

/// What is said about something that is parked.
#[derive(Debug, PartialEq)]
struct Answer {
    action: &'static str,
    /// About which steps; nothing: about all.
    steps: Option<Vec<String>>,
}

/// The records of what is parked.
pub(crate) async fn parked(world: &World) -> Result<Vec<Item>> {
    let mut records = Vec::new();
    for deployment in Deployment::ALL {
        let system = world.at(deployment);
        let table = system.output(stacks::outputs::PARKED_TABLE_NAME);
        let scan = system.clients().dynamodb.scan().table_name(table).consistent_read(true);
        let read = scan.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
        records.extend(read.context("cannot read the table of what is parked")?);
    }
    // Decisions stand in the same table.
    records.retain(|record| record.contains_key(TASK_TOKEN));
    Ok(records)
}

/// Answers what has waited long enough; says how much is parked.
pub(super) async fn answer_parked(world: &World, notes: &mut Notes) -> Result<usize> {
    let parked: Vec<Parked> = parked(world).await?.iter().map(read).collect::<Result<_>>()?;
    let tokens: BTreeSet<&String> = parked.iter().map(|record| &record.token).collect();
    notes.known.retain(|token, _| tokens.contains(token));
    notes.parked = parked.iter().map(|record| record.id.clone()).collect();
    // A product comes back with the first retry, so all that miss it are answered alike.
    let mut skips = BTreeMap::new();
    for record in &parked {
        let since = *notes.known.entry(record.token.clone()).or_insert_with(Instant::now);
        if since.elapsed() >= PATIENCE {
            if notes.rng.u32(0..100) < STOP_PERCENT && stop(world, &record.saga, &record.execution).await? {
                world.weather.count("execution stopped while it was parked");
                continue;
            }
            let missing = missing_product(world, record).await?;
            let skips_product =
                missing.map(|shelf| *skips.entry(&shelf.sku).or_insert_with(|| notes.skips()));
            let answer = decide(record, notes, skips_product);
            mend(world, record, &answer, missing).await?;
            send(world, record, &answer, notes).await?;
        }
    }
    Ok(parked.len())
}

fn read(item: &Item) -> Result<Parked> {
    let text = |name: &str| {
        let value = item.get(name).and_then(|value| value.as_s().ok());
        value.cloned().with_context(|| format!("a parked record has no {name}: {:?}", item.get(WHAT)))
    };
    let can_skip = text(CAN_SKIP)? == YES;
    Ok(Parked {
        id: text(SAGA_ID)?,
        saga: text(SAGA)?,
        execution: text(EXECUTION)?,
        what: thing_of(&text(WHAT)?).0.to_owned(),
        token: text(TASK_TOKEN)?,
        can_skip,
        failure: serde_json::from_str(&text(FAILURE)?)?,
    })
}

/// What can be skipped and put right by hand is skipped now and then, also in part.
fn decide(record: &Parked, notes: &mut Notes, skips_product: Option<bool>) -> Answer {
    let is_gone = record.failure.values().any(|failure| failure["error"] == FENCE_GONE);
    if is_gone && record.can_skip {
        // There is no other way.
        return Answer { action: SKIP, steps: None };
    }
    let mut steps: Vec<String> = record.failure.keys().cloned().collect();
    let is_undo = record.what.starts_with("undo ");
    let is_correctable = steps.iter().all(|step| CORRECTABLE.contains(&step.as_str()));
    let is_drawn = skips_product.unwrap_or_else(|| notes.skips());
    // Points that are not credited leave nothing that could be put right.
    let is_harmless = record.what == AwardPoints::NAME || (is_undo && is_correctable);
    let is_skipped = record.can_skip && is_harmless && is_drawn;
    let Notes { rng, .. } = notes;
    if is_undo && steps.len() > 1 && rng.bool() {
        rng.shuffle(&mut steps);
        steps.truncate(1);
    }
    let named = (is_undo && (steps.len() < record.failure.len() || rng.bool())).then_some(steps);
    Answer { action: if is_skipped { SKIP } else { RETRY }, steps: named }
}

impl Notes {
    fn skips(&mut self) -> bool {
        self.rng.u32(0..100) < SKIP_PERCENT
    }
}

impl Answer {
    /// The steps that it is about.
    fn about<'a>(&'a self, record: &'a Parked) -> impl Iterator<Item = &'a String> {
        record.failure.keys().filter(|step| self.steps.as_ref().is_none_or(|steps| steps.contains(step)))
    }
}

/// The product that keeps an undo from being done.
async fn missing_product<'w>(world: &'w World, record: &Parked) -> Result<Option<&'w Shelf>> {
    if !record.failure.contains_key(ReserveStock::NAME) {
        return Ok(None);
    }
    let units = units_of(world, &record.id).await?;
    Ok(world.shelves.iter().find(|shelf| shelf.is_away() && units.contains_key(&shelf.sku)))
}

/// A retry helps only once the cause is mended. A skip needs no cure: what is missing stays so until the step is fenced off,
/// or an undo that is still on its way would do it after all.
async fn mend(world: &World, record: &Parked, answer: &Answer, missing: Option<&Shelf>) -> Result<()> {
    if answer.action != RETRY {
        return Ok(());
    }
    for step in answer.about(record) {
        match (step.as_str(), missing) {
            (ReserveStock::NAME, Some(shelf)) => drop(shelf.restore(world).await?),
            (ChargePayment::NAME, _) => world.accounts.mend(&record.id, &world.weather),
            (AwardPoints::NAME, _) => open_account(world, record).await?,
            _ => {}
        }
    }
    Ok(())
}

/// Points are credited to an account.
async fn open_account(world: &World, record: &Parked) -> Result<()> {
    let execution = world.trips.execution(TRIP_SAGA, &record.id).await?.context("the trip has a saga")?;
    let trip: Trip = serde_json::from_value(execution.input["input"].clone())?;
    world.trips.open_account(&trip.traveller).await
}

async fn send(world: &World, record: &Parked, answer: &Answer, notes: &mut Notes) -> Result<()> {
    let Answer { action, steps } = answer;
    let mut body = json!({ ACTION: action, REASON: "the storm", BY: "chaos" });
    if let Some(steps) = steps {
        body[STEPS] = json!(steps);
    }
    let sent = world.system.clients().sfn.send_task_success().task_token(&record.token);
    match sent.output(body.to_string()).send().await {
        Ok(_) => {
            let part = if steps.as_ref().is_some_and(|steps| steps.len() < record.failure.len()) {
                ", in part"
            } else {
                ""
            };
            let what = record.what.as_str();
            world.weather.count(format!("({what} was parked, answered with {action}{part})"));
        }
        // It was answered a moment ago, and its record is about to go; or its execution is dead.
        Err(error)
            if error.as_service_error().is_some_and(|error| {
                error.is_task_timed_out() || error.is_task_does_not_exist() || error.is_invalid_token()
            }) =>
        {
            return Ok(());
        }
        Err(error) => return Err(error).context("cannot answer what is parked"),
    }
    if *action == SKIP && record.what.starts_with("undo ") {
        for step in answer.about(record) {
            notes.skipped.entry((record.id.clone(), step.clone())).or_insert(Skipped::Answered);
        }
    }
    Ok(())
}

/// A test of this file, run beside the storm: a part is answered as a part, and a fence that is gone is skipped.
pub(crate) fn what_is_answered_is_told() -> Result<()> {
    let record = |what: &str, can_skip, failure: Json| -> Result<Parked> {
        let failure = failure.as_object().context("it is an object")?.clone();
        let (id, what) = ("o-1".to_owned(), what.to_owned());
        let (saga, execution, token) = (ORDER_SAGA.to_owned(), id.clone(), String::new());
        Ok(Parked { id, saga, execution, what, token, can_skip, failure })
    };
    let mut notes = super::Desk::of(fastrand::Rng::with_seed(1)).0.into_inner();
    let gone = record("rescue confirm-order", true, json!({ "confirm-order": { "error": FENCE_GONE } }))?;
    anyhow::ensure!(decide(&gone, &mut notes, None) == Answer { action: SKIP, steps: None }, "it is skipped");
    let failed = json!({ "error": "States.Timeout" });
    let pivot = record("settle confirm-order", false, json!({ "confirm-order": failed }))?;
    anyhow::ensure!(
        decide(&pivot, &mut notes, Some(true)) == Answer { action: RETRY, steps: None },
        "it is tried again"
    );
    let points = record(AwardPoints::NAME, true, json!({ AwardPoints::NAME: failed }))?;
    for (skips, action) in [(true, SKIP), (false, RETRY)] {
        let answer = decide(&points, &mut notes, Some(skips));
        anyhow::ensure!(answer == Answer { action, steps: None }, "{answer:?}");
    }
    let both = json!({ ReserveStock::NAME: failed, ChargePayment::NAME: failed });
    let (undo, mut seen) = (record("undo order", true, both)?, BTreeSet::new());
    for n in 0..100 {
        let answer = decide(&undo, &mut notes, (n > 50).then_some(n % 2 == 0));
        seen.insert((answer.action, answer.about(&undo).count()));
    }
    anyhow::ensure!(seen == [(SKIP, 1), (SKIP, 2), (RETRY, 1), (RETRY, 2)].into(), "only {seen:?}");
    let other = record("undo order", true, json!({ "create-order": failed }))?;
    anyhow::ensure!(
        (0..100).all(|_| decide(&other, &mut notes, Some(true)).action == RETRY),
        "nobody knows how to put it right"
    );
    Ok(())
}
