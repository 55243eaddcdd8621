//! The builder: a saga as a chain of typed steps.

use crate::{
    definition::{Definition, Stage, StepSpec},
    input::{Certain, Nil, Provides, With},
    schema::{Describer, SagaSchemas},
    step::{AfterPivot, AtPivot, BeforePivot, Notice, Owns, Participant, Step},
    tuples::all_the_tuples,
    value::{ProducedBy, Start, Value},
};
use std::{marker::PhantomData, time::Duration};

/// Begins a saga with the input `In`. See the crate documentation for a whole one.
pub fn saga<In: Value + ProducedBy<Start>>(name: &'static str) -> Open<In, With<In, Nil>> {
    Open { name, stages: Vec::new(), describer: Describer::new::<In>(), held: PhantomData }
}

/// A saga being built, before its pivot. `Held` lists the values it has so far.
#[derive(Debug)]
#[must_use = "a saga ends with `.pivot(..)` and `.build()`"]
pub struct Open<In, Held> {
    name: &'static str,
    stages: Vec<Stage>,
    describer: Describer,
    held: PhantomData<(In, Held)>,
}

impl<In: Value, Held> Open<In, Held> {
    /// Adds a compensable step.
    pub fn step<S, I, P>(mut self, _: S) -> Open<In, With<S::Output, Held>>
    where
        S: Step,
        S::Kind: BeforePivot<S>,
        Held: Provides<S::Input, I>,
        <S::Participant as Participant>::Steps: Owns<S, P>,
    {
        self.stages.push(Stage::Step(self.describer.step::<S>()));
        Open { name: self.name, stages: self.stages, describer: self.describer, held: PhantomData }
    }

    /// Adds two to four compensable steps that run at the same time. When one is rejected, all of them are
    /// undone.
    pub fn parallel<G, I>(mut self, _: G) -> Open<In, G::Held>
    where
        G: Branches<Held, I>,
    {
        self.stages.push(Stage::Parallel(G::specs(&mut self.describer)));
        Open { name: self.name, stages: self.stages, describer: self.describer, held: PhantomData }
    }

    /// Adds the go/no-go step.
    pub fn pivot<S, I, P>(mut self, _: S) -> Decided<In, With<S::Output, Held>>
    where
        S: Step,
        S::Kind: AtPivot<S>,
        Held: Provides<S::Input, I>,
        <S::Participant as Participant>::Steps: Owns<S, P>,
    {
        let definition = Definition {
            name: self.name,
            input: In::NAME,
            input_max_bytes: In::MAX_BYTES,
            stages: self.stages,
            pivot: self.describer.step::<S>(),
            finish: Vec::new(),
            on_commit: Vec::new(),
            on_compensate: Vec::new(),
            deadline: Duration::from_hours(24),
            schemas: SagaSchemas::default(),
            written: SagaSchemas::default(),
        };
        Decided { definition, describer: self.describer, held: PhantomData }
    }
}

/// A saga being built, after its pivot.
#[derive(Debug)]
#[must_use = "a saga ends with `.build()`"]
pub struct Decided<In, Held> {
    definition: Definition,
    describer: Describer,
    held: PhantomData<(In, Held)>,
}

impl<In: Value, Held> Decided<In, Held> {
    /// Adds a retriable step.
    pub fn step<S, I, P>(mut self, _: S) -> Decided<In, With<S::Output, Held>>
    where
        S: Step,
        S::Kind: AfterPivot<S>,
        Held: Provides<S::Input, I>,
        <S::Participant as Participant>::Steps: Owns<S, P>,
    {
        self.definition.finish.push(self.describer.step::<S>());
        Decided { definition: self.definition, describer: self.describer, held: PhantomData }
    }

    /// Publishes a notice when the saga has committed. It may carry every value of the saga.
    pub fn on_commit<N, I>(mut self, _: N) -> Self
    where
        N: Notice,
        Held: Provides<N::Input, I>,
    {
        self.definition.on_commit.push(self.describer.notice::<N>());
        self
    }

    /// Publishes a notice when the saga has been compensated. It may carry the saga's input, the one value that is
    /// certain to be there, and always carries the reason.
    pub fn on_compensate<N>(mut self, _: N) -> Self
    where
        N: Notice,
        N::Input: Certain<In>,
    {
        self.definition.on_compensate.push(self.describer.notice::<N>());
        self
    }

    /// By when the saga has ended, however much goes wrong, unless it is parked. Default: 24 hours. Synth refuses a
    /// saga whose longest path takes longer, and shows the sum.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.definition.deadline = deadline;
        self
    }

    /// The finished saga.
    pub fn build(self) -> Saga<In> {
        let first = self.definition.stages.first().map_or(&[][..], Stage::steps);
        let (schemas, written) = self.describer.finish(first);
        let definition = Definition { schemas, written, ..self.definition };
        Saga { definition, input: PhantomData }
    }
}

/// A finished saga with the input `In`.
#[derive(Debug, Clone)]
pub struct Saga<In> {
    definition: Definition,
    input: PhantomData<fn(In)>,
}

impl<In> Saga<In> {
    /// The saga as data.
    pub fn definition(&self) -> &Definition {
        &self.definition
    }
}

/// A tuple of 2 to 16 compensable steps that can run at the same time on the values `Before`.
pub trait Branches<Before, I> {
    /// The values held afterwards.
    type Held;

    /// The steps as data, described.
    fn specs(describer: &mut Describer) -> Vec<StepSpec>;
}

macro_rules! held {
    ($before:ident) => { $before };
    ($before:ident $head:ident $($rest:ident)*) => { With<$head::Output, held!($before $($rest)*)> };
}

macro_rules! branches {
    () => {};
    // One step is no group.
    (($step:ident $_in:ident $_at:ident $_n:literal)) => {};
    ($(($step:ident $input:ident $place:ident $_n:literal))+) => {
        impl<Before, $($step, $input, $place),+> Branches<Before, ($(($input, $place),)+)> for ($($step,)+)
        where
            $(
                $step: Step,
                $step::Kind: BeforePivot<$step>,
                Before: Provides<$step::Input, $input>,
                <$step::Participant as Participant>::Steps: Owns<$step, $place>,
            )+
        {
            type Held = held!(Before $($step)+);

            fn specs(describer: &mut Describer) -> Vec<StepSpec> {
                vec![$(describer.step::<$step>()),+]
            }
        }
    };
}

all_the_tuples! { branches }
