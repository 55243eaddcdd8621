//! What the tests share: one deployment, and the books of what they put in.

use crate::draft::Draft;
use anyhow::{Context, Result, anyhow};
use aws_sdk_sqs::types::Message;
use saga::Settling;
use sagas::{
    cancel::saga_id,
    events::{CancelRequested, OrderEvent, OrderPlaced},
};
use stacks::parameters::MAX_BACKLOG;
use std::{
    collections::BTreeMap,
    io::Write,
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
    time::{Duration, SystemTime},
};
use system::{Books, Execution, Packaging, System, SystemConfig, TRIP_PARTICIPANTS, TripBooks, eventually};
use tokio::runtime::Runtime;

/// The deployment where incidents happen.
const INCIDENTS: &str = "incidents";

/// How many functions run at a time where incidents happen: as many as in a new account of AWS.
const INCIDENT_CONCURRENCY: u32 = 10;

/// How many messages a participant may have there before orders are held back: few, so that a small flood is one.
const INCIDENT_BACKLOG: u32 = 10;

/// How long messages about trips are hidden: the attempts that fail are to fail soon.
const TRIPS_VISIBILITY_SECONDS: u32 = 2;

/// For what happens at once, on a machine that is busy with all the other tests.
const SOON: Duration = Duration::from_secs(90);

/// In which world a test runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Where {
    /// Where every execution succeeds, whatever becomes of its saga.
    Calm,
    /// Where executions are stopped and undos fail, with few functions at a time.
    Incidents,
    /// Where trips are booked, on the emulator of the calm one, whatever happens to them.
    Trips,
}

/// Worlds that begin with the first test that needs them.
pub(crate) struct Shared {
    runtime: Runtime,
    calm: OnceLock<Result<World, String>>,
    incidents: OnceLock<Result<World, String>>,
    trips: OnceLock<Result<World, String>>,
}

impl Shared {
    pub(crate) fn new() -> Self {
        let runtime = Runtime::new().expect("a runtime needs nothing but threads");
        let (calm, incidents, trips) = (OnceLock::new(), OnceLock::new(), OnceLock::new());
        Self { runtime, calm, incidents, trips }
    }

    /// Runs a test in its world.
    pub(crate) fn run(&self, place: Where, test: crate::cases::Run) -> Result<()> {
        let world = self.world(place).map_err(|error| anyhow!("the system did not start: {error}"))?;
        self.runtime.block_on(test(world))
    }

    fn world(&self, place: Where) -> Result<&World, &String> {
        // The others take the functions that this one has packaged.
        let calm = self.calm.get_or_init(|| self.begin(World::calm())).as_ref()?;
        match place {
            Where::Calm => Ok(calm),
            Where::Incidents => self.incidents.get_or_init(|| self.begin(World::incidents())).as_ref(),
            Where::Trips => self.trips.get_or_init(|| self.begin(World::trips_beside(calm))).as_ref(),
        }
    }

    fn begin(&self, world: impl Future<Output = Result<World>>) -> Result<World, String> {
        self.runtime.block_on(world).map_err(|error| format!("{error:#}"))
    }

    /// Ends the worlds.
    pub(crate) fn stop(self) {
        for world in [self.trips, self.incidents, self.calm] {
            if let Some(Ok(world)) = world.into_inner() {
                self.runtime.block_on(world.system.stop());
            }
        }
    }
}

/// One deployment.
pub(crate) struct World {
    pub(crate) system: System,
    /// The beginning of every id of this run: an endpoint that is used again holds those of earlier runs.
    run: String,
    books: Mutex<Books>,
    trip_books: Mutex<TripBooks>,
    /// What dead letters may contain, because a test wants it there.
    expected_dead: Mutex<Vec<String>>,
    /// What any test has seen in a queue, by queue and message.
    seen: Mutex<BTreeMap<(String, String), Message>>,
}

impl World {
    async fn calm() -> Result<Self> {
        Self::begin(from_env()?.package_with_trips(&mut report).await?).await
    }

    async fn incidents() -> Result<Self> {
        Self::begin(SystemConfig {
            deployment: INCIDENTS.to_owned(),
            lambda_concurrency: Some(INCIDENT_CONCURRENCY),
            parameters: BTreeMap::from([(MAX_BACKLOG.to_owned(), INCIDENT_BACKLOG.to_string())]),
            package: Packaging::Reuse,
            ..from_env()?
        })
        .await
    }

    async fn trips_beside(calm: &Self) -> Result<Self> {
        let world = Self::begin(SystemConfig::trips_beside(&calm.system)).await?;
        for participant in TRIP_PARTICIPANTS {
            world.system.hide_messages_for(participant, TRIPS_VISIBILITY_SECONDS).await?;
        }
        Ok(world)
    }

    async fn begin(config: SystemConfig) -> Result<Self> {
        let system = System::start(config, &mut report).await?;
        let seconds = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs();
        let run = format!("r{seconds:x}");
        let (books, trip_books) = (Mutex::default(), Mutex::default());
        let (expected_dead, seen) = (Mutex::default(), Mutex::default());
        Ok(Self { system, run, books, trip_books, expected_dead, seen })
    }

    /// A name that only this run has.
    pub(crate) fn id(&self, name: &str) -> String {
        format!("{}-{name}", self.run)
    }

    /// An order of a name that no other test uses.
    pub(crate) fn draft(&self, name: &str) -> Draft {
        Draft::new(self.id(name))
    }

    /// Puts a product on the shelf; gives its SKU.
    pub(crate) async fn product(&self, name: &str, units: u32) -> Result<String> {
        let sku = self.id(name);
        self.system.load_stock(&[(&sku, units)]).await?;
        self.books().stock(&sku, units);
        Ok(sku)
    }

    /// Publishes an order.
    pub(crate) async fn place(&self, order: &OrderPlaced) -> Result<()> {
        self.place_all(std::slice::from_ref(order)).await
    }

    /// Publishes many orders at once.
    pub(crate) async fn place_all(&self, orders: &[OrderPlaced]) -> Result<()> {
        for order in orders {
            self.books().order(order);
        }
        let events: Vec<_> = orders.iter().cloned().map(OrderEvent::OrderPlaced).collect();
        self.system.publish_all(&events).await
    }

    /// Publishes the customer's wish to cancel; gives the saga id it will have.
    pub(crate) async fn cancel(&self, order: &OrderPlaced) -> Result<String> {
        let OrderPlaced { order_id, customer, .. } = order.clone();
        let id = saga_id(&order_id, &customer.id);
        self.system.publish(&OrderEvent::CancelOrder(CancelRequested { order_id, customer })).await?;
        Ok(id)
    }

    /// Places an order and waits for the end of its saga.
    pub(crate) async fn carry_out(&self, order: &OrderPlaced) -> Result<Execution> {
        self.place(order).await?;
        self.end_of(order).await
    }

    /// The end of an order's saga.
    pub(crate) async fn end_of(&self, order: &OrderPlaced) -> Result<Execution> {
        self.end_within(order, self.soon()).await
    }

    /// The end of an order's saga, within a limit.
    pub(crate) async fn end_within(&self, order: &OrderPlaced, limit: Duration) -> Result<Execution> {
        self.system.end_of("order", &order.order_id, limit).await
    }

    /// The end of the execution that settles an order's saga after this one died.
    pub(crate) async fn settled(&self, order: &OrderPlaced, dead_execution_arn: &str) -> Result<Execution> {
        let name = Settling::execution_name(&order.order_id.clone().try_into()?, dead_execution_arn);
        self.system.end_of("order", &name, self.until_settled()).await
    }

    /// For what settles a dead execution: a sweep, when no event told of its death. Another case may lose all events just
    /// then.
    pub(crate) fn until_settled(&self) -> Duration {
        self.system.timing().sweep_interval() * 2 + self.all_deliveries()
    }

    /// For what happens at once.
    pub(crate) fn soon(&self) -> Duration {
        self.patiently(SOON)
    }

    /// A limit that is right where most tests run, stretched to where they run now.
    pub(crate) fn patiently(&self, limit: Duration) -> Duration {
        limit * self.system.peer().patience()
    }

    /// How many there are where sagas are slow, of what there are so many of where most tests run.
    pub(crate) fn fewer(&self, count: u32) -> u32 {
        count / self.system.peer().patience()
    }

    /// For what takes as long as all deliveries of a message.
    pub(crate) fn all_deliveries(&self) -> Duration {
        self.system.timing().delivery_window() + self.soon()
    }

    /// Notes that a message which contains this ends in a dead-letter queue, as it should.
    pub(crate) fn expect_dead(&self, text: &str) {
        locked(&self.expected_dead).push(text.to_owned());
    }

    /// Whether a dead letter is one that a test wants there.
    pub(crate) fn is_expected_dead(&self, body: &str) -> bool {
        locked(&self.expected_dead).iter().any(|text| body.contains(text))
    }

    /// A message that contains this, as soon as a queue that nothing works off has one.
    ///
    /// Who looks into a queue hides for a moment what is there from everyone else who looks. So what one test sees all
    /// others see too.
    pub(crate) async fn message(&self, queue_url: &str, text: &str, limit: Duration) -> Result<Message> {
        let what = format!("a message with {text:?} in {queue_url}");
        eventually(&what, limit, || async {
            let messages = self.system.receive_all(queue_url).await?;
            let mut seen = locked(&self.seen);
            for message in messages {
                let id = message.message_id.clone().unwrap_or_default();
                seen.insert((queue_url.to_owned(), id), message);
            }
            let here = || seen.iter().filter(|((url, _), _)| url == queue_url).map(|(_, message)| message);
            let contains = |message: &&Message| message.body.as_ref().is_some_and(|body| body.contains(text));
            Ok(here().find(contains).cloned().ok_or_else(|| format!("{} others", here().count())))
        })
        .await
    }

    /// Whether something belongs to this run.
    pub(crate) fn is_ours(&self, text: &str) -> bool {
        text.contains(&self.run)
    }

    /// What was put in so far.
    pub(crate) fn books(&self) -> MutexGuard<'_, Books> {
        locked(&self.books)
    }

    /// The trips that were put in so far.
    pub(crate) fn trips(&self) -> MutexGuard<'_, TripBooks> {
        locked(&self.trip_books)
    }

    /// The stock of a product that is there.
    pub(crate) async fn stock(&self, sku: &str) -> Result<(i64, i64)> {
        let stock = self.system.stock(sku).await?.with_context(|| format!("there is no product {sku}"))?;
        Ok((stock.available, stock.reserved))
    }
}

/// A line for whoever runs it.
pub(crate) fn report(line: &str) {
    // Without standard error there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "  {line}");
}

fn from_env() -> Result<SystemConfig> {
    let kind = emulator::Kind::from_env().map_err(|error| anyhow!(error))?;
    Ok(SystemConfig { emulator: kind, ..SystemConfig::from_env() })
}

/// A test that failed half-way has still written whole entries.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
