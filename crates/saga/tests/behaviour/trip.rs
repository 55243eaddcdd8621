//! The saga of these tests: hotel and flight at the same time, a card charged outside, tickets as the pivot, and an
//! itinerary that is sent until it is sent.

use crate::delivery::pause;
use saga::{
    Commit, Compensable, CompensableOutside, Context, Entity, Fault, Handle, HandleOutside, MemoryStore,
    Never, Notice, Participant, Pivot, Rejection, Retriable, Retry, Row, Runner, Saga, SagaId, Start, Step,
    Value, saga,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

pub(crate) fn trip_saga() -> Saga<Trip> {
    saga::<Trip>("trip")
        .parallel((BookHotel, BookFlight))
        .step(ChargeCard)
        .pivot(IssueTickets)
        .step(SendItinerary)
        .on_commit(TripBooked)
        .on_compensate(TripCancelled)
        .build()
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

value!(Trip "trip" from Start { traveller: String, price: i32 });
value!(Room "room" from BookHotel { nights: u32 });
value!(Seat "seat" from BookFlight { number: String });
value!(Payment "payment" from ChargeCard { amount: i32 });
value!(Tickets "tickets" from IssueTickets { count: u32 });
value!(Itinerary "itinerary" from SendItinerary { sent: bool });

// ---- rejections ----

macro_rules! rejection {
    ($rejection:ident: $($name:ident),+) => {
        #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Rejection)]
        pub(crate) enum $rejection {
            $($name),+
        }
    };
}

rejection!(HotelRefusal: NoRoom);
rejection!(FlightRefusal: SeatTaken);
rejection!(CardRefusal: CardDeclined, AlreadyPaid);
rejection!(TicketRefusal: FareExpired);

// ---- steps and participants ----

macro_rules! step {
    ($step:ident of $participant:ty: $kind:ty, $input:ty => $output:ty, $rejection:ty) => {
        #[derive(Debug, Step)]
        #[step(participant = $participant, kind = $kind, timeout = Duration::from_mins(15), max_writes = 3)]
        #[step(input = $input, output = $output, rejection = $rejection)]
        pub(crate) struct $step;
    };
}

step!(BookHotel of Hotel: Compensable, (Trip,) => Room, HotelRefusal);
step!(BookFlight of Airline: Compensable, (Trip,) => Seat, FlightRefusal);
step!(ChargeCard of Bank: CompensableOutside, (Trip, Room, Seat) => Payment, CardRefusal);
step!(IssueTickets of Airline: Pivot, (Seat, Payment) => Tickets, TicketRefusal);
step!(SendItinerary of Agency: Retriable, (Room, Tickets) => Itinerary, Never);

macro_rules! participant {
    ($participant:ident $name:literal: $steps:ty, $entities:ty) => {
        #[derive(Debug, Clone)]
        pub(crate) struct $participant;

        impl Participant for $participant {
            const NAME: &'static str = $name;
            type Steps = $steps;
            type Entities = $entities;
        }

        impl saga::Service for Served<$participant> {
            type Participant = $participant;
        }
    };
}

participant!(Hotel "hotel": (BookHotel,), (Rooms,));
participant!(Airline "airline": (BookFlight, IssueTickets), (Seats, Fares));
participant!(Bank "bank": (ChargeCard,), (Ledger,));
participant!(Agency "agency": (SendItinerary,), (Mails,));

macro_rules! notice {
    ($notice:ident, $input:ty) => {
        #[derive(Debug, Notice)]
        #[notice(input = $input)]
        pub(crate) struct $notice;
    };
}

notice!(TripBooked, (Trip, Itinerary));
notice!(TripCancelled, (Trip,));

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

entity!(Rooms "rooms" by hotel { free: u32, booked: u32 });
entity!(Seats "seats" by number { class: String, price: i64 });
entity!(Fares "fares" by flight { status: String });
entity!(Ledger "ledger" by trip { amount: i64 });
entity!(Mails "mails" by trip { to: String });

// ---- handlers ----

/// The service of a participant, with the card network where it needs one.
#[derive(Clone)]
pub(crate) struct Served<P> {
    participant: P,
    network: Arc<CardNetwork>,
}

impl Handle<BookHotel> for Served<Hotel> {
    async fn run(&self, _: &Context, _: (Trip,)) -> Result<Commit<BookHotel>, Fault<HotelRefusal>> {
        let mut commit = Commit::of(Room { nights: 2 });
        commit
            .update::<Rooms>("ritz".to_owned())
            .subtract(Rooms::FREE, 1)
            .or_reject(HotelRefusal::NoRoom)
            .add(Rooms::BOOKED, 1);
        Ok(commit)
    }
}

impl Handle<BookFlight> for Served<Airline> {
    async fn run(&self, _: &Context, _: (Trip,)) -> Result<Commit<BookFlight>, Fault<FlightRefusal>> {
        let mut commit = Commit::of(Seat { number: "12A".into() });
        commit.delete::<Seats>("12A".to_owned()).or_reject(FlightRefusal::SeatTaken);
        Ok(commit)
    }
}

impl HandleOutside<ChargeCard> for Served<Bank> {
    async fn call(
        &self,
        cx: &Context,
        (trip, ..): (Trip, Room, Seat),
    ) -> Result<Commit<ChargeCard>, Fault<CardRefusal>> {
        if !self.network.charge(cx.idempotency_key().as_str()).await {
            return Err(CardRefusal::CardDeclined.into());
        }
        let mut commit = Commit::of(Payment { amount: trip.price });
        let entry = Ledger::row(cx.saga_id().to_string()).with(Ledger::AMOUNT, i64::from(trip.price));
        commit.insert(entry).or_reject(CardRefusal::AlreadyPaid);
        Ok(commit)
    }

    async fn reverse(&self, cx: &Context) -> Result<(), Retry> {
        self.network.reverse(cx.idempotency_key().as_str()).await;
        Ok(())
    }
}

impl Handle<IssueTickets> for Served<Airline> {
    async fn run(
        &self,
        _: &Context,
        _: (Seat, Payment),
    ) -> Result<Commit<IssueTickets>, Fault<TicketRefusal>> {
        let mut commit = Commit::of(Tickets { count: 1 });
        commit
            .update::<Fares>("fl-1".to_owned())
            .transition(Fares::STATUS, "open".to_owned(), "issued".to_owned())
            .or_reject(TicketRefusal::FareExpired);
        Ok(commit)
    }
}

impl Handle<SendItinerary> for Served<Agency> {
    async fn run(&self, cx: &Context, _: (Room, Tickets)) -> Result<Commit<SendItinerary>, Fault<Never>> {
        let mut commit = Commit::of(Itinerary { sent: true });
        commit.insert(Mails::row(cx.saga_id().to_string()).with(Mails::TO, "ada@example.com")).or_retry();
        Ok(commit)
    }
}

// ---- the outside peer ----

/// What a peer does with a key it has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Memory {
    /// A key has one answer for good, also after it was reversed.
    Replays,
    /// A reversed key is charged anew.
    ForgetsReversals,
    /// A key that was charged is declined when it is seen again.
    ChangesItsMind,
}

/// Charges cards by idempotency key. A request whose sender died may land later.
#[derive(Debug)]
pub(crate) struct CardNetwork {
    memory: Memory,
    state: Mutex<Network>,
}

#[derive(Debug, Default)]
struct Network {
    /// By key, whether each charge still stands.
    charges: BTreeMap<String, Vec<bool>>,
    /// The answers still to be given before every answer is 'yes'.
    declines: u32,
    /// Requests whose sender died.
    adrift: Vec<String>,
}

impl Network {
    fn charge(&mut self, memory: Memory, key: &str) -> bool {
        let charges = self.charges.entry(key.to_owned()).or_default();
        match memory {
            Memory::Replays if !charges.is_empty() => return true,
            Memory::ForgetsReversals if charges.contains(&true) => return true,
            Memory::ChangesItsMind if !charges.is_empty() => return false,
            _ => {}
        }
        if self.declines > 0 {
            self.declines -= 1;
            return false;
        }
        charges.push(true);
        true
    }
}

impl CardNetwork {
    pub(crate) fn new(memory: Memory, declines: u32) -> Arc<Self> {
        let state = Network { declines, ..Network::default() };
        Arc::new(Self { memory, state: Mutex::new(state) })
    }

    /// How many charges stand.
    pub(crate) fn standing(&self) -> usize {
        self.state.lock().unwrap().charges.values().flatten().filter(|stands| **stands).count()
    }

    /// Lets every request land whose sender died.
    pub(crate) fn land_adrift(&self) {
        let mut state = self.state.lock().unwrap();
        for key in std::mem::take(&mut state.adrift) {
            state.charge(self.memory, &key);
        }
    }

    async fn charge(&self, key: &str) -> bool {
        let mut request = Sent { network: self, key, landed: false };
        pause().await;
        let answer = self.state.lock().unwrap().charge(self.memory, key);
        request.landed = true;
        pause().await;
        answer
    }

    async fn reverse(&self, key: &str) {
        pause().await;
        if let Some(charges) = self.state.lock().unwrap().charges.get_mut(key) {
            charges.fill(false);
        }
        pause().await;
    }
}

/// A request on its way.
struct Sent<'a> {
    network: &'a CardNetwork,
    key: &'a str,
    landed: bool,
}

impl Drop for Sent<'_> {
    fn drop(&mut self) {
        if !self.landed {
            self.network.state.lock().unwrap().adrift.push(self.key.to_owned());
        }
    }
}

// ---- the world ----

/// The services with their stores: one free room, one seat, one open fare.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) hotel: (Served<Hotel>, Arc<MemoryStore>),
    pub(crate) airline: (Served<Airline>, Arc<MemoryStore>),
    pub(crate) bank: (Served<Bank>, Arc<MemoryStore>),
    pub(crate) agency: (Served<Agency>, Arc<MemoryStore>),
    pub(crate) network: Arc<CardNetwork>,
}

impl World {
    pub(crate) fn new(network: Arc<CardNetwork>) -> Self {
        let world = Self {
            hotel: (Served::new(Hotel, &network), Arc::default()),
            airline: (Served::new(Airline, &network), Arc::default()),
            bank: (Served::new(Bank, &network), Arc::default()),
            agency: (Served::new(Agency, &network), Arc::default()),
            network,
        };
        world.set_rooms(1, 0);
        world.set_seat(90);
        world.set_fare("open");
        world
    }

    pub(crate) fn with_a_patient_network() -> Self {
        Self::new(CardNetwork::new(Memory::Replays, 0))
    }

    pub(crate) fn set_rooms(&self, free: u32, booked: u32) {
        put(&self.hotel.1, Rooms::row("ritz".to_owned()).with(Rooms::FREE, free).with(Rooms::BOOKED, booked));
    }

    pub(crate) fn set_seat(&self, price: i64) {
        put(
            &self.airline.1,
            Seats::row("12A".to_owned()).with(Seats::CLASS, "eco").with(Seats::PRICE, price),
        );
    }

    pub(crate) fn set_fare(&self, status: &str) {
        put(&self.airline.1, Fares::row("fl-1".to_owned()).with(Fares::STATUS, status));
    }

    /// Every item of every participant.
    pub(crate) fn rows(&self) -> Vec<BTreeMap<saga::RowKey, Row>> {
        [&self.hotel.1, &self.airline.1, &self.bank.1, &self.agency.1].map(|store| store.rows()).to_vec()
    }

    pub(crate) fn runner(self) -> Runner<Trip> {
        Runner::new(&trip_saga())
            .service(self.hotel.0, self.hotel.1)
            .service(self.airline.0, self.airline.1)
            .service(self.bank.0, self.bank.1)
            .service(self.agency.0, self.agency.1)
    }
}

impl<P> Served<P> {
    fn new(participant: P, network: &Arc<CardNetwork>) -> Self {
        Self { participant, network: network.clone() }
    }
}

impl<P: std::fmt::Debug> std::fmt::Debug for Served<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.participant.fmt(f)
    }
}

pub(crate) fn put<E: Entity>(store: &MemoryStore, row: saga::NewRow<E>) {
    let (key, fields) = row.into_parts();
    store.put(key, fields);
}

pub(crate) fn trip() -> Trip {
    Trip { traveller: "Ada".into(), price: 120 }
}

pub(crate) fn trip_id() -> SagaId {
    SagaId::try_from("trip-1".to_owned()).unwrap()
}
