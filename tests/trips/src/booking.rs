//! The trip saga: book flight and hotel at the same time, rent a car, confirm; then issue the ticket and award points.

use crate::{
    participants::{Agency, Airline, Hotel},
    services::POINTS_OF_A_TRIP,
};
use saga::{Compensable, Never, Notice, Pivot, Rejection, Retriable, Saga, Start, Step, Value, saga};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

// ---- the chain ----

/// The saga's name.
pub const TRIP_SAGA: &str = "trip";

/// The saga.
pub fn trip_saga() -> Saga<Trip> {
    saga::<Trip>(TRIP_SAGA)
        .parallel((BookFlight, BookHotel))
        .step(RentCar)
        .pivot(ConfirmTrip)
        .step(IssueTicket)
        .step(AwardPoints)
        .on_commit(TripBooked)
        .on_compensate(TripFailed)
        .build()
}

// ---- values ----

/// Who travels, and with what: the saga's input. One seat, one room, one car.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Trip {
    /// The traveller, whose account gets the points.
    pub traveller: String,
    /// The flight.
    pub flight: String,
    /// The hotel.
    pub hotel: String,
    /// Where the car is.
    pub depot: String,
}

impl Value for Trip {
    const NAME: &'static str = "trip";
    const MAX_BYTES: usize = 600;
    type Producer = Start;
}

/// A seat is set aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Seat {
    /// On this flight.
    pub flight: String,
}

impl Value for Seat {
    const NAME: &'static str = "seat";
    const MAX_BYTES: usize = 200;
    type Producer = BookFlight;
}

/// A room is set aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Room {
    /// In this hotel.
    pub hotel: String,
}

impl Value for Room {
    const NAME: &'static str = "room";
    const MAX_BYTES: usize = 200;
    type Producer = BookHotel;
}

/// A car is set aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Car {
    /// To be fetched here.
    pub depot: String,
    /// On the way from this flight to this hotel.
    pub between: (String, String),
}

impl Value for Car {
    const NAME: &'static str = "car";
    const MAX_BYTES: usize = 600;
    type Producer = RentCar;
}

/// The trip takes place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Confirmation {
    /// The trip's id, which is the saga id.
    pub trip: String,
}

impl Value for Confirmation {
    const NAME: &'static str = "confirmation";
    const MAX_BYTES: usize = 200;
    type Producer = ConfirmTrip;
}

/// The ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ticket {
    /// Its number.
    pub number: String,
}

impl Value for Ticket {
    const NAME: &'static str = "ticket";
    const MAX_BYTES: usize = 400;
    type Producer = IssueTicket;
}

/// Points were credited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Points {
    /// How many: [`POINTS_OF_A_TRIP`].
    pub points: u32,
}

impl Points {
    /// Those of a trip.
    pub(crate) const OF_A_TRIP: Self = Self { points: POINTS_OF_A_TRIP };
}

impl Value for Points {
    const NAME: &'static str = "points";
    const MAX_BYTES: usize = 100;
    type Producer = AwardPoints;
}

// ---- rejections ----

/// Defines a rejection that says nothing but its name.
macro_rules! rejection {
    ($(#[$doc:meta] $name:ident;)+) => {$(
        #[$doc]
        #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
        pub struct $name {}

        impl $name {
            /// The wire name.
            pub const NAME: &'static str = stringify!($name);
        }

        impl Rejection for $name {
            const NAMES: &'static [&'static str] = &[Self::NAME];

            fn name(&self) -> &'static str {
                Self::NAME
            }
        }
    )+};
}

rejection! {
    /// Every seat is taken.
    FlightFull;
    /// Every room is taken.
    HotelFull;
    /// Every car is out.
    NoCar;
    /// There is such a trip already.
    DuplicateTrip;
}

// ---- steps ----

/// How long a step is waited for.
const TIMEOUT: Duration = Duration::from_mins(15);

/// Sets a seat aside.
#[derive(Debug)]
pub struct BookFlight;

impl Step for BookFlight {
    const NAME: &'static str = "book-flight";
    type Participant = Airline;
    type Kind = Compensable;
    type Input = (Trip,);
    type Output = Seat;
    type Rejection = FlightFull;
    const TIMEOUT: Duration = TIMEOUT;
    const MAX_WRITES: usize = 1;
}

/// Sets a room aside. A hotel that is not there yet is waited for.
#[derive(Debug)]
pub struct BookHotel;

impl Step for BookHotel {
    const NAME: &'static str = "book-hotel";
    type Participant = Hotel;
    type Kind = Compensable;
    type Input = (Trip,);
    type Output = Room;
    type Rejection = HotelFull;
    const TIMEOUT: Duration = TIMEOUT;
    const MAX_WRITES: usize = 1;
}

/// Sets a car aside, once it is known from where to where.
#[derive(Debug)]
pub struct RentCar;

impl Step for RentCar {
    const NAME: &'static str = "rent-car";
    type Participant = Agency;
    type Kind = Compensable;
    type Input = (Trip, Seat, Room);
    type Output = Car;
    type Rejection = NoCar;
    const TIMEOUT: Duration = TIMEOUT;
    const MAX_WRITES: usize = 1;
}

/// Keeps the trip: it takes place.
#[derive(Debug)]
pub struct ConfirmTrip;

impl Step for ConfirmTrip {
    const NAME: &'static str = "confirm-trip";
    type Participant = Agency;
    type Kind = Pivot;
    type Input = (Trip, Car);
    type Output = Confirmation;
    type Rejection = DuplicateTrip;
    const TIMEOUT: Duration = TIMEOUT;
    const MAX_WRITES: usize = 1;
}

/// Prints the ticket, as soon as there is a blank one. The traveller gets it with the notice, so it cannot be skipped.
#[derive(Debug)]
pub struct IssueTicket;

impl Step for IssueTicket {
    const NAME: &'static str = "issue-ticket";
    type Participant = Airline;
    type Kind = Retriable;
    type Input = (Confirmation, Seat);
    type Output = Ticket;
    type Rejection = Never;
    const TIMEOUT: Duration = TIMEOUT;
    const MAX_WRITES: usize = 1;
}

/// Credits the traveller's account, as soon as there is one. Nothing needs it, so it can be skipped.
#[derive(Debug)]
pub struct AwardPoints;

impl Step for AwardPoints {
    const NAME: &'static str = "award-points";
    type Participant = Agency;
    type Kind = Retriable;
    type Input = (Trip,);
    type Output = Points;
    type Rejection = Never;
    const TIMEOUT: Duration = TIMEOUT;
    const MAX_WRITES: usize = 1;
}

// ---- notices ----

/// Published when a trip takes place.
#[derive(Debug)]
pub struct TripBooked;

impl Notice for TripBooked {
    const NAME: &'static str = "TripBooked";
    type Input = (Trip, Ticket);
}

/// Published, with the reason, when it does not.
#[derive(Debug)]
pub struct TripFailed;

impl Notice for TripFailed {
    const NAME: &'static str = "TripFailed";
    type Input = (Trip,);
}

#[cfg(test)]
mod tests {
    use super::*;
    use saga::{asl, budget::Timing};

    #[test]
    fn of_the_steps_after_the_pivot_only_points_can_be_skipped() {
        let machine = asl::compile(trip_saga().definition(), Timing::scaled(5)).expect("it compiles");
        let json = serde_json::to_value(&machine).expect("a machine is JSON");
        let can_skip = |step: &str| json["States"].get(format!("abandon {step}")).is_some();
        assert!(can_skip(AwardPoints::NAME) && !can_skip(IssueTicket::NAME));
    }
}
