//! The in-memory runner: how many sagas a second, on one core.
//!
//! `cargo bench -p saga --bench runner` runs the trip saga of the tests, which has a parallel group, an outside effect, a
//! pivot and a retriable step, to its commit and to its compensation. Every run has a saga id of its own, so the fences
//! of the runs before are there; putting the room, the seat and the fare back is measured with it. With `-- --json` it prints
//! a line of JSON for each, which `make bench` reads.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a benchmark panics where it is wrong")]

#[allow(dead_code, reason = "the tests use more of it")]
#[path = "../tests/behaviour/trip.rs"]
mod trip;

/// The peer of the tests pauses, so that messages can overtake each other. Here nothing waits.
mod delivery {
    pub(crate) fn pause() -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }
}

use futures::executor::block_on;
use saga::{Entity, MemoryStore, Outcome, Runner, SagaId};
use serde_json::json;
use std::{
    io::Write,
    sync::Arc,
    time::{Duration, Instant},
};
use trip::{CardNetwork, Fares, Memory, Rooms, Seats, Trip, World, put};

const WARM_UP: Duration = Duration::from_millis(500);
const MEASURED: Duration = Duration::from_secs(3);

fn main() {
    let mut out = std::io::stdout();
    let json = std::env::args().any(|argument| argument == "--json");
    if !json {
        writeln!(out, "| in-memory runner, one core | sagas/s | a saga takes |\n| --- | ---: | ---: |")
            .unwrap();
    }
    for (name, fare) in [("committing", "open"), ("compensating from the pivot", "expired")] {
        let mut trips = Trips::new(fare);
        trips.run_for(WARM_UP);
        let (sagas, took) = trips.run_for(MEASURED);
        let per_second = f64::from(sagas) / took.as_secs_f64();
        let micros = 1e6 / per_second;
        if json {
            writeln!(out, "{}", json!({ "what": name, "sagas_per_second": per_second })).unwrap();
        } else {
            writeln!(out, "| {name} | {per_second:.0} | {micros:.1} µs |").unwrap();
        }
    }
}

/// Trips that all end in the same way.
struct Trips {
    runner: Runner<Trip>,
    hotel: Arc<MemoryStore>,
    airline: Arc<MemoryStore>,
    fare: &'static str,
    sagas: u32,
}

impl Trips {
    fn new(fare: &'static str) -> Self {
        let world = World::new(CardNetwork::new(Memory::Replays, 0));
        let (hotel, airline) = (world.hotel.1.clone(), world.airline.1.clone());
        Self { runner: world.runner(), hotel, airline, fare, sagas: 0 }
    }

    /// How many sagas ended, in which time.
    fn run_for(&mut self, limit: Duration) -> (u32, Duration) {
        let (before, begun) = (self.sagas, Instant::now());
        while begun.elapsed() < limit {
            self.run();
        }
        (self.sagas - before, begun.elapsed())
    }

    fn run(&mut self) {
        self.sagas += 1;
        put(&self.hotel, Rooms::row("ritz").with(Rooms::FREE, 1_u32).with(Rooms::BOOKED, 0_u32));
        put(&self.airline, Seats::row("12A").with(Seats::CLASS, "eco").with(Seats::PRICE, 90_i64));
        put(&self.airline, Fares::row("fl-1").with(Fares::STATUS, self.fare));
        let id = SagaId::try_from(format!("trip-{}", self.sagas)).unwrap();
        let outcome = block_on(self.runner.run(&id, &trip::trip())).unwrap();
        let expected = match outcome {
            Outcome::Committed { .. } => self.fare == "open",
            Outcome::Compensated { .. } => self.fare == "expired",
            Outcome::Parked { .. } => false,
        };
        assert!(expected, "{} ended otherwise: {outcome:?}", id.as_str());
    }
}
