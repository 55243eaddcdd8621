//! The services that take part.

use crate::{
    booking::{AwardPoints, BookFlight, BookHotel, ConfirmTrip, IssueTicket, RentCar},
    entities::{Accounts, Cars, Flights, Rooms, Trips},
};
use saga::Participant;

/// Flies.
#[derive(Debug)]
pub struct Airline;

impl Participant for Airline {
    const NAME: &'static str = "airline";
    type Steps = (BookFlight, IssueTicket);
    type Entities = (Flights,);
}

/// Has rooms.
#[derive(Debug)]
pub struct Hotel;

impl Participant for Hotel {
    const NAME: &'static str = "hotel";
    type Steps = (BookHotel,);
    type Entities = (Rooms,);
}

/// Sells trips, and rents cars.
#[derive(Debug)]
pub struct Agency;

impl Participant for Agency {
    const NAME: &'static str = "agency";
    type Steps = (RentCar, ConfirmTrip, AwardPoints);
    type Entities = (Cars, Trips, Accounts);
}
