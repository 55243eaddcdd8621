//! One thing that happens, and what it costs.

use super::{
    state::{State, token},
    tables::{Manner, Tables},
};
use crate::asl::Event;
use saga::{
    Reply,
    parked_table::{ACTION, BY, REASON, RETRY, SKIP, STEPS},
};

/// One thing that happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// The message at this place is delivered, or its handler goes on by one operation.
    Handle { flight: u8, fate: Fate, choice: u8, way: u8 },
    /// The request of a handler that died arrives.
    Land { flight: u8, choice: u8 },
    /// An operator puts a message from the dead-letter queue back into its queue.
    PutBack { flight: u8 },
    /// The event that an execution died is never delivered.
    Lose { flight: u8 },
    /// A step takes too long. `used_up`: and so do all its retries.
    TimeOut { slot: u8, branch: u8, used_up: bool },
    /// A message cannot be sent, however often it is tried.
    SendFails { slot: u8, branch: u8 },
    /// An operator answers a parked saga. `only`: for one of the steps that could not be done, counted from one; 0: for all.
    Operate { token: u8, skip: bool, only: u8, way: u8 },
    /// An execution is stopped from outside.
    Abort { slot: u8 },
    /// Somebody has a dead execution run again.
    Redrive { slot: u8 },
    /// The id of a saga that has not ended is used for another run.
    Another { saga: u8 },
    /// Another execution goes forward for the same run.
    Beside { saga: u8 },
    /// Somebody else writes, who has nothing to do with sagas.
    Write,
    /// A sweep for dead executions begins.
    Sweep,
    /// The fences of a saga expire.
    Expire { saga: u8 },
    /// The id of a saga that has ended is used again. `late`: when its fences are gone.
    Again { saga: u8, late: bool },
    /// Reconciliation looks at what stands under this key of its list.
    Examine { place: u8, choice: u8 },
}

/// What becomes of one operation of a handler.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub(crate) enum Fate {
    /// It works.
    Well,
    /// It works, and the message is delivered a second time as well.
    Doubled,
    /// The process dies before it.
    DiesBefore,
    /// The process dies after it.
    DiesAfter,
    /// It works, but the answer comes after the step timed out.
    Late,
    /// The store or the peer fails without doing it.
    Busy,
    /// The store or the peer does it, and the answer is lost.
    AnswerLost,
    /// The process dies, and its request arrives later.
    Adrift,
    /// The store does it, and it is tried again because the answer is lost: it is the second try that is answered.
    Again,
    /// The answer is what was so some time ago.
    Stale,
}

impl Fate {
    pub(crate) fn manner(self) -> Manner {
        match self {
            Self::Busy => Manner::Busy,
            Self::AnswerLost => Manner::Lost,
            Self::Again => Manner::Again,
            Self::Stale => Manner::Stale,
            _ => Manner::Well,
        }
    }
}

impl Action {
    /// What it costs of the fault budget.
    pub(crate) fn cost(self, tables: &Tables, state: &State) -> u8 {
        match self {
            Self::Handle { fate, way, .. } => u8::from(fate != Fate::Well) + u8::from(way > 0),
            Self::Land { .. } | Self::PutBack { .. } | Self::Examine { .. } | Self::Write => 0,
            // An event that a sweep overtakes is later than it should be.
            Self::Sweep => u8::from(tables.event_pending(state)),
            Self::Operate { way, .. } => u8::from(way > 0),
            Self::TimeOut { slot, branch, used_up } => {
                let token = token(usize::from(slot), branch);
                // Nobody has the message any more: this timer is what is left to happen.
                u8::from(used_up || tables.in_flight(state, token))
            }
            Self::SendFails { .. }
            | Self::Abort { .. }
            | Self::Lose { .. }
            | Self::Redrive { .. }
            | Self::Beside { .. }
            | Self::Another { .. }
            | Self::Expire { .. }
            | Self::Again { .. } => 1,
        }
    }
}

/// What the operator says, to the state machine. `only`: the step that it is about, when it is not all of them.
pub(crate) fn operator_event(branch: u8, skip: bool, only: Option<&str>) -> Event {
    let action = if skip { SKIP } else { RETRY };
    let mut output = serde_json::json!({ ACTION: action, REASON: "looked into it", BY: "operator" });
    if let Some(step) = only {
        output[STEPS] = serde_json::json!([step]);
    }
    Event::Success { branch, output }
}

pub(super) fn event_of(reply: &Reply, branch: u8) -> Event {
    match reply {
        Reply::Success(output) => Event::Success { branch, output: output.clone() },
        Reply::Failure { error, cause } => {
            Event::Failure { branch, error: error.clone(), cause: cause.clone(), used_up: false }
        }
    }
}

/// Places in a state are few.
pub(super) fn small(place: usize) -> u8 {
    u8::try_from(place).unwrap_or(u8::MAX)
}
