//! Mistakes that a fence engine or a handler could make, each in one small place: something between the real handlers
//! and their store that does it wrong.

use checks::BankClient;
use payment::Payment;
use saga::{
    Commit, Context, Fault, Guard, HandleOutside, Handled, Never, Op, Outcomes, Refusal, Refused, Reply,
    Request, Retry, Row, RowKey, Service, StepKey, Store, Transaction, Unavailable, Undoing, Write, Writes,
    fence::{Fence, FenceState, Recorded},
};
use saga_check::Io;
use sagas::{
    order::{ChargePayment, PaymentDeclined, PlaceOrder},
    participants,
};

/// A mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bug {
    /// A rejection is answered without having been recorded.
    RejectionNotRecorded,
    /// An undo that finds nothing leaves no tombstone.
    NoTombstone,
    /// The effect of a run is written before the fence, not with it.
    CommitInTwoWrites,
    /// A run is answered before it is written.
    ReplyBeforeCommit,
    /// The effect of an undo is written before the fence, not with it.
    UndoInTwoWrites,
    /// A store that is busy counts as a 'no'.
    ConflictIsRejection,
    /// Two lines of one product become two writes to one item.
    LinesNotMerged,
}

/// A store with a mistake.
pub(crate) struct BuggyStore {
    io: Io,
    op: Op,
    bug: Bug,
}

impl BuggyStore {
    pub(crate) fn with(bug: Bug) -> impl Fn(Io, &Request) -> Self + Send + Sync + 'static {
        move |io, request| Self { io, op: request.op, bug }
    }

    /// Writes the effect, and then the fence.
    async fn in_two_writes(&self, transaction: &Transaction) -> Result<(), Refused> {
        let fence = self.io.read_fence(&transaction.fence).await.map_err(Refused::Unavailable)?;
        if !transaction.fits(fence.as_ref()) {
            return Err(Refused::Fence(fence));
        }
        let nobody = StepKey { step: "nobody-looks-at-this".into(), ..transaction.fence.clone() };
        let before = self.io.read_fence(&nobody).await.map_err(Refused::Unavailable)?;
        let effect = Transaction {
            fence: nobody,
            run: transaction.run.clone(),
            turn: 0,
            expected: before.as_ref().map(|recorded| recorded.fence.state()),
            next: Fence::Undone,
            writes: transaction.writes.clone(),
        };
        self.io.apply(&effect).await?;
        self.io.apply(&Transaction { writes: Vec::new(), ..transaction.clone() }).await
    }

    /// Looks whether it could be written, and says that it was.
    async fn after_the_reply(
        &self,
        output: &serde_json::Value,
        transaction: &Transaction,
    ) -> Result<(), Refused> {
        let fence = self.io.read_fence(&transaction.fence).await.map_err(Refused::Unavailable)?;
        if !transaction.fits(fence.as_ref()) {
            return Err(Refused::Fence(fence));
        }
        for write in &transaction.writes {
            let row = self.io.read_row(&write.key).await.map_err(Refused::Unavailable)?;
            if let Some(refused) = Refused::by_guard(write, row.as_ref()) {
                return Err(refused);
            }
        }
        let handled = Handled { reply: Reply::Success(output.clone()), outcome: Outcomes::Done };
        self.io.reply(&handled).await;
        self.io.apply(transaction).await
    }
}

impl Store for BuggyStore {
    async fn read_fence(&self, key: &StepKey) -> Result<Option<Recorded>, Unavailable> {
        self.io.read_fence(key).await
    }

    async fn read_row(&self, key: &RowKey) -> Result<Option<Row>, Unavailable> {
        self.io.read_row(key).await
    }

    async fn apply(&self, transaction: &Transaction) -> Result<(), Refused> {
        let nothing_known = matches!(transaction.expected, None | Some(FenceState::Started));
        match (self.bug, self.op, &transaction.next) {
            (Bug::RejectionNotRecorded, _, Fence::Rejected(_)) => Ok(()),
            (Bug::NoTombstone, Op::Undo, Fence::Undone) if nothing_known => Ok(()),
            (Bug::CommitInTwoWrites, Op::Run, Fence::Done { .. })
            | (Bug::UndoInTwoWrites, Op::Undo, Fence::Undone) => self.in_two_writes(transaction).await,
            (Bug::ReplyBeforeCommit, Op::Run, Fence::Done { output, .. }) => {
                self.after_the_reply(output, transaction).await
            }
            (Bug::ConflictIsRejection, Op::Run, Fence::Done { .. }) => {
                match self.io.apply(transaction).await {
                    Err(Refused::Unavailable(why)) => {
                        let refusal = Refusal { error: "OutOfStock".into(), cause: "{}".into() };
                        Err(Refused::Guard { what: why.to_string(), refusal: Some(refusal) })
                    }
                    applied => applied,
                }
            }
            (Bug::LinesNotMerged, Op::Run, Fence::Done { .. }) => {
                let twice = |write: &Write| {
                    let guards: Vec<Guard> = write.guards.clone();
                    [write.clone(), Write { guards, ..write.clone() }]
                };
                let writes = transaction.writes.iter().flat_map(twice).collect();
                self.io.apply(&Transaction { writes, ..transaction.clone() }).await
            }
            _ => self.io.apply(transaction).await,
        }
    }
}

/// The payment service, except that a run that comes too late leaves its charge where it is.
pub(crate) struct LateChargeStays(pub(crate) Payment<BankClient>);

impl Service for LateChargeStays {
    type Participant = participants::Payment;
}

impl HandleOutside<ChargePayment> for LateChargeStays {
    async fn call(
        &self,
        cx: &Context,
        input: (PlaceOrder,),
    ) -> Result<Commit<ChargePayment>, Fault<PaymentDeclined>> {
        self.0.call(cx, input).await
    }

    async fn reverse(&self, cx: &Context) -> Result<(), Retry> {
        if cx.op() == Op::Run { Ok(()) } else { self.0.reverse(cx).await }
    }

    async fn undo(&self, cx: &Context, done: Undoing<ChargePayment>) -> Result<Writes<Never>, Retry> {
        self.0.undo(cx, done).await
    }
}
