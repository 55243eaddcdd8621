//! Trips: steps that run at the same time, a step after the pivot that is needed, and one that can be skipped.

mod operated;

use crate::{
    cases::{Case, cases},
    planned::{OFFER, Offer, Planned, plan},
    world::World,
};
use anyhow::{Context, Result, ensure};
use aws_sdk_sfn::types::ExecutionStatus;
use futures::future::try_join_all;
use infra_gen::ops::{Action, Answer};
use saga::{DELIVERIES_EXHAUSTED, RESCUED, SagaId, Settling, StartInput, Step, dead_letter};
use serde_json::json;
use std::time::Duration;
use system::{eventually, seats_of};
use trips::booking::{
    AwardPoints, BookFlight, BookHotel, FlightFull, HotelFull, IssueTicket, NoCar, TRIP_SAGA,
};
use trips::services::HAUNTED;

/// Seven attempts of five deliveries each, with the waits between them.
const PARKING_LIMIT: Duration = Duration::from_mins(8);

pub(crate) fn cases() -> Vec<Case> {
    let served = cases!["trips" in Trips:
        points_that_cannot_be_credited_are_skipped_and_that_shows_in_the_outcome,
        a_trip_commits_and_each_of_its_steps_takes_effect_once,
        when_one_of_the_steps_at_the_same_time_is_rejected_the_other_is_undone,
        when_all_steps_at_the_same_time_are_rejected_nothing_is_left,
        a_rejection_behind_the_steps_at_the_same_time_undoes_them_all,
        a_step_at_the_same_time_that_never_answers_undoes_the_others,
        a_handler_that_panics_fails_its_own_trip_and_none_of_nine_beside_it,
        steps_at_the_same_time_delivered_again_change_nothing,
        a_ticket_that_cannot_be_issued_for_a_while_is_issued_in_the_end,
        a_trip_stopped_amid_its_steps_at_the_same_time_is_undone,
        a_trip_that_died_after_its_pivot_is_finished,
    ];
    [served, operated::cases()].concat()
}

async fn a_trip_commits_and_each_of_its_steps_takes_effect_once(world: &World) -> Result<()> {
    let planned = plan(world, "booked", OFFER).await?;
    let execution = planned.carry_out().await?;
    planned.expect_booked(&execution).await
}

async fn when_one_of_the_steps_at_the_same_time_is_rejected_the_other_is_undone(world: &World) -> Result<()> {
    let no_seat = plan(world, "no-seat", Offer { seats: 0, ..OFFER }).await?;
    let no_room = plan(world, "no-room", Offer { rooms: Some(0), ..OFFER }).await?;
    no_seat.start().await?;
    no_room.start().await?;
    no_seat.expect_nothing_left(&no_seat.end().await?, &[FlightFull::NAME]).await?;
    no_room.expect_nothing_left(&no_room.end().await?, &[HotelFull::NAME]).await?;
    // The other may still have been on its way when the group was undone.
    for (planned, participant, step) in
        [(&no_seat, "hotel", BookHotel::NAME), (&no_room, "airline", BookFlight::NAME)]
    {
        world.log_lines(participant, &planned.id, &[("step", step), ("op", "undo")], 1).await?;
    }
    Ok(())
}

async fn when_all_steps_at_the_same_time_are_rejected_nothing_is_left(world: &World) -> Result<()> {
    let planned = plan(world, "nothing", Offer { seats: 0, rooms: Some(0), ..OFFER }).await?;
    let execution = planned.carry_out().await?;
    planned.expect_nothing_left(&execution, &[FlightFull::NAME, HotelFull::NAME]).await
}

async fn a_rejection_behind_the_steps_at_the_same_time_undoes_them_all(world: &World) -> Result<()> {
    let planned = plan(world, "no-car", Offer { cars: 0, ..OFFER }).await?;
    let execution = planned.carry_out().await?;
    planned.expect_nothing_left(&execution, &[NoCar::NAME]).await?;
    for (participant, step) in [("airline", BookFlight::NAME), ("hotel", BookHotel::NAME)] {
        let undone = world.log_lines(participant, &planned.id, &[("step", step), ("op", "undo")], 1).await?;
        world.expect_outcomes(&undone, "undone", 1);
    }
    // What is delivered again now changes nothing, neither the undo nor the run before it.
    let hotel = planned.crafted::<BookHotel>()?;
    world.system.send_to_participant("hotel", &hotel.undo()?).await?;
    world.system.send_to_participant("hotel", &hotel.run()?).await?;
    world.log_lines("hotel", &planned.id, &[("op", "undo"), ("outcome", "undone_before")], 1).await?;
    world.log_lines("hotel", &planned.id, &[("op", "run"), ("outcome", "too_late")], 1).await?;
    planned.expect_nothing_left(&execution, &[NoCar::NAME]).await
}

/// Its message is delivered as often as a message is; then the pivot is asked, and everything undone.
async fn a_step_at_the_same_time_that_never_answers_undoes_the_others(world: &World) -> Result<()> {
    let planned = plan(world, "no-answer", Offer { rooms: None, ..OFFER }).await?;
    world.expect_dead(&planned.id);
    let execution = planned.carry_out().await?;
    planned.expect_nothing_left(&execution, &[DELIVERIES_EXHAUSTED]).await?;
    let undone = [("step", BookFlight::NAME), ("op", "undo")];
    let undone = world.log_lines("airline", &planned.id, &undone, 1).await?;
    world.expect_outcomes(&undone, "undone", 1);
    Ok(())
}

/// Ten messages of one batch, of which one panics; and ten trips at once that begin with them.
async fn a_handler_that_panics_fails_its_own_trip_and_none_of_nine_beside_it(world: &World) -> Result<()> {
    let haunted = plan(world, HAUNTED, OFFER).await?;
    world.expect_dead(&haunted.id);
    let mut others = Vec::new();
    for n in 0..9 {
        others.push(plan(world, &format!("beside-{n}"), OFFER).await?);
    }
    let all: Vec<&Planned<'_>> = others[..4].iter().chain([&haunted]).chain(&others[4..]).collect();
    let runs = all.iter().map(|planned| planned.crafted::<BookHotel>()?.run()).collect::<Result<Vec<_>>>()?;
    let runs: Vec<_> = runs.iter().map(String::as_str).collect();
    world.system.send_batch_to_participant("hotel", &runs).await?;
    try_join_all(all.iter().map(|planned| planned.start())).await?;

    for planned in &others {
        planned.expect_booked(&planned.end().await?).await?;
    }
    let execution = haunted.end().await?;
    haunted.expect_nothing_left(&execution, &[DELIVERIES_EXHAUSTED]).await?;
    let place = "the handler panicked at tests/trips/src/services.rs:";
    let cause = execution.output.as_ref().and_then(|output| output["reason"]["cause"].as_str());
    ensure!(cause.is_some_and(|cause| cause.starts_with(place)), "{execution:?}");
    let letter =
        world.message(world.system.dead_letter_queue_url("hotel"), &haunted.id, world.soon()).await?;
    let reason =
        letter.message_attributes.as_ref().and_then(|told| told.get(dead_letter::REASON)?.string_value());
    ensure!(reason.is_some_and(|reason| reason.starts_with(place)), "{reason:?}");
    // Its words stay where they are.
    let told = world.system.logs("hotel", &format!("{:?}", haunted.trip.traveller)).await?;
    ensure!(told.is_empty(), "{told:?}");
    Ok(())
}

async fn steps_at_the_same_time_delivered_again_change_nothing(world: &World) -> Result<()> {
    let planned = plan(world, "again", Offer { seats: 9, rooms: Some(9), ..OFFER }).await?;
    let (flight, hotel) = (planned.crafted::<BookFlight>()?.run()?, planned.crafted::<BookHotel>()?.run()?);
    let twice = async || -> Result<()> {
        world.system.send_batch_to_participant("airline", &[&flight, &flight]).await?;
        world.system.send_batch_to_participant("hotel", &[&hotel, &hotel]).await
    };
    // Before the state machine sends its own, and when all is over.
    twice().await?;
    let execution = planned.carry_out().await?;
    planned.expect_booked(&execution).await?;
    twice().await?;
    for (participant, step) in [("airline", BookFlight::NAME), ("hotel", BookHotel::NAME)] {
        let served = [("step", step), ("op", "run"), ("message", "served")];
        let served = world.log_lines(participant, &planned.id, &served, 5).await?;
        world.expect_outcomes(&served, "done", 1);
    }
    planned.expect_booked(&execution).await
}

async fn a_ticket_that_cannot_be_issued_for_a_while_is_issued_in_the_end(world: &World) -> Result<()> {
    let planned = plan(world, "no-ticket", Offer { tickets: 0, ..OFFER }).await?;
    // On a busy machine the deliveries are over before there is one: then the state machine sends again.
    world.expect_dead(&planned.id);
    planned.start().await?;
    let waits = [("step", IssueTicket::NAME), ("outcome", "retry")];
    world.log_lines("airline", &planned.id, &waits, 2).await?;
    let flight = planned.trip.flight.as_str();
    ensure!(world.system.trips().await?.contains(&planned.id), "the pivot is behind it");
    world.trips().flight(flight, 1, 1);
    world.system.put_blank_ticket(flight).await?;
    planned.expect_booked(&planned.end().await?).await
}

async fn points_that_cannot_be_credited_are_skipped_and_that_shows_in_the_outcome(
    world: &World,
) -> Result<()> {
    let planned = plan(world, "no-account", Offer { has_account: false, ..OFFER }).await?;
    world.expect_dead(&planned.id);
    world.trips().leave_points(&planned.id);
    planned.start().await?;
    let what = format!("{} is parked", planned.id);
    let parked = eventually(&what, world.patiently(PARKING_LIMIT), || async {
        Ok(world.system.parked(&planned.id).await?.pop().ok_or_else(|| "not yet".to_owned()))
    })
    .await?;
    assert_eq!((parked.what.as_str(), parked.step.as_str()), (AwardPoints::NAME, AwardPoints::NAME));
    assert_eq!((parked.attempts, parked.can_skip), (7, true), "{parked:?}");
    let answer = Answer {
        id: planned.id.clone(),
        action: Action::Skip,
        what: None,
        steps: Vec::new(),
        reason: "the traveller wants no account".to_owned(),
        by: None,
    };
    world.system.operations().await?.answer(&answer).await?;

    let execution = planned.end().await?;
    assert_eq!(execution.outcome(), Some("committed"), "{execution:?}");
    let skipped = &execution.output.as_ref().context("it ended")?["skipped"];
    let step = &skipped[AwardPoints::NAME];
    assert_eq!(skipped.as_object().map(serde_json::Map::len), Some(1), "{skipped}");
    assert_eq!((&step["error"], &step["was"]), (&json!(DELIVERIES_EXHAUSTED), &json!("absent")), "{skipped}");
    assert_eq!(planned.taken().await?, ([Some(1); 4], None));
    // An account that is opened later gets nothing for it, though the message still lies in the dead-letter queue.
    world.system.open_account(&planned.trip.traveller).await?;
    let url = world.system.dead_letter_queue_url("agency");
    let letter = world.message(url, &planned.id, world.soon()).await?;
    world.system.send_to_participant("agency", letter.body.as_deref().context("it has a body")?).await?;
    world.log_lines("agency", &planned.id, &[("op", "run"), ("outcome", "abandoned_before")], 1).await?;
    assert_eq!(planned.taken().await?, ([Some(1); 4], Some(0)));
    Ok(())
}

/// The flight is booked and the hotel is not there yet when somebody stops the execution.
async fn a_trip_stopped_amid_its_steps_at_the_same_time_is_undone(world: &World) -> Result<()> {
    let planned = plan(world, "stopped", Offer { rooms: None, ..OFFER }).await?;
    world.expect_dead(&planned.id);
    planned.start().await?;
    world.system.pool_has_taken(&seats_of(&planned.trip.flight), 1, world.soon()).await?;
    let arn = world.system.stop_execution(TRIP_SAGA, &planned.id).await?;
    let stopped = planned.end().await?;
    assert_eq!(stopped.status, ExecutionStatus::Aborted, "{stopped:?}");
    // Had the run of the hotel not come to anything before, it would now.
    planned.put_hotel(1).await?;

    let name = Settling::execution_name(&SagaId::try_from(planned.id.clone())?, &arn);
    let settling = world.system.end_of(TRIP_SAGA, &name, world.all_deliveries()).await?;
    planned.expect_nothing_left(&settling, &[RESCUED]).await
}

/// What the steps at the same time have recorded is recalled, and nothing is done again.
async fn a_trip_that_died_after_its_pivot_is_finished(world: &World) -> Result<()> {
    let planned = plan(world, "died-late", Offer { seats: 2, tickets: 2, rooms: Some(2), cars: 2, ..OFFER });
    let planned = planned.await?;
    let execution = planned.carry_out().await?;
    planned.expect_booked(&execution).await?;
    // As if it had died between its pivot and its end: the rescue function gives this input.
    let input: StartInput = serde_json::from_value(execution.input)?;
    let name = format!("{}-settle", planned.id);
    world.system.start_execution(TRIP_SAGA, &name, &input.settled(&planned.id, "FAILED", 0)).await?;
    let settling = world.system.end_of(TRIP_SAGA, &name, world.soon()).await?;
    planned.expect_booked(&settling).await
}
