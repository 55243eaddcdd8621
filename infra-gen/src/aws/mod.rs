//! Deploying to AWS, or to what speaks like it.
//!
//! [`deploy`] packages, uploads and applies, unless what is in flight or stored would not be understood; [`destroy`] takes it
//! back; [`diff`] compares. The SDK is configured as usual: profiles, regions, `AWS_ENDPOINT_URL`; or by the caller. A plain
//! `http` endpoint is taken for a local emulator.

mod apply;
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
mod executions;
#[cfg(test)]
mod fake;
mod handover;
mod hotswap;
mod parameters;
mod progress;
mod proxy;
mod sender;
mod stack;
mod template;
mod upgrade;

pub use compare::{StackDifference, diff};
pub(crate) use connection::{Connection, given_or_usual};
pub use connection::{sdk_config, usual_arch};
pub use deploy::{DeployOptions, Deployed, deploy, deploy_app};
pub use destroy::{DestroyOptions, Destroyed, Retained, destroy};
pub use difference::{Difference, Side};
pub use effect::{Data, Effect, Fate};
pub(crate) use error::call;
pub use error::{AwsError, CallError};
pub use events::{ResourceEvent, first_failure};
pub use executions::Running;
pub use progress::{Progress, Silent, Update};
pub(crate) use stack::outputs;

use stacks::{App, Stack, Stage, Synth, SynthError};

/// Which deployment.
#[derive(Debug, Clone)]
pub struct Target {
    /// The name that all stacks of the deployment begin with.
    pub deployment: String,
    /// The stage.
    pub stage: Stage,
    /// What makes its stacks.
    pub synth: Synth,
}

impl Target {
    /// The deployment of this name and stage, of these stacks.
    #[must_use]
    pub fn new(deployment: impl Into<String>, stage: Stage, synth: Synth) -> Self {
        Self { deployment: deployment.into(), stage, synth }
    }

    /// Its stacks.
    pub(crate) fn app(&self) -> Result<App, SynthError> {
        (self.synth)(self.stage)
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
