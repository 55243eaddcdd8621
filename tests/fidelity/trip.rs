//! A saga with what orders have none of: steps at the same time, a step after the pivot that is needed and one that is not,
//! values that are recalled.

use saga::{Definition, Kind, NoticeSpec, Stage, StepSpec, asl, budget::Timing, schema::SagaSchemas};
use std::time::Duration;

pub(crate) const PARTICIPANTS: &[&str] = &["Hotel", "Airline", "Agency"];

/// The steps of the group.
pub(crate) const AT_ONCE: &[&str] = &["book-hotel", "book-flight"];

/// The machine as it is emitted.
pub(crate) fn emitted() -> String {
    let machine = asl::compile(&definition(), Timing::scaled(60)).expect("the saga compiles");
    serde_json::to_string(&machine).expect("a machine is JSON")
}

fn definition() -> Definition {
    Definition {
        name: "trip",
        input: "trip",
        input_max_bytes: 1_000,
        stages: vec![
            Stage::Step(step("open-booking", "agency", Kind::Compensable, &["trip"], "booking", &[])),
            Stage::Parallel(vec![
                step("book-hotel", "hotel", Kind::Compensable, &["booking"], "room", &["NoRoom"]),
                step("book-flight", "airline", Kind::Compensable, &["booking"], "seat", &["SeatTaken"]),
            ]),
        ],
        pivot: step("issue-tickets", "airline", Kind::Pivot, &["room", "seat"], "tickets", &["FareExpired"]),
        finish: vec![
            step("collect-miles", "airline", Kind::Retriable, &["tickets", "room"], "miles", &[]),
            step(
                "send-itinerary",
                "agency",
                Kind::Retriable,
                &["tickets", "seat", "miles"],
                "itinerary",
                &[],
            ),
        ],
        on_commit: vec![NoticeSpec { name: "TripBooked", inputs: &["trip", "room"], input_max_bytes: 2_000 }],
        on_compensate: vec![NoticeSpec { name: "TripNotBooked", inputs: &["trip"], input_max_bytes: 1_000 }],
        deadline: Duration::from_hours(24),
        schemas: SagaSchemas::default(),
        written: SagaSchemas::default(),
    }
}

fn step(
    name: &'static str,
    participant: &'static str,
    kind: Kind,
    inputs: &'static [&'static str],
    output: &'static str,
    rejections: &'static [&'static str],
) -> StepSpec {
    StepSpec {
        name,
        participant,
        kind,
        inputs,
        input_max_bytes: 2_000,
        output,
        output_max_bytes: 500,
        rejections,
        timeout: Duration::from_mins(15),
        max_writes: 2,
    }
}
