//! The sagas: booking a trip, and cancelling it before it is confirmed.

use saga::{
    Compensable, CompensableOutside, Entity, Never, Notice, Participant, Pivot, Rejection, Retriable, Saga,
    Start, Step, Value, saga,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

// ---- the chains ----

pub(crate) fn trip_saga() -> Saga<Trip> {
    saga::<Trip>("trip")
        .step(OpenBooking)
        .parallel((BookFlight, BookHotel))
        .step(RentCar)
        .step(ChargeCard)
        .pivot(ConfirmBooking)
        .step(SendItinerary)
        .on_commit(TripBooked)
        .on_compensate(TripNotBooked)
        .build()
}

/// As [`trip_saga`], but nobody is told that it committed: so nothing needs the itinerary, and it can be skipped.
pub(crate) fn quiet_saga() -> Saga<Trip> {
    saga::<Trip>("trip")
        .step(OpenBooking)
        .parallel((BookFlight, BookHotel))
        .step(RentCar)
        .step(ChargeCard)
        .pivot(ConfirmBooking)
        .step(SendItinerary)
        .on_compensate(TripNotBooked)
        .build()
}

/// As [`trip_saga`], but it begins with the group, so that no one step is the first.
pub(crate) fn group_first_saga() -> Saga<Trip> {
    saga::<Trip>("trip")
        .parallel((BookFlight, BookHotel))
        .step(OpenBooking)
        .step(RentCar)
        .step(ChargeCard)
        .pivot(ConfirmBooking)
        .step(SendItinerary)
        .on_commit(TripBooked)
        .on_compensate(TripNotBooked)
        .build()
}

pub(crate) fn cancel_saga() -> Saga<Cancel> {
    saga::<Cancel>("cancel-trip").pivot(CancelBooking).build()
}

// ---- values ----

macro_rules! value {
    ($value:ident $name:literal from $producer:ty { $($field:ident: $type:ty),* }) => {
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Value)]
        #[value(name = $name, max_bytes = 400, producer = $producer)]
        pub(crate) struct $value {
            $(pub(crate) $field: $type),*
        }
    };
}

value!(Trip "trip" from Start { id: String, price: i32 });
value!(Cancel "cancel" from Start { id: String });
value!(Booking "booking" from OpenBooking { id: String });
value!(Seat "seat" from BookFlight { number: String });
value!(Room "room" from BookHotel { nights: u32 });
value!(Car "car" from RentCar { class: String });
value!(Payment "payment" from ChargeCard { amount: i32 });
value!(Confirmation "confirmation" from ConfirmBooking { id: String });
value!(Itinerary "itinerary" from SendItinerary { sent: bool });
value!(Cancelled "cancelled" from CancelBooking { id: String });

// ---- rejections ----

macro_rules! rejection {
    ($($name:ident)+) => {$(
        #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Rejection)]
        pub(crate) struct $name {}
    )+};
}

rejection!(SeatTaken NoRoom NoCar CardDeclined TripCancelled TooLate);

// ---- steps ----

macro_rules! step {
    ($step:ident of $participant:ty: $kind:ty, $input:ty => $output:ty, $rejection:ty) => {
        #[derive(Debug, Step)]
        #[step(participant = $participant, kind = $kind, timeout = Duration::from_mins(15), max_writes = 2)]
        #[step(input = $input, output = $output, rejection = $rejection)]
        pub(crate) struct $step;
    };
}

step!(OpenBooking of Agency: Compensable, (Trip,) => Booking, Never);
step!(BookFlight of Airline: Compensable, (Trip,) => Seat, SeatTaken);
step!(BookHotel of Hotel: Compensable, (Trip,) => Room, NoRoom);
step!(RentCar of Garage: Compensable, (Seat, Room) => Car, NoCar);
step!(ChargeCard of Bank: CompensableOutside, (Trip, Car) => Payment, CardDeclined);
step!(ConfirmBooking of Agency: Pivot, (Booking, Payment) => Confirmation, TripCancelled);
step!(SendItinerary of Agency: Retriable, (Confirmation, Seat, Room, Car) => Itinerary, Never);
step!(CancelBooking of Agency: Pivot, (Cancel,) => Cancelled, TooLate);

// ---- participants ----

macro_rules! participant {
    ($($participant:ident $name:literal: $steps:ty, $entities:ty;)+) => {$(
        #[derive(Debug)]
        pub(crate) struct $participant;

        impl Participant for $participant {
            const NAME: &'static str = $name;
            type Steps = $steps;
            type Entities = $entities;
        }
    )+};
}

participant! {
    Agency "agency": (OpenBooking, ConfirmBooking, SendItinerary, CancelBooking), (Bookings, Mails);
    Airline "airline": (BookFlight,), (Seats,);
    Hotel "hotel": (BookHotel,), (Rooms,);
    Garage "garage": (RentCar,), (Cars,);
    Bank "bank": (ChargeCard,), (Ledger,);
}

// ---- notices ----

macro_rules! notice {
    ($notice:ident, $input:ty) => {
        #[derive(Debug, Notice)]
        #[notice(input = $input)]
        pub(crate) struct $notice;
    };
}

notice!(TripBooked, (Trip, Itinerary));
notice!(TripNotBooked, (Trip,));

// ---- entities ----

macro_rules! entity {
    ($entity:ident $name:literal by $key:ident { $($field:ident: $type:ty),* }) => {
        #[derive(Debug, Entity)]
        #[entity(name = $name)]
        pub(crate) struct $entity {
            #[entity(key)]
            $key: String,
            $(pub(crate) $field: $type),*
        }
    };
}

entity!(Bookings "bookings" by trip { status: String });
entity!(Mails "mails" by trip { to: String });
entity!(Seats "seats" by number { class: String });
entity!(Rooms "rooms" by hotel { free: u32, booked: u32, balance: i64 });
entity!(Cars "cars" by class { free: u32, rented: u32 });
entity!(Ledger "ledger" by trip { amount: i64 });
