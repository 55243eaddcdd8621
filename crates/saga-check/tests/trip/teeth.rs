//! Mistakes in what orders have none of: steps at the same time, steps after the pivot, values that are recalled.

use crate::{
    booking::{Agency, Trip, quiet_saga, trip_saga},
    checks::furnished,
    handlers::{Served, handlers},
};
use saga::{
    Refused, Row, RowKey, Saga, StepKey, Store, Transaction, Unavailable, asl,
    budget::Timing,
    fence::{Fence, FenceState, Recorded},
};
use saga_check::{Handlers, Io, check_machine};
use serde_json::{Value as Json, json};

/// Finds the shortest history, with as few faults as are enough.
fn found(handlers: &Handlers, machine: &str) -> String {
    found_in_trips(1, handlers, machine)
}

fn found_in_trips(trips: u32, handlers: &Handlers, machine: &str) -> String {
    for faults in 0..=2 {
        let check = furnished(check_machine("trip", machine, handlers.clone()), trips);
        let report = check.faults(faults).threads(1).run().expect("the check is set up right");
        if let Some(timeline) = report.counterexample() {
            return format!("{faults} fault(s)\n{timeline}");
        }
    }
    panic!("not found with up to 2 faults");
}

fn with(saga: &Saga<Trip>, mistake: impl FnOnce(&mut Json)) -> String {
    let machine = asl::compile(saga.definition(), Timing::scaled(1)).expect("it compiles");
    let mut machine = serde_json::to_value(&machine).expect("a machine is JSON");
    mistake(&mut machine["States"]);
    machine.to_string()
}

#[test]
fn parallel_steps_of_which_one_is_not_undone() {
    let machine = with(&trip_saga(), |states| {
        states["book-flight + book-hotel"]["Catch"][0]["Next"] = json!("undo book-flight");
    });
    insta::assert_snapshot!(found_in_trips(2, &handlers(), &machine));
}

#[test]
fn recall_that_is_left_out() {
    let machine = with(&trip_saga(), |states| {
        states["rescued?"]["Choices"][0]["Next"] = json!("send-itinerary");
    });
    insta::assert_snapshot!(found(&handlers(), &machine));
}

#[test]
fn recall_that_undoes() {
    let machine = with(&trip_saga(), |states| {
        let recall = &mut states["recall rent-car"];
        recall["Arguments"]["MessageBody"]["op"] = json!("undo");
        recall["Assign"] = json!({ "car": { "class": "small" } });
    });
    insta::assert_snapshot!(found(&handlers(), &machine));
}

#[test]
fn step_after_the_pivot_that_is_dropped_when_it_fails() {
    let machine = with(&quiet_saga(), |states| {
        let catchers = states["send-itinerary"]["Catch"].as_array_mut().expect("a list");
        for catcher in catchers {
            catcher["Next"] = json!("committed");
        }
    });
    insta::assert_snapshot!(found(&handlers(), &machine));
}

#[test]
fn skip_of_a_step_after_the_pivot_that_does_not_abandon() {
    let machine = with(&quiet_saga(), |states| {
        let skip = &mut states["resume send-itinerary"]["Choices"][0];
        skip["Assign"] = json!({ "skipped": "{% $unresolved %}" });
        skip["Next"] = json!("committed");
    });
    insta::assert_snapshot!(found(&handlers(), &machine));
}

#[test]
fn skip_of_a_step_after_the_pivot_that_is_not_shown() {
    let machine = with(&quiet_saga(), |states| {
        states["committed"]["Output"]["skipped"] = json!({});
    });
    insta::assert_snapshot!(found(&handlers(), &machine));
}

#[test]
fn run_that_does_not_heed_that_its_step_is_abandoned() {
    let handlers = handlers().service_on(|_| Served(Agency), |io, _| Heedless(io));
    insta::assert_snapshot!(found(&handlers, &with(&quiet_saga(), |_| ())));
}

/// A store that writes over what is abandoned.
struct Heedless(Io);

impl Store for Heedless {
    async fn read_fence(&self, key: &StepKey) -> Result<Option<Recorded>, Unavailable> {
        self.0.read_fence(key).await
    }

    async fn read_row(&self, key: &RowKey) -> Result<Option<Row>, Unavailable> {
        self.0.read_row(key).await
    }

    async fn apply(&self, transaction: &Transaction) -> Result<(), Refused> {
        match self.0.apply(transaction).await {
            Err(Refused::Fence(Some(Recorded { fence: Fence::Abandoned { .. }, .. })))
                if matches!(transaction.next, Fence::Done { .. }) =>
            {
                let expected = Some(FenceState::Abandoned);
                self.0.apply(&Transaction { turn: 0, expected, ..transaction.clone() }).await
            }
            applied => applied,
        }
    }
}
