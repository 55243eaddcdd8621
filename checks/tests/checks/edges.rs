//! Mistakes around the protocol: of stores, of rescue and of reconciliation.

use saga::{
    Change, Op, Refused, Request, Row, RowKey, SagaId, StartInput, StepKey, Store, Transaction, Unavailable,
    Write,
    fence::{Fence, Recorded},
};
use saga_check::Io;
use saga_executions::{CallError, Death, Execution, Orchestrator, Page, Record, Started, Status};
use std::sync::atomic::{AtomicBool, Ordering};

/// A mistake of a store, or of what stands before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Edge {
    /// A fence is answered from, whatever run wrote it.
    RunsNotCompared,
    /// A step is said to be abandoned, and is not.
    AbandonNotWritten,
    /// What is abandoned counts as undone.
    AbandonedIsUndone,
    /// What is under way counts as undone.
    StartedIsUndone,
    /// What is not there counts as undone.
    AbsentIsUndone,
    /// The recorded inverse leaves a field as it is.
    InverseLeavesAFieldOut,
    /// An undo deletes what the item has become.
    UndoDeletes,
    /// No undo can be written.
    UndoNeverWritten,
}

/// A store with a mistake.
pub(crate) struct Edged {
    io: Io,
    /// Which message it works for; `None` for reconciliation.
    op: Option<Op>,
    edge: Edge,
}

impl Edged {
    pub(crate) fn with(edge: Edge) -> impl Fn(Io, &Request) -> Self + Send + Sync + 'static {
        move |io, request| Self { io, op: Some(request.op), edge }
    }

    pub(crate) fn alone(io: Io, edge: Edge) -> Self {
        Self { io, op: None, edge }
    }

    /// A fence as the mistake sees it.
    fn seen(&self, recorded: Recorded) -> Recorded {
        let undone = Recorded { run: None, turn: 0, fence: Fence::Undone };
        match (self.edge, &recorded.fence) {
            (Edge::RunsNotCompared, _) => Recorded { run: None, ..recorded },
            (Edge::AbandonedIsUndone, Fence::Abandoned { .. }) | (Edge::StartedIsUndone, Fence::Started) => {
                undone
            }
            _ => recorded,
        }
    }

    /// A transaction as the mistake makes it.
    fn made(&self, transaction: &Transaction) -> Transaction {
        let mut made = transaction.clone();
        match (self.edge, &mut made.next) {
            (Edge::RunsNotCompared, _) => made.run = None,
            (Edge::InverseLeavesAFieldOut, Fence::Done { inverse, .. }) => {
                for write in inverse {
                    if let Change::Update(fields) = &mut write.change {
                        fields.pop_last();
                    }
                }
            }
            (Edge::UndoDeletes, Fence::Undone) if self.op == Some(Op::Undo) => {
                let delete = |write: Write| Write { change: Change::Delete, guards: Vec::new(), ..write };
                made.writes = made.writes.into_iter().map(delete).collect();
            }
            _ => {}
        }
        made
    }
}

impl Store for Edged {
    async fn read_fence(&self, key: &StepKey) -> Result<Option<Recorded>, Unavailable> {
        let found = self.io.read_fence(key).await?;
        if found.is_none() && self.edge == Edge::AbsentIsUndone {
            return Ok(Some(Recorded { run: None, turn: 0, fence: Fence::Undone }));
        }
        Ok(found.map(|recorded| self.seen(recorded)))
    }

    async fn read_row(&self, key: &RowKey) -> Result<Option<Row>, Unavailable> {
        self.io.read_row(key).await
    }

    async fn apply(&self, transaction: &Transaction) -> Result<(), Refused> {
        match (self.edge, &transaction.next) {
            (Edge::AbandonNotWritten, Fence::Abandoned { .. }) => return Ok(()),
            (Edge::UndoNeverWritten, Fence::Undone) if self.op == Some(Op::Undo) => {
                return Err(Refused::Unavailable(Unavailable("the disk is full".into())));
            }
            _ => {}
        }
        match self.io.apply(&self.made(transaction)).await {
            Err(Refused::Fence(now)) => Err(Refused::Fence(now.map(|recorded| self.seen(recorded)))),
            applied => applied,
        }
    }
}

/// A mistake of the function that settles dead executions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Haste {
    /// An execution that is said to run is believed to run.
    RunningIsBelieved,
    /// The name of a settling execution can be a saga id, and whatever has it is believed to settle.
    NameIsBelieved,
    /// A sweep sees nothing.
    SweepIsBlind,
    /// A sweep takes nothing away that is parked.
    SweepLeavesRecords,
}

/// Step Functions as the mistake sees it.
pub(crate) struct Hasty {
    io: Io,
    haste: Haste,
    sweeps: AtomicBool,
}

impl Hasty {
    pub(crate) fn with(haste: Haste) -> impl Fn(Io) -> Self + Send + Sync + 'static {
        move |io| Self { io, haste, sweeps: AtomicBool::new(false) }
    }
}

impl Orchestrator for Hasty {
    async fn describe(&self, arn: &str) -> Result<Option<Execution>, CallError> {
        let mut found = self.io.describe(arn).await?;
        if let (Haste::RunningIsBelieved, Some(found)) = (self.haste, &mut found) {
            found.redrives += u32::from(found.status == Status::Running);
        }
        Ok(found)
    }

    async fn list_dead(&self, machine: &str, death: Death, page: Option<&str>) -> Result<Page, CallError> {
        self.sweeps.store(true, Ordering::Relaxed);
        if self.haste == Haste::SweepIsBlind {
            return Ok(Page::default());
        }
        self.io.list_dead(machine, death, page).await
    }

    async fn start(&self, machine: &str, name: &str, input: &StartInput) -> Result<Started, CallError> {
        if self.haste != Haste::NameIsBelieved {
            return self.io.start(machine, name, input).await;
        }
        self.io.start(machine, &name.replace('.', "-"), input).await.map(|_| Started::Now)
    }

    async fn records_of(&self, saga_id: &SagaId) -> Result<Vec<Record>, CallError> {
        if self.haste == Haste::SweepLeavesRecords && self.sweeps.load(Ordering::Relaxed) {
            return Ok(Vec::new());
        }
        self.io.records_of(saga_id).await
    }

    async fn forget(&self, saga_id: &SagaId, record: &Record) -> Result<(), CallError> {
        self.io.forget(saga_id, record).await
    }
}
