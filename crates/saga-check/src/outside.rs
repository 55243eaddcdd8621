//! What is outside every store: the peers that handlers call.

use crate::process::Io;
use serde_json::Value as Json;

/// Calls the outside peer of the check, in place of HTTP.
#[derive(Debug, Clone)]
pub struct Outside(Io);

impl Outside {
    pub(crate) fn new(io: Io) -> Self {
        Self(io)
    }

    /// Asks the peer; `None` when no answer comes, and then the peer may have done what it was asked or not.
    pub async fn call(&self, request: Json) -> Option<Json> {
        self.0.outside(request).await
    }
}

/// An outside peer as a pure function: a payment gateway, a card network.
pub trait Peer: Send + Sync + 'static {
    /// What it remembers before anybody calls.
    fn start(&self) -> Json;

    /// Every way in which it may take a request: what it remembers afterwards, and what it answers. The checker tries
    /// them all.
    fn take(&self, memory: &Json, request: &Json) -> Vec<(Json, Json)>;
}

/// No outside peer: nothing is remembered, nothing is answered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Nobody;

impl Peer for Nobody {
    fn start(&self) -> Json {
        Json::Null
    }

    fn take(&self, _: &Json, _: &Json) -> Vec<(Json, Json)> {
        Vec::new()
    }
}
