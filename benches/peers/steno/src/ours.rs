//! The saga as ours, in the in-memory runner.

use crate::{Details, Ending, Receipt, SAGAS_A_ROUND};
use saga::{
    Commit, Compensable, Context, Fault, Handle, MemoryStore, Never, Outcome, Participant, Pivot, Rejection,
    Retry, Runner, SagaId, Service, Start, Step, Undoing, Value, Writes, saga,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{sync::Arc, time::Duration};

/// Runs a round of sagas in a runner with an empty store.
pub(crate) async fn round(ending: Ending) {
    let saga = saga::<Trip>("trip").step(ChargeCard).step(BookHotel).step(BookFlight).pivot(BookCar).build();
    let runner = Runner::new(&saga).service(Desk { ending }, Arc::new(MemoryStore::new()));
    for number in 0..SAGAS_A_ROUND {
        let id = SagaId::try_from(format!("trip-{number}")).expect("letters, digits and a dash");
        let outcome = runner.run(&id, &Trip(Details::new())).await.expect("the runner is set up");
        match outcome {
            Outcome::Committed { .. } => assert_eq!(ending, Ending::Commits),
            Outcome::Compensated { .. } => assert_eq!(ending, Ending::Unwinds),
            Outcome::Parked { unresolved } => panic!("{unresolved:?}"),
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
struct Trip(Details);

impl Value for Trip {
    const NAME: &'static str = "trip";
    const MAX_BYTES: usize = 400;
    type Producer = Start;
}

macro_rules! step {
    ($step:ident $name:literal: $kind:ty, $value:ident $value_name:literal, $rejection:ty) => {
        struct $step;

        impl Step for $step {
            const NAME: &'static str = $name;
            type Participant = TravelDesk;
            type Kind = $kind;
            type Input = (Trip,);
            type Output = $value;
            type Rejection = $rejection;
            const TIMEOUT: Duration = Duration::from_mins(15);
        }

        #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
        struct $value(Receipt);

        impl Value for $value {
            const NAME: &'static str = $value_name;
            const MAX_BYTES: usize = 100;
            type Producer = $step;
        }
    };
}

step!(ChargeCard "charge-card": Compensable, Payment "payment", Never);
step!(BookHotel "book-hotel": Compensable, Hotel "hotel", Never);
step!(BookFlight "book-flight": Compensable, Flight "flight", Never);
step!(BookCar "book-car": Pivot, Car "car", NoCar);

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
struct NoCar;

impl Rejection for NoCar {
    const NAMES: &'static [&'static str] = &["NoCar"];

    fn name(&self) -> &'static str {
        "NoCar"
    }
}

struct TravelDesk;

impl Participant for TravelDesk {
    const NAME: &'static str = "travel-desk";
    type Steps = (ChargeCard, BookHotel, BookFlight, BookCar);
    type Entities = ();
}

struct Desk {
    ending: Ending,
}

impl Service for Desk {
    type Participant = TravelDesk;
}

macro_rules! handle {
    ($step:ident: $value:ident from $field:ident) => {
        impl Handle<$step> for Desk {
            async fn run(
                &self,
                _: &Context,
                (Trip(details),): (Trip,),
            ) -> Result<Commit<$step>, Fault<Never>> {
                Ok(Commit::of($value(Receipt::of(&details.$field))))
            }

            async fn undo(&self, _: &Context, done: Undoing<$step>) -> Result<Writes<Never>, Retry> {
                let $value(receipt) = done.output()?;
                receipt.check();
                Ok(done.inverse())
            }
        }
    };
}

handle!(ChargeCard: Payment from card);
handle!(BookHotel: Hotel from hotel);
handle!(BookFlight: Flight from flight);

impl Handle<BookCar> for Desk {
    async fn run(&self, _: &Context, (Trip(details),): (Trip,)) -> Result<Commit<BookCar>, Fault<NoCar>> {
        match self.ending {
            Ending::Commits => Ok(Commit::of(Car(Receipt::of(&details.car)))),
            Ending::Unwinds => Err(NoCar.into()),
        }
    }
}
