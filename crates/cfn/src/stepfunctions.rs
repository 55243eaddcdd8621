//! AWS Step Functions: state machines.

use crate::declaration::Handle;
use crate::kind::{Arn, Name};
use crate::property::{Property, Value};

include!(concat!(env!("OUT_DIR"), "/stepfunctions.rs"));

pub use state_machine::{
    CloudWatchLogsLogGroup, EncryptionConfiguration, EncryptionConfigurationType as EncryptionType,
    LogDestination, LoggingConfiguration, LoggingConfigurationLevel as LogLevel, StateMachineType,
    TracingConfiguration,
};

impl StateMachine {
    /// The ARN of the state machine of this name in this account and region, without a reference to it.
    ///
    /// For roles that a state machine in the same template depends on in turn.
    #[must_use]
    pub fn arn_of_name(name: impl Into<Value<Name<StateMachine>>>) -> Value<Arn<StateMachine>> {
        Value::of_this_account("states", "stateMachine:", name.into())
    }

    /// Has `${name}` in the definition become `value`. The named way to set one of the substitutions.
    #[must_use]
    pub fn substitute(mut self, name: impl Into<String>, value: impl Into<Value<String>>) -> Self {
        self.0.object("DefinitionSubstitutions").insert(name.into(), value.into().into_json());
        self
    }
}

/// An execution of a state machine. No resource of a template, but permissions are granted on it.
#[derive(Debug)]
pub enum Execution {}

impl Handle<StateMachine> {
    /// The ARN of any execution of this state machine: a pattern, for permissions.
    #[must_use]
    pub fn executions(&self) -> Value<Arn<Execution>> {
        Value::sub_with(
            "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:execution:${Machine}:*",
            [("Machine", Value::<String>::from(self.name()))],
        )
    }
}

#[cfg(feature = "logs")]
impl LoggingConfiguration {
    /// Logs events of this level to this log group.
    ///
    /// The role needs [`crate::grants::deliver_vended_logs`]. A group whose name starts with `/aws/vendedlogs/`
    /// avoids the size limit of the account's log resource policy.
    #[must_use]
    pub fn to_log_group(level: LogLevel, group: impl Into<Value<Arn<crate::logs::LogGroup>>>) -> Self {
        let group = CloudWatchLogsLogGroup::new(group);
        Self::new().level(level).destinations([LogDestination::new(group)])
    }
}
