//! What the participants store.

use saga::{Entity, Field, FieldSpec};

/// A flight, owned by the airline.
#[derive(Debug)]
pub struct Flights;

impl Entity for Flights {
    const NAME: &'static str = "flights";
    const KEY: &'static str = "flight";
    type Key = String;
    const FIELDS: &'static [FieldSpec] =
        &[Flights::FREE.spec(), Flights::BOOKED.spec(), Flights::BLANK.spec(), Flights::ISSUED.spec()];
}

impl Flights {
    /// Seats that can be booked.
    pub const FREE: Field<Flights, u32> = Field::new("free");
    /// Seats that are booked.
    pub const BOOKED: Field<Flights, u32> = Field::new("booked");
    /// Tickets that can be printed on.
    pub const BLANK: Field<Flights, u32> = Field::new("blank");
    /// Tickets that are issued.
    pub const ISSUED: Field<Flights, u32> = Field::new("issued");
}

/// The rooms of a hotel, owned by the hotels.
#[derive(Debug)]
pub struct Rooms;

impl Entity for Rooms {
    const NAME: &'static str = "rooms";
    const KEY: &'static str = "hotel";
    type Key = String;
    const FIELDS: &'static [FieldSpec] = &[Rooms::FREE.spec(), Rooms::BOOKED.spec()];
}

impl Rooms {
    /// Rooms that can be booked.
    pub const FREE: Field<Rooms, u32> = Field::new("free");
    /// Rooms that are booked.
    pub const BOOKED: Field<Rooms, u32> = Field::new("booked");
}

/// The cars of a depot, owned by the agency.
#[derive(Debug)]
pub struct Cars;

impl Entity for Cars {
    const NAME: &'static str = "cars";
    const KEY: &'static str = "depot";
    type Key = String;
    const FIELDS: &'static [FieldSpec] = &[Cars::FREE.spec(), Cars::RENTED.spec()];
}

impl Cars {
    /// Cars that can be rented.
    pub const FREE: Field<Cars, u32> = Field::new("free");
    /// Cars that are rented.
    pub const RENTED: Field<Cars, u32> = Field::new("rented");
}

/// A trip that takes place, owned by the agency.
#[derive(Debug)]
pub struct Trips;

impl Entity for Trips {
    const NAME: &'static str = "trips";
    const KEY: &'static str = "trip";
    type Key = String;
    const FIELDS: &'static [FieldSpec] = &[Trips::TRAVELLER.spec()];
}

impl Trips {
    /// Whose it is.
    pub const TRAVELLER: Field<Trips, String> = Field::new("traveller");
}

/// The points of a traveller, owned by the agency.
#[derive(Debug)]
pub struct Accounts;

impl Entity for Accounts {
    const NAME: &'static str = "accounts";
    const KEY: &'static str = "traveller";
    type Key = String;
    const FIELDS: &'static [FieldSpec] = &[Accounts::POINTS.spec()];
}

impl Accounts {
    /// How many.
    pub const POINTS: Field<Accounts, u32> = Field::new("points");
}
