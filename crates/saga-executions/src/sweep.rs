//! Dead executions of which no event came.
//!
//! The status events of Step Functions are delivered
//! [best effort](https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-states.html), so a sweep on a schedule
//! looks at every execution that died within a window and settles each that nobody settles.

use crate::{
    execution::{Dead, Death, Status},
    orchestrator::{CallError, Listed, Orchestrator},
    settle::{Settled, Unsettled, forget_parked, settle_by_itself, successor},
};
use std::{
    collections::BTreeSet,
    mem,
    time::{Duration, SystemTime},
};

/// Which dead executions are looked at, and from when on one is overdue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The time.
    pub now: SystemTime,
    /// What died less than this ago is left to its event.
    pub grace: Duration,
    /// What died more than this ago is left to people.
    pub window: Duration,
    /// What is still not settled this long after it died is overdue.
    pub overdue: Duration,
}

/// What was found out about one execution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// Nobody settled it; now an execution does.
    Settled(Box<Settled>),
    /// It is not settled.
    Unsettled {
        /// Its ARN.
        execution: String,
        /// Why not.
        why: Unsettled,
        /// How long ago it died; unknown of one whose end is.
        age: Option<Duration>,
        /// Whether it is known not to be settled, and should be by now.
        is_overdue: bool,
    },
}

/// What is kept of sweeps: owned by the caller, so that it is there when a sweep is cut off.
#[derive(Debug, Clone, Default)]
pub struct Sweeping {
    /// What was found since the caller took it last.
    pub findings: Vec<Finding>,
    /// How many were looked at or known in the last sweep, as far as it came.
    pub tally: Tally,
    /// Executions that are known to be settled, and need not be asked about again: with their redrives, because one that
    /// was redriven and died again is another case.
    settled: BTreeSet<(String, u32)>,
    /// Those of them that were seen in this sweep.
    seen: BTreeSet<(String, u32)>,
}

/// The executions of one sweep, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Settled before.
    pub settled_before: u64,
    /// Settled by this sweep.
    pub settled: u64,
    /// Not settled, and left to people.
    pub unsettled: u64,
    /// Not looked at or not settled, for a reason that is passing: to be swept again.
    pub failed: u64,
    /// Left to their event, or outside the window, or alive after all.
    pub left: u64,
}

/// Looks at every execution of these state machines that died within the span, and settles each that nobody settles.
/// One that cannot be settled holds up no other; it is a [`Finding`].
///
/// # Errors
/// When a listing failed. What could be listed was looked at all the same.
pub async fn sweep<O: Orchestrator>(
    orchestrator: &O,
    state_machines: &[String],
    span: &Span,
    sweeping: &mut Sweeping,
) -> Result<(), CallError> {
    sweeping.tally = Tally::default();
    sweeping.seen.clear();
    let mut swept = Ok(());
    for state_machine in state_machines {
        for death in Death::ALL {
            let listed = sweep_list(orchestrator, state_machine, death, span, sweeping).await;
            swept = swept.and(listed);
        }
    }
    if swept.is_ok() {
        // What is no more listed need not be known either.
        sweeping.settled = mem::take(&mut sweeping.seen);
    }
    swept
}

async fn sweep_list<O: Orchestrator>(
    orchestrator: &O,
    state_machine: &str,
    death: Death,
    span: &Span,
    sweeping: &mut Sweeping,
) -> Result<(), CallError> {
    let mut next = None;
    loop {
        let page = orchestrator.list_dead(state_machine, death, next.as_deref()).await?;
        for listed in &page.executions {
            sweep_one(orchestrator, listed, span, sweeping).await;
        }
        next = page.next;
        if next.is_none() {
            return Ok(());
        }
    }
}

async fn sweep_one<O: Orchestrator>(orchestrator: &O, listed: &Listed, span: &Span, sweeping: &mut Sweeping) {
    // A clock that is behind makes it young.
    let age = listed.stopped.map(|stopped| span.now.duration_since(stopped).unwrap_or_default());
    if age.is_some_and(|age| age < span.grace || age > span.window) {
        sweeping.tally.left += 1;
        return;
    }
    let known = (listed.arn.clone(), listed.redrives);
    if sweeping.settled.contains(&known) {
        sweeping.tally.settled_before += 1;
        sweeping.seen.insert(known);
        return;
    }
    let (why, is_known) = match standing(orchestrator, listed).await {
        Ok(Standing::Alive) => {
            sweeping.tally.left += 1;
            return;
        }
        Ok(Standing::Settled) => {
            sweeping.tally.settled_before += 1;
            sweeping.know(known);
            return;
        }
        Ok(Standing::Dead(dead)) => match settle_by_itself(orchestrator, *dead).await {
            Ok(settled) => {
                sweeping.tally.settled += 1;
                sweeping.findings.push(Finding::Settled(Box::new(settled)));
                sweeping.know(known);
                return;
            }
            Err(why) => (why, true),
        },
        // What could not be asked may well be settled.
        Err(why) => {
            let is_known = !why.is_passing();
            (why, is_known)
        }
    };
    *(if why.is_passing() { &mut sweeping.tally.failed } else { &mut sweeping.tally.unsettled }) += 1;
    let is_overdue = is_known && age.is_some_and(|age| age >= span.overdue);
    sweeping.findings.push(Finding::Unsettled { execution: listed.arn.clone(), why, age, is_overdue });
}

impl Sweeping {
    fn know(&mut self, settled: (String, u32)) {
        self.settled.insert(settled.clone());
        self.seen.insert(settled);
    }
}

/// How it stands with an execution that is listed as dead.
enum Standing {
    /// Somebody has it run again.
    Alive,
    /// Another one settles for it.
    Settled,
    /// Nobody does.
    Dead(Box<Dead>),
}

/// What is settled already is not started again.
async fn standing<O: Orchestrator>(orchestrator: &O, listed: &Listed) -> Result<Standing, Unsettled> {
    let arn = || listed.arn.clone();
    let execution = orchestrator.describe(&listed.arn).await?;
    let execution = execution.ok_or_else(|| Unsettled::Unknown { arn: arn() })?;
    if execution.status == Status::Running && execution.redrives > listed.redrives {
        return Ok(Standing::Alive);
    }
    let dead = Dead::of(&execution)?.ok_or_else(|| Unsettled::NotYet { arn: arn() })?;
    if successor(orchestrator, &dead).await?.is_none() {
        return Ok(Standing::Dead(Box::new(dead)));
    }
    // What it parked may have arrived since: a write on its way when it died, or of a redrive that died again. And whoever
    // settled it by hand need not have taken it away.
    forget_parked(orchestrator, &dead).await?;
    Ok(Standing::Settled)
}
