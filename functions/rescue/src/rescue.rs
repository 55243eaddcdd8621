//! One event about an execution that died: its saga is settled.

use crate::{
    dead::{self, Dead, Found, Unsettled},
    parked::ParkedTable,
};
use aws_types::SdkConfig;
use saga::{Settling, environment};
use saga_lambda::{Deadline, Error, Message, Tried, Variables, Verdict, aws, elapsed_ms, persist};
use std::time::Instant;

/// How often a saga is settled before its event is left to people. An execution that settles does little that can fail,
/// so what fails this often fails for a reason that is not passing.
pub const MAX_ATTEMPTS: u32 = 5;

/// Settles sagas.
#[derive(Debug)]
pub struct Rescue {
    client: aws_sdk_sfn::Client,
    parked: ParkedTable,
}

/// What became of an event.
enum Outcome {
    /// The settling execution began, now or before.
    Settling { dead: Box<Dead>, execution: String, before: bool },
    /// There was nothing to settle.
    Alive,
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
        let client = aws_sdk_dynamodb::Client::new(config);
        let name = variables.text(environment::PARKED_TABLE)?.to_owned();
        Ok(Self { client: aws_sdk_sfn::Client::new(config), parked: ParkedTable { client, name } })
    }

    /// Handles one event.
    pub async fn handle(&self, message: &Message, deadline: Deadline) -> Verdict {
        let began = Instant::now();
        let outcome = self.settle(&message.body, deadline).await;
        let (message_id, receive_count) = (message.id.as_str(), message.receive_count);
        let duration_ms = elapsed_ms(began);
        match outcome {
            Ok(Outcome::Settling { dead, execution, before }) => {
                let (saga_id, status) = (dead.input.id.as_str(), dead.status.as_str());
                let outcome = if before { "settling_before" } else { "settling" };
                let dead = dead.name.as_str();
                tracing::warn!(
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
            Err(unsettled) => {
                let reason = unsettled.to_string();
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

    async fn settle(&self, body: &str, deadline: Deadline) -> Result<Outcome, Unsettled> {
        let event = dead::decode(body)?;
        let dead = match dead::find(&self.client, &event.execution_arn, deadline).await? {
            Found::Dead(dead) => dead,
            Found::Alive => return Ok(Outcome::Alive),
        };
        let attempt = dead.input.settle.as_ref().map_or(0, |settling| settling.attempt);
        if attempt >= MAX_ATTEMPTS {
            return Err(Unsettled::TooOften { attempt, allowed: MAX_ATTEMPTS });
        }
        self.parked.forget(&dead, deadline).await?;
        let execution = Settling::execution_name(&dead.input.id, &dead.arn);
        let before = self.start(&dead, &execution, deadline).await?;
        Ok(Outcome::Settling { dead, execution, before })
    }

    /// Starts the settling execution; says whether it was started before.
    async fn start(&self, dead: &Dead, execution: &str, deadline: Deadline) -> Result<bool, Unsettled> {
        let input = dead.input.clone().settled(&dead.name, &dead.status);
        let input =
            serde_json::to_string(&input).map_err(|error| Unsettled::StepFunctions(error.to_string()))?;
        let request = self
            .client
            .start_execution()
            .state_machine_arn(&dead.state_machine_arn)
            .name(execution)
            .input(input);
        let started = persist(deadline, || async {
            match request.clone().send().await {
                Ok(_) => Tried::Answered(Ok(false)),
                Err(error) => aws::Failure::of(&error).tried(|failure| match failure.code.as_deref() {
                    Some("ExecutionAlreadyExists") => Ok(true),
                    _ => Err(Unsettled::StepFunctions(failure.code.unwrap_or(failure.text))),
                }),
            }
        });
        started.await.unwrap_or_else(|why| Err(Unsettled::StepFunctions(why)))
    }
}

#[cfg(test)]
mod tests;
