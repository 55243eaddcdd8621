//! Typed event patterns: which events a rule matches.
//!
//! ```
//! use cfn::event_pattern::{ExecutionStatus, ExecutionStatusChange};
//! use cfn::events::Rule;
//! use cfn::stepfunctions::StateMachine;
//! use cfn::{Template, iam::Role};
//!
//! let mut template = Template::new("Watches orders");
//! let role = template.add("Role", Role::for_states());
//! let machine = template.add("Machine", StateMachine::new(&role));
//! let failed = ExecutionStatusChange::new()
//!     .of_machines([&machine])
//!     .with_status([ExecutionStatus::Failed, ExecutionStatus::TimedOut]);
//! template.add("Failed", Rule::new().event_pattern(failed));
//! ```
//!
//! <https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html>

use serde_json::{Value as Json, json};

use crate::kind::Arn;
use crate::property::{List, Property, Value};
use crate::stepfunctions::StateMachine;
use crate::typed::allowed_values;

allowed_values! {
    /// The status of an execution of a standard state machine.
    pub enum ExecutionStatus {
        /// It has started.
        Running = "RUNNING",
        /// It ended well.
        Succeeded = "SUCCEEDED",
        /// It ended with an error.
        Failed = "FAILED",
        /// It took longer than it may.
        TimedOut = "TIMED_OUT",
        /// Somebody stopped it.
        Aborted = "ABORTED",
        /// It was started again from where it failed.
        PendingRedrive = "PENDING_REDRIVE",
    }
}

/// Matches when an execution of a standard state machine changes its status; without more, any of the account.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ExecutionStatusChange {
    machines: Option<Json>,
    statuses: Option<Json>,
}

impl ExecutionStatusChange {
    /// Any change of any execution.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Only of these state machines.
    #[must_use]
    pub fn of_machines(mut self, machines: impl Into<List<Value<Arn<StateMachine>>>>) -> Self {
        self.machines = Some(machines.into().into_json());
        self
    }

    /// Only to one of these statuses.
    #[must_use]
    pub fn with_status(mut self, statuses: impl Into<List<Value<ExecutionStatus>>>) -> Self {
        self.statuses = Some(statuses.into().into_json());
        self
    }
}

impl From<ExecutionStatusChange> for Json {
    fn from(pattern: ExecutionStatusChange) -> Self {
        let mut json =
            json!({ "source": ["aws.states"], "detail-type": ["Step Functions Execution Status Change"] });
        let details = [("stateMachineArn", pattern.machines), ("status", pattern.statuses)];
        for (name, value) in details.into_iter().filter_map(|(name, value)| Some((name, value?))) {
            json["detail"][name] = value;
        }
        json
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::declaration::Handle;

    #[test]
    fn a_pattern_names_what_it_was_given() {
        let machine: Handle<StateMachine> = Handle::new("Machine");
        let pattern =
            ExecutionStatusChange::new().of_machines([&machine]).with_status([ExecutionStatus::Failed]);
        assert_eq!(
            Json::from(pattern),
            json!({
                "source": ["aws.states"],
                "detail-type": ["Step Functions Execution Status Change"],
                "detail": { "stateMachineArn": [{ "Fn::GetAtt": ["Machine", "Arn"] }], "status": ["FAILED"] },
            })
        );
        assert_eq!(Json::from(ExecutionStatusChange::new()).get("detail"), None);
    }
}
