//! The books of trips beside what the deployment holds of them.

use std::collections::{BTreeMap, BTreeSet};
use trips::{booking::Trip, services::POINTS_OF_A_TRIP};

/// What trips were put in, remembered by whoever put them in.
#[derive(Debug, Clone, Default)]
pub struct TripBooks {
    pools: BTreeMap<String, i64>,
    trips: BTreeMap<String, Trip>,
    without_points: BTreeSet<String>,
}

impl TripBooks {
    /// Notes a flight with so many seats and blank tickets.
    pub fn flight(&mut self, flight: &str, seats: u32, tickets: u32) {
        self.pools.insert(seats_of(flight), seats.into());
        self.pools.insert(tickets_of(flight), tickets.into());
    }

    /// Notes a hotel with so many rooms.
    pub fn hotel(&mut self, hotel: &str, rooms: u32) {
        self.pools.insert(rooms_of(hotel), rooms.into());
    }

    /// Notes a depot with so many cars.
    pub fn depot(&mut self, depot: &str, cars: u32) {
        self.pools.insert(cars_of(depot), cars.into());
    }

    /// Notes that a trip was started.
    pub fn trip(&mut self, id: &str, trip: &Trip) {
        self.trips.insert(id.to_owned(), trip.clone());
    }

    /// Notes that an operator went on without the points of a trip.
    pub fn leave_points(&mut self, id: &str) {
        self.without_points.insert(id.to_owned());
    }
}

/// What there is of a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pool {
    /// What can be taken.
    pub free: i64,
    /// What trips have.
    pub taken: i64,
}

/// What the deployment holds when all trips have ended.
pub(super) struct Held {
    pub(super) trips: BTreeSet<String>,
    pub(super) points: BTreeMap<String, u32>,
}

/// What does not add up, one sentence each. `held`: once all trips have ended.
pub(super) fn lost(books: &TripBooks, pools: &BTreeMap<String, Pool>, held: Option<&Held>) -> Vec<String> {
    let (mut taken, mut earned) = (BTreeMap::new(), BTreeMap::new());
    for (id, trip) in books.trips.iter().filter(|(id, _)| held.is_some_and(|held| held.trips.contains(*id))) {
        for pool in pools_of_trip(trip) {
            *taken.entry(pool).or_insert(0) += 1;
        }
        if !books.without_points.contains(id) {
            *earned.entry(&trip.traveller).or_insert(0) += POINTS_OF_A_TRIP;
        }
    }
    let mut lost = Vec::new();
    for (name, loaded) in &books.pools {
        let Some(Pool { free, taken: there }) = pools.get(name).copied() else {
            lost.push(format!("{name}: gone, but there were {loaded}"));
            continue;
        };
        if free + there != *loaded {
            lost.push(format!("{name}: {free} free + {there} taken, but there were {loaded}"));
        }
        let wanted = taken.get(name).copied().unwrap_or_default();
        if held.is_some() && there != wanted {
            lost.push(format!("{name}: {there} taken, but {wanted} by trips that take place"));
        }
    }
    let travellers: BTreeSet<&String> = books.trips.values().map(|trip| &trip.traveller).collect();
    for traveller in travellers.into_iter().filter(|_| held.is_some()) {
        let has = held.and_then(|held| held.points.get(traveller)).copied().unwrap_or_default();
        let wanted = earned.get(traveller).copied().unwrap_or_default();
        if has != wanted {
            lost.push(format!("{traveller}: {has} points, but {wanted} for trips that take place"));
        }
    }
    lost
}

/// The pools of which a trip takes one each.
fn pools_of_trip(trip: &Trip) -> [String; 4] {
    [seats_of(&trip.flight), tickets_of(&trip.flight), rooms_of(&trip.hotel), cars_of(&trip.depot)]
}

/// The pool of seats of a flight.
#[must_use]
pub fn seats_of(flight: &str) -> String {
    format!("seats of {flight}")
}

/// The pool of tickets of a flight.
#[must_use]
pub fn tickets_of(flight: &str) -> String {
    format!("tickets of {flight}")
}

/// The pool of rooms of a hotel.
#[must_use]
pub fn rooms_of(hotel: &str) -> String {
    format!("rooms of {hotel}")
}

/// The pool of cars of a depot.
#[must_use]
pub fn cars_of(depot: &str) -> String {
    format!("cars of {depot}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn books() -> TripBooks {
        let text = str::to_owned;
        let mut books = TripBooks::default();
        books.flight("f", 3, 5);
        books.hotel("h", 2);
        books.depot("d", 2);
        let trip = Trip { traveller: text("ada"), flight: text("f"), hotel: text("h"), depot: text("d") };
        books.trip("t-1", &trip);
        books.trip("t-2", &trip);
        books
    }

    fn pools(taken: i64) -> BTreeMap<String, Pool> {
        let pool = |(name, loaded): (&String, &i64)| (name.clone(), Pool { free: loaded - taken, taken });
        books().pools.iter().map(pool).collect()
    }

    fn held(trips: &[&str], points: u32) -> Held {
        let trips = trips.iter().map(|id| (*id).to_owned()).collect();
        Held { trips, points: [("ada".to_owned(), points)].into() }
    }

    #[test]
    fn what_trips_have_adds_up() {
        assert_eq!(lost(&books(), &pools(1), Some(&held(&["t-2"], 100))), Vec::<String>::new());
        assert_eq!(lost(&books(), &pools(0), Some(&held(&[], 0))), Vec::<String>::new());
        assert_eq!(lost(&books(), &pools(2), None), Vec::<String>::new(), "sagas run");
        let mut books = books();
        books.leave_points("t-1");
        assert_eq!(lost(&books, &pools(2), Some(&held(&["t-1", "t-2"], 100))), Vec::<String>::new());
    }

    #[test]
    fn what_is_lost_is_named() {
        let mut pools = pools(1);
        pools.insert(rooms_of("h"), Pool { free: 2, taken: 1 });
        assert_eq!(lost(&books(), &pools, None), ["rooms of h: 2 free + 1 taken, but there were 2"]);
        pools.remove(&rooms_of("h"));
        let expected = [
            "cars of d: 1 taken, but 0 by trips that take place",
            "rooms of h: gone, but there were 2",
            "seats of f: 1 taken, but 0 by trips that take place",
            "tickets of f: 1 taken, but 0 by trips that take place",
            "ada: 100 points, but 0 for trips that take place",
        ];
        assert_eq!(lost(&books(), &pools, Some(&held(&[], 100))), expected);
    }
}
