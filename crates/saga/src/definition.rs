//! A saga as data: what the compiler, the pictures and the checks read.

use crate::{
    input::Inputs,
    rejection::Rejection,
    schema::SagaSchemas,
    step::{Notice, Participant, Step, StepKind},
    value::Value,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// A saga, without its types.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Definition {
    /// The stable name, for example `order`.
    pub name: &'static str,
    /// The wire name of the saga's input.
    pub input: &'static str,
    /// The most bytes of the input's JSON form.
    pub input_max_bytes: usize,
    /// What comes before the pivot, in order.
    pub stages: Vec<Stage>,
    /// The go/no-go step.
    pub pivot: StepSpec,
    /// The retriable steps, in order.
    pub finish: Vec<StepSpec>,
    /// Published when the saga has committed.
    pub on_commit: Vec<NoticeSpec>,
    /// Published when the saga has been compensated.
    pub on_compensate: Vec<NoticeSpec>,
    /// By when the saga has ended, unless it is parked.
    pub deadline: Duration,
    /// What its values and rejections look like when they are read. Not written with the rest: it has a file of its own.
    #[serde(skip)]
    pub schemas: SagaSchemas,
    /// What they look like when they are written: see [`irreversible`](crate::schema::irreversible).
    #[serde(skip)]
    pub written: SagaSchemas,
}

/// One place in the chain before the pivot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Stage {
    /// One step.
    Step(StepSpec),
    /// Steps that run at the same time. When one is rejected, all are undone.
    Parallel(Vec<StepSpec>),
}

impl Stage {
    /// Its steps: one, or those of the group.
    pub fn steps(&self) -> &[StepSpec] {
        match self {
            Self::Step(step) => std::slice::from_ref(step),
            Self::Parallel(steps) => steps,
        }
    }
}

/// A step, without its types.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StepSpec {
    /// The wire name.
    pub name: &'static str,
    /// The participant's name.
    pub participant: &'static str,
    /// The kind.
    pub kind: Kind,
    /// The wire names of the values it needs.
    pub inputs: &'static [&'static str],
    /// The most bytes of its input's JSON form.
    pub input_max_bytes: usize,
    /// The wire name of the value it produces.
    pub output: &'static str,
    /// The most bytes of the output's JSON form.
    pub output_max_bytes: usize,
    /// The wire names of its rejections.
    pub rejections: &'static [&'static str],
    /// How long the saga waits for its answer, before a stage scales it.
    pub timeout: Duration,
    /// The most items a commit writes beside the fence.
    pub max_writes: usize,
}

impl StepSpec {
    /// The step `S` as data.
    pub fn of<S: Step>() -> Self {
        Self {
            name: S::NAME,
            participant: S::Participant::NAME,
            kind: S::Kind::KIND,
            inputs: S::Input::NAMES,
            input_max_bytes: S::Input::MAX_BYTES,
            output: S::Output::NAME,
            output_max_bytes: S::Output::MAX_BYTES,
            rejections: S::Rejection::NAMES,
            timeout: S::TIMEOUT,
            max_writes: S::MAX_WRITES,
        }
    }
}

/// The kind of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// Has an undo.
    Compensable,
    /// Has an undo by idempotency key, for an effect outside the participant's store.
    CompensableOutside,
    /// Decides the saga.
    Pivot,
    /// Retried until done.
    Retriable,
}

/// A notice, without its types.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NoticeSpec {
    /// The wire name.
    pub name: &'static str,
    /// The wire names of the values it carries.
    pub inputs: &'static [&'static str],
    /// The most bytes of their JSON form.
    pub input_max_bytes: usize,
}

impl NoticeSpec {
    /// The notice `N` as data.
    pub fn of<N: Notice>() -> Self {
        Self { name: N::NAME, inputs: N::Input::NAMES, input_max_bytes: N::Input::MAX_BYTES }
    }
}

impl Definition {
    /// Every step, in forward order.
    pub fn steps(&self) -> impl Iterator<Item = &StepSpec> {
        self.stages.iter().flat_map(Stage::steps).chain([&self.pivot]).chain(&self.finish)
    }

    /// How many of the first steps are undone when one of the first stage is of another run of the saga id. A step that stands
    /// alone was not done; of a group, each of two runs can have done a part.
    pub(crate) fn undone_when_turned_away(&self) -> usize {
        self.stages.first().map_or(0, |first| if first.steps().len() > 1 { first.steps().len() } else { 0 })
    }

    /// The steps before the pivot, in forward order.
    pub fn compensable_steps(&self) -> impl Iterator<Item = &StepSpec> {
        self.stages.iter().flat_map(Stage::steps)
    }

    /// The steps before the pivot whose outputs are still needed after it, with those whose outputs they in turn need, in
    /// forward order.
    pub fn steps_needed_after_pivot(&self) -> Vec<&StepSpec> {
        let after = self.finish.iter().map(|step| step.inputs);
        let after = after.chain(self.on_commit.iter().map(|notice| notice.inputs));
        let mut needed: BTreeSet<&str> = after.flatten().copied().collect();
        let mut steps: Vec<&StepSpec> = Vec::new();
        for step in self.compensable_steps().collect::<Vec<_>>().into_iter().rev() {
            if needed.contains(step.output) {
                needed.extend(step.inputs);
                steps.push(step);
            }
        }
        steps.reverse();
        steps
    }

    /// Whether the spelling of every wire name is allowed, and no name stands for two things: steps and notices name
    /// states, and values name variables.
    ///
    /// # Errors
    /// Names the first one that is not, and what is allowed.
    pub fn check_names(&self) -> Result<(), DefinitionError> {
        check_name("saga", self.name, '-')?;
        check_name("value", self.input, '_')?;
        for step in self.steps() {
            check_name("step", step.name, '-')?;
            check_name("participant", step.participant, '-')?;
            check_name("value", step.output, '_')?;
            for rejection in step.rejections {
                check_capital("rejection", rejection)?;
            }
        }
        for notice in self.notices() {
            check_capital("notice", notice.name)?;
        }
        self.check_once("step", self.steps().map(|step| step.name))?;
        self.check_once("value", std::iter::once(self.input).chain(self.steps().map(|step| step.output)))?;
        self.check_once("notice", self.notices().map(|notice| notice.name))
    }

    /// Every notice, those of a commit first.
    pub fn notices(&self) -> impl Iterator<Item = &NoticeSpec> {
        self.on_commit.iter().chain(&self.on_compensate)
    }

    fn check_once(
        &self,
        what: &'static str,
        names: impl Iterator<Item = &'static str>,
    ) -> Result<(), DefinitionError> {
        let mut seen = BTreeSet::new();
        for name in names {
            if !seen.insert(name) {
                return Err(DefinitionError::Twice { saga: self.name, what, name });
            }
        }
        Ok(())
    }
}

/// Whether several sagas can live in one deployment: names well spelt, saga and step names unique.
///
/// Functions, logs and tables tell steps by their names, so one name stands for one step of one saga.
///
/// # Errors
/// Names the first clash.
pub fn check_together<'a>(sagas: impl IntoIterator<Item = &'a Definition>) -> Result<(), DefinitionError> {
    let mut names: BTreeSet<&str> = BTreeSet::new();
    let mut steps: BTreeMap<&str, &str> = BTreeMap::new();
    for saga in sagas {
        saga.check_names()?;
        if !names.insert(saga.name) {
            return Err(DefinitionError::DuplicateSaga { name: saga.name });
        }
        for step in saga.steps() {
            if let Some(other) = steps.insert(step.name, saga.name) {
                return Err(DefinitionError::DuplicateStep {
                    name: step.name,
                    first: other.into(),
                    second: saga.name,
                });
            }
        }
    }
    Ok(())
}

/// Why a definition is refused at synth.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DefinitionError {
    /// A name is not spelt as the wire formats allow.
    #[error(
        "the {what} name `{name}` is not allowed: use 1 to 40 lower-case letters, digits and `{separator}`, starting with a letter{also}"
    )]
    Name {
        /// What is named.
        what: &'static str,
        /// The name given.
        name: &'static str,
        /// The separator allowed.
        separator: char,
        /// What else is not allowed.
        also: &'static str,
    },
    /// A rejection or a notice is not spelt as Step Functions' error and state names allow.
    #[error(
        "the {what} name `{name}` is not allowed: use 1 to 60 letters and digits, starting with a capital letter"
    )]
    Capital {
        /// What is named.
        what: &'static str,
        /// The name given.
        name: &'static str,
    },
    /// One name stands for two things in one saga.
    #[error("saga `{saga}` has two {what}s named `{name}`: give each its own `NAME`")]
    Twice {
        /// The saga.
        saga: &'static str,
        /// What is named.
        what: &'static str,
        /// The name used twice.
        name: &'static str,
    },
    /// Two sagas have one name.
    #[error("two sagas are named `{name}`: give each its own `saga::<Input>(\"name\")`")]
    DuplicateSaga {
        /// The name given twice.
        name: &'static str,
    },
    /// Two steps have one name.
    #[error(
        "the step name `{name}` is used in saga `{first}` and in saga `{second}`: functions, logs and tables tell steps by name, so give each step its own `NAME`"
    )]
    DuplicateStep {
        /// The name used twice.
        name: &'static str,
        /// The saga that uses it first.
        first: String,
        /// The saga that uses it again.
        second: &'static str,
    },
}

/// Variable names that the state machine needs for itself: its own variables, and the functions that it calls.
const RESERVED_VALUES: &[&str] = &[
    "states",
    "reason",
    "unresolved",
    "pending",
    "skipped",
    "settled",
    "answer",
    "append",
    "count",
    "exists",
    "join",
    "keys",
    "lookup",
    "merge",
    "not",
    "string",
    "substring",
];

/// How the variables begin that count how often something was parked.
const RESERVED_VALUE_PREFIX: &str = "rounds_";

/// State names that the state machine needs for itself.
const RESERVED_STEPS: &[&str] = &["committed", "compensated"];

fn check_name(what: &'static str, name: &'static str, separator: char) -> Result<(), DefinitionError> {
    let spelt = name.len() <= 40
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == separator);
    let reserved = match what {
        "value" => RESERVED_VALUES.contains(&name) || name.starts_with(RESERVED_VALUE_PREFIX),
        "step" => RESERVED_STEPS.contains(&name),
        _ => false,
    };
    if spelt && !reserved {
        return Ok(());
    }
    let also = if reserved { "; the state machine needs this name for itself" } else { "" };
    Err(DefinitionError::Name { what, name, separator, also })
}

fn check_capital(what: &'static str, name: &'static str) -> Result<(), DefinitionError> {
    let spelt = name.len() <= 60
        && name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.chars().all(|c| c.is_ascii_alphanumeric());
    if spelt { Ok(()) } else { Err(DefinitionError::Capital { what, name }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(name: &'static str, kind: Kind, output: &'static str) -> StepSpec {
        StepSpec {
            name,
            participant: "shop",
            kind,
            inputs: &["order"],
            input_max_bytes: 1_000,
            output,
            output_max_bytes: 100,
            rejections: &["OutOfStock"],
            timeout: Duration::from_mins(15),
            max_writes: 10,
        }
    }

    fn saga() -> Definition {
        Definition {
            name: "order",
            input: "order",
            input_max_bytes: 1_000,
            stages: vec![Stage::Step(step("reserve", Kind::Compensable, "reservation"))],
            pivot: step("confirm", Kind::Pivot, "confirmation"),
            finish: vec![step("ship", Kind::Retriable, "shipment")],
            on_commit: vec![NoticeSpec { name: "Confirmed", inputs: &["order"], input_max_bytes: 1_000 }],
            on_compensate: vec![NoticeSpec { name: "Rejected", inputs: &["order"], input_max_bytes: 1_000 }],
            deadline: Duration::from_hours(24),
            schemas: SagaSchemas::default(),
            written: SagaSchemas::default(),
        }
    }

    /// What is wrong with a saga that is changed like this.
    fn told(change: impl FnOnce(&mut Definition)) -> String {
        let mut saga = saga();
        change(&mut saga);
        saga.check_names().unwrap_err().to_string()
    }

    #[test]
    fn well_named_sagas_can_live_together() {
        let mut other = saga();
        other.name = "return";
        other.stages.clear();
        other.finish.clear();
        other.pivot = step("take-back", Kind::Pivot, "confirmation");
        assert_eq!(check_together([&saga(), &other]), Ok(()));
    }

    #[test]
    fn misspelt_names_are_told() {
        insta::assert_snapshot!(told(|saga| saga.name = "Order"), @"the saga name `Order` is not allowed: use 1 to 40 lower-case letters, digits and `-`, starting with a letter");
        insta::assert_snapshot!(told(|saga| saga.input = "the-order"), @"the value name `the-order` is not allowed: use 1 to 40 lower-case letters, digits and `_`, starting with a letter");
        insta::assert_snapshot!(told(|saga| saga.pivot.name = ""), @"the step name `` is not allowed: use 1 to 40 lower-case letters, digits and `-`, starting with a letter");
        insta::assert_snapshot!(told(|saga| saga.pivot.participant = "shop_1"), @"the participant name `shop_1` is not allowed: use 1 to 40 lower-case letters, digits and `-`, starting with a letter");
        insta::assert_snapshot!(told(|saga| saga.pivot.rejections = &["outOfStock"]), @"the rejection name `outOfStock` is not allowed: use 1 to 60 letters and digits, starting with a capital letter");
        insta::assert_snapshot!(told(|saga| saga.on_commit[0].name = "Order Confirmed"), @"the notice name `Order Confirmed` is not allowed: use 1 to 60 letters and digits, starting with a capital letter");
        let long = "a-name-that-has-more-than-forty-characters";
        insta::assert_snapshot!(told(|saga| saga.finish[0].name = long), @"the step name `a-name-that-has-more-than-forty-characters` is not allowed: use 1 to 40 lower-case letters, digits and `-`, starting with a letter");
    }

    #[test]
    fn names_that_the_state_machine_needs_are_refused() {
        for name in RESERVED_VALUES {
            assert!(
                told(|saga| saga.pivot.output = name)
                    .ends_with("; the state machine needs this name for itself")
            );
        }
        for name in RESERVED_STEPS {
            assert!(
                told(|saga| saga.pivot.name = name)
                    .ends_with("; the state machine needs this name for itself")
            );
        }
    }

    #[test]
    fn one_name_for_two_things_is_told() {
        insta::assert_snapshot!(told(|saga| saga.finish[0].name = "reserve"), @"saga `order` has two steps named `reserve`: give each its own `NAME`");
        insta::assert_snapshot!(told(|saga| saga.pivot.output = "order"), @"saga `order` has two values named `order`: give each its own `NAME`");
        insta::assert_snapshot!(told(|saga| saga.on_compensate[0].name = "Confirmed"), @"saga `order` has two notices named `Confirmed`: give each its own `NAME`");
    }

    #[test]
    fn sagas_that_clash_are_told() {
        let told = |other: &Definition| check_together([&saga(), other]).unwrap_err().to_string();
        insta::assert_snapshot!(told(&saga()), @r#"two sagas are named `order`: give each its own `saga::<Input>("name")`"#);
        let mut other = saga();
        other.name = "return";
        insta::assert_snapshot!(told(&other), @"the step name `reserve` is used in saga `order` and in saga `return`: functions, logs and tables tell steps by name, so give each step its own `NAME`");
    }

    #[test]
    fn steps_come_in_forward_order() {
        let names = |steps: Vec<&StepSpec>| steps.into_iter().map(|step| step.name).collect::<Vec<_>>();
        assert_eq!(names(saga().steps().collect()), ["reserve", "confirm", "ship"]);
        assert_eq!(names(saga().compensable_steps().collect()), ["reserve"]);
    }
}
