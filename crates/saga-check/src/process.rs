//! A handler at work: what it asked so far and was answered.
//!
//! The real handler runs against an [`Io`] that answers from a log. At the first question beyond the log it is stopped;
//! to go on, it is run again from the start with one more answer. So a handler at work is a value, like everything else
//! in a state of the model, and can be stopped, doubled or dropped between any two of its operations.

use crate::outside::Outside;
use saga::{
    DELIVERIES_EXHAUSTED, Handled, Refused, Reply, Request, Row, RowKey, StepKey, Store, Transaction,
    Unavailable, Unserved, fence::Recorded,
};
use serde_json::Value as Json;
use std::{
    future::poll_fn,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, Waker},
};

/// A question of a handler to the world around it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Ask {
    ReadFence(StepKey),
    ReadRow(RowKey),
    Apply(Transaction),
    Outside(Json),
    Reply(Reply),
}

impl Ask {
    /// Whether asking it can change the world.
    pub(crate) fn changes(&self) -> bool {
        !matches!(self, Self::ReadFence(_) | Self::ReadRow(_))
    }
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Answer {
    Fence(Result<Option<Recorded>, Unavailable>),
    Row(Result<Option<Row>, Unavailable>),
    Applied(Result<(), Refused>),
    /// `None`: no answer came.
    Outside(Option<Json>),
    Replied,
}

/// How far a handler has come.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Progress {
    /// It waits for an answer.
    Asks(Ask),
    /// It is done with the message.
    Served,
    /// It gave the message back.
    Unserved { why: String, malformed: bool },
}

/// What a handler does to the world, answered from a log.
#[derive(Debug, Clone)]
pub struct Io(Arc<Mutex<Log>>);

#[derive(Debug)]
struct Log {
    answers: Vec<Answer>,
    next: usize,
    asked: Option<Ask>,
}

impl Io {
    /// Answers the state machine: what a Lambda function does after [`saga::serve()`].
    pub async fn reply(&self, handled: &Handled) {
        self.ask(Ask::Reply(handled.reply.clone())).await;
    }

    pub(crate) async fn outside(&self, request: Json) -> Option<Json> {
        match self.ask(Ask::Outside(request)).await {
            Answer::Outside(answer) => answer,
            _ => None,
        }
    }

    async fn ask(&self, ask: Ask) -> Answer {
        poll_fn(|_| {
            let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            match log.answers.get(log.next).cloned() {
                Some(answer) => {
                    log.next += 1;
                    Poll::Ready(answer)
                }
                None => {
                    log.asked.get_or_insert_with(|| ask.clone());
                    Poll::Pending
                }
            }
        })
        .await
    }
}

fn mixed_up() -> Unavailable {
    Unavailable("the handler asked something else when it was run again: it must be deterministic".into())
}

impl Store for Io {
    async fn read_fence(&self, key: &StepKey) -> Result<Option<Recorded>, Unavailable> {
        match self.ask(Ask::ReadFence(key.clone())).await {
            Answer::Fence(fence) => fence,
            _ => Err(mixed_up()),
        }
    }

    async fn read_row(&self, key: &RowKey) -> Result<Option<Row>, Unavailable> {
        match self.ask(Ask::ReadRow(key.clone())).await {
            Answer::Row(row) => row,
            _ => Err(mixed_up()),
        }
    }

    async fn apply(&self, transaction: &Transaction) -> Result<(), Refused> {
        match self.ask(Ask::Apply(transaction.clone())).await {
            Answer::Applied(applied) => applied,
            _ => Err(Refused::Unavailable(mixed_up())),
        }
    }
}

/// Carries out one message: serves it and answers.
pub(crate) type Carried<'a> = Pin<Box<dyn Future<Output = Result<(), Unserved>> + Send + 'a>>;

/// A participant's function.
pub(crate) trait Host: Send + Sync {
    fn carry_out<'a>(&'a self, request: &'a Request, io: Io, outside: Outside) -> Carried<'a>;
}

/// Runs a handler up to its first question beyond the log.
pub(crate) fn run(host: &dyn Host, body: &str, answers: Vec<Answer>) -> Progress {
    let request = match Request::decode(body) {
        Ok(request) => request,
        Err(malformed) => return unserved(&malformed.into()),
    };
    let io = Io(Arc::new(Mutex::new(Log { answers, next: 0, asked: None })));
    let mut carried = host.carry_out(&request, io.clone(), Outside::new(io.clone()));
    match carried.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(())) => Progress::Served,
        Poll::Ready(Err(why)) => unserved(&why),
        Poll::Pending => {
            let asked = io.0.lock().unwrap_or_else(PoisonError::into_inner).asked.take();
            match asked {
                Some(ask) => Progress::Asks(ask),
                None => Progress::Unserved {
                    why: "it waits for something outside the model: handlers in the checker must not wait"
                        .into(),
                    malformed: true,
                },
            }
        }
    }
}

fn unserved(why: &Unserved) -> Progress {
    let malformed = matches!(why, Unserved::Malformed(_));
    Progress::Unserved { why: why.to_string(), malformed }
}

/// What a function answers when the last delivery of a message could not be served.
pub(crate) fn exhausted(why: &str) -> Reply {
    Reply::Failure { error: DELIVERIES_EXHAUSTED.into(), cause: why.into() }
}
