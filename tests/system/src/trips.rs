//! The trips of `tests/trips`, deployed beside orders: what can be booked, what is, and the proof that nothing was lost.
//!
//! Whatever a trip takes one of is a *pool*: the seats of a flight, its tickets, the rooms of a hotel, the cars of a depot.

mod books;

pub use books::{Pool, TripBooks, cars_of, rooms_of, seats_of, tickets_of};

use crate::{
    clients::is_local,
    config::{Packaging, SystemConfig},
    conservation::Moment,
    deploy::Lines,
    eventually::eventually,
    start::System,
    tables::{field, key, put},
};
use anyhow::{Context, Result};
use aws_sdk_dynamodb::types::AttributeValue;
use books::{Held, lost};
use infra_gen::{
    aws::{Progress, Update},
    package::{Arch, PackageOptions, Programs, package},
};
use saga::{Entity, Field, Notice, Participant, ParticipantSpec, SagaId, StartInput};
use stacks::{App, Stage, SynthError, synth_sagas};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use trips::{
    booking::{TRIP_SAGA, Trip, TripBooked, TripFailed, trip_saga},
    entities::{Accounts, Cars, Flights, Rooms, Trips},
    participants::{Agency, Airline, Hotel},
};

/// The deployment.
pub const TRIPS: &str = "trips";

/// The functions of its own; it shares `rescue` with orders.
pub const TRIP_PARTICIPANTS: [&str; 3] = [Airline::NAME, Hotel::NAME, Agency::NAME];

/// Makes the stacks of trips.
///
/// # Errors
/// When something does not fit together.
pub fn synth_trips(stage: Stage) -> Result<App, SynthError> {
    let participants =
        [ParticipantSpec::of::<Airline>(), ParticipantSpec::of::<Hotel>(), ParticipantSpec::of::<Agency>()];
    let for_others = [TripBooked::NAME, TripFailed::NAME];
    synth_sagas(stage, vec![trip_saga().definition().clone()], &participants, &for_others)
}

impl SystemConfig {
    /// Trips, on the emulator where this system runs, with functions that are packaged already.
    #[must_use]
    pub fn trips_beside(system: &System) -> Self {
        Self {
            endpoint: Some(system.endpoint().to_owned()),
            gateway_url: Some(system.gateway_url().to_owned()),
            synth: synth_trips,
            deployment: TRIPS.to_owned(),
            package: Packaging::Reuse,
            ..Self::from_env()
        }
    }

    /// Packages the functions of orders and trips in one build, unless what is packaged is to be reused; from then on it
    /// is.
    ///
    /// # Errors
    /// When they cannot be packaged.
    pub async fn package_with_trips(mut self, report: &mut (dyn FnMut(&str) + Send)) -> Result<Self> {
        if self.package == Packaging::Build {
            let functions = TRIP_PARTICIPANTS.map(str::to_owned).into();
            let is_on_aws = self.endpoint.as_deref().is_some_and(|endpoint| !is_local(endpoint));
            let options = PackageOptions {
                arch: if is_on_aws { Arch::Arm64 } else { Arch::Host },
                profile: self.profile,
                also: vec![Programs { package: TRIPS.to_owned(), functions }],
                ..PackageOptions::default()
            };
            let packages = tokio::task::spawn_blocking(move || package(stacks::synth, &options)).await??;
            Lines(report).update(Update::Packaged(&packages));
            self.package = Packaging::Reuse;
        }
        Ok(self)
    }
}

impl System {
    /// Puts a flight with so many seats and blank tickets, whatever was there before.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn put_flight(&self, flight: &str, seats: u32, tickets: u32) -> Result<()> {
        let row = Flights::row(flight).with(Flights::FREE, seats).with(Flights::BOOKED, 0_u32);
        let row = row.with(Flights::BLANK, tickets).with(Flights::ISSUED, 0_u32);
        self.write_batch(Flights::NAME, vec![put(row)?]).await
    }

    /// Brings one more blank ticket of a flight.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn put_blank_ticket(&self, flight: &str) -> Result<()> {
        let blank = Flights::BLANK.name();
        let update = self.clients().dynamodb.update_item().table_name(self.table(Flights::NAME));
        let update = update.key(Flights::KEY, AttributeValue::S(flight.to_owned()));
        let update = update.update_expression("ADD #blank :one").expression_attribute_names("#blank", blank);
        let update = update.expression_attribute_values(":one", AttributeValue::N("1".to_owned()));
        update.send().await.with_context(|| format!("cannot bring a ticket of {flight}"))?;
        Ok(())
    }

    /// Puts a hotel with so many rooms.
    ///
    /// # Errors
    /// As [`put_flight`](Self::put_flight).
    pub async fn put_hotel(&self, hotel: &str, rooms: u32) -> Result<()> {
        let row = Rooms::row(hotel).with(Rooms::FREE, rooms).with(Rooms::BOOKED, 0_u32);
        self.write_batch(Rooms::NAME, vec![put(row)?]).await
    }

    /// Puts a depot with so many cars.
    ///
    /// # Errors
    /// As [`put_flight`](Self::put_flight).
    pub async fn put_depot(&self, depot: &str, cars: u32) -> Result<()> {
        let row = Cars::row(depot).with(Cars::FREE, cars).with(Cars::RENTED, 0_u32);
        self.write_batch(Cars::NAME, vec![put(row)?]).await
    }

    /// Opens the account of a traveller, unless there is one.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn open_account(&self, traveller: &str) -> Result<()> {
        let zero = AttributeValue::N("0".to_owned());
        let update = self.clients().dynamodb.update_item().table_name(self.table(Accounts::NAME));
        let update = update.key(Accounts::KEY, AttributeValue::S(traveller.to_owned()));
        let update = update.update_expression("SET #points = if_not_exists(#points, :zero)");
        let update = update.expression_attribute_names("#points", Accounts::POINTS.name());
        let update = update.expression_attribute_values(":zero", zero);
        update.send().await.with_context(|| format!("cannot open the account of {traveller}"))?;
        Ok(())
    }

    /// The points of a traveller, if they have an account.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn points(&self, traveller: &str) -> Result<Option<u32>> {
        let item = self.get::<Accounts>(traveller).await?;
        item.as_ref().map(|item| field(item, Accounts::POINTS)).transpose()
    }

    /// Starts a trip.
    ///
    /// # Errors
    /// When Step Functions does not start it.
    pub async fn start_trip(&self, id: &str, trip: &Trip) -> Result<()> {
        let input = StartInput::begin(SagaId::try_from(id.to_owned())?, serde_json::to_value(trip)?);
        self.start_execution(TRIP_SAGA, id, &input).await
    }

    /// What there is of every pool, by name.
    ///
    /// # Errors
    /// When a table cannot be read.
    pub async fn pools(&self) -> Result<BTreeMap<String, Pool>> {
        let mut pools = self.pools_of(seats_of, Flights::FREE, Flights::BOOKED).await?;
        pools.extend(self.pools_of(tickets_of, Flights::BLANK, Flights::ISSUED).await?);
        pools.extend(self.pools_of(rooms_of, Rooms::FREE, Rooms::BOOKED).await?);
        pools.extend(self.pools_of(cars_of, Cars::FREE, Cars::RENTED).await?);
        Ok(pools)
    }

    async fn pools_of<E: Entity>(
        &self,
        name: fn(&str) -> String,
        free: Field<E, u32>,
        taken: Field<E, u32>,
    ) -> Result<BTreeMap<String, Pool>> {
        let pool = |item| {
            let (free, taken) = (field(item, free)?.into(), field(item, taken)?.into());
            Ok((name(&key::<E>(item)?), Pool { free, taken }))
        };
        self.scan::<E>().await?.iter().map(pool).collect()
    }

    /// The ids of the trips that take place.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn trips(&self) -> Result<BTreeSet<String>> {
        self.scan::<Trips>().await?.iter().map(key::<Trips>).collect()
    }

    /// What does not add up of the trips in the books, one sentence each.
    ///
    /// # Errors
    /// When a table cannot be read.
    pub async fn lost_of_trips(&self, books: &TripBooks, moment: Moment) -> Result<Vec<String>> {
        let pools = self.pools().await?;
        if moment == Moment::Live {
            return Ok(lost(books, &pools, None));
        }
        let accounts = self.scan::<Accounts>().await?;
        let accounts =
            accounts.iter().map(|item| Ok((key::<Accounts>(item)?, field(item, Accounts::POINTS)?)));
        let held = Held { trips: self.trips().await?, points: accounts.collect::<Result<_>>()? };
        Ok(lost(books, &pools, Some(&held)))
    }

    /// Waits until what is taken of a pool is this.
    ///
    /// # Errors
    /// When the limit is over, or a table cannot be read.
    pub async fn pool_has_taken(&self, pool: &str, taken: i64, limit: Duration) -> Result<()> {
        eventually(&format!("{taken} of the {pool} are taken"), limit, || async {
            let there = self.pools().await?.remove(pool).with_context(|| format!("there are no {pool}"))?;
            Ok(if there.taken == taken { Ok(()) } else { Err(format!("{there:?}")) })
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trips_fit_together_in_every_stage() {
        for stage in Stage::ALL {
            let app = synth_trips(stage).expect("they fit together");
            let functions: Vec<_> = app.functions.iter().map(|function| function.name).collect();
            assert_eq!(functions, [&TRIP_PARTICIPANTS[..], &["rescue"]].concat(), "{stage}");
        }
    }

    /// What is shipped, and what is emitted to the folder of templates, comes from there.
    #[test]
    fn nothing_of_trips_is_in_the_stacks_of_orders() {
        let app = stacks::synth(Stage::Prod).expect("they fit together");
        assert!(app.functions.iter().all(|function| !TRIP_PARTICIPANTS.contains(&function.name)));
        assert!(app.machines.iter().all(|machine| machine.saga != TRIP_SAGA));
    }
}
