//! The trip saga: book flight and hotel at the same time, rent a car, confirm; then issue the ticket and award points.

use crate::{
    participants::{Agency, Airline, Hotel},
    services::POINTS_OF_A_TRIP,
};
use saga::{Compensable, Notice, Pivot, Rejection, Retriable, Saga, Start, Step, Value, saga};
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Value)]
#[value(name = "trip", max_bytes = 600, producer = Start)]
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

/// A seat is set aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Value)]
#[value(name = "seat", max_bytes = 200, producer = BookFlight)]
pub struct Seat {
    /// On this flight.
    pub flight: String,
}

/// A room is set aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Value)]
#[value(name = "room", max_bytes = 200, producer = BookHotel)]
pub struct Room {
    /// In this hotel.
    pub hotel: String,
}

/// A car is set aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Value)]
#[value(name = "car", max_bytes = 600, producer = RentCar)]
pub struct Car {
    /// To be fetched here.
    pub depot: String,
    /// On the way from this flight to this hotel.
    pub between: (String, String),
}

/// The trip takes place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Value)]
#[value(name = "confirmation", max_bytes = 200, producer = ConfirmTrip)]
pub struct Confirmation {
    /// The trip's id, which is the saga id.
    pub trip: String,
}

/// The ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Value)]
#[value(name = "ticket", max_bytes = 400, producer = IssueTicket)]
pub struct Ticket {
    /// Its number.
    pub number: String,
}

/// Points were credited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Value)]
#[value(name = "points", max_bytes = 100, producer = AwardPoints)]
pub struct Points {
    /// How many: [`POINTS_OF_A_TRIP`].
    pub points: u32,
}

impl Points {
    /// Those of a trip.
    pub(crate) const OF_A_TRIP: Self = Self { points: POINTS_OF_A_TRIP };
}

// ---- rejections ----

/// Every seat is taken.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Rejection)]
pub struct FlightFull {}

/// Every room is taken.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Rejection)]
pub struct HotelFull {}

/// Every car is out.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Rejection)]
pub struct NoCar {}

/// There is such a trip already.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Rejection)]
pub struct DuplicateTrip {}

// ---- steps ----

/// How long a step is waited for.
const TIMEOUT: Duration = Duration::from_mins(15);

/// Sets a seat aside.
#[derive(Debug, Step)]
#[step(participant = Airline, kind = Compensable, timeout = TIMEOUT, max_writes = 1)]
#[step(input = (Trip,), output = Seat, rejection = FlightFull)]
pub struct BookFlight;

/// Sets a room aside. A hotel that is not there yet is waited for.
#[derive(Debug, Step)]
#[step(participant = Hotel, kind = Compensable, timeout = TIMEOUT, max_writes = 1)]
#[step(input = (Trip,), output = Room, rejection = HotelFull)]
pub struct BookHotel;

/// Sets a car aside, once it is known from where to where.
#[derive(Debug, Step)]
#[step(participant = Agency, kind = Compensable, timeout = TIMEOUT, max_writes = 1)]
#[step(input = (Trip, Seat, Room), output = Car, rejection = NoCar)]
pub struct RentCar;

/// Keeps the trip: it takes place.
#[derive(Debug, Step)]
#[step(participant = Agency, kind = Pivot, timeout = TIMEOUT, max_writes = 1)]
#[step(input = (Trip, Car), output = Confirmation, rejection = DuplicateTrip)]
pub struct ConfirmTrip;

/// Prints the ticket, as soon as there is a blank one. The traveller gets it with the notice, so it cannot be skipped.
#[derive(Debug, Step)]
#[step(participant = Airline, kind = Retriable, timeout = TIMEOUT, max_writes = 1)]
#[step(input = (Confirmation, Seat), output = Ticket)]
pub struct IssueTicket;

/// Credits the traveller's account, as soon as there is one. Nothing needs it, so it can be skipped.
#[derive(Debug, Step)]
#[step(participant = Agency, kind = Retriable, timeout = TIMEOUT, max_writes = 1)]
#[step(input = (Trip,), output = Points)]
pub struct AwardPoints;

// ---- notices ----

/// Published when a trip takes place.
#[derive(Debug, Notice)]
#[notice(input = (Trip, Ticket))]
pub struct TripBooked;

/// Published, with the reason, when it does not.
#[derive(Debug, Notice)]
#[notice(input = (Trip,))]
pub struct TripFailed;

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
