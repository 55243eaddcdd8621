//! Trips as tests plan them, and how they can end.

use crate::{crafted::Crafted, world::World};
use anyhow::{Result, ensure};
use saga::Step;
use serde_json::json;
use system::{Execution, Pool, cars_of, rooms_of, seats_of, tickets_of};
use trips::{
    booking::{TRIP_SAGA, Trip},
    services::POINTS_OF_A_TRIP,
};

/// What there is for one trip.
pub(crate) struct Offer {
    pub(crate) seats: u32,
    pub(crate) tickets: u32,
    /// None: the hotel is not there yet.
    pub(crate) rooms: Option<u32>,
    pub(crate) cars: u32,
    pub(crate) has_account: bool,
}

/// One of everything.
pub(crate) const OFFER: Offer = Offer { seats: 1, tickets: 1, rooms: Some(1), cars: 1, has_account: true };

/// A trip that can be started.
pub(crate) struct Planned<'w> {
    world: &'w World,
    pub(crate) id: String,
    pub(crate) trip: Trip,
}

/// Loads what there is for a trip of this name.
pub(crate) async fn plan<'w>(world: &'w World, name: &str, offer: Offer) -> Result<Planned<'w>> {
    let id = world.id(name);
    let named = |what: &str| format!("{what}-{id}");
    let trip = Trip {
        traveller: named("traveller"),
        flight: named("flight"),
        hotel: named("hotel"),
        depot: named("depot"),
    };
    let Offer { seats, tickets, rooms, cars, has_account } = offer;
    world.system.put_flight(&trip.flight, seats, tickets).await?;
    world.system.put_depot(&trip.depot, cars).await?;
    if has_account {
        world.system.open_account(&trip.traveller).await?;
    }
    {
        let mut books = world.trips();
        books.flight(&trip.flight, seats, tickets);
        books.depot(&trip.depot, cars);
        books.trip(&id, &trip);
    }
    let planned = Planned { world, id, trip };
    if let Some(rooms) = rooms {
        planned.put_hotel(rooms).await?;
    }
    Ok(planned)
}

impl Planned<'_> {
    /// Puts the hotel with so many rooms.
    pub(crate) async fn put_hotel(&self, rooms: u32) -> Result<()> {
        self.world.trips().hotel(&self.trip.hotel, rooms);
        self.world.system.put_hotel(&self.trip.hotel, rooms).await
    }

    /// Starts it.
    pub(crate) async fn start(&self) -> Result<()> {
        self.world.system.start_trip(&self.id, &self.trip).await
    }

    /// Waits for the end of its execution.
    pub(crate) async fn end(&self) -> Result<Execution> {
        self.world.system.end_of(TRIP_SAGA, &self.id, self.world.all_deliveries()).await
    }

    /// Starts it and waits for the end.
    pub(crate) async fn carry_out(&self) -> Result<Execution> {
        self.start().await?;
        self.end().await
    }

    /// A message about a step of the group.
    pub(crate) fn crafted<S: Step>(&self) -> Result<Crafted> {
        Crafted::of(TRIP_SAGA, &self.id, S::NAME, &[("trip", &serde_json::to_value(&self.trip)?)])
    }

    /// What is taken: seats, tickets, rooms and cars; and the points.
    pub(crate) async fn taken(&self) -> Result<([Option<i64>; 4], Option<u32>)> {
        let Trip { traveller, flight, hotel, depot } = &self.trip;
        let pools = self.world.system.pools().await?;
        let names = [seats_of(flight), tickets_of(flight), rooms_of(hotel), cars_of(depot)];
        let taken = names.map(|name| pools.get(&name).map(|Pool { taken, .. }| *taken));
        Ok((taken, self.world.system.points(traveller).await?))
    }

    /// It takes place, and has one of everything, once.
    pub(crate) async fn expect_booked(&self, execution: &Execution) -> Result<()> {
        let expected = json!({
            "outcome": "committed", "saga": TRIP_SAGA, "id": self.id, "output": { "trip": self.id }, "skipped": {},
        });
        assert_eq!(execution.output, Some(expected), "{execution:?}");
        ensure!(self.world.system.trips().await?.contains(&self.id), "{} does not take place", self.id);
        assert_eq!(self.taken().await?, ([Some(1); 4], Some(POINTS_OF_A_TRIP)));
        Ok(())
    }

    /// It does not take place, for one of these reasons, and has nothing.
    pub(crate) async fn expect_nothing_left(&self, execution: &Execution, reasons: &[&str]) -> Result<()> {
        assert_eq!(execution.outcome(), Some("compensated"), "{execution:?}");
        ensure!(execution.reason().is_some_and(|reason| reasons.contains(&reason)), "{execution:?}");
        assert_eq!(execution.output.as_ref().map(|output| &output["skipped"]), Some(&json!({})));
        ensure!(!self.world.system.trips().await?.contains(&self.id), "{} takes place", self.id);
        let (taken, points) = self.taken().await?;
        assert_eq!((taken.into_iter().flatten().sum::<i64>(), points.unwrap_or_default()), (0, 0));
        Ok(())
    }
}
