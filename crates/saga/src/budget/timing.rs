//! How long things take, derived from one parameter of the stage.

use crate::definition::{Kind, StepSpec};
use std::time::Duration;

/// The least a function can work with: a second, and what it keeps back to answer and to end in order.
pub const MIN_FUNCTION_TIMEOUT: Duration = Duration::from_secs(3);

/// The longest an execution of a standard workflow can last.
pub(super) const LONGEST_EXECUTION: Duration = Duration::from_hours(365 * 24);

/// The longest that a test stage waits for a step, as long as it were production: nobody floods it, and what is lost on
/// the way is to be seen soon.
const LONGEST_TRIAL: Duration = Duration::from_mins(15);

/// What a participant does at least, of what is in its queue.
const LEAST_PER_SECOND: u64 = 5;

/// The timing of a stage.
///
/// Everything is derived from production's numbers divided by one scale, so a test stage has the same structure and
/// the same proportions. Durations are whole seconds, at least one, because CloudFormation takes no others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    scale: u32,
}

impl Timing {
    /// Timing divided by `scale`: 1 in production. 0 counts as 1.
    pub const fn scaled(scale: u32) -> Self {
        Self { scale: if scale == 0 { 1 } else { scale } }
    }

    /// How long one invocation of a function may take, at least [`MIN_FUNCTION_TIMEOUT`].
    pub fn function_timeout(self) -> Duration {
        self.scale(Duration::from_secs(20)).max(MIN_FUNCTION_TIMEOUT)
    }

    /// How long a queue hides a message that was delivered: six times the function's timeout, as
    /// [AWS asks](https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html).
    pub fn visibility_timeout(self) -> Duration {
        self.function_timeout() * 6
    }

    /// How often a message is delivered before it goes to the dead-letter queue: five, the least AWS advises, because
    /// a throttled function also counts as a delivery.
    pub const fn max_receive_count(self) -> u32 {
        5
    }

    /// The time all deliveries of one message can take.
    pub fn delivery_window(self) -> Duration {
        self.visibility_timeout() * self.max_receive_count()
    }

    /// How long the state machine waits for the answer of a step: as declared in production, and in a test stage a quarter
    /// of an hour of production's at most. Rounding up to whole seconds must not make the deliveries of a test stage take
    /// longer than the wait for them, so it is never less than those.
    pub fn step_timeout(self, step: &StepSpec) -> Duration {
        let declared = if self.scale == 1 { step.timeout } else { step.timeout.min(LONGEST_TRIAL) };
        self.scale(declared).max(self.delivery_window())
    }

    /// How long it waits for what it asks again and again: for every delivery of the message, and half of that for those
    /// before it. A retriable step has the time it declares.
    pub fn insisted_timeout(self, step: &StepSpec) -> Duration {
        match step.kind {
            Kind::Retriable => self.step_timeout(step),
            _ => self.step_timeout(step).min(self.delivery_window() * 3 / 2),
        }
    }

    /// How many messages a participant may have before it, that nothing waits behind them longer than it is waited for: so
    /// many as it does in that time if it does five a second.
    ///
    /// Of all that is asked of these steps, undos and settling are waited for the least. A saga that turns back in a flood
    /// sends them behind everything that is there, and one that has no answer for too long is parked.
    pub fn max_backlog<'s>(self, steps: impl IntoIterator<Item = &'s StepSpec>) -> u64 {
        let shortest = steps.into_iter().map(|step| self.insisted_timeout(step)).min().unwrap_or_default();
        shortest.as_secs() * LEAST_PER_SECOND
    }

    /// Retries of a send that failed: nobody has the message yet.
    pub fn send_retry(self) -> Backoff {
        Backoff {
            interval: self.scale(Duration::from_secs(1)),
            max_delay: self.scale(Duration::from_secs(20)),
            max_attempts: 6,
        }
    }

    /// Retries of an undo, of a settle and of a retriable step, before it is parked.
    pub fn undo_retry(self) -> Backoff {
        Backoff {
            interval: self.scale(Duration::from_secs(10)),
            max_delay: self.scale(Duration::from_mins(5)),
            max_attempts: 6,
        }
    }

    /// Retries of what keeps the books of a parked saga: patient for a day, so that an outage of the table costs no saga
    /// its execution.
    pub fn parking_retry(self) -> Backoff {
        Backoff {
            interval: self.scale(Duration::from_secs(10)),
            max_delay: self.scale(Duration::from_mins(15)),
            max_attempts: 102,
        }
    }

    /// How long the event of a dead execution waits before its saga is settled: what made it die may pass, and one that
    /// dies again and again does so slowly.
    pub fn rescue_delay(self) -> Duration {
        self.scale(Duration::from_secs(30))
    }

    /// How often dead executions are looked for of which no event came. Whole minutes, at least one, because a schedule
    /// has no others.
    pub fn sweep_interval(self) -> Duration {
        self.scale_to_minutes(Duration::from_mins(5))
    }

    /// How long ago an execution can have died and still be looked for: as long as its event would be kept among the dead
    /// letters. Step Functions forgets executions after 90 days.
    pub fn sweep_window(self) -> Duration {
        self.dead_letter_retention()
    }

    /// How long after its death an execution whose saga is not settled is for people to see.
    pub fn unsettled_after(self) -> Duration {
        self.scale(Duration::from_mins(15))
    }

    /// How long a queue keeps a message.
    pub fn queue_retention(self) -> Duration {
        Duration::from_hours(4 * 24)
    }

    /// How long a dead-letter queue keeps a message: the longest SQS allows.
    pub fn dead_letter_retention(self) -> Duration {
        Duration::from_hours(14 * 24)
    }

    /// How long a fence is kept: longer than any way a message can come back. A parked saga can wait for the longest
    /// execution there is, its last message for the dead-letter queue's retention, and after a redrive for the queue's.
    pub fn fence_ttl(self) -> Duration {
        LONGEST_EXECUTION + self.dead_letter_retention() + self.queue_retention()
    }

    /// How often effects outside are compared with the fences. Whole minutes, at least one, because a schedule has no
    /// others.
    pub fn reconciliation_interval(self) -> Duration {
        self.scale_to_minutes(Duration::from_mins(5))
    }

    /// How long one such comparison may take: production's interval, so that two seldom run at the same time.
    pub fn reconciliation_timeout(self) -> Duration {
        self.scale(Duration::from_mins(5))
    }

    /// How old an effect is before it is compared: as long as its message can be delivered, the saga itself reverses
    /// what must not stay.
    pub fn reconciliation_grace(self) -> Duration {
        self.delivery_window()
    }

    /// How old an effect can be and still be compared: a day, so that an outage of the comparison can be mended.
    pub fn reconciliation_window(self) -> Duration {
        Duration::from_hours(24)
    }

    fn scale_to_minutes(self, duration: Duration) -> Duration {
        Duration::from_secs(self.scale(duration).as_secs().div_ceil(60) * 60)
    }

    fn scale(self, duration: Duration) -> Duration {
        let seconds = duration.as_secs().div_ceil(u64::from(self.scale));
        Duration::from_secs(seconds.max(1))
    }
}

/// Capped exponential backoff with full jitter, doubling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The longest first wait.
    pub interval: Duration,
    /// The longest wait of all.
    pub max_delay: Duration,
    /// How many retries follow the first attempt.
    pub max_attempts: u32,
}

impl Backoff {
    /// The sum of the longest waits.
    pub fn longest(self) -> Duration {
        (0..self.max_attempts).map(|n| (self.interval * 2_u32.saturating_pow(n)).min(self.max_delay)).sum()
    }
}
