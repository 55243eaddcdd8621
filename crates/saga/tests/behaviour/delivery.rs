//! A queue in miniature: messages are delivered, in any order and at the same time, until they are acknowledged. A
//! delivery stops wherever it waits, so another can run in between, and can die there.

use crate::trip::{CardNetwork, trip_id};
use saga::{
    Deployment, HandleAll, Handled, IfAbsent, MemoryStore, Op, Participant, Refused, Request, Row, RowKey,
    RunDigest, Service, StepKey, Store, TaskToken, Transaction, Unavailable, Unserved, WIRE_VERSION,
    fence::Recorded, serve, serve_again,
};
use serde_json::{Value as Json, json};
use std::{
    future::poll_fn,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context as Task, Poll, Waker},
};

/// Lets others go first, once.
pub(crate) fn pause() -> impl Future<Output = ()> + Send {
    let mut paused = false;
    poll_fn(move |task| {
        task.waker().wake_by_ref();
        if std::mem::replace(&mut paused, true) { Poll::Ready(()) } else { Poll::Pending }
    })
}

/// A store that pauses before and after each thing it does: a delivery that dies at the second pause has written, but
/// does not know.
struct Pausing<'a> {
    store: &'a MemoryStore,
    outage: Arc<Mutex<Option<Outage>>>,
}

/// When a store that does not answer stopped working: before or after it did what it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outage {
    Before,
    After,
}

impl Pausing<'_> {
    /// Pauses, and answers nothing in an outage.
    async fn answer<T>(&self, work: impl FnOnce() -> T + Send) -> Result<T, Unavailable> {
        pause().await;
        let outage = self.outage.lock().unwrap().take();
        if outage == Some(Outage::Before) {
            return Err(Unavailable("before".into()));
        }
        let answer = work();
        if outage == Some(Outage::After) { Err(Unavailable("after".into())) } else { Ok(answer) }
    }
}

impl Store for Pausing<'_> {
    async fn read_fence(&self, key: &StepKey) -> Result<Option<Recorded>, Unavailable> {
        self.answer(|| self.store.recorded(key)).await
    }

    async fn read_row(&self, key: &RowKey) -> Result<Option<Row>, Unavailable> {
        self.answer(|| self.store.row(key)).await
    }

    async fn apply(&self, transaction: &Transaction) -> Result<(), Refused> {
        let applied = self.answer(|| self.store.apply_now(transaction)).await;
        pause().await;
        applied.unwrap_or_else(|unavailable| Err(Refused::Unavailable(unavailable)))
    }
}

type Delivery<'a> = Pin<Box<dyn Future<Output = Result<Handled, Unserved>> + Send + 'a>>;

/// What was answered to a message.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) op: Op,
    /// How many answers there were when the delivery began that gave this one.
    pub(crate) began: usize,
    pub(crate) handled: Handled,
}

/// Messages to one participant.
pub(crate) struct Queue<'a, H> {
    service: &'a H,
    store: &'a MemoryStore,
    network: &'a CardNetwork,
    requests: &'a [Request],
    outage: Arc<Mutex<Option<Outage>>>,
    /// For each message its delivery, and how many answers there were when that began.
    under_way: Vec<Option<(usize, Delivery<'a>)>>,
    /// What was answered, in order.
    pub(crate) answers: Vec<Answer>,
    begun: Vec<bool>,
    acknowledged: Vec<bool>,
}

impl<'a, H> Queue<'a, H>
where
    H: Service + HandleAll<<H::Participant as Participant>::Steps>,
{
    pub(crate) fn new(
        service: &'a H,
        store: &'a MemoryStore,
        network: &'a CardNetwork,
        requests: &'a [Request],
    ) -> Self {
        let under_way = requests.iter().map(|_| None).collect();
        let (begun, acknowledged) = (vec![false; requests.len()], vec![false; requests.len()]);
        Self {
            service,
            store,
            network,
            requests,
            outage: Arc::default(),
            under_way,
            answers: Vec::new(),
            begun,
            acknowledged,
        }
    }

    /// Delivers a message that is not under way, or lets its delivery go on to the next pause.
    pub(crate) fn advance(&mut self, message: usize) {
        if self.acknowledged[message] {
            return;
        }
        let again = std::mem::replace(&mut self.begun[message], true);
        let (began, delivery) = self.under_way[message].get_or_insert_with(|| {
            let (service, request) = (self.service, &self.requests[message]);
            let store = Pausing { store: self.store, outage: self.outage.clone() };
            (
                self.answers.len(),
                Box::pin(async move {
                    let here = Deployment::in_memory();
                    if again {
                        serve_again(service, &store, &here, request).await
                    } else {
                        serve(service, &store, &here, request).await
                    }
                }),
            )
        });
        let began = *began;
        let Poll::Ready(served) = delivery.as_mut().poll(&mut Task::from_waker(Waker::noop())) else {
            return;
        };
        self.under_way[message] = None;
        match served {
            Ok(handled) => {
                self.answers.push(Answer { op: self.requests[message].op, began, handled });
                self.acknowledged[message] = true;
            }
            Err(Unserved::Retry(_)) => {}
            Err(Unserved::Malformed(malformed)) => panic!("{malformed}"),
        }
    }

    /// The process dies; the message will be delivered again, by when what it sent has landed.
    pub(crate) fn kill(&mut self, message: usize) {
        if self.under_way[message].take().is_some() {
            self.network.land_adrift();
        }
    }

    /// A message that was never delivered is lost.
    pub(crate) fn lose(&mut self, message: usize) {
        self.acknowledged[message] |= !self.begun[message];
    }

    /// The store does not answer the next time it is asked.
    pub(crate) fn outage(&mut self, outage: Outage) {
        *self.outage.lock().unwrap() = Some(outage);
    }

    /// Lets everything go on until every message is acknowledged or lost.
    pub(crate) fn drain(&mut self) {
        for _ in 0..200 {
            for message in 0..self.requests.len() {
                self.advance(message);
            }
        }
        assert!(self.acknowledged.iter().all(|acknowledged| *acknowledged), "a message is never served");
    }
}

/// A request to a step of the trip saga. A run has all values that its step can need.
pub(crate) fn request(step: &str, op: Op) -> Request {
    let input = json!({
        "trip": { "traveller": "Ada", "price": 120 },
        "room": { "nights": 2 },
        "seat": { "number": "12A" },
        "payment": { "amount": 120 },
        "tickets": { "count": 1 },
    });
    let Json::Object(input) = input else { unreachable!("it is an object") };
    Request {
        v: WIRE_VERSION,
        saga: "trip".parse().unwrap(),
        id: trip_id(),
        run: Some(RunDigest::of(&json!("trip-1"))),
        execution: "trip-1".into(),
        step: step.into(),
        item: None,
        op,
        token: TaskToken::new("a-token"),
        input: if op == Op::Run { input } else { serde_json::Map::new() },
        reason: None,
        turn: 0,
        if_absent: IfAbsent::Decide,
    }
}
