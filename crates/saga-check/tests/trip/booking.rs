//! The sagas: booking a trip, and cancelling it before it is confirmed.

use saga::{
    Compensable, CompensableOutside, Entity, Field, FieldSpec, Never, Notice, Participant, Pivot, Rejection,
    Retriable, Saga, Start, Step, Value, saga,
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
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
        pub(crate) struct $value {
            $(pub(crate) $field: $type),*
        }

        impl Value for $value {
            const NAME: &'static str = $name;
            const MAX_BYTES: usize = 400;
            type Producer = $producer;
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
        #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
        pub(crate) struct $name {}

        impl Rejection for $name {
            const NAMES: &'static [&'static str] = &[stringify!($name)];

            fn name(&self) -> &'static str {
                stringify!($name)
            }
        }
    )+};
}

rejection!(SeatTaken NoRoom NoCar CardDeclined TripCancelled TooLate);

// ---- steps ----

macro_rules! step {
    ($step:ident $name:literal of $participant:ty: $kind:ty, $input:ty => $output:ty, $rejection:ty) => {
        #[derive(Debug)]
        pub(crate) struct $step;

        impl Step for $step {
            const NAME: &'static str = $name;
            type Participant = $participant;
            type Kind = $kind;
            type Input = $input;
            type Output = $output;
            type Rejection = $rejection;
            const TIMEOUT: Duration = Duration::from_mins(15);
            const MAX_WRITES: usize = 2;
        }
    };
}

step!(OpenBooking "open-booking" of Agency: Compensable, (Trip,) => Booking, Never);
step!(BookFlight "book-flight" of Airline: Compensable, (Trip,) => Seat, SeatTaken);
step!(BookHotel "book-hotel" of Hotel: Compensable, (Trip,) => Room, NoRoom);
step!(RentCar "rent-car" of Garage: Compensable, (Seat, Room) => Car, NoCar);
step!(ChargeCard "charge-card" of Bank: CompensableOutside, (Trip, Car) => Payment, CardDeclined);
step!(ConfirmBooking "confirm-booking" of Agency: Pivot, (Booking, Payment) => Confirmation, TripCancelled);
step!(SendItinerary "send-itinerary" of Agency: Retriable, (Confirmation, Seat, Room, Car) => Itinerary, Never);
step!(CancelBooking "cancel-booking" of Agency: Pivot, (Cancel,) => Cancelled, TooLate);

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
        #[derive(Debug)]
        pub(crate) struct $notice;

        impl Notice for $notice {
            const NAME: &'static str = stringify!($notice);
            type Input = $input;
        }
    };
}

notice!(TripBooked, (Trip, Itinerary));
notice!(TripNotBooked, (Trip,));

// ---- entities ----

macro_rules! entity {
    ($entity:ident $name:literal by $key:literal { $($field:ident: $type:ty = $attribute:literal),* }) => {
        #[derive(Debug)]
        pub(crate) struct $entity;

        impl Entity for $entity {
            const NAME: &'static str = $name;
            const KEY: &'static str = $key;
            type Key = String;
            const FIELDS: &'static [FieldSpec] = &[$($entity::$field.spec()),*];
        }

        impl $entity {
            $(pub(crate) const $field: Field<$entity, $type> = Field::new($attribute);)*
        }
    };
}

entity!(Bookings "bookings" by "trip" { STATUS: String = "status" });
entity!(Mails "mails" by "trip" { TO: String = "to" });
entity!(Seats "seats" by "number" { CLASS: String = "class" });
entity!(Rooms "rooms" by "hotel" { FREE: u32 = "free", BOOKED: u32 = "booked", BALANCE: i64 = "balance" });
entity!(Cars "cars" by "class" { FREE: u32 = "free", RENTED: u32 = "rented" });
entity!(Ledger "ledger" by "trip" { AMOUNT: i64 = "amount" });
