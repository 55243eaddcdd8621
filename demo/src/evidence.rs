//! What is left behind when all is over.

use crate::plan::Payment;
use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};
use system::Conservation;

/// Everything that is reported and judged.
#[derive(Debug, Default)]
pub(crate) struct Evidence {
    /// Every order, in the order of publishing.
    pub(crate) orders: Vec<OrderEvidence>,
    /// What became of the cancels.
    pub(crate) cancels: Cancels,
    /// How many customers were told.
    pub(crate) told: Told,
    /// What the gateway counted.
    pub(crate) gateway: GatewayCounts,
    /// What is in dead-letter queues, by function.
    pub(crate) dead_letters: BTreeMap<String, DeadLetters>,
    /// How many sagas wait for an operator.
    pub(crate) parked: usize,
    /// Units and money.
    pub(crate) conservation: Conservation,
    /// Waiting was given up after nothing had happened for so long.
    pub(crate) gave_up_after: Option<Duration>,
}

impl Evidence {
    /// How many messages customers must have had: one for the end of each order, one for each cancel that came too late.
    pub(crate) fn notices(&self) -> usize {
        let ended = |order: &&OrderEvidence| matches!(order.ending, Ending::Confirmed | Ending::Rejected(_));
        self.orders.iter().filter(ended).count() + self.cancels.too_late
    }
}

/// What became of one order.
#[derive(Debug, Clone)]
pub(crate) struct OrderEvidence {
    /// Its id.
    pub(crate) id: String,
    /// What the gateway was told to do.
    pub(crate) payment: Payment,
    /// When it was published.
    pub(crate) published: SystemTime,
    /// When its execution began and ended.
    pub(crate) execution: Option<(SystemTime, SystemTime)>,
    /// How it ended.
    pub(crate) ending: Ending,
}

/// How an order ended.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ending {
    /// The saga committed.
    Confirmed,
    /// The saga was compensated, for this reason.
    Rejected(String),
    /// The intake refused it: no saga began.
    Refused,
    /// The execution ended in another way: an incident.
    Failed(String),
    /// The execution has not ended.
    Unfinished,
    /// There is no execution.
    Missing,
}

/// What became of the wishes to cancel.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Cancels {
    /// Their orders were pending.
    pub(crate) in_time: usize,
    /// Their orders had been decided.
    pub(crate) too_late: usize,
    /// The orders whose cancel has not ended as it should.
    pub(crate) open: Vec<String>,
}

/// How many messages went to customers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Told {
    /// By e-mail.
    pub(crate) mails: usize,
    /// By SMS.
    pub(crate) sms: usize,
}

/// What the payment gateway counted, of all currencies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct GatewayCounts {
    /// Charges taken.
    pub(crate) charges: u64,
    /// Charges given back.
    pub(crate) refunds: u64,
    /// Calls that found their charge taken already.
    pub(crate) duplicates: u64,
}

/// The messages in one dead-letter queue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct DeadLetters {
    /// Charges whose answer was lost at every delivery: the plan made them.
    pub(crate) lost_answers: usize,
    /// Everything else.
    pub(crate) unexpected: usize,
}
