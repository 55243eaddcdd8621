//! One message: an execution died, or it is time for a sweep.

use crate::{patient::Patient, sweeps::Sweeps};
use aws_types::SdkConfig;
use saga::{environment, rescue::asks_for_sweep};
use saga_executions::{
    Outcome, Report, Settled,
    aws::{Aws, ParkedTable, StepFunctions},
    settle_reported,
};
use saga_lambda::{Deadline, Error, Message, Variables, Verdict, aws, elapsed_ms};
use std::time::Instant;

/// Settles sagas.
#[derive(Debug)]
pub struct Rescue {
    aws: Aws,
    sweeps: Sweeps,
}

impl Rescue {
    /// Settles the sagas of the deployment.
    ///
    /// # Errors
    /// When a variable is missing or invalid.
    pub fn from_variables(variables: &Variables) -> Result<Self, Error> {
        Self::new(&aws::config(variables)?, variables)
    }

    pub(crate) fn new(config: &SdkConfig, variables: &Variables) -> Result<Self, Error> {
        let table = variables.text(environment::PARKED_TABLE)?;
        Ok(Self {
            aws: Aws {
                step_functions: StepFunctions::new(aws_sdk_sfn::Client::new(config)),
                parked: ParkedTable::new(aws_sdk_dynamodb::Client::new(config), table),
            },
            sweeps: Sweeps::from_variables(variables)?,
        })
    }

    /// Handles one message.
    pub async fn handle(&self, message: &Message, deadline: Deadline) -> Verdict {
        if asks_for_sweep(&message.body) {
            return self.sweeps.sweep(&self.aws, message, deadline).await;
        }
        self.settle(message, deadline).await
    }

    async fn settle(&self, message: &Message, deadline: Deadline) -> Verdict {
        let began = Instant::now();
        let outcome = match Report::of_event(&message.body) {
            Ok(report) => settle_reported(&Patient::until(&self.aws, deadline), &report)
                .await
                .map_err(|unsettled| unsettled.to_string()),
            Err(error) => Err(error.to_string()),
        };
        let (message_id, receive_count) = (message.id.as_str(), message.receive_count);
        let duration_ms = elapsed_ms(began);
        match outcome {
            Ok(Outcome::Settling(settled)) => {
                let Settled { dead, execution, before } = *settled;
                let (saga_id, status) = (dead.saga_id().as_str(), dead.death.as_str());
                let outcome = if before { "settling_before" } else { "settling" };
                let (state_machine, dead) = (dead.state_machine.as_str(), dead.name.as_str());
                tracing::warn!(
                    state_machine,
                    saga_id,
                    execution,
                    dead,
                    status,
                    outcome,
                    duration_ms,
                    receive_count,
                    message_id,
                    "an execution died: its saga is settled"
                );
                Verdict::Acknowledge
            }
            Ok(Outcome::Alive) => {
                tracing::info!(
                    outcome = "alive",
                    duration_ms,
                    receive_count,
                    message_id,
                    "nothing to settle"
                );
                Verdict::Acknowledge
            }
            Err(reason) => {
                tracing::error!(
                    outcome = "unsettled",
                    reason,
                    duration_ms,
                    receive_count,
                    message_id,
                    "not settled"
                );
                Verdict::deliver_again(reason)
            }
        }
    }
}

#[cfg(test)]
mod tests;
