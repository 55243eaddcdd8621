//! Everything at once: state machines, stacks, functions.

use crate::{
    app, checks,
    checks::SynthError,
    data,
    related::{self, Related},
    stage::Stage,
    watch,
};
use cfn::BuiltTemplate;
use saga::{Definition, ParticipantSpec, asl::StateMachine, schema::Schemas};
use sagas::{intakes::OrderIntake, notices};
use std::collections::BTreeMap;

/// Everything a stage is deployed from, and what whoever looks at the deployment must know of it.
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
    /// The participants of the sagas.
    pub participants: Vec<ParticipantSpec>,
    /// The queues of what was refused before there was a saga.
    pub refused: Vec<RefusedQueue>,
    /// Which sagas belong to another one.
    pub related: Related,
}

impl App {
    /// The sagas, as data.
    pub fn sagas(&self) -> impl Iterator<Item = &Definition> {
        self.machines.iter().map(|machine| &machine.definition)
    }
}

/// A stack.
#[derive(Debug, Clone)]
pub struct Stack {
    /// Which it is: `data`, `app` or `watch`.
    pub id: &'static str,
    /// Its template.
    pub template: BuiltTemplate,
    /// The parameters that take an output of an earlier stack. Each is named as the output; with the id of that stack.
    pub handed: BTreeMap<String, &'static str>,
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
    /// The name of the state machine in a deployment: `<deployment>-<stage>-<saga>`.
    pub fn name(&self, deployment: &str, stage: Stage) -> String {
        format!("{deployment}-{stage}-{}", self.saga)
    }

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

/// A queue of what was refused before there was a saga.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefusedQueue {
    /// Its name.
    pub name: &'static str,
    /// The output of the stack `app` with its URL.
    pub url_output: &'static str,
}

/// What makes the stacks of a stage: [`synth`], or that of another deployment.
pub type Synth = fn(Stage) -> Result<App, SynthError>;

/// Makes the stacks of a stage from the sagas of the deployment. The same sagas give the same templates, byte for byte.
///
/// # Errors
/// When something does not fit together; says what, and what to change.
pub fn synth(stage: Stage) -> Result<App, SynthError> {
    let sagas = sagas::all();
    checks::check_intake::<OrderIntake>(&sagas)?;
    synth_of(stage, sagas, &sagas::participants())
}

/// The same from other sagas and participants than those of the deployment: those of a release that has more of them, or
/// fewer.
///
/// # Errors
/// As [`synth`].
pub fn synth_of(
    stage: Stage,
    sagas: Vec<Definition>,
    participants: &[ParticipantSpec],
) -> Result<App, SynthError> {
    let (consumers, scheduled) = (app::consumers(participants), app::scheduled());
    checks::check_notices(&sagas, &[notices::NOTIFICATION], notices::FOR_OTHERS, &consumers)?;
    let functions = [&consumers[..], &scheduled].concat();
    let Compiled { schemas, written, machines } = compiled(stage, sagas, participants, &functions)?;
    let stacks = vec![
        data::stack(stage, participants)?,
        app::stack(stage, participants, &machines, &schemas)?,
        watch::stack(stage, &consumers, &scheduled, &machines)?,
    ];
    let functions = assets(consumers, Trigger::Queue).chain(assets(scheduled, Trigger::Schedule)).collect();
    let (participants, refused) = (participants.to_vec(), app::refused());
    let related = related::of_orders;
    Ok(App { stage, stacks, machines, schemas, written, functions, participants, refused, related })
}

/// Makes the stacks `data` and `app` of a deployment that has sagas and their participants only, and the function that
/// settles dead executions. Whoever may starts executions; the outcomes go to a topic; nothing alarms. `for_others`: the
/// wire names of their notices, which nothing here handles.
///
/// # Errors
/// As [`synth`].
pub fn synth_sagas(
    stage: Stage,
    sagas: Vec<Definition>,
    participants: &[ParticipantSpec],
    for_others: &[&str],
) -> Result<App, SynthError> {
    let consumers = app::consumers_of_sagas(participants);
    checks::check_notices(&sagas, &[], for_others, &consumers)?;
    let Compiled { schemas, written, machines } = compiled(stage, sagas, participants, &consumers)?;
    let stacks = vec![
        data::stack_of_sagas(stage, participants)?,
        app::stack_of_sagas(stage, participants, &machines, &schemas)?,
    ];
    let functions = assets(consumers, Trigger::Queue).collect();
    let (participants, refused) = (participants.to_vec(), Vec::new());
    let related = related::none;
    Ok(App { stage, stacks, machines, schemas, written, functions, participants, refused, related })
}

/// Sagas that fit together.
struct Compiled {
    schemas: Schemas,
    written: Schemas,
    machines: Vec<Machine>,
}

fn compiled(
    stage: Stage,
    sagas: Vec<Definition>,
    participants: &[ParticipantSpec],
    functions: &[&'static str],
) -> Result<Compiled, SynthError> {
    let (schemas, written) = (Schemas::of_deployment(&sagas, participants), Schemas::written_by(&sagas));
    checks::check(&sagas, participants, functions, stage.timing())?;
    let machines = sagas.into_iter().map(|saga| machine(saga, stage)).collect::<Result<_, _>>()?;
    Ok(Compiled { schemas, written, machines })
}

fn assets(names: Vec<&'static str>, trigger: Trigger) -> impl Iterator<Item = FunctionAsset> {
    let asset =
        move |name| FunctionAsset { name, trigger, code_key_parameter: crate::parameters::code_key(name) };
    names.into_iter().map(asset)
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
