//! Sweeps: the executions that died and of which no event came.

use crate::patient::Patient;
use saga::{environment, rescue::UNSETTLED_EXECUTION_EVENT};
use saga_executions::{CallError, Finding, Span, Sweeping, Tally, aws::Aws, sweep};
use saga_lambda::{Deadline, Error, Message, Variables, Verdict, elapsed_ms};
use std::{
    mem,
    time::{Duration, Instant, SystemTime},
};
use tokio::{sync::Mutex, time::timeout};

/// The longest that a sweep waits for one call to go well: many are to be made.
const LONGEST_CALL: Duration = Duration::from_secs(2);

/// What is left of the time when a sweep is cut off, so that no call of it gives up only because time is over.
const CUT_OFF: Duration = Duration::from_millis(250);

/// Sweeps, and what this process remembers of them.
#[derive(Debug)]
pub(crate) struct Sweeps {
    state_machines: Vec<String>,
    grace: Duration,
    window: Duration,
    overdue: Duration,
    memory: Mutex<Memory>,
}

#[derive(Debug, Default)]
struct Memory {
    sweeping: Sweeping,
    /// When the last sweep began that was done.
    done_since: Option<SystemTime>,
}

/// Why a sweep is to be done again.
enum Incomplete {
    CutOff(Duration),
    /// One that was at it already took all of the time.
    Waited(Duration),
    Unlisted(CallError),
    Failed(u64),
}

impl Sweeps {
    pub(crate) fn from_variables(variables: &Variables) -> Result<Self, Error> {
        let state_machines: Vec<_> =
            variables.beginning_with(environment::STATE_MACHINES).map(str::to_owned).collect();
        if state_machines.is_empty() {
            return Err(Error::Missing { name: format!("{}…", environment::STATE_MACHINES) });
        }
        let seconds = |name: &str| -> Result<Duration, Error> {
            variables.parsed(name, "a whole number of seconds").map(Duration::from_secs)
        };
        Ok(Self {
            state_machines,
            grace: seconds(environment::RESCUE_DELAY_SECONDS)?,
            window: seconds(environment::SWEEP_WINDOW_SECONDS)?,
            overdue: seconds(environment::UNSETTLED_AFTER_SECONDS)?,
            memory: Mutex::default(),
        })
    }

    /// Looks at every execution that died within the window, and settles each that nobody settles.
    ///
    /// One after the other, and none for a message that was sent before the last one began: sweeps that take longer than
    /// they are apart would pile up, and hold up what is reported in the same queue.
    pub(crate) async fn sweep(&self, aws: &Aws, message: &Message, deadline: Deadline) -> Verdict {
        let began = Instant::now();
        let available = deadline.earlier(CUT_OFF).remaining();
        let Ok(mut memory) = timeout(available, self.memory.lock()).await else {
            return conclude(message, began, Tally::default(), Some(Incomplete::Waited(available)));
        };
        let now = SystemTime::now();
        if message.sent_at.is_some_and(|sent| memory.done_since.is_some_and(|done| sent <= done)) {
            return swept_since(message, began);
        }
        let Self { grace, window, overdue, .. } = *self;
        let span = Span { now, grace, window, overdue };
        let patient = Patient::until(aws, deadline).no_longer_than(LONGEST_CALL);
        let available = deadline.earlier(CUT_OFF).remaining();
        let sweeping = &mut memory.sweeping;
        let swept = timeout(available, sweep(&patient, &self.state_machines, &span, sweeping)).await;
        let (findings, tally) = (mem::take(&mut sweeping.findings), sweeping.tally);
        for finding in &findings {
            log(finding);
        }
        let incomplete = match swept {
            Err(_) => Some(Incomplete::CutOff(available)),
            Ok(Err(error)) => Some(Incomplete::Unlisted(error)),
            Ok(Ok(())) => (tally.failed > 0).then_some(Incomplete::Failed(tally.failed)),
        };
        if incomplete.is_none() {
            memory.done_since = Some(now);
        }
        conclude(message, began, tally, incomplete)
    }
}

/// One line for each execution that was settled, or that was not.
fn log(finding: &Finding) {
    match finding {
        Finding::Settled(settled) => {
            let (saga_id, status) = (settled.dead.saga_id().as_str(), settled.dead.death.as_str());
            let (execution, dead) = (settled.execution.as_str(), settled.dead.name.as_str());
            let outcome = "settling";
            tracing::warn!(saga_id, execution, dead, status, outcome, "no event said that an execution died");
        }
        Finding::Unsettled { execution, why, age, is_overdue } => {
            let (reason, age_seconds) = (why.to_string(), age.map(|age| age.as_secs()));
            if *is_overdue {
                let event = UNSETTLED_EXECUTION_EVENT;
                tracing::error!(event, reason, execution, age_seconds, "its saga is still not settled");
            } else {
                tracing::warn!(outcome = "unsettled", reason, execution, age_seconds, "not settled");
            }
        }
    }
}

fn swept_since(message: &Message, began: Instant) -> Verdict {
    let (message_id, receive_count) = (message.id.as_str(), message.receive_count);
    let (outcome, duration_ms) = ("swept_since", elapsed_ms(began));
    tracing::info!(outcome, duration_ms, receive_count, message_id, "a sweep was done since it was sent");
    Verdict::Acknowledge
}

/// The last line of a sweep, and whether it is to be done again.
fn conclude(message: &Message, began: Instant, tally: Tally, incomplete: Option<Incomplete>) -> Verdict {
    let Tally { settled_before, settled, unsettled, failed, left } = tally;
    let (message_id, receive_count) = (message.id.as_str(), message.receive_count);
    let duration_ms = elapsed_ms(began);
    let reason = incomplete.map(|incomplete| match incomplete {
        Incomplete::CutOff(available) => format!(
            "the dead executions could not all be looked at within {} s: what is settled is remembered, the rest comes next",
            available.as_secs()
        ),
        Incomplete::Waited(available) => {
            format!("another sweep was not done within {} s: this one comes again", available.as_secs())
        }
        Incomplete::Unlisted(error) => format!("dead executions cannot be listed: {error}"),
        Incomplete::Failed(count) => format!("{count} dead executions could not be looked at or settled"),
    });
    let outcome = if reason.is_some() { "swept_in_part" } else { "swept" };
    tracing::info!(
        outcome,
        reason,
        settled_before,
        settled,
        unsettled,
        failed,
        left,
        duration_ms,
        receive_count,
        message_id,
        "dead executions looked for"
    );
    reason.map_or(Verdict::Acknowledge, Verdict::deliver_again)
}
