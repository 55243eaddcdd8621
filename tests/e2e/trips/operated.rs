//! An operator looks at trips: the program knows of them what their deployment says.

use crate::{
    cases::{Case, cases},
    crafted::Crafted,
    planned::{OFFER, plan},
    world::World,
};
use anyhow::{Context, Result, bail, ensure};
use infra_gen::ops::{DeadLetter, ErrorKind, Kind, Operations, Outcome, State};
use saga::Step;
use serde_json::json;
use std::collections::BTreeSet;
use system::eventually;
use trips::booking::{AwardPoints, BookFlight, ConfirmTrip, IssueTicket, RentCar, TRIP_SAGA};

pub(crate) fn cases() -> Vec<Case> {
    cases!["trips" in Trips:
        a_trip_is_shown_with_the_fences_of_its_participants,
        a_dead_letter_of_a_trip_is_listed_with_its_reason_and_sent_back,
    ]
}

async fn a_trip_is_shown_with_the_fences_of_its_participants(world: &World) -> Result<()> {
    let planned = plan(world, "shown", OFFER).await?;
    planned.expect_booked(&planned.carry_out().await?).await?;
    let story = world.system.operations().await?.show(&planned.id).await?;
    let [saga] = story.sagas.as_slice() else { bail!("{story:?}") };
    ensure!((saga.row.saga.as_str(), saga.row.state) == (TRIP_SAGA, State::Committed), "{saga:?}");
    let done = saga.timeline.iter().filter(|tried| (tried.kind, tried.result) == (Kind::Run, Outcome::Done));
    let done: BTreeSet<_> = done.map(|tried| tried.what.as_str()).collect();
    // MiniStack does not tell which step of a group a task is of.
    let behind_the_group =
        BTreeSet::from([RentCar::NAME, ConfirmTrip::NAME, IssueTicket::NAME, AwardPoints::NAME]);
    ensure!(done.is_superset(&behind_the_group), "{:?}", saga.timeline);

    let fences = story.fences.iter();
    let fences = fences.map(|fence| format!("{} {} {}", fence.participant, fence.step, fence.state));
    let expected = [
        "airline book-flight done",
        "airline issue-ticket done",
        "hotel book-hotel done",
        "agency award-points done",
        "agency confirm-trip done",
        "agency rent-car done",
    ];
    assert_eq!(fences.collect::<Vec<_>>(), expected);
    ensure!(story.parked.is_empty() && story.dead_letters.is_empty(), "{story:?}");
    Ok(())
}

async fn a_dead_letter_of_a_trip_is_listed_with_its_reason_and_sent_back(world: &World) -> Result<()> {
    // It does not say what to book: the function can never serve it.
    let id = world.id("unbookable");
    let request = Crafted::of(TRIP_SAGA, &id, BookFlight::NAME, &[("trip", &json!({}))])?.run()?;
    world.expect_dead(&id);
    world.system.send_to_participant("airline", &request).await?;
    let operations = world.system.operations().await?;
    let first = dead(world, &operations, &id, None).await?;
    let reason = first.reason.as_deref().context("it has its reason")?;
    ensure!(reason.starts_with("step `book-flight`: "), "{reason}");
    assert_eq!(first.deliveries, Some(world.system.timing().max_receive_count().into()));

    let everywhere = operations.dead_letters(None, 100).await?.queues;
    ensure!(everywhere.keys().eq(["agency", "airline", "hotel", "rescue"]), "{everywhere:?}");
    let nowhere = operations.dead_letters(Some("refused-orders"), 100).await.err();
    let nowhere = nowhere.context("nothing is refused before there is a trip")?;
    assert_eq!(nowhere.kind(), ErrorKind::Usage, "{nowhere}");

    // Who else looks at this moment hides it.
    eventually("the letter is sent back", world.soon(), || async {
        let redriven = operations.redrive(Some("airline")).await?;
        Ok(if redriven.is_empty() { Err("it is not to be seen".to_owned()) } else { Ok(()) })
    })
    .await?;
    // It is tried again, and dies again.
    dead(world, &operations, &id, Some(&first)).await?;
    Ok(())
}

/// The dead letter about this saga id, once there is another one than before.
async fn dead(
    world: &World,
    operations: &Operations,
    id: &str,
    before: Option<&DeadLetter>,
) -> Result<DeadLetter> {
    eventually("the dead letter is listed", world.all_deliveries(), || async {
        let found = operations.dead_letters(Some("airline"), 100).await?;
        let is_new = |letter: &DeadLetter| before.is_none_or(|before| before.logged_as != letter.logged_as);
        let mut ours = found.letters.iter().filter(|letter| letter.id.as_deref() == Some(id));
        let Some(letter) = ours.find(|letter| is_new(letter)) else { return Ok(Err(format!("{found:?}"))) };
        let told = [&letter.saga, &letter.step, &letter.op].map(Option::as_deref);
        ensure!(told == [Some(TRIP_SAGA), Some(BookFlight::NAME), Some("run")], "{letter:?}");
        Ok(Ok(letter.clone()))
    })
    .await
}
