//! What must hold of trips, and that it does.

use crate::{
    booking::{
        Bookings, Cancel, Cars, Ledger, Mails, Rooms, Seats, Trip, cancel_saga, group_first_saga, quiet_saga,
        trip_saga,
    },
    handlers::{Forgetful, handlers},
};
use saga::{Entity, Saga};
use saga_check::{Check, CheckError, Covered, Handlers, Invariant, Outcome, Verdict, World, check};
use std::sync::{Arc, atomic::AtomicBool};

fn trips(trips: u32) -> Check {
    trips_of(&trip_saga(), handlers(), trips)
}

fn trips_of(saga: &Saga<Trip>, handlers: Handlers, trips: u32) -> Check {
    furnished(check(saga, handlers), trips)
}

/// Some trips, and one of everything that they need.
pub(crate) fn furnished(mut check: Check, trips: u32) -> Check {
    for number in 1..=trips {
        let id = format!("t-{number}");
        check = check.start(&id, &Trip { id: id.clone(), price: 120 });
    }
    check
        .put(Seats::row("12A").with(Seats::CLASS, "eco"))
        .put(Rooms::row("ritz").with(Rooms::FREE, 1_u32).with(Rooms::BOOKED, 0_u32).with(Rooms::BALANCE, 0))
        .put(Cars::row("small").with(Cars::FREE, 1_u32).with(Cars::RENTED, 0_u32))
        .with(Invariant::always("a room is free or booked", |world| {
            let row = world.row::<Rooms>("ritz").ok_or("the hotel is gone")?;
            let rooms = Rooms::FREE.read(row).zip(Rooms::BOOKED.read(row));
            if rooms.is_some_and(|(free, booked)| free + booked == 1) {
                Ok(())
            } else {
                Err(format!("{row:?}"))
            }
        }))
        .with(Invariant::at_end("a trip has all of it or nothing", all_or_nothing))
}

fn all_or_nothing(world: &World<'_>) -> Result<(), String> {
    let trips = || world.sagas().iter().filter(|saga| saga.saga == "trip");
    if trips().any(|saga| saga.skipped || saga.outcome == Outcome::Parked) {
        return Ok(());
    }
    let committed = trips().filter(|saga| matches!(saga.outcome, Outcome::Committed(_))).count();
    let cars = world.row::<Cars>("small").and_then(|row| Cars::RENTED.read(row)).unwrap_or_default();
    let charges =
        world.peer().as_object().map_or(0, |keys| keys.values().filter(|stands| **stands == true).count());
    let found = [
        ("seats", 1 - world.rows::<Seats>().count()),
        ("cars", cars as usize),
        ("charges", charges),
        ("ledger entries", world.rows::<Ledger>().count()),
        ("bookings", world.rows::<Bookings>().count()),
        ("mails", world.rows::<Mails>().count()),
    ];
    match found.into_iter().find(|(_, count)| *count != committed) {
        None => Ok(()),
        Some((what, count)) => Err(format!("{count} {what} for {committed} committed trips")),
    }
}

#[test]
fn a_trip_with_two_faults() {
    trips(1).faults(2).run().unwrap().assert_holds();
}

#[test]
fn an_id_that_is_used_again_for_a_trip() {
    let again = Trip { id: "t-1".into(), price: 130 };
    trips(1).again("t-1", &again).faults(1).run().unwrap().assert_holds();
    trips_of(&group_first_saga(), handlers(), 1).again("t-1", &again).faults(2).run().unwrap().assert_holds();
}

#[test]
fn a_trip_with_a_step_that_can_be_skipped() {
    let report = trips_of(&quiet_saga(), handlers(), 1).faults(1).run().unwrap();
    report.assert_holds();
    let skipped = |covered: &&Covered| covered.what == "park send-itinerary";
    let covered = report.coverage.iter().find(skipped).unwrap();
    assert!(covered.faults.contains_key("operator skips"), "{report}");
}

#[test]
fn a_handler_that_asks_something_else_when_it_is_run_again_is_told_by_its_name() {
    let handlers = handlers().service(Forgetful::new());
    let report = trips_of(&trip_saga(), handlers, 1).faults(0).threads(1).run().unwrap();
    insta::assert_snapshot!(report.counterexample().unwrap().broken);
}

#[test]
fn two_trips_for_one_seat() {
    trips(2).faults(0).run().unwrap().assert_holds();
}

#[test]
fn a_trip_that_may_be_cancelled() {
    let report = trips(1)
        .also(cancel_saga().definition())
        .start_of("cancel-trip", "t-1", &Cancel { id: "t-1".into() })
        .faults(1)
        .run()
        .unwrap();
    report.assert_holds();
}

#[test]
fn an_invariant_that_does_not_hold_is_told_with_the_shortest_history() {
    let never = Invariant::always("no car is ever rented", |world| {
        let row = world.row::<Cars>("small").ok_or("the garage is gone")?;
        if Cars::RENTED.read(row) == Some(0) { Ok(()) } else { Err("one is".into()) }
    });
    let report = trips(1).with(never).faults(0).threads(1).run().unwrap();
    let timeline = report.counterexample().unwrap();
    insta::assert_snapshot!(timeline);
    insta::assert_snapshot!("as_a_sequence_diagram", timeline.mermaid());
}

#[test]
fn a_search_can_be_stopped() {
    let stopped = Arc::new(AtomicBool::new(true));
    assert_eq!(trips(1).stop_when(stopped).run().unwrap().verdict, Verdict::Stopped);
    assert_eq!(trips(2).faults(3).at_most(2_000).run().unwrap().verdict, Verdict::Stopped);
}

#[test]
fn what_is_not_set_up_right_is_told() {
    let told = |check: Check| check.run().map(|_| ()).unwrap_err().to_string();
    insta::assert_snapshot!(told(check(&trip_saga(), Handlers::new())), @"the saga `trip` sends to `${QueueUrlAgency}`, which is the queue of nobody: add the function with `Handlers::service`");
    insta::assert_snapshot!(told(check(&trip_saga(), handlers())), @"0 sagas are started: start 1 to 7");
    insta::assert_snapshot!(told(trips(1).start_of("tour", "t-1", &1)), @r#"there is no saga `tour` in this check: it has ["trip"]"#);
    assert_eq!(trips(8).run().map(|_| ()), Err(CheckError::Sagas { given: 8 }));
}
