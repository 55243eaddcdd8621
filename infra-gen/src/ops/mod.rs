//! What an operator sees and does: one file a verb.
//!
//! | verb | file | does |
//! | --- | --- | --- |
//! | `list` | `list.rs` | the sagas with their states |
//! | `show` | `show.rs` | everything about one saga id: executions, attempts, fences, parked records, dead letters |
//! | `parked` | `parked.rs` | the sagas that wait for an operator, and what operators decided |
//! | `retry`, `skip` | `answer.rs` | answers a parked saga |
//! | `dead-letters` | `dead_letters.rs` | the messages that nobody could handle, with the reason |
//! | `dead-letters --redrive` | `redrive.rs` | sends them back to their queues |
//! | `cancel` | `cancel.rs` | cancels an order for its customer |
//! | `settle` | `settle.rs` | settles a saga whose execution died |
//!
//! Every verb is a method of [`Operations`] and returns data; [`text`] makes tables of it, and as JSON it is the data
//! itself, see `docs/operations.md`. Task tokens and personal data are in neither.

mod answer;
mod cancel;
mod dead_letters;
mod error;
mod fences;
mod history;
mod letter;
mod list;
mod parked;
mod redrive;
mod run;
mod settle;
mod show;
mod state;
pub mod text;

pub use answer::{Action, Answer, Answered};
pub use cancel::Cancelled;
pub use dead_letters::DeadLetters;
pub use error::{ErrorKind, OpsError};
pub use fences::FenceRow;
pub use history::{Attempt, Kind, Outcome};
pub use letter::DeadLetter;
pub use list::{ListOptions, Listing};
pub use parked::{Decision, Failure, Parked, ParkedRecord};
pub use redrive::{Means, Redriven};
pub use run::SagaRow;
pub use settle::Settling;
pub use show::{ExecutionRow, SagaStory, Story};
pub use state::State;

use crate::aws::{Connection, Target, given_or_usual, outputs};
use aws_config::SdkConfig;
use saga::{Definition, ParticipantSpec};
use saga_executions::aws::{Aws, ParkedTable, StepFunctions};
use stacks::{RefusedQueue, Related, Trigger};
use std::collections::BTreeMap;

/// The sagas of one deployment, from outside.
#[derive(Debug, Clone)]
pub struct Operations {
    executions: Aws,
    dynamodb: aws_sdk_dynamodb::Client,
    sfn: aws_sdk_sfn::Client,
    sns: aws_sdk_sns::Client,
    sqs: aws_sdk_sqs::Client,
    caller: String,
    outputs: BTreeMap<String, String>,
    sagas: Vec<Definition>,
    participants: Vec<ParticipantSpec>,
    functions: Vec<(&'static str, Trigger)>,
    refused: Vec<RefusedQueue>,
    related: Related,
}

impl Operations {
    /// Finds the deployment, with the configuration given or the ordinary one.
    ///
    /// # Errors
    /// When AWS cannot be asked, or there is no such deployment.
    pub async fn open(target: &Target, config: Option<&SdkConfig>) -> Result<Self, OpsError> {
        let config = given_or_usual(config).await;
        let app = target.app()?;
        let connection = Connection::with(&config).await?;
        let outputs = outputs(&connection, target, &app).await?;
        let (dynamodb, sfn) = (aws_sdk_dynamodb::Client::new(&config), aws_sdk_sfn::Client::new(&config));
        let parked = output(&outputs, stacks::outputs::PARKED_TABLE_NAME)?;
        Ok(Self {
            executions: Aws {
                step_functions: StepFunctions::new(sfn.clone()),
                parked: ParkedTable::new(dynamodb.clone(), parked),
            },
            dynamodb,
            sfn,
            sns: aws_sdk_sns::Client::new(&config),
            sqs: aws_sdk_sqs::Client::new(&config),
            outputs,
            caller: connection.caller,
            functions: app.functions.iter().map(|function| (function.name, function.trigger)).collect(),
            participants: app.participants,
            refused: app.refused,
            related: app.related,
            sagas: app.machines.into_iter().map(|machine| machine.definition).collect(),
        })
    }

    /// The ARN of whoever calls AWS here: the operator, unless another one is named.
    #[must_use]
    pub fn caller(&self) -> &str {
        &self.caller
    }

    fn output(&self, name: &str) -> Result<&str, OpsError> {
        output(&self.outputs, name)
    }

    /// The sagas of this name, or all.
    fn sagas_named(&self, name: Option<&str>) -> Result<Vec<&Definition>, OpsError> {
        let Some(name) = name else { return Ok(self.sagas.iter().collect()) };
        match self.sagas.iter().find(|saga| saga.name == name) {
            Some(saga) => Ok(vec![saga]),
            None => Err(OpsError::Unknown {
                what: "saga",
                given: name.to_owned(),
                known: self.sagas.iter().map(|saga| saga.name.to_owned()).collect(),
            }),
        }
    }
}

fn output<'o>(outputs: &'o BTreeMap<String, String>, name: &str) -> Result<&'o str, OpsError> {
    let value = outputs.get(name).map(String::as_str);
    value.ok_or_else(|| OpsError::NoOutput { name: name.to_owned() })
}
