//! Travellers: beside the orders they book trips, more than there is room for, and some of them have no account. Some want
//! a room where booking one panics: poison in the batches of the others.

use crate::{executions::running, faults::millis, plan::Plan, traffic::due, world::World};
use anyhow::Result;
use fastrand::Rng;
use std::{collections::BTreeSet, time::Instant};
use system::TripBooks;
use trips::{
    booking::{TRIP_SAGA, Trip},
    services::HAUNTED,
};

/// For so many orders one trip is booked; and a few in any case.
const ORDERS_PER_TRIP: usize = 4;
const TRIPS_LEAST: usize = 24;
/// How many are in flight at most.
const IN_FLIGHT: usize = 60;
/// How many are booked at a time, at most.
const BATCH: usize = 12;
/// Few enough that trips meet, and that some run out.
const PLACES: usize = 5;
const TRAVELLERS: usize = 8;
/// Out of 100 travellers, how many have no account: their points cannot be credited.
const NO_ACCOUNT_PERCENT: u32 = 8;
/// And how many want a room where there can be none.
const POISON_PERCENT: u32 = 6;

/// What travellers did.
#[derive(Debug, Default)]
pub(crate) struct Booked {
    pub(crate) books: TripBooks,
    /// The ids of all trips.
    pub(crate) trips: BTreeSet<String>,
    /// Those whose hotel panics.
    pub(crate) haunted: BTreeSet<String>,
}

/// Somebody who books trips.
pub(crate) struct Travel<'w> {
    world: &'w World,
    rng: Rng,
    /// How many trips are to be booked.
    wanted: usize,
    pub(crate) booked: Booked,
}

impl<'w> Travel<'w> {
    /// Opens flights, hotels, depots and accounts: room for a part of what will be wanted.
    pub(crate) async fn begin(world: &'w World, plan: &Plan, mut rng: Rng) -> Result<Self> {
        let wanted = (plan.sagas / ORDERS_PER_TRIP).max(TRIPS_LEAST);
        let each = u32::try_from(wanted / PLACES)?;
        let mut booked = Booked::default();
        let run = &world.run;
        for n in 0..PLACES {
            let mut room = || each / 2 + rng.u32(0..=each);
            let (flight, seats) = (format!("{run}-flight{n}"), room());
            world.trips.put_flight(&flight, seats, seats).await?;
            booked.books.flight(&flight, seats, seats);
            let (hotel, rooms) = (format!("{run}-hotel{n}"), room());
            world.trips.put_hotel(&hotel, rooms).await?;
            booked.books.hotel(&hotel, rooms);
            let (depot, cars) = (format!("{run}-depot{n}"), room());
            world.trips.put_depot(&depot, cars).await?;
            booked.books.depot(&depot, cars);
        }
        let hotel = haunted(run);
        world.trips.put_hotel(&hotel, each).await?;
        booked.books.hotel(&hotel, each);
        for n in 0..TRAVELLERS {
            world.trips.open_account(&format!("{run}-traveller{n}")).await?;
        }
        Ok(Self { world, rng, wanted, booked })
    }

    /// Books trips for as long as it storms, or until all are booked.
    pub(crate) async fn flow(&mut self) -> Result<()> {
        let begun = Instant::now();
        while self.booked.trips.len() < self.wanted
            && self.world.weather.still_rages_after(millis(&mut self.rng, 200..600)).await
        {
            let room = IN_FLIGHT.saturating_sub(running(self.world, TRIP_SAGA).await?.len());
            let due = due(self.wanted, begun.elapsed()).saturating_sub(self.booked.trips.len());
            for _ in 0..room.min(due).min(BATCH) {
                self.book().await?;
            }
        }
        Ok(())
    }

    async fn book(&mut self) -> Result<()> {
        let run = &self.world.run;
        let id = format!("{run}-trip{}", self.booked.trips.len());
        let mut any = |what: &str, of: usize| format!("{run}-{what}{}", self.rng.usize(0..of));
        let (flight, hotel, depot) = (any("flight", PLACES), any("hotel", PLACES), any("depot", PLACES));
        let known = any("traveller", TRAVELLERS);
        let is_unknown = self.rng.u32(0..100) < NO_ACCOUNT_PERCENT;
        let traveller = if is_unknown { format!("{id}-nobody") } else { known };
        let hotel = if self.rng.u32(0..100) < POISON_PERCENT {
            self.world.weather.count("trip whose hotel panics");
            self.booked.haunted.insert(id.clone());
            haunted(run)
        } else {
            hotel
        };
        let trip = Trip { traveller, flight, hotel, depot };
        self.booked.books.trip(&id, &trip);
        self.world.trips.start_trip(&id, &trip).await?;
        self.booked.trips.insert(id);
        Ok(())
    }
}

/// The hotel of a run that panics.
fn haunted(run: &str) -> String {
    format!("{run}-{HAUNTED}")
}
