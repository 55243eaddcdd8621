//! Deploying to AWS, or to what speaks like it.
//!
//! [`deploy`] packages, uploads and applies, unless what is in flight or stored would not be understood; [`destroy`] takes it
//! back; [`diff`] compares. The SDK is configured as usual: profiles, regions, `AWS_ENDPOINT_URL`; or by the caller. A plain
//! `http` endpoint is taken for a local emulator.

mod bucket;
mod change_set;
mod compare;
mod connection;
mod deploy;
mod destroy;
mod difference;
mod effect;
mod endpoint;
mod error;
mod events;
mod parameters;
mod progress;
mod stack;
mod template;
mod upgrade;

pub use compare::{StackDifference, diff};
pub(crate) use connection::Connection;
pub use connection::sdk_config;
pub use deploy::{DeployOptions, Deployed, deploy};
pub use destroy::{DestroyOptions, Destroyed, Retained, destroy};
pub use difference::{Difference, Side};
pub use effect::{Data, Effect, Fate};
pub(crate) use error::call;
pub use error::{AwsError, CallError};
pub use events::{ResourceEvent, first_failure};
pub use progress::{Progress, Silent, Update};
pub(crate) use stack::outputs;

use stacks::{Stack, Stage};

/// Which deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The name that all stacks of the deployment begin with.
    pub deployment: String,
    /// The stage.
    pub stage: Stage,
}

impl Target {
    /// The deployment `flyover` of this stage.
    #[must_use]
    pub fn of(stage: Stage) -> Self {
        Self { deployment: "flyover".to_owned(), stage }
    }

    /// Its name: `<deployment>-<stage>`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}-{}", self.deployment, self.stage)
    }

    pub(crate) fn stack_name(&self, stack: &Stack) -> String {
        stack.name(&self.deployment, self.stage)
    }
}
