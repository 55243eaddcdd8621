//! A state of the model.

use crate::intern::Id;
use smallvec::SmallVec;

/// No handler has the message.
pub(crate) const QUEUED: Id = Id::MAX;

/// A token that nobody waits for any more.
pub(crate) const VOID: u8 = u8::MAX;

/// A flag: an integration failed for good.
pub(crate) const INTEGRATION_FAILED: u8 = 1;

/// A flag: something was left to reconciliation. A request landed whose process was dead, or a message that was put back
/// from the dead-letter queue could not be handled again.
pub(crate) const LEFT_TO_RECONCILIATION: u8 = 1 << 1;

/// A flag: somebody else wrote what they write.
pub(crate) const WRITTEN_MEANWHILE: u8 = 1 << 2;

/// The tokens of one execution: itself and up to seven branches.
const BRANCHES: u8 = 8;

/// Everything at one moment, as numbers of interned values.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct State {
    /// The executions: first one for each saga, then those that settle.
    pub(crate) runs: SmallVec<[Id; 4]>,
    /// The stores of the participants.
    pub(crate) stores: SmallVec<[Id; 4]>,
    /// The messages, in order.
    pub(crate) flights: SmallVec<[Flight; 4]>,
    /// What the outside peer remembers.
    pub(crate) peer: Id,
    /// The table of parked sagas.
    pub(crate) parked: Id,
    /// What the topics were told.
    pub(crate) notices: Id,
    /// What has been broken; 0: nothing.
    pub(crate) verdict: Id,
    /// The faults that may still happen.
    pub(crate) faults: u8,
    /// How often the operator may still say 'retry'.
    pub(crate) retries: u8,
    /// What happened before, as bits: [`INTEGRATION_FAILED`], [`LEFT_TO_RECONCILIATION`] and
    /// [`WRITTEN_MEANWHILE`].
    pub(crate) flags: u8,
    /// The sagas whose fences have expired, as bits.
    pub(crate) expired: u16,
    /// Those of them of which an operator then decided something, as bits.
    pub(crate) blind: u16,
}

/// A message, in its queue or at work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Flight {
    pub(crate) message: Id,
    /// The handler that has it, or [`QUEUED`].
    pub(crate) process: Id,
    /// Who waits for the answer, or [`VOID`].
    pub(crate) token: u8,
    /// How often it was delivered.
    pub(crate) receives: u8,
    pub(crate) mark: Mark,
}

impl Flight {
    /// A message that was just sent.
    pub(crate) fn new(message: Id, token: u8) -> Self {
        Self { message, process: QUEUED, token, receives: 0, mark: Mark::Live }
    }
}

/// Where a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Mark {
    /// In its queue, or at work.
    Live,
    /// No message: the request of a handler that died, on its way.
    Adrift,
    /// In the dead-letter queue.
    Dead,
    /// As [`Self::Live`], after it was redriven from the dead-letter queue.
    Redriven,
}

impl State {
    pub(crate) fn add(&mut self, flight: Flight) {
        let place = self.flights.partition_point(|other| *other < flight);
        self.flights.insert(place, flight);
    }

    /// Makes the token of a branch void wherever it is.
    pub(crate) fn void(&mut self, token: u8) {
        if self.flights.iter().any(|flight| flight.token == token) {
            for flight in self.flights.iter_mut().filter(|flight| flight.token == token) {
                flight.token = VOID;
            }
            self.flights.sort_unstable();
        }
    }
}

/// The token of a branch of an execution.
pub(crate) fn token(slot: usize, branch: u8) -> u8 {
    // The builder allows no more executions than this can tell apart.
    u8::try_from(slot).unwrap_or(VOID).saturating_mul(BRANCHES).saturating_add(branch)
}

/// Whose token it is: the execution's place and the branch.
pub(crate) fn owner(token: u8) -> (usize, u8) {
    (usize::from(token / BRANCHES), token % BRANCHES)
}
