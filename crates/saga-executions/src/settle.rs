//! A dead execution is settled by another one.

use crate::{
    event::Report,
    execution::{Dead, Execution, Status},
    orchestrator::{CallError, Orchestrator, Record, Started},
};

/// How often a saga is settled before it is left to people. An execution that settles does little that can fail, so what
/// fails this often fails for a reason that is not passing.
pub const MAX_ATTEMPTS: u32 = 5;

/// A settling execution has begun, now or before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// For which one.
    pub dead: Dead,
    /// Its name.
    pub execution: String,
    /// Whether it is known to have begun before.
    pub before: bool,
}

/// What became of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The execution died, and a settling one has begun.
    Settling(Box<Settled>),
    /// It ended well, or somebody has it run again: there is nothing to settle.
    Alive,
}

/// Why a saga is not settled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsettled {
    /// Something could not be asked or done. Try again.
    #[error(transparent)]
    Call(#[from] CallError),
    /// Step Functions does not say yet that the execution died, and nobody had it run again. Try again.
    #[error("execution {arn} died, but is said to run: Step Functions does not know yet")]
    NotYet {
        /// The execution.
        arn: String,
    },
    /// Step Functions does not know the execution, or does not know it yet. Try again.
    #[error("execution {arn} is not known to Step Functions")]
    Unknown {
        /// The execution.
        arn: String,
    },
    /// The execution was not given what a saga is given. For people.
    #[error("the input of execution `{name}` is none of a saga")]
    Input {
        /// The execution.
        name: String,
    },
    /// As often as the saga may be settled, settling it has died. For people.
    #[error(
        "attempt {attempt} to settle this saga has died too, and {allowed} are made: find out why, then settle it by hand"
    )]
    TooOften {
        /// The attempt that died last.
        attempt: u32,
        /// How many are made.
        allowed: u32,
    },
    /// The execution under the name of the settling one is something else. For people.
    #[error(
        "execution `{name}` has the name of the one that settles `{dead}`, but was not given its input: somebody else \
         started it, and the saga is not settled"
    )]
    Foreign {
        /// The name.
        name: String,
        /// The name of the dead execution.
        dead: String,
    },
}

impl Unsettled {
    /// Whether another try can go well without anybody doing anything.
    pub const fn is_passing(&self) -> bool {
        matches!(self, Self::Call(_) | Self::NotYet { .. } | Self::Unknown { .. })
    }
}

/// Sees to it that a saga is settled whose execution is said to have died.
///
/// The report is believed before Step Functions is, which can answer with what was so some time ago: an execution that
/// died runs again only when somebody redrove it, and then its count of redrives is greater than the report's.
///
/// # Errors
/// Why the saga is not settled. What is [passing](Unsettled::is_passing) is to be tried again.
pub async fn settle_reported<O: Orchestrator>(
    orchestrator: &O,
    report: &Report,
) -> Result<Outcome, Unsettled> {
    let arn = || report.execution.clone();
    let execution = orchestrator.describe(&report.execution).await?;
    let execution = execution.ok_or_else(|| Unsettled::Unknown { arn: arn() })?;
    match execution.status {
        Status::Succeeded => Ok(Outcome::Alive),
        Status::Running if execution.redrives > report.redrives => Ok(Outcome::Alive),
        Status::Running => Err(Unsettled::NotYet { arn: arn() }),
        Status::Dead(_) => {
            let dead = Dead::of(&execution)?.ok_or_else(|| Unsettled::NotYet { arn: arn() })?;
            Ok(Outcome::Settling(Box::new(settle_by_itself(orchestrator, dead).await?)))
        }
    }
}

/// As [`settle`], as often as that is done without a person.
pub(crate) async fn settle_by_itself<O: Orchestrator>(
    orchestrator: &O,
    dead: Dead,
) -> Result<Settled, Unsettled> {
    if dead.attempts() < MAX_ATTEMPTS {
        return settle(orchestrator, dead).await;
    }
    // Somebody may have settled it by hand since.
    match successor(orchestrator, &dead).await? {
        Some(found) => Ok(Settled { dead, execution: found.name, before: true }),
        None => Err(Unsettled::TooOften { attempt: dead.attempts(), allowed: MAX_ATTEMPTS }),
    }
}

/// Sees to it that the saga of a dead execution is settled, however often that was tried before.
///
/// What the execution left parked is taken away first: nobody can answer it any more, and whatever waits afterwards comes
/// from the settling execution. Then that one is started. It is named after the dead one, so it begins once however often
/// this is done; and one that has the name already is looked at before it is believed to settle anything.
///
/// # Errors
/// Why the saga is not settled.
pub async fn settle<O: Orchestrator>(orchestrator: &O, dead: Dead) -> Result<Settled, Unsettled> {
    forget_parked(orchestrator, &dead).await?;
    let name = dead.successor_name();
    let before = match orchestrator.start(&dead.state_machine, &name, &dead.successor_input()).await? {
        Started::Now => false,
        Started::NameTaken => {
            let found = successor(orchestrator, &dead).await?;
            found.ok_or_else(|| Unsettled::Unknown { arn: dead.successor_arn() })?;
            true
        }
    };
    Ok(Settled { dead, execution: name, before })
}

/// The execution that settles for a dead one; `None`: there is none yet.
///
/// # Errors
/// When that cannot be asked, or an execution has its name that does not settle for this one.
pub async fn successor<O: Orchestrator>(
    orchestrator: &O,
    dead: &Dead,
) -> Result<Option<Execution>, Unsettled> {
    match orchestrator.describe(&dead.successor_arn()).await? {
        Some(found) if dead.is_succeeded_by(&found) => Ok(Some(found)),
        Some(found) => Err(Unsettled::Foreign { name: found.name, dead: dead.name.clone() }),
        None => Ok(None),
    }
}

/// Takes away what a dead execution left parked, and nothing of any other: two sagas can share a saga id, and with it the
/// names of their executions, but not the ARNs; and a redriven execution can park again, of which what is known of the
/// dead one may not yet tell.
pub(crate) async fn forget_parked<O: Orchestrator>(orchestrator: &O, dead: &Dead) -> Result<(), CallError> {
    let records = orchestrator.records_of(dead.saga_id()).await?;
    let left = |record: &Record| record.execution_arn == dead.arn && record.redrives <= dead.redrives;
    for record in records.into_iter().filter(left) {
        orchestrator.forget(dead.saga_id(), &record).await?;
    }
    Ok(())
}
