//! The in-memory runner: every way a saga can end.

use crate::trip::{CardNetwork, Ledger, Memory, Seats, World, put, trip, trip_id, trip_saga};
use futures::executor::block_on;
use saga::{Entity, Failure, FailureKind, MemoryStore, Op, Outcome, RunError, Runner};
use serde_json::{Value as Json, json};
use std::{collections::BTreeMap, sync::Arc};

/// What is left when a trip has ended: the outcome, every item, and the charges that stand.
struct Ended {
    outcome: Outcome,
    rows: Vec<BTreeMap<saga::RowKey, saga::Row>>,
    charges: usize,
}

fn run(world: World, failures: &[Failure]) -> Ended {
    let stores: [Arc<MemoryStore>; 4] =
        [world.hotel.1.clone(), world.airline.1.clone(), world.bank.1.clone(), world.agency.1.clone()];
    let network = world.network.clone();
    let runner = failures.iter().fold(world.runner(), |runner, failure| runner.failing(*failure));
    let outcome = block_on(runner.run(&trip_id(), &trip())).unwrap();
    Ended { outcome, rows: stores.iter().map(|store| store.rows()).collect(), charges: network.standing() }
}

fn published(outcome: &Outcome) -> Vec<&str> {
    match outcome {
        Outcome::Committed { notices, .. } | Outcome::Compensated { notices, .. } => {
            notices.iter().map(|notice| notice.notice.as_str()).collect()
        }
        Outcome::Parked { .. } => Vec::new(),
    }
}

/// A compensated trip leaves the world as it was.
fn assert_clean(ended: &Ended, before: &[BTreeMap<saga::RowKey, saga::Row>], why: (&str, &str)) {
    let Outcome::Compensated { reason, .. } = &ended.outcome else { panic!("{:?}", ended.outcome) };
    assert_eq!((reason.step.as_str(), reason.error.as_str()), why);
    assert_eq!(ended.rows, before);
    assert_eq!(ended.charges, 0);
    assert_eq!(published(&ended.outcome), ["TripCancelled"]);
}

fn assert_committed(ended: &Ended) {
    let Outcome::Committed { values, .. } = &ended.outcome else { panic!("{:?}", ended.outcome) };
    let expected = json!({
        "trip": { "traveller": "Ada", "price": 120 },
        "room": { "nights": 2 },
        "seat": { "number": "12A" },
        "payment": { "amount": 120 },
        "tickets": { "count": 1 },
        "itinerary": { "sent": true },
    });
    assert_eq!(Json::Object(values.clone()), expected);
    let left: Vec<String> = ended
        .rows
        .iter()
        .flat_map(|rows| rows.iter().map(|(key, row)| format!("{}: {row:?}", key.entity)))
        .collect();
    insta::assert_snapshot!("a_committed_trip_leaves", left.join("\n"));
    assert_eq!(ended.charges, 1);
    assert_eq!(published(&ended.outcome), ["TripBooked"]);
}

#[test]
fn a_trip_commits() {
    assert_committed(&run(World::with_a_patient_network(), &[]));
}

#[test]
fn each_rejection_compensates_what_was_done_before_it() {
    let full = World::with_a_patient_network();
    full.set_rooms(0, 1);
    let sold = World::with_a_patient_network();
    let key = Seats::key("12A".to_owned());
    sold.airline.1.apply_now(&crate::protocol::forget(&key)).unwrap();
    let declined = World::new(CardNetwork::new(Memory::Replays, 1));
    let paid = World::with_a_patient_network();
    put(&paid.bank.1, Ledger::row(trip_id().to_string()).with(Ledger::AMOUNT, 5));
    let expired = World::with_a_patient_network();
    expired.set_fare("expired");
    for (world, why) in [
        (full, ("book-hotel", "NoRoom")),
        (sold, ("book-flight", "SeatTaken")),
        (declined, ("charge-card", "CardDeclined")),
        (paid, ("charge-card", "AlreadyPaid")),
        (expired, ("issue-tickets", "FareExpired")),
    ] {
        let before = world.rows();
        assert_clean(&run(world, &[]), &before, why);
    }
}

const RUNS: [&str; 5] = ["book-hotel", "book-flight", "charge-card", "issue-tickets", "send-itinerary"];

fn fail(step: &'static str, op: Op, kind: FailureKind) -> Failure {
    Failure { step, op, kind }
}

#[test]
fn a_step_that_is_lost_or_unanswered_is_undone() {
    for step in ["book-hotel", "book-flight", "charge-card"] {
        for kind in [FailureKind::Lost, FailureKind::ReplyLost, FailureKind::Late] {
            let world = World::with_a_patient_network();
            let before = world.rows();
            let ended = run(world, &[fail(step, Op::Run, kind)]);
            assert_clean(&ended, &before, (step, "States.Timeout"));
        }
    }
}

#[test]
fn a_step_that_is_unanswered_in_a_saga_that_has_committed_before_undoes_nothing() {
    for step in ["book-hotel", "book-flight", "charge-card"] {
        let world = World::with_a_patient_network();
        let saga = |failures: &[Failure]| {
            let runner = world.clone().runner();
            let runner = failures.iter().fold(runner, |runner, failure| runner.failing(*failure));
            block_on(runner.run(&trip_id(), &trip())).unwrap()
        };
        saga(&[]);
        let rows = world.rows();
        let again = saga(&[fail(step, Op::Run, FailureKind::ReplyLost)]);
        // What is needed after the pivot is recalled.
        let Outcome::Committed { values, .. } = &again else { panic!("{step}: {again:?}") };
        assert_eq!(
            (&values["room"], &values["itinerary"]),
            (&json!({ "nights": 2 }), &json!({ "sent": true }))
        );
        assert_eq!((world.rows(), world.network.standing()), (rows, 1), "{step}");
    }
}

#[test]
fn a_pivot_that_comes_after_it_was_settled_has_no_effect() {
    let world = World::with_a_patient_network();
    let before = world.rows();
    let late = run(world, &[fail("issue-tickets", Op::Run, FailureKind::Late)]);
    assert_clean(&late, &before, ("issue-tickets", "States.Timeout"));
}

#[test]
fn a_pivot_that_is_lost_turns_back_and_one_that_is_unanswered_goes_on() {
    let world = World::with_a_patient_network();
    let before = world.rows();
    let lost = run(world, &[fail("issue-tickets", Op::Run, FailureKind::Lost)]);
    assert_clean(&lost, &before, ("issue-tickets", "States.Timeout"));
    let unanswered = fail("issue-tickets", Op::Run, FailureKind::ReplyLost);
    assert_committed(&run(World::with_a_patient_network(), &[unanswered]));
}

#[test]
fn a_pivot_that_was_rejected_without_an_answer_turns_back_with_its_rejection() {
    let world = World::with_a_patient_network();
    world.set_fare("expired");
    let before = world.rows();
    let ended = run(world, &[fail("issue-tickets", Op::Run, FailureKind::ReplyLost)]);
    assert_clean(&ended, &before, ("issue-tickets", "FareExpired"));
}

#[test]
fn a_retriable_step_that_cannot_be_done_parks() {
    for kind in [FailureKind::Lost, FailureKind::ReplyLost] {
        let ended = run(World::with_a_patient_network(), &[fail("send-itinerary", Op::Run, kind)]);
        assert_eq!(ended.outcome, Outcome::Parked { unresolved: vec!["run send-itinerary".into()] });
        assert_eq!(ended.charges, 1, "nothing is undone after the pivot");
    }
}

#[test]
fn a_pivot_that_cannot_be_settled_parks() {
    for kind in [FailureKind::Lost, FailureKind::ReplyLost] {
        let lost = fail("issue-tickets", Op::Run, FailureKind::Lost);
        let unsettled = fail("issue-tickets", Op::Settle, kind);
        let ended = run(World::with_a_patient_network(), &[lost, unsettled]);
        assert_eq!(ended.outcome, Outcome::Parked { unresolved: vec!["settle issue-tickets".into()] });
        assert_eq!(ended.charges, 1, "nothing is undone before the direction is known");
    }
}

#[test]
fn an_undo_that_cannot_be_done_parks_and_the_others_are_done() {
    for (step, kept_rows, charges) in [("book-hotel", 0, 0), ("book-flight", 1, 0), ("charge-card", 2, 1)] {
        let world = World::with_a_patient_network();
        world.set_fare("expired");
        let before = world.rows();
        let ended = run(world, &[fail(step, Op::Undo, FailureKind::Lost)]);
        assert_eq!(ended.outcome, Outcome::Parked { unresolved: vec![format!("undo {step}")] });
        for (place, rows) in ended.rows.iter().enumerate() {
            assert_eq!(*rows == before[place], place != kept_rows, "store {place} when undo {step} is lost");
        }
        assert_eq!(ended.charges, charges);
    }
}

#[test]
fn twice_is_like_once() {
    for step in RUNS {
        assert_committed(&run(
            World::with_a_patient_network(),
            &[fail(step, Op::Run, FailureKind::Duplicated)],
        ));
    }
    for step in ["book-hotel", "book-flight", "charge-card"] {
        let world = World::with_a_patient_network();
        world.set_fare("expired");
        let before = world.rows();
        let ended = run(world, &[fail(step, Op::Undo, FailureKind::Duplicated)]);
        assert_clean(&ended, &before, ("issue-tickets", "FareExpired"));
    }
}

#[test]
fn every_pair_of_failures_ends_committed_clean_or_parked() {
    let kinds = [FailureKind::Lost, FailureKind::ReplyLost, FailureKind::Duplicated, FailureKind::Late];
    let operations = RUNS.into_iter().flat_map(|step| [Op::Run, Op::Undo, Op::Settle].map(|op| (step, op)));
    let all: Vec<Failure> =
        operations.flat_map(|(step, op)| kinds.map(|kind| fail(step, op, kind))).collect();
    for one in &all {
        for two in &all {
            let world = World::with_a_patient_network();
            let before = world.rows();
            let ended = run(world, &[*one, *two]);
            match &ended.outcome {
                Outcome::Committed { .. } => assert_committed(&ended),
                Outcome::Compensated { reason, .. } => {
                    let (step, error) = (reason.step.clone(), reason.error.clone());
                    assert_clean(&ended, &before, (&step, &error));
                }
                Outcome::Parked { unresolved } => {
                    // Only what was made to fail for good can be left.
                    for what in unresolved {
                        let stuck = |failure: &Failure| {
                            let name = format!("{} {}", failure.op.as_str(), failure.step);
                            name == *what && failure.kind != FailureKind::Duplicated
                        };
                        assert!(stuck(one) || stuck(two), "{what} is parked by {one:?} and {two:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn a_missing_service_is_named() {
    let runner = Runner::new(&trip_saga());
    let error = block_on(runner.run(&trip_id(), &trip())).unwrap_err();
    assert_eq!(error, RunError::NoService { step: "book-hotel", participant: "hotel" });
    insta::assert_snapshot!(error, @"step `book-hotel` needs the service of `hotel`: add it with `Runner::service`");
}
