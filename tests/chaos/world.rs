//! One deployment on the real emulator with IAM enforced, and a proxy between the functions and each of their peers.

use crate::{
    faults::{
        Weather,
        aws_calls::AwsCalls,
        gateway_calls::GatewayCalls,
        gateway_restarts::GatewayProcess,
        kills::{self, Victims},
        shelf::Shelf,
    },
    plan::Seeds,
    proxy::Proxy,
};
use anyhow::{Context, Result};
use std::{
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};
use system::{System, SystemConfig};
use tempfile::TempDir;

/// How long queues hide what was delivered: shorter than deployed, so that a message comes back while its first
/// delivery may still be carried out, but longer than a function runs and a call is held.
const VISIBILITY: Duration = Duration::from_secs(8);

/// Every function with a queue.
const FUNCTIONS: [&str; 6] = ["order-intake", "orders", "inventory", "payment", "notification", "rescue"];

/// A running deployment.
pub(crate) struct World {
    pub(crate) system: System,
    pub(crate) weather: Arc<Weather>,
    pub(crate) victims: Victims,
    /// The beginning of every id of this run.
    pub(crate) run: String,
    /// The product that goes missing.
    pub(crate) shelf: Shelf,
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
    pub(crate) function: &'static str,
    pub(crate) url: String,
    pub(crate) dead_letters_url: String,
}

impl World {
    pub(crate) async fn begin(seeds: &mut Seeds, report: &mut (dyn FnMut(&str) + Send)) -> Result<Self> {
        kills::check_system()?;
        let seconds = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs();
        let run = format!("c{seconds:x}");
        let (weather, victims) = (Arc::<Weather>::default(), Victims::of(&run));
        let judge = AwsCalls {
            weather: Arc::clone(&weather),
            victims: victims.clone(),
            rng: Mutex::new(seeds.fork()),
        };
        let aws_proxy = Proxy::bind(judge).await?;
        let judge = GatewayCalls {
            weather: Arc::clone(&weather),
            victims: victims.clone(),
            rng: Mutex::new(seeds.fork()),
        };
        let gateway_proxy = Proxy::bind(judge).await?;
        let journal = tempfile::tempdir().context("no folder for the gateway's journal")?;
        let gateway = GatewayProcess::start(&journal.path().join("journal"), &gateway_proxy).await?;

        let functions = [("AWS_ENDPOINT_URL", aws_proxy.url()), (kills::MARK, run.clone())];
        let config = SystemConfig {
            // Always an emulator of our own: nobody else's functions are killed.
            endpoint: None,
            gateway_url: Some(gateway_proxy.url()),
            emulator_environment: functions.map(|(name, value)| (name.to_owned(), value)).into(),
            ..SystemConfig::from_env()
        };
        let system = System::start(config, report).await?;
        aws_proxy.pass_on_to(Some(system.endpoint()))?;
        let gateway = Some(gateway);
        let world = Self {
            system,
            weather,
            victims,
            shelf: Shelf::of(format!("{run}-missing")),
            run,
            gateway,
            gateway_proxy,
            _aws_proxy: aws_proxy,
            _journal: journal,
        };
        world.shorten_visibility().await?;
        Ok(world)
    }

    pub(crate) async fn end(self) {
        self.system.stop().await;
    }

    /// The queues of all functions.
    pub(crate) fn queues(&self) -> Vec<Queue> {
        let queue = |function| Queue {
            function,
            url: self.system.queue_url(function).to_owned(),
            dead_letters_url: self.system.dead_letter_queue_url(function).to_owned(),
        };
        FUNCTIONS.map(queue).into()
    }

    /// The queues that state machines send to.
    pub(crate) fn participant_queues(&self) -> Vec<Queue> {
        let participants = sagas::participants();
        let mut queues = self.queues();
        queues.retain(|queue| participants.iter().any(|participant| participant.name == queue.function));
        queues
    }

    async fn shorten_visibility(&self) -> Result<()> {
        let seconds = u32::try_from(VISIBILITY.as_secs())?;
        for function in FUNCTIONS {
            self.system.hide_messages_for(function, seconds).await?;
        }
        Ok(())
    }
}
