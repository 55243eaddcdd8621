//! What is known of an execution.

use crate::settle::Unsettled;
use saga::{RunDigest, SagaId, Settling, StartInput};
use serde::Deserialize;
use serde_json::Value as Json;
use std::{fmt, time::SystemTime};

/// How an execution ends without an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Death {
    /// It failed.
    Failed,
    /// It took too long.
    TimedOut,
    /// Somebody stopped it.
    Aborted,
}

impl Death {
    /// Every way.
    pub const ALL: [Self; 3] = [Self::Failed, Self::TimedOut, Self::Aborted];

    /// As Step Functions spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Failed => "FAILED",
            Self::TimedOut => "TIMED_OUT",
            Self::Aborted => "ABORTED",
        }
    }
}

/// Where an execution stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// It runs, or is to run again.
    Running,
    /// It ended with an outcome.
    Succeeded,
    /// It ended without one.
    Dead(Death),
}

impl Status {
    /// As Step Functions spells it. What it has not said before counts as running: not known to have ended.
    pub fn named(name: &str) -> Self {
        match name {
            "SUCCEEDED" => Self::Succeeded,
            name => {
                Death::ALL.into_iter().find(|death| death.as_str() == name).map_or(Self::Running, Self::Dead)
            }
        }
    }

    /// As Step Functions spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Succeeded => "SUCCEEDED",
            Self::Dead(death) => death.as_str(),
        }
    }

    /// Whether it ended without an outcome.
    pub const fn is_dead(self) -> bool {
        matches!(self, Self::Dead(_))
    }
}

/// An execution, with what it was given and gave: personal data, which it does not show.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Execution {
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// The ARN of its state machine.
    pub state_machine: String,
    /// Where it stands, as far as Step Functions knows by now.
    pub status: Status,
    /// How often somebody had it run again after it died.
    pub redrives: u32,
    /// What it was given.
    pub input: Json,
    /// What it gave; nothing while it runs.
    pub output: Json,
    /// The name of the error that it ended with.
    pub error: Option<String>,
    /// The cause of that error, or what whoever stopped it said.
    pub cause: Option<String>,
    /// When it began.
    pub started: Option<SystemTime>,
    /// When it ended.
    pub stopped: Option<SystemTime>,
}

impl Execution {
    /// An execution of which no more than this is known.
    pub fn new(state_machine: &str, name: &str, status: Status, input: Json) -> Self {
        Self {
            arn: execution_arn(state_machine, name),
            name: name.to_owned(),
            state_machine: state_machine.to_owned(),
            status,
            redrives: 0,
            input,
            output: Json::Null,
            error: None,
            cause: None,
            started: None,
            stopped: None,
        }
    }

    /// What it was given, if that is the input of a saga.
    pub fn start_input(&self) -> Option<StartInput> {
        StartInput::deserialize(&self.input).ok()
    }

    /// Whether it settles for another one: it says so, and has the name that follows from the one it names. Whoever
    /// starts an execution by hand can say anything.
    pub fn is_settling(&self) -> bool {
        let Some(StartInput { id, settle: Some(settling), .. }) = self.start_input() else { return false };
        let dead = execution_arn(&self.state_machine, &settling.execution);
        self.name == Settling::execution_name(&id, &dead)
    }
}

impl fmt::Debug for Execution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Execution")
            .field("arn", &self.arn)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

/// An execution of a saga that ended without an outcome.
#[derive(Clone, PartialEq, Eq)]
pub struct Dead {
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// The ARN of its state machine.
    pub state_machine: String,
    /// How it ended.
    pub death: Death,
    /// How often somebody had it run again after it died.
    pub redrives: u32,
    /// What it was given.
    pub input: StartInput,
}

impl Dead {
    /// This execution, if it died.
    ///
    /// # Errors
    /// When it was not given what a saga is given: nobody knows then what to settle.
    pub fn of(execution: &Execution) -> Result<Option<Self>, Unsettled> {
        let Status::Dead(death) = execution.status else { return Ok(None) };
        let Some(input) = execution.start_input() else {
            return Err(Unsettled::Input { name: execution.name.clone() });
        };
        let Execution { arn, name, state_machine, redrives, .. } = execution.clone();
        Ok(Some(Self { arn, name, state_machine, death, redrives, input }))
    }

    /// The saga id.
    pub fn saga_id(&self) -> &SagaId {
        &self.input.id
    }

    /// How many attempts to settle its saga have died, this one included.
    pub fn attempts(&self) -> u32 {
        self.input.settle.as_ref().map_or(0, |settling| settling.attempt)
    }

    /// The name of the execution that settles for this one.
    pub fn successor_name(&self) -> String {
        Settling::execution_name(&self.input.id, &self.arn)
    }

    /// The ARN of the execution that settles for this one.
    pub fn successor_arn(&self) -> String {
        execution_arn(&self.state_machine, &self.successor_name())
    }

    /// What the execution is given that settles for this one.
    pub fn successor_input(&self) -> StartInput {
        self.input.clone().settled(&self.name, self.death.as_str(), self.redrives)
    }

    /// Whether an execution under the name of the successor is one: for this execution, of this saga id and this run.
    /// How this one died is not compared: it can have died again, in another way, after somebody had it run again.
    pub(crate) fn is_succeeded_by(&self, found: &Execution) -> bool {
        let Some(StartInput { id, run, settle: Some(settling), .. }) = found.start_input() else {
            return false;
        };
        let expected: (&SagaId, Option<&RunDigest>) = (&self.input.id, self.input.run.as_ref());
        (&id, run.as_ref()) == expected
            && settling.execution == self.name
            && settling.attempt == self.attempts() + 1
            && found.state_machine == self.state_machine
    }
}

impl fmt::Debug for Dead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dead").field("arn", &self.arn).field("death", &self.death).finish_non_exhaustive()
    }
}

/// The ARN of an execution: `arn:aws:states:<region>:<account>:execution:<machine>:<name>`.
pub fn execution_arn(state_machine: &str, name: &str) -> String {
    format!("{}:{name}", state_machine.replacen(":stateMachine:", ":execution:", 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_read_from_its_name() {
        for status in [Status::Running, Status::Succeeded].into_iter().chain(Death::ALL.map(Status::Dead)) {
            assert_eq!(Status::named(status.as_str()), status);
        }
        assert_eq!(Status::named("PENDING_REDRIVE"), Status::Running);
    }

    #[test]
    fn an_execution_is_named_in_its_state_machines_arn() {
        let machine = "arn:aws:states:eu-central-1:1:stateMachine:flyover-dev-order";
        let expected = "arn:aws:states:eu-central-1:1:execution:flyover-dev-order:o-1";
        assert_eq!(execution_arn(machine, "o-1"), expected);
    }
}
