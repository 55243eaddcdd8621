//! The store in memory against DynamoDB: the same transactions, the same answers, the same items afterwards.

use crate::{
    aws,
    transactions::{Act, SPEC, acts, recording},
};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::{Config, RngSeed, TestRunner},
};
use saga::{
    MemoryStore, Refused, Row, RowKey, Store, Transaction, Unavailable, Write, environment, fence::Fence,
};
use saga_lambda::{Deadline, DynamoStore, Tables, Variables};
use std::{collections::BTreeMap, time::Duration};

const SEQUENCES: usize = 150;

async fn create_table(dynamodb: &aws_sdk_dynamodb::Client, name: &str, keys: &[(&str, KeyType)]) {
    let mut table = dynamodb.create_table().table_name(name).billing_mode(BillingMode::PayPerRequest);
    for (name, kind) in keys {
        let attribute =
            AttributeDefinition::builder().attribute_name(*name).attribute_type(ScalarAttributeType::S);
        let key = KeySchemaElement::builder().attribute_name(*name).key_type(kind.clone());
        table = table
            .attribute_definitions(attribute.build().expect("an attribute"))
            .key_schema(key.build().expect("a key"));
    }
    table.send().await.expect("a table");
}

async fn store(endpoint_url: &str) -> DynamoStore {
    let dynamodb = aws_sdk_dynamodb::Client::new(&aws::config_at(endpoint_url).await);
    let keys = [(saga::fence_table::SAGA_ID, KeyType::Hash), (saga::fence_table::STEP, KeyType::Range)];
    create_table(&dynamodb, "fences", &keys).await;
    create_table(&dynamodb, "rows", &[(SPEC.key, KeyType::Hash)]).await;
    let variables: Variables = [
        (environment::FENCE_TABLE.to_owned(), "fences"),
        (environment::FENCE_TTL_SECONDS.to_owned(), "86400"),
        (environment::table(SPEC.name), "rows"),
    ]
    .into_iter()
    .collect();
    let tables = Tables::from_variables(&variables, &[SPEC]).expect("the variables are there");
    DynamoStore::new(dynamodb, tables, Deadline::after(Duration::from_secs(600)))
}

/// The texts of what is unavailable differ.
fn comparable<T>(answer: Result<T, Refused>) -> Result<T, Refused> {
    answer.map_err(|refused| match refused {
        Refused::Unavailable(_) => Refused::Unavailable(Unavailable(String::new())),
        refused => refused,
    })
}

/// Both stores, and what happened in them so far.
struct Compared<'a> {
    memory: MemoryStore,
    dynamodb: &'a DynamoStore,
    sequence: usize,
    /// The items as they were one act ago.
    read: BTreeMap<RowKey, Row>,
    /// The inverses of what was done.
    recorded: Vec<Vec<Write>>,
    answers: &'a mut Answers,
}

/// How often each answer was given, so that none of them is missing.
#[derive(Debug, Default)]
struct Answers {
    applied: usize,
    undone: usize,
    rejected: usize,
    retried: usize,
    unavailable: usize,
    fenced: usize,
}

impl Answers {
    fn count(&mut self, answer: &Result<(), Refused>, undo: bool) {
        *match answer {
            Ok(()) if undo => &mut self.undone,
            Ok(()) => &mut self.applied,
            Err(Refused::Guard { refusal: Some(_), .. }) => &mut self.rejected,
            Err(Refused::Guard { refusal: None, .. }) => &mut self.retried,
            Err(Refused::Unavailable(_)) => &mut self.unavailable,
            Err(Refused::Fence(_)) => &mut self.fenced,
        } += 1;
    }
}

impl Compared<'_> {
    async fn compare(&mut self, act: &Act) {
        let now = self.memory.rows();
        let (transaction, inverse) = match act {
            Act::Write(transaction) => (transaction.clone(), None),
            Act::Record(transaction) => self.record(transaction),
            Act::Undo(place) => (self.undo(*place), None),
        };
        self.read = now;
        let told = || format!("memory on the left: {act:#?} as {transaction:#?}");
        let answer = comparable(self.memory.apply(&transaction).await);
        assert_eq!(answer, comparable(self.dynamodb.apply(&transaction).await), "{}", told());
        let fence = self.dynamodb.read_fence(&transaction.fence).await.expect("a fence is read");
        assert_eq!(self.memory.recorded(&transaction.fence), fence, "{}", told());
        for write in &transaction.writes {
            let in_memory = self.memory.read_row(&write.key).await.map_err(Refused::Unavailable);
            let in_dynamodb = self.dynamodb.read_row(&write.key).await.map_err(Refused::Unavailable);
            assert_eq!(comparable(in_memory), comparable(in_dynamodb), "{}", told());
        }
        if answer.is_ok() {
            self.recorded.extend(inverse);
        }
        self.answers.count(&answer, matches!(act, Act::Undo(_)) && !transaction.writes.is_empty());
    }

    /// The transaction with its writes pinned to what was read, as the engine does it, and their inverse.
    fn record(&self, transaction: &Transaction) -> (Transaction, Option<Vec<Write>>) {
        let mut writes = transaction.writes.clone();
        let mut inverse = Vec::new();
        for write in writes.iter_mut().filter(|write| !write.only_checks()) {
            let old = self.read.get(&write.key).filter(|_| write.inverse_needs_old());
            inverse.push(write.inverse(old, SPEC.fields));
            if write.inverse_needs_old() {
                write.pin(old, SPEC.fields);
            }
        }
        (self.under_a_fence_that_is_as_expected(transaction.next.clone(), writes), Some(inverse))
    }

    fn undo(&self, place: usize) -> Transaction {
        let place = place % self.recorded.len().max(1);
        let writes = self.recorded.iter().rev().nth(place).cloned().unwrap_or_default();
        self.under_a_fence_that_is_as_expected(Fence::Undone, writes)
    }

    fn under_a_fence_that_is_as_expected(&self, next: Fence, writes: Vec<Write>) -> Transaction {
        let fence = recording(self.sequence);
        let expected = self.memory.fence(&fence).as_ref().map(Fence::state);
        Transaction { fence, run: None, turn: 0, expected, next, writes }
    }
}

#[test]
fn the_store_in_memory_answers_as_dynamodb_does() {
    let seed = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_261_125);
    println!("SEED={seed}");
    // Another DynamoDB instead of the one of an emulator: `make test-store` starts Amazon's DynamoDB Local.
    let given = std::env::var("DYNAMODB_ENDPOINT").ok();
    let emulator = given.is_none().then(aws::start);
    let endpoint_url = given.or_else(|| emulator.as_ref().map(emulator::Emulator::endpoint_url));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let store = runtime.block_on(store(&endpoint_url.expect("there is one of the two")));
    let mut runner = TestRunner::new(Config { rng_seed: RngSeed::Fixed(seed), ..Config::default() });
    let mut answers = Answers::default();
    for sequence in 0..SEQUENCES {
        let acts = acts(sequence).new_tree(&mut runner).expect("a sequence is generated").current();
        let (memory, read, recorded) = (MemoryStore::new(), BTreeMap::new(), Vec::new());
        let answers = &mut answers;
        let mut compared = Compared { memory, dynamodb: &store, sequence, read, recorded, answers };
        for act in &acts {
            runtime.block_on(compared.compare(act));
        }
    }
    println!("{answers:?}");
    let Answers { applied, undone, rejected, retried, unavailable, fenced } = answers;
    let counts = [applied, undone, rejected, retried, unavailable, fenced];
    assert!(counts.iter().all(|count| *count > 0), "{answers:?}");
}
