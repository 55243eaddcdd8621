//! The handlers. What is taken is counted, so what a trip has can be told from outside; undone by the recorded inverses.

use crate::{
    booking::{
        AwardPoints, BookFlight, BookHotel, Car, ConfirmTrip, Confirmation, DuplicateTrip, FlightFull,
        HotelFull, IssueTicket, NoCar, Points, RentCar, Room, Seat, Ticket, Trip,
    },
    entities::{Accounts, Cars, Flights, Rooms, Trips},
    participants,
};
use saga::{Commit, Context, Entity, Fault, Handle, Never, Service};

/// What each trip is worth.
pub const POINTS_OF_A_TRIP: u32 = 100;

/// The handlers of the airline.
#[derive(Debug, Clone, Copy)]
pub struct Airline;

impl Service for Airline {
    type Participant = participants::Airline;
}

impl Handle<BookFlight> for Airline {
    async fn run(&self, _: &Context, (trip,): (Trip,)) -> Result<Commit<BookFlight>, Fault<FlightFull>> {
        let mut commit = Commit::of(Seat { flight: trip.flight.clone() });
        let flight = commit.update::<Flights>(trip.flight);
        flight.subtract(Flights::FREE, 1).or_reject(FlightFull {}).add(Flights::BOOKED, 1);
        Ok(commit)
    }
}

impl Handle<IssueTicket> for Airline {
    async fn run(
        &self,
        _: &Context,
        (confirmation, seat): (Confirmation, Seat),
    ) -> Result<Commit<IssueTicket>, Fault<Never>> {
        let mut commit = Commit::of(Ticket { number: format!("{}/{}", seat.flight, confirmation.trip) });
        let flight = commit.update::<Flights>(seat.flight);
        flight.subtract(Flights::BLANK, 1).or_retry().add(Flights::ISSUED, 1);
        Ok(commit)
    }
}

/// In the name of a hotel: booking a room there panics, and the panic quotes the traveller.
pub const HAUNTED: &str = "haunted";

/// The handlers of the hotels.
#[derive(Debug, Clone, Copy)]
pub struct Hotel;

impl Service for Hotel {
    type Participant = participants::Hotel;
}

impl Handle<BookHotel> for Hotel {
    async fn run(&self, _: &Context, (trip,): (Trip,)) -> Result<Commit<BookHotel>, Fault<HotelFull>> {
        assert!(!trip.hotel.contains(HAUNTED), "{} cannot stay at {}", trip.traveller, trip.hotel);
        let mut commit = Commit::of(Room { hotel: trip.hotel.clone() });
        let hotel = commit.update::<Rooms>(trip.hotel).exists().or_retry();
        hotel.subtract(Rooms::FREE, 1).or_reject(HotelFull {}).add(Rooms::BOOKED, 1);
        Ok(commit)
    }
}

/// The handlers of the agency.
#[derive(Debug, Clone, Copy)]
pub struct Agency;

impl Service for Agency {
    type Participant = participants::Agency;
}

impl Handle<RentCar> for Agency {
    async fn run(
        &self,
        _: &Context,
        (trip, seat, room): (Trip, Seat, Room),
    ) -> Result<Commit<RentCar>, Fault<NoCar>> {
        let mut commit = Commit::of(Car { depot: trip.depot.clone(), between: (seat.flight, room.hotel) });
        let depot = commit.update::<Cars>(trip.depot);
        depot.subtract(Cars::FREE, 1).or_reject(NoCar {}).add(Cars::RENTED, 1);
        Ok(commit)
    }
}

impl Handle<ConfirmTrip> for Agency {
    async fn run(
        &self,
        cx: &Context,
        (trip, _): (Trip, Car),
    ) -> Result<Commit<ConfirmTrip>, Fault<DuplicateTrip>> {
        let id = cx.saga_id().to_string();
        let mut commit = Commit::of(Confirmation { trip: id.clone() });
        commit.insert(Trips::row(id).with(Trips::TRAVELLER, trip.traveller)).or_reject(DuplicateTrip {});
        Ok(commit)
    }
}

impl Handle<AwardPoints> for Agency {
    async fn run(&self, _: &Context, (trip,): (Trip,)) -> Result<Commit<AwardPoints>, Fault<Never>> {
        let mut commit = Commit::of(Points::OF_A_TRIP);
        let account = commit.update::<Accounts>(trip.traveller);
        account.exists().or_retry().add(Accounts::POINTS, POINTS_OF_A_TRIP);
        Ok(commit)
    }
}
