//! Sixteen steps of one participant, the last of which is given sixteen values: as many as a tuple can have.

use futures::executor::block_on;
use saga::{
    Commit, Compensable, Context, Fault, Handle, MemoryStore, Never, Outcome, Participant, Pivot, Runner,
    Saga, SagaId, Start, Step, Value, saga,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{sync::Arc, time::Duration};

macro_rules! value {
    ($value:ident $name:literal from $producer:ty) => {
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Value)]
        #[value(name = $name, max_bytes = 2, producer = $producer)]
        struct $value {}
    };
}

macro_rules! step {
    ($step:ident $name:literal: $kind:ty, $input:ty => $output:ident) => {
        #[derive(Step)]
        #[step(name = $name, participant = Line, kind = $kind, input = $input, output = $output)]
        #[step(timeout = Duration::from_secs(900), max_writes = 0)]
        struct $step;

        impl Handle<$step> for Worker {
            async fn run(&self, _: &Context, _: $input) -> Result<Commit<$step>, Fault<Never>> {
                Ok(Commit::of($output {}))
            }
        }
    };
}

value!(Order "order" from Start);
value!(Done "done" from Finish);

macro_rules! line {
    ($($step:ident $name:literal => $value:ident $value_name:literal,)+) => {
        $(
            value!($value $value_name from $step);
            step!($step $name: Compensable, (Order,) => $value);
        )+
        step!(Finish "finish": Pivot, (Order, $($value),+) => Done);

        struct Line;

        impl Participant for Line {
            const NAME: &'static str = "line";
            type Steps = ($($step,)+ Finish);
            type Entities = ();
        }

        fn whole() -> Saga<Order> {
            saga::<Order>("line")$(.step($step))+.pivot(Finish).build()
        }
    };
}

line! {
    StepA "step-a" => PartA "a", StepB "step-b" => PartB "b", StepC "step-c" => PartC "c", StepD "step-d" => PartD "d",
    StepE "step-e" => PartE "e", StepF "step-f" => PartF "f", StepG "step-g" => PartG "g", StepH "step-h" => PartH "h",
    StepI "step-i" => PartI "i", StepJ "step-j" => PartJ "j", StepK "step-k" => PartK "k", StepL "step-l" => PartL "l",
    StepM "step-m" => PartM "m", StepN "step-n" => PartN "n", StepO "step-o" => PartO "o",
}

struct Worker;

impl saga::Service for Worker {
    type Participant = Line;
}

#[test]
fn a_participant_of_sixteen_steps_serves_a_saga_of_them() {
    let saga = whole();
    assert_eq!(saga.definition().steps().count(), 16);
    let runner = Runner::new(&saga).service(Worker, Arc::new(MemoryStore::new()));
    let outcome = block_on(runner.run(&"l-1".parse::<SagaId>().unwrap(), &Order {})).unwrap();
    let Outcome::Committed { values, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!(values.len(), 17);
}
