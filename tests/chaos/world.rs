//! Orders and trips on one real emulator with IAM enforced, and a proxy between the functions and each of their peers.

use crate::{
    faults::{
        Weather,
        accounts::Accounts,
        aws_calls::AwsCalls,
        gateway_calls::GatewayCalls,
        gateway_restarts::GatewayProcess,
        kills::{self, Victims},
        shelf::Shelf,
    },
    operator::Desk,
    plan::Seeds,
    proxy::Proxy,
};
use anyhow::{Context, Result};
use saga::ParticipantSpec;
use stacks::parameters::MAX_BACKLOG;
use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, atomic::AtomicBool},
    time::{Duration, SystemTime},
};
use system::{System, SystemConfig, TRIP_PARTICIPANTS};
use tempfile::TempDir;
use trips::booking::TRIP_SAGA;

/// How long queues hide what was delivered: shorter than deployed, so that a message comes back while its first
/// delivery may still be carried out, but longer than a function runs and a call is held.
const VISIBILITY: Duration = Duration::from_secs(8);

/// And how long once the storm is over: what cannot be done is to be found out and parked soon.
const VISIBILITY_AT_REST: Duration = Duration::from_secs(2);

/// By what the emulator shortens the waits before a state is tried again.
const WAIT_SCALE: (&str, &str) = ("SFN_WAIT_SCALE", "0.1");

/// How many messages a participant may have before orders are held back: fewer than a rush of orders brings, more than it
/// has when none come.
const BACKLOG: u32 = 90;

/// How many products go missing.
const SHELVES: usize = 4;

/// Every function with a queue that orders have.
const FUNCTIONS: [&str; 6] = ["order-intake", "orders", "inventory", "payment", "notification", RESCUE];

/// The function that settles dead executions: each deployment has one.
pub(crate) const RESCUE: &str = "rescue";

/// What is deployed on the one emulator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deployment {
    Orders,
    Trips,
}

impl Deployment {
    pub(crate) const ALL: [Self; 2] = [Self::Orders, Self::Trips];

    /// The one that has a saga.
    pub(crate) fn of(saga: &str) -> Self {
        if saga == TRIP_SAGA { Self::Trips } else { Self::Orders }
    }
}

/// A running system.
pub(crate) struct World {
    /// Orders, and the emulator.
    pub(crate) system: System,
    /// Trips, on the same emulator.
    pub(crate) trips: System,
    pub(crate) weather: Arc<Weather>,
    pub(crate) victims: Victims,
    /// The beginning of every id of this run.
    pub(crate) run: String,
    /// The products that go missing.
    pub(crate) shelves: Vec<Shelf>,
    /// The accounts to which nothing can be paid back.
    pub(crate) accounts: Arc<Accounts>,
    /// Whether no event tells of executions that die now.
    pub(crate) deaths_are_untold: AtomicBool,
    /// The ARN of a state machine like that of orders, which knows none of their names.
    pub(crate) made_again: String,
    /// What the operator remembers.
    pub(crate) desk: Desk,
    /// Taken while the storm restarts it.
    pub(crate) gateway: Option<GatewayProcess>,
    pub(crate) gateway_proxy: Proxy,
    // Used by the functions until the end.
    _aws_proxy: Proxy,
    _journal: TempDir,
}

/// A queue of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Queue {
    pub(crate) of: Deployment,
    pub(crate) function: &'static str,
    pub(crate) url: String,
    pub(crate) dead_letters_url: String,
}

/// The product of a run that everybody wants.
pub(crate) fn flooded(run: &str) -> String {
    format!("{run}-flooded")
}

impl fmt::Display for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.of {
            Deployment::Orders => f.write_str(self.function),
            Deployment::Trips => write!(f, "{} of trips", self.function),
        }
    }
}

impl World {
    pub(crate) async fn begin(seeds: &mut Seeds, report: &mut (dyn FnMut(&str) + Send)) -> Result<Self> {
        kills::check_system()?;
        let seconds = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs();
        let run = format!("c{seconds:x}");
        let (weather, victims) = (Arc::<Weather>::default(), Victims::of(&run));
        let judge = AwsCalls {
            wanted: flooded(&run),
            hot: Mutex::default(),
            weather: Arc::clone(&weather),
            victims: victims.clone(),
            rng: Mutex::new(seeds.fork()),
        };
        let aws_proxy = Proxy::bind(judge).await?;
        let accounts = Arc::<Accounts>::default();
        let judge = GatewayCalls {
            weather: Arc::clone(&weather),
            victims: victims.clone(),
            accounts: Arc::clone(&accounts),
            rng: Mutex::new(seeds.fork()),
        };
        let gateway_proxy = Proxy::bind(judge).await?;
        let journal = tempfile::tempdir().context("no folder for the gateway's journal")?;
        let gateway = GatewayProcess::start(&journal.path().join("journal"), &gateway_proxy).await?;

        let (scale, by) = WAIT_SCALE;
        let functions =
            [("AWS_ENDPOINT_URL", aws_proxy.url()), (kills::MARK, run.clone()), (scale, by.to_owned())];
        let config = SystemConfig {
            // Always an emulator of our own: nobody else's functions are killed.
            endpoint: None,
            gateway_url: Some(gateway_proxy.url()),
            parameters: BTreeMap::from([(MAX_BACKLOG.to_owned(), BACKLOG.to_string())]),
            emulator_environment: functions.map(|(name, value)| (name.to_owned(), value)).into(),
            ..SystemConfig::from_env()
        };
        let system = System::start(config.package_with_trips(report).await?, report).await?;
        let trips = System::start(SystemConfig::trips_beside(&system), report).await?;
        aws_proxy.pass_on_to(Some(system.endpoint()))?;
        let made_again = system.made_again("order", "again").await?;
        let gateway = Some(gateway);
        let world = Self {
            system,
            trips,
            weather,
            victims,
            shelves: (1..=SHELVES).map(|n| Shelf::of(format!("{run}-missing{n}"))).collect(),
            accounts,
            deaths_are_untold: AtomicBool::new(false),
            made_again,
            desk: Desk::of(seeds.fork()),
            run,
            gateway,
            gateway_proxy,
            _aws_proxy: aws_proxy,
            _journal: journal,
        };
        world.hide_messages_for(VISIBILITY).await?;
        Ok(world)
    }

    /// The storm is over.
    pub(crate) async fn calm_down(&self) -> Result<()> {
        self.hide_messages_for(VISIBILITY_AT_REST).await
    }

    /// The deployment.
    pub(crate) fn at(&self, deployment: Deployment) -> &System {
        match deployment {
            Deployment::Orders => &self.system,
            Deployment::Trips => &self.trips,
        }
    }

    /// Where a saga is deployed.
    pub(crate) fn of(&self, saga: &str) -> &System {
        self.at(Deployment::of(saga))
    }

    pub(crate) async fn end(self) {
        self.system.stop().await;
    }

    /// Brings back the products that are missing; says whether there were any.
    pub(crate) async fn restore_shelves(&self) -> Result<bool> {
        let mut restored = false;
        for shelf in &self.shelves {
            restored |= shelf.restore(self).await?;
        }
        Ok(restored)
    }

    /// The queues of all functions.
    pub(crate) fn queues(&self) -> Vec<Queue> {
        let queue = |of, function| Queue {
            of,
            function,
            url: self.at(of).queue_url(function).to_owned(),
            dead_letters_url: self.at(of).dead_letter_queue_url(function).to_owned(),
        };
        let orders = FUNCTIONS.map(|function| queue(Deployment::Orders, function));
        let trips = TRIP_PARTICIPANTS.into_iter().chain([RESCUE]);
        orders.into_iter().chain(trips.map(|function| queue(Deployment::Trips, function))).collect()
    }

    /// The queues that state machines send to.
    pub(crate) fn participant_queues(&self) -> Vec<Queue> {
        let of_orders = sagas::participants();
        let of_orders =
            |queue: &Queue| of_orders.iter().any(|ParticipantSpec { name, .. }| *name == queue.function);
        let mut queues = self.queues();
        queues.retain(|queue| of_orders(queue) || TRIP_PARTICIPANTS.contains(&queue.function));
        queues
    }

    async fn hide_messages_for(&self, time: Duration) -> Result<()> {
        let seconds = u32::try_from(time.as_secs())?;
        for Queue { of, function, .. } in self.queues() {
            self.at(of).hide_messages_for(function, seconds).await?;
        }
        Ok(())
    }
}
