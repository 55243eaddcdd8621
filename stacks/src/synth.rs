//! Everything at once: state machines, stacks, functions.

use crate::{app, checks, checks::SynthError, data, stage::Stage, watch};
use cfn::BuiltTemplate;
use saga::{Definition, asl::StateMachine, schema::Schemas};

/// Everything a stage is deployed from.
#[derive(Debug, Clone)]
pub struct App {
    /// The stage.
    pub stage: Stage,
    /// The stacks, in the order in which they are deployed.
    pub stacks: Vec<Stack>,
    /// The state machines, one per saga.
    pub machines: Vec<Machine>,
    /// What is read: what the messages of all sagas look like, and what participants store.
    pub schemas: Schemas,
    /// What is written: what the messages of all sagas look like.
    pub written: Schemas,
    /// The functions whose code the stacks need.
    pub functions: Vec<FunctionAsset>,
}

/// A stack.
#[derive(Debug, Clone)]
pub struct Stack {
    /// Which it is: `data`, `app` or `watch`.
    pub id: &'static str,
    /// Its template.
    pub template: BuiltTemplate,
}

impl Stack {
    /// The name of the stack in a deployment: `<deployment>-<stage>-<id>`. The deployment is also the value of
    /// [`crate::parameters::DEPLOYMENT`].
    pub fn name(&self, deployment: &str, stage: Stage) -> String {
        format!("{deployment}-{stage}-{}", self.id)
    }
}

/// The state machine of a saga.
#[derive(Debug, Clone, PartialEq)]
pub struct Machine {
    /// The saga's name.
    pub saga: &'static str,
    /// The saga as data.
    pub definition: Definition,
    /// The saga as states.
    pub machine: StateMachine,
}

impl Machine {
    /// Whether it asks this participant.
    pub(crate) fn asks(&self, participant: &str) -> bool {
        self.definition.steps().any(|step| step.participant == participant)
    }
}

/// A function whose code a stack needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionAsset {
    /// Its crate, which is also the name of its program.
    pub name: &'static str,
    /// What calls it.
    pub trigger: Trigger,
    /// The parameter of the stack `app` that takes the key of its archive.
    pub code_key_parameter: String,
}

/// What calls a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// The messages of its queue.
    Queue,
    /// The times of its schedule.
    Schedule,
}

/// Makes the stacks of a stage from the sagas of the deployment. The same sagas give the same templates, byte for byte.
///
/// # Errors
/// When something does not fit together; says what, and what to change.
pub fn synth(stage: Stage) -> Result<App, SynthError> {
    let (sagas, participants) = (sagas::all(), sagas::participants());
    let (consumers, scheduled) = (app::consumers(&participants), app::scheduled());
    let functions = [&consumers[..], &scheduled].concat();
    let (schemas, written) = (sagas::schemas(&sagas, &participants), Schemas::written_by(&sagas));
    checks::check(&sagas, &participants, &functions, stage.timing())?;
    let machines = sagas.into_iter().map(|saga| machine(saga, stage)).collect::<Result<Vec<_>, _>>()?;
    let stacks = vec![
        data::stack(stage, &participants)?,
        app::stack(stage, &participants, &machines, &schemas)?,
        watch::stack(stage, &consumers, &scheduled, &machines)?,
    ];
    let asset = |trigger| {
        move |name| FunctionAsset { name, trigger, code_key_parameter: crate::parameters::code_key(name) }
    };
    let consumers = consumers.into_iter().map(asset(Trigger::Queue));
    let functions = consumers.chain(scheduled.into_iter().map(asset(Trigger::Schedule))).collect();
    Ok(App { stage, stacks, machines, schemas, written, functions })
}

fn machine(definition: Definition, stage: Stage) -> Result<Machine, SynthError> {
    let saga = definition.name;
    let machine = saga::asl::compile(&definition, stage.timing())
        .map_err(|source| SynthError::Compile { saga, source })?;
    Ok(Machine { saga, definition, machine })
}

/// Which stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StackId {
    Data,
    App,
    Watch,
}

impl StackId {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::App => "app",
            Self::Watch => "watch",
        }
    }
}
