//! What can go wrong between here and AWS.

use std::error::Error;
use std::fmt;
use std::path::PathBuf;

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};

use saga::schema::Incompatibility;
use stacks::Stage;

use super::executions::Running;
use crate::package::PackageError;
use crate::project::NotInProject;

/// Why something could not be deployed, destroyed or compared.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AwsError {
    /// Not in the project.
    #[error(transparent)]
    NotInProject(#[from] NotInProject),
    /// The sagas or stacks are refused.
    #[error("the stacks cannot be synthesised")]
    Refused(#[from] stacks::SynthError),
    /// The functions cannot be packaged.
    #[error(transparent)]
    Package(#[from] PackageError),
    /// Packaging was cut short.
    #[error("packaging was cut short")]
    PackageCutShort,
    /// No region is configured.
    #[error("no AWS region is configured: set AWS_REGION, or AWS_PROFILE to a profile with a region")]
    NoRegion,
    /// Parameters without a default have no value yet.
    #[error("the first deployment of {} needs {}", stacks.join(", "), options.join(" and "))]
    MissingParameters {
        /// The stacks that need them.
        stacks: Vec<String>,
        /// The options that give them.
        options: Vec<String>,
    },
    /// A parameter that no stack has.
    #[error("no stack has a parameter `{given}`: use one of {}", known.join(", "))]
    UnknownParameter {
        /// The name given.
        given: String,
        /// Those there are.
        known: Vec<String>,
    },
    /// Nothing was packaged before.
    #[error("function `{function}` was not packaged for {arch}: leave out `--no-package`")]
    NotPackaged {
        /// The function.
        function: String,
        /// For which processors.
        arch: &'static str,
    },
    /// The code of a function is neither here nor in the bucket.
    #[error("the code {} is neither in the bucket {bucket} nor here: leave out `--no-package`", zip.display())]
    NoCode {
        /// The zip.
        zip: PathBuf,
        /// The bucket.
        bucket: String,
    },
    /// An operation on a stack failed.
    #[error("stack {stack} ended in {status}: {reason}")]
    StackFailed {
        /// The stack.
        stack: String,
        /// Its status.
        status: String,
        /// What failed first, and why.
        reason: String,
    },
    /// A queue cannot be created yet.
    #[error(
        "stack {stack} ended in {status}: a queue of the name of {queue} was deleted less than a minute ago, and SQS gives \
         the name again only then"
    )]
    QueueNameBlocked {
        /// The stack.
        stack: String,
        /// Its status.
        status: String,
        /// The queue, by its logical id.
        queue: String,
    },
    /// A stack is in a state that nothing here can change.
    #[error("stack {stack} is in {status}: {advice}")]
    StackStuck {
        /// The stack.
        stack: String,
        /// Its status.
        status: String,
        /// What to do.
        advice: &'static str,
    },
    /// A stack does not exist.
    #[error(
        "stack {stack} is not deployed: give `--stage` and `--deployment` as they were deployed, or run `infra-gen deploy`"
    )]
    NotDeployed {
        /// The stack.
        stack: String,
    },
    /// CloudFormation does not tell outputs that a stack has.
    #[error(
        "stack {stack} is {status}, but CloudFormation does not tell its outputs {}: run the command again", names.join(", ")
    )]
    NoOutputs {
        /// The stack.
        stack: String,
        /// Its status.
        status: String,
        /// The outputs that are missing.
        names: Vec<String>,
    },
    /// A change set could not be made.
    #[error("the change set of stack {stack} failed: {reason}")]
    ChangeSet {
        /// The stack.
        stack: String,
        /// Why.
        reason: String,
    },
    /// Destroying this needs a word of consent.
    #[error("destroying {name} needs consent: give `--yes`")]
    NotConfirmed {
        /// The deployment and stage.
        name: String,
    },
    /// Executions run of a state machine that would be deleted.
    #[error(
        "sagas of {deployment}-{stage} are under way, and a state machine is deleted only when its last execution has ended, \
         for which a parked one can take a year:{}\n\
         Look at them with `infra-gen ops list --stage {stage} --deployment {deployment} --state running --state parked`, \
         answer what is parked and let the others end. Or give `--stop-executions`: they are stopped where they are, and \
         what they did stays as it is, nothing is undone",
        lines(running)
    )]
    ExecutionsRunning {
        /// Of which deployment.
        deployment: String,
        /// Of which stage.
        stage: Stage,
        /// The executions, by state machine.
        running: Vec<Running>,
    },
    /// Executions run of a saga that a release takes away.
    #[error(
        "the release takes away sagas that are under way, and a state machine is deleted only when its last execution has \
         ended, for which a parked one can take a year:{}\n\
         Deploy again when they have ended: `infra-gen ops list` of the release before shows them",
        lines(running)
    )]
    SagaUnderWay {
        /// The executions, by state machine.
        running: Vec<Running>,
    },
    /// A state machine of the same name is being deleted.
    #[error(
        "a state machine {machine} of a deployment before is still being deleted, and another cannot be created until it is \
         gone{}", held_up(arn, running.as_ref())
    )]
    MachineDeleting {
        /// Its name.
        machine: String,
        /// Its ARN.
        arn: String,
        /// What holds it up, if it is known.
        running: Option<Running>,
    },
    /// A deployed template cannot be understood.
    #[error("the deployed template of stack {stack} cannot be read: {reason}")]
    Template {
        /// The stack.
        stack: String,
        /// Why.
        reason: String,
    },
    /// The release would not understand what the deployed one has in flight or stored.
    #[error(
        "what the deployed release of stack {stack} has in flight or stored would not be understood:{}\nChange it as said; or wait until no execution of it is left, and give `--allow-incompatible`",
        lines(found)
    )]
    Incompatible {
        /// The stack.
        stack: String,
        /// What would not be understood.
        found: Vec<Incompatibility>,
    },
    /// The items of a table would be lost.
    #[error(
        "what stack {stack} holds would be lost:{}\nKeep the table and its key, and declare a new entity beside it; or save its items, and give `--allow-incompatible`",
        lines(found)
    )]
    Loses {
        /// The stack.
        stack: String,
        /// Which tables, and what becomes of each.
        found: Vec<String>,
    },
    /// Swapping is not for a stage that people depend on.
    #[error(
        "`--hotswap` changes functions and state machines behind CloudFormation's back, so it is not for stage {stage}: deploy \
         without it, or give `--stage dev`"
    )]
    HotswapOnProduction {
        /// The stage.
        stage: Stage,
    },
    /// The deployment has no such function.
    #[error("there is no function `{given}`: use one of {}", known.join(", "))]
    UnknownFunction {
        /// The name given.
        given: String,
        /// Those there are.
        known: Vec<String>,
    },
    /// Lambda did not take new code.
    #[error(
        "the update of the code of function {function} ended in {status}: `aws lambda get-function-configuration \
         --function-name {function}` says why"
    )]
    CodeNotSwapped {
        /// The function.
        function: String,
        /// How it ended.
        status: String,
    },
    /// A call of AWS failed.
    #[error("cannot {what}")]
    Call {
        /// What was to be done.
        what: String,
        /// Why not.
        source: CallError,
    },
}

/// Each on a line of its own.
fn lines(found: &[impl fmt::Display]) -> String {
    found.iter().map(|one| format!("\n- {one}")).collect()
}

/// What keeps a state machine from going, and what helps.
fn held_up(arn: &str, running: Option<&Running>) -> String {
    match running {
        Some(running) => format!(
            ". Executions of it run: {running}. Stop them, which undoes nothing: `aws stepfunctions list-executions \
             --state-machine-arn {arn} --status-filter RUNNING`, then `aws stepfunctions stop-execution --execution-arn …`"
        ),
        None => ": run the command again".to_owned(),
    }
}

/// What AWS, or the way to it, said.
#[derive(Debug)]
pub struct CallError {
    code: Option<String>,
    message: String,
}

impl CallError {
    /// The code of AWS, such as `AccessDenied`; none when AWS was not reached.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    pub(super) fn new(code: Option<&str>, message: &str) -> Self {
        Self { code: code.map(ToOwned::to_owned), message: message.to_owned() }
    }

    pub(super) fn of<E, R>(error: &SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
        R: fmt::Debug + 'static,
    {
        if let Some(service) = error.as_service_error() {
            // A HEAD answer has no body, so sometimes no code and no message.
            let code = service.code().unwrap_or("refused");
            let message = service.message().map_or_else(|| service.to_string(), ToOwned::to_owned);
            return Self { code: Some(code.to_owned()), message };
        }
        Self { code: None, message: chain(error) }
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.code {
            Some(code) => write!(formatter, "{code}: {}", self.message),
            None => formatter.write_str(&self.message),
        }
    }
}

impl Error for CallError {}

/// For `map_err`: says what could not be done.
pub(crate) fn call<E, R>(what: impl Into<String>) -> impl FnOnce(SdkError<E, R>) -> AwsError
where
    E: ProvideErrorMetadata + Error + 'static,
    R: fmt::Debug + 'static,
{
    move |error| AwsError::Call { what: what.into(), source: CallError::of(&error) }
}

/// The messages of the error and its sources, each once.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        let message = error.to_string();
        if !text.ends_with(&message) {
            text.push_str(": ");
            text.push_str(&message);
        }
        next = error.source();
    }
    text
}
