//! Whole numbers beyond 2^53 lose digits in a state machine: synth refuses them, so does a handler's runtime, and the runner
//! in memory shows it.

use futures::executor::block_on;
use saga::{
    Commit, Context, Fault, Handle, MemoryStore, Never, Outcome, Participant, Pivot, Runner, Saga, Service,
    Start, Step, Value, asl, budget::Timing, saga as begin,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{sync::Arc, time::Duration};

/// The first whole number that a floating point number cannot be.
const BEYOND: u64 = (1 << 53) + 1;

macro_rules! value {
    ($value:ident $name:literal from $producer:ty) => {
        #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Value)]
        #[value(name = $name, max_bytes = 100, producer = $producer)]
        struct $value {
            n: u64,
        }
    };
}

value!(Asked "asked" from Start);
value!(Counted "counted" from Count);

#[derive(Debug, Step)]
#[step(participant = Counter, kind = Pivot, timeout = Duration::from_mins(15), max_writes = 0)]
#[step(input = (Asked,), output = Counted)]
struct Count;

/// Takes from what it is asked.
#[derive(Debug)]
struct Counter(u64);

impl Participant for Counter {
    const NAME: &'static str = "counter";
    type Steps = (Count,);
    type Entities = ();
}

impl Service for Counter {
    type Participant = Self;
}

impl Handle<Count> for Counter {
    async fn run(&self, _: &Context, (asked,): (Asked,)) -> Result<Commit<Count>, Fault<Never>> {
        Ok(Commit::of(Counted { n: asked.n - self.0 }))
    }
}

fn counting() -> Saga<Asked> {
    begin::<Asked>("count").pivot(Count).build()
}

fn counted(asked: u64, less: u64) -> Outcome {
    let runner = Runner::new(&counting()).service(Counter(less), Arc::new(MemoryStore::default()));
    block_on(runner.run(&"c-1".parse().unwrap(), &Asked { n: asked })).unwrap()
}

#[test]
fn a_value_whose_numbers_can_be_beyond_is_refused_at_synth() {
    let refused = asl::compile(counting().definition(), Timing::scaled(1)).unwrap_err();
    insta::assert_snapshot!(refused, @"saga `count`: `asked.n` can be a whole number from 0 to 18446744073709551615, but only those within ±9007199254740991 keep their digits in a state machine: bound it with `#[schemars(range(min = …, max = …))]`, take a smaller type like `i32` or `u32`, declare what is in it, or carry it as text");
}

#[test]
fn a_number_beyond_loses_digits_between_steps() {
    let Outcome::Committed { values, .. } = counted(BEYOND, 10) else { panic!("it is counted") };
    assert_eq!(values["counted"]["n"], BEYOND - 1 - 10);
}

#[test]
fn an_output_that_would_lose_digits_is_refused_before_anything_is_written() {
    let Outcome::Committed { values, .. } = counted(BEYOND - 1, 1) else { panic!("it is exact") };
    assert_eq!(values["counted"]["n"], BEYOND - 2);
    // Tried again and again, it is not answered: the pivot was not done.
    let Outcome::Compensated { reason, .. } = counted(BEYOND - 1, 0) else { panic!("it is refused") };
    assert_eq!(reason.error, saga::DELIVERIES_EXHAUSTED);
}
