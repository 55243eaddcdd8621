//! A handler at work: what it asked so far and was answered.
//!
//! The real handler runs against an [`Io`] that answers from a log. At the first question beyond the log it is stopped;
//! to go on, it is run again from the start with one more answer. So a handler at work is a value, like everything else
//! in a state of the model, and can be stopped, doubled or dropped between any two of its operations. Each question of a
//! run is compared with the one asked in its place before: a handler that asks something else is not deterministic.

use crate::outside::Outside;
use saga::{
    DELIVERIES_EXHAUSTED, Handled, Refused, Reply, Request, Row, RowKey, SagaId, StepKey, Store, Transaction,
    Unavailable, Unserved, fence::Recorded,
};
use saga_executions::{CallError, Death, Execution, Page, Record, Started};
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
    Describe(String),
    ListDead { state_machine: String, death: Death, page: Option<String> },
    Start { state_machine: String, name: String, input: Json },
    RecordsOf(SagaId),
    Forget(SagaId, Record),
}

impl Ask {
    /// Whether asking it can change the world.
    pub(crate) fn changes(&self) -> bool {
        matches!(
            self,
            Self::Apply(_) | Self::Outside(_) | Self::Reply(_) | Self::Start { .. } | Self::Forget(..)
        )
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
    Described(Result<Option<Box<Execution>>, CallError>),
    Listed(Result<Page, CallError>),
    Started(Result<Started, CallError>),
    Records(Result<Vec<Record>, CallError>),
    Forgotten(Result<(), CallError>),
}

impl Answer {
    /// The fence that the answer tells of.
    pub(crate) fn fence(&self) -> Option<&Recorded> {
        match self {
            Self::Fence(Ok(fence)) | Self::Applied(Err(Refused::Fence(fence))) => fence.as_ref(),
            _ => None,
        }
    }
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
    /// It asked something else when it was run again: what the two were.
    Differs { before: String, now: String },
}

/// What a handler does to the world, answered from a log.
#[derive(Debug, Clone)]
pub struct Io(Arc<Mutex<Log>>);

/// A question that was asked before, and its answer.
pub(crate) type Answered = (Ask, Answer);

#[derive(Debug)]
struct Log {
    answered: Vec<Answered>,
    next: usize,
    asked: Option<Ask>,
    /// What was asked in another one's place: before, and now.
    differs: Option<(String, String)>,
}

impl Io {
    fn new(answered: Vec<Answered>) -> Self {
        Self(Arc::new(Mutex::new(Log { answered, next: 0, asked: None, differs: None })))
    }

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

    pub(crate) async fn ask(&self, ask: Ask) -> Answer {
        poll_fn(|_| {
            let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            match log.answered.get(log.next).cloned() {
                Some((before, answer)) if before == ask && log.differs.is_none() => {
                    log.next += 1;
                    Poll::Ready(answer)
                }
                Some((before, _)) => {
                    log.differs
                        .get_or_insert_with(|| difference(&format!("{before:?}"), &format!("{ask:?}")));
                    Poll::Pending
                }
                None => {
                    log.asked.get_or_insert_with(|| ask.clone());
                    Poll::Pending
                }
            }
        })
        .await
    }

    /// How far a handler came with this log.
    fn progress(&self, polled: Poll<Result<(), Unserved>>) -> Progress {
        let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((before, now)) = log.differs.take() {
            return Progress::Differs { before, now };
        }
        if let (Poll::Ready(ended), Some((before, _))) = (&polled, log.answered.get(log.next)) {
            let (before, now) = difference(&format!("{before:?}"), &format!("nothing more: {ended:?}"));
            return Progress::Differs { before, now };
        }
        match (polled, log.asked.take()) {
            (Poll::Ready(Ok(())), _) => Progress::Served,
            (Poll::Ready(Err(why)), _) => unserved(&why),
            (Poll::Pending, Some(ask)) => Progress::Asks(ask),
            (Poll::Pending, None) => Progress::Unserved {
                why: "it waits for something outside the model: handlers in the checker must not wait".into(),
                malformed: true,
            },
        }
    }
}

/// Two texts from a little before the place where they begin to differ, to a little after.
fn difference(one: &str, other: &str) -> (String, String) {
    const BEFORE: usize = 30;
    const AFTER: usize = 30;
    let same = one.chars().zip(other.chars()).take_while(|(one, other)| one == other).count();
    let shown = |text: &str| {
        let begin = same.saturating_sub(BEFORE);
        let part: String = text.chars().skip(begin).take(same - begin + AFTER).collect();
        let name: String = text.chars().take_while(|c| c.is_alphanumeric()).collect();
        if begin == 0 { part } else { format!("{name} … {part} …") }
    };
    (shown(one), shown(other))
}

/// An answer to another question: [`Io::ask`] gives none, because it compares questions.
fn mixed_up() -> Unavailable {
    Unavailable("the answer is one to another question".into())
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

/// Runs what `begin` makes up to its first question beyond the log.
pub(crate) fn run<'a>(begin: impl FnOnce(Io) -> Carried<'a>, answered: Vec<Answered>) -> Progress {
    let io = Io::new(answered);
    let polled = begin(io.clone()).as_mut().poll(&mut Context::from_waker(Waker::noop()));
    io.progress(polled)
}

/// Runs a handler up to its first question beyond the log.
pub(crate) fn handle(host: &dyn Host, body: &str, answered: Vec<Answered>) -> Progress {
    match Request::decode(body) {
        Ok(request) => run(|io| host.carry_out(&request, io.clone(), Outside::new(io)), answered),
        Err(malformed) => unserved(&malformed.into()),
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
