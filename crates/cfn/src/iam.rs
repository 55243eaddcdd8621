//! AWS IAM: roles and managed policies. What a role may do is granted with [`crate::Template::grant`].

use crate::kind::Arn;
use crate::policy::{Principal, Statement};
use crate::property::Value;

include!(concat!(env!("OUT_DIR"), "/iam.rs"));

pub use role::Policy as InlinePolicy;

impl Role {
    /// A role that Lambda assumes to run functions.
    #[must_use]
    pub fn for_lambda() -> Self {
        // The trust policy that AWS documents for Lambda has no source conditions: who may hand the role to a function
        // is guarded by `iam:PassRole`.
        // <https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html>
        Self::new(Self::trust("lambda.amazonaws.com"))
    }

    /// A role that Step Functions assumes to run state machines of this account.
    ///
    /// The conditions keep Step Functions from using the role on behalf of somebody else (the confused deputy).
    /// <https://docs.aws.amazon.com/step-functions/latest/dg/procedure-create-iam-role.html>
    #[must_use]
    pub fn for_states() -> Self {
        Self::for_states_matching("*")
    }

    /// A role that Step Functions assumes to run the state machine of this name, in this account and region.
    ///
    /// The state machine is named, not referred to: it refers to the role, and both ways would be a circle.
    #[must_use]
    pub fn for_state_machine(name: impl Into<String>) -> Self {
        Self::for_states_matching(&name.into())
    }

    fn for_states_matching(name: &str) -> Self {
        /// A state machine, whether or not the types of its service are compiled.
        enum Machine {}
        let machines = Value::<Arn<Machine>>::of_this_account("states", "stateMachine:", name);
        let trust = Self::trust("states.amazonaws.com")
            .when("ArnLike", "aws:SourceArn", machines)
            .when_source_is_this_account();
        Self::new(trust)
    }

    /// A role that EventBridge assumes to reach the targets of rules of this account.
    #[must_use]
    pub fn for_events() -> Self {
        Self::new(Self::trust("events.amazonaws.com").when_source_is_this_account())
    }

    fn trust(service: &str) -> Statement {
        Statement::allow(["sts:AssumeRole"]).principal(Principal::service(service))
    }
}
