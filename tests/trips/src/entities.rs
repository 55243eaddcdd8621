//! What the participants store.

use saga::Entity;

/// A flight, owned by the airline.
#[derive(Debug, Entity)]
#[entity(name = "flights")]
pub struct Flights {
    /// Its number.
    #[entity(key)]
    pub flight: String,
    /// Seats that can be booked.
    pub free: u32,
    /// Seats that are booked.
    pub booked: u32,
    /// Tickets that can be printed on.
    pub blank: u32,
    /// Tickets that are issued.
    pub issued: u32,
}

/// The rooms of a hotel, owned by the hotels.
#[derive(Debug, Entity)]
#[entity(name = "rooms")]
pub struct Rooms {
    /// Its name.
    #[entity(key)]
    pub hotel: String,
    /// Rooms that can be booked.
    pub free: u32,
    /// Rooms that are booked.
    pub booked: u32,
}

/// The cars of a depot, owned by the agency.
#[derive(Debug, Entity)]
#[entity(name = "cars")]
pub struct Cars {
    /// Its name.
    #[entity(key)]
    pub depot: String,
    /// Cars that can be rented.
    pub free: u32,
    /// Cars that are rented.
    pub rented: u32,
}

/// A trip that takes place, owned by the agency.
#[derive(Debug, Entity)]
#[entity(name = "trips")]
pub struct Trips {
    /// The trip's id, which is also the saga id.
    #[entity(key)]
    pub trip: String,
    /// Whose it is.
    pub traveller: String,
}

/// The points of a traveller, owned by the agency.
#[derive(Debug, Entity)]
#[entity(name = "accounts")]
pub struct Accounts {
    /// Whose they are.
    #[entity(key)]
    pub traveller: String,
    /// How many.
    pub points: u32,
}
