//! The functions of all participants: the real handlers.

use crate::{
    orchestrator::{Rescue, Rescuer},
    outside::{Nobody, Outside, Peer},
    process::{Carried, Host, Io},
};
use saga::{
    Deployment, Entities, HandleAll, Participant, Request, Retry, Service, Store, asl::Placeholder, serve,
};
use saga_executions::Orchestrator;
use serde_json::Value as Json;
use std::{fmt, sync::Arc};

/// The functions of all participants, and what is outside of them.
#[derive(Clone)]
pub struct Handlers {
    pub(crate) hosts: Vec<Registered>,
    pub(crate) peer: Arc<dyn Peer>,
    pub(crate) rescue: Arc<dyn Rescue>,
    pub(crate) reconciliation: Option<Reconciliation>,
}

/// What looks after the effects of a participant at the peer, on a schedule.
#[derive(Clone)]
pub(crate) struct Reconciliation {
    pub(crate) participant: &'static str,
    /// The keys under which something stands in the peer's memory.
    pub(crate) list: Arc<List>,
    pub(crate) examine: Arc<Examine>,
}

/// Finds the keys in the peer's memory.
type List = dyn Fn(&Json) -> Vec<String> + Send + Sync;

/// Looks at what stands under a key.
type Examine = dyn Fn(Io, Outside, String) -> Carried<'static> + Send + Sync;

/// The function of one participant.
#[derive(Clone)]
pub(crate) struct Registered {
    pub(crate) participant: &'static str,
    /// As it stands in the state machines.
    pub(crate) queue: String,
    /// The entities it owns.
    pub(crate) entities: Vec<&'static str>,
    pub(crate) host: Arc<dyn Host>,
}

impl fmt::Debug for Handlers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.hosts.iter().map(|host| host.participant)).finish()
    }
}

impl Default for Handlers {
    fn default() -> Self {
        Self::new()
    }
}

impl Handlers {
    /// None yet.
    pub fn new() -> Self {
        let rescue = Arc::new(Rescuer(|io| io));
        Self { hosts: Vec::new(), peer: Arc::new(Nobody), rescue, reconciliation: None }
    }

    /// Adds the function of one participant. `service` makes it for each message, with the peer it calls.
    #[must_use]
    pub fn service<H>(self, service: impl Fn(Outside) -> H + Send + Sync + 'static) -> Self
    where
        H: Service + HandleAll<<H::Participant as Participant>::Steps>,
    {
        self.service_on(service, |io, _| io)
    }

    /// As [`service`](Self::service), with something between the handlers and their store: for instance a store that
    /// makes a mistake. Replaces the function of the same participant.
    #[must_use]
    pub fn service_on<H, St>(
        mut self,
        service: impl Fn(Outside) -> H + Send + Sync + 'static,
        store: impl Fn(Io, &Request) -> St + Send + Sync + 'static,
    ) -> Self
    where
        H: Service + HandleAll<<H::Participant as Participant>::Steps>,
        St: Store + 'static,
    {
        let participant = H::Participant::NAME;
        self.hosts.retain(|host| host.participant != participant);
        let queue = format!("${{{}}}", Placeholder::Queue(participant).key());
        let entities =
            <H::Participant as Participant>::Entities::SPECS.iter().map(|spec| spec.name).collect();
        let host = Arc::new(Function { service, store });
        self.hosts.push(Registered { participant, queue, entities, host });
        self
    }

    /// Something between the function that settles dead executions and Step Functions: for instance one that makes a
    /// mistake.
    #[must_use]
    pub fn rescue_on<O: Orchestrator + 'static>(
        mut self,
        orchestrator: impl Fn(Io) -> O + Send + Sync + 'static,
    ) -> Self {
        self.rescue = Arc::new(Rescuer(orchestrator));
        self
    }

    /// What looks after the effects of a participant at the peer, on a schedule, so at any moment. `list`: the keys
    /// under which something stands, in the peer's memory. `examine`: looks at one of them, in the participant's store.
    #[must_use]
    pub fn reconciliation<P, F>(
        mut self,
        list: impl Fn(&Json) -> Vec<String> + Send + Sync + 'static,
        examine: impl Fn(Io, Outside, String) -> F + Send + Sync + 'static,
    ) -> Self
    where
        P: Participant,
        F: Future<Output = Result<(), Retry>> + Send + 'static,
    {
        let examine = move |io: Io, outside: Outside, key: String| -> Carried<'static> {
            let examined = examine(io, outside, key);
            Box::pin(async move { Ok(examined.await?) })
        };
        let (list, examine) = (Arc::new(list), Arc::new(examine));
        self.reconciliation = Some(Reconciliation { participant: P::NAME, list, examine });
        self
    }

    /// What the handlers call outside their stores.
    #[must_use]
    pub fn peer(mut self, peer: impl Peer) -> Self {
        self.peer = Arc::new(peer);
        self
    }
}

struct Function<F, G> {
    service: F,
    store: G,
}

impl<H, St, F, G> Host for Function<F, G>
where
    H: Service + HandleAll<<H::Participant as Participant>::Steps>,
    St: Store + 'static,
    F: Fn(Outside) -> H + Send + Sync,
    G: Fn(Io, &Request) -> St + Send + Sync,
{
    fn carry_out<'a>(&'a self, request: &'a Request, io: Io, outside: Outside) -> Carried<'a> {
        Box::pin(async move {
            let service = (self.service)(outside);
            let store = (self.store)(io.clone(), request);
            // On Lambda what was delivered before is first looked up (`serve_again`). What that finds a refused transaction
            // would tell here, and when it finds nothing all goes on as here: it adds states, and no history.
            let handled = serve(&service, &store, &Deployment::in_memory(), request).await?;
            io.reply(&handled).await;
            Ok(())
        })
    }
}
