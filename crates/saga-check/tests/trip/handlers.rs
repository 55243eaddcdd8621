//! The handlers, and a card network that forgets what it reversed.

use crate::booking::{
    Agency, Airline, Bank, BookFlight, BookHotel, Booking, Bookings, Cancel, CancelBooking, Cancelled, Car,
    CardDeclined, Cars, ChargeCard, ConfirmBooking, Confirmation, Garage, Hotel, Itinerary, Ledger, Mails,
    NoCar, NoRoom, OpenBooking, Payment, RentCar, Room, Rooms, Seat, SeatTaken, Seats, SendItinerary,
    TooLate, Trip, TripCancelled,
};
use saga::{
    Commit, Context, Deployment, Entity, Fault, Handle, HandleOutside, IdempotencyKey, Never, Retry,
    RunDigest, Service, Store, fence::Fence,
};
use saga_check::{Handlers, Io, Outside, Peer};
use serde_json::{Value as Json, json};
use std::sync::atomic::{AtomicU32, Ordering};

pub(crate) fn handlers() -> Handlers {
    Handlers::new()
        .service(|_| Served(Agency))
        .service(|_| Served(Airline))
        .service(|_| Served(Hotel))
        .service(|_| Served(Garage))
        .service(Cashier)
        .peer(CardNetwork)
        .reconciliation::<Bank, _>(CardNetwork::charged, reconcile)
}

/// Reverses a charge whose step has no effect and never will have.
async fn reconcile(store: Io, network: Outside, key: String) -> Result<(), Retry> {
    let Some(step) = IdempotencyKey::step_in(&Deployment::in_memory(), &key) else { return Ok(()) };
    let fence = store.read_fence(&step.key).await?;
    let ours = fence.filter(|recorded| RunDigest::same(recorded.run.as_ref(), step.run.as_ref()));
    if ours.is_some_and(|recorded| matches!(recorded.fence, Fence::Undone | Fence::Rejected(_))) {
        network.call(json!({ "reverse": key })).await.ok_or_else(|| Retry("no answer came".into()))?;
    }
    Ok(())
}

/// The service of a participant.
pub(crate) struct Served<P>(pub(crate) P);

macro_rules! services {
    ($($participant:ty),+) => {$(
        impl Service for Served<$participant> {
            type Participant = $participant;
        }
    )+};
}

services!(Agency, Airline, Hotel, Garage);

impl Handle<OpenBooking> for Served<Agency> {
    async fn run(&self, _: &Context, (trip,): (Trip,)) -> Result<Commit<OpenBooking>, Fault<Never>> {
        let mut commit = Commit::of(Booking { id: trip.id.clone() });
        commit.insert(Bookings::row(trip.id).with(Bookings::STATUS, "open")).or_retry();
        Ok(commit)
    }

    // Removed as it was recorded only while it is open; a cancelled one goes too.
    async fn undo(
        &self,
        _: &Context,
        done: saga::Undoing<OpenBooking>,
    ) -> Result<saga::Writes<Never>, Retry> {
        let mut writes = saga::Writes::new();
        writes.delete::<Bookings>(done.output()?.id).or_retry();
        Ok(writes)
    }
}

impl Handle<BookFlight> for Served<Airline> {
    async fn run(&self, _: &Context, _: (Trip,)) -> Result<Commit<BookFlight>, Fault<SeatTaken>> {
        let mut commit = Commit::of(Seat { number: "12A".into() });
        commit.delete::<Seats>("12A").or_reject(SeatTaken {});
        Ok(commit)
    }
}

impl Handle<BookHotel> for Served<Hotel> {
    async fn run(&self, _: &Context, _: (Trip,)) -> Result<Commit<BookHotel>, Fault<NoRoom>> {
        let mut commit = Commit::of(Room { nights: 2 });
        commit
            .update::<Rooms>("ritz")
            .subtract(Rooms::FREE, 1)
            .or_reject(NoRoom {})
            .add(Rooms::BOOKED, 1)
            .add(Rooms::BALANCE, 240);
        Ok(commit)
    }
}

impl Handle<RentCar> for Served<Garage> {
    async fn run(&self, _: &Context, _: (Seat, Room)) -> Result<Commit<RentCar>, Fault<NoCar>> {
        let mut commit = Commit::of(Car { class: "small".into() });
        commit.update::<Cars>("small").subtract(Cars::FREE, 1).or_reject(NoCar {}).add(Cars::RENTED, 1);
        Ok(commit)
    }
}

impl Handle<ConfirmBooking> for Served<Agency> {
    async fn run(
        &self,
        _: &Context,
        (booking, _): (Booking, Payment),
    ) -> Result<Commit<ConfirmBooking>, Fault<TripCancelled>> {
        let mut commit = Commit::of(Confirmation { id: booking.id.clone() });
        commit
            .update::<Bookings>(booking.id)
            .transition(Bookings::STATUS, "open".to_owned(), "confirmed".to_owned())
            .or_reject(TripCancelled {});
        Ok(commit)
    }
}

impl Handle<SendItinerary> for Served<Agency> {
    async fn run(
        &self,
        _: &Context,
        (confirmation, ..): (Confirmation, Seat, Room, Car),
    ) -> Result<Commit<SendItinerary>, Fault<Never>> {
        let mut commit = Commit::of(Itinerary { sent: true });
        commit.insert(Mails::row(confirmation.id).with(Mails::TO, "ada@example.com")).or_retry();
        Ok(commit)
    }
}

impl Handle<CancelBooking> for Served<Agency> {
    async fn run(&self, _: &Context, (cancel,): (Cancel,)) -> Result<Commit<CancelBooking>, Fault<TooLate>> {
        let mut commit = Commit::of(Cancelled { id: cancel.id.clone() });
        commit
            .update::<Bookings>(cancel.id)
            .exists()
            .or_reject(TooLate {})
            .transition(Bookings::STATUS, "open".to_owned(), "cancelled".to_owned())
            .or_reject(TooLate {});
        Ok(commit)
    }
}

/// A garage that counts how often it was asked, and rents out another car each time.
pub(crate) struct Forgetful(AtomicU32);

impl Forgetful {
    /// Every message has its own; the count is everybody's.
    pub(crate) fn new() -> impl Fn(Outside) -> Self + Send + Sync + 'static {
        let asked = AtomicU32::new(0);
        move |_| Self(AtomicU32::new(asked.fetch_add(1, Ordering::Relaxed)))
    }
}

impl Service for Forgetful {
    type Participant = Garage;
}

impl Handle<RentCar> for Forgetful {
    async fn run(&self, _: &Context, _: (Seat, Room)) -> Result<Commit<RentCar>, Fault<NoCar>> {
        let mut commit = Commit::of(Car { class: format!("car {}", self.0.load(Ordering::Relaxed)) });
        commit.update::<Cars>("small").subtract(Cars::FREE, 1).or_reject(NoCar {}).add(Cars::RENTED, 1);
        Ok(commit)
    }
}

/// The bank, which calls the card network.
pub(crate) struct Cashier(Outside);

impl Service for Cashier {
    type Participant = Bank;
}

impl HandleOutside<ChargeCard> for Cashier {
    async fn call(
        &self,
        cx: &Context,
        (trip, _): (Trip, Car),
    ) -> Result<Commit<ChargeCard>, Fault<CardDeclined>> {
        let asked = json!({ "charge": cx.idempotency_key().as_str() });
        let answer = self.0.call(asked).await.ok_or_else(|| Fault::retry("no answer came"))?;
        if answer == false {
            return Err(CardDeclined {}.into());
        }
        let mut commit = Commit::of(Payment { amount: trip.price });
        commit.insert(Ledger::row(trip.id).with(Ledger::AMOUNT, i64::from(trip.price))).or_retry();
        Ok(commit)
    }

    async fn reverse(&self, cx: &Context) -> Result<(), Retry> {
        let asked = json!({ "reverse": cx.idempotency_key().as_str() });
        self.0.call(asked).await.map(|_| ()).ok_or_else(|| Retry("no answer came".into()))
    }
}

/// Charges a key once; a key that was reversed is charged anew. It may decline a key it does not know.
#[derive(Debug)]
struct CardNetwork;

impl CardNetwork {
    /// The keys of charges that stand.
    fn charged(memory: &Json) -> Vec<String> {
        let keys = memory.as_object().into_iter().flatten();
        keys.filter(|(_, stands)| **stands == true).map(|(key, _)| key.clone()).collect()
    }
}

impl Peer for CardNetwork {
    fn start(&self) -> Json {
        json!({})
    }

    fn take(&self, memory: &Json, request: &Json) -> Vec<(Json, Json)> {
        let with = |key: &str, stands: bool| {
            let mut after = memory.clone();
            after[key] = json!(stands);
            after
        };
        if let Some(key) = request["charge"].as_str() {
            return match &memory[key] {
                Json::Null => vec![(with(key, true), json!(true)), (memory.clone(), json!(false))],
                _ => vec![(with(key, true), json!(true))],
            };
        }
        match request["reverse"].as_str() {
            Some(key) if memory[key] == true => vec![(with(key, false), json!(true))],
            _ => vec![(memory.clone(), json!(true))],
        }
    }
}
