//! The store in memory against DynamoDB: the same transactions, the same answers, the same items afterwards.

use crate::aws;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, RngSeed, TestRunner},
};
use saga::{
    Change, Condition, EntitySpec, FieldChange, Guard, MemoryState, Refusal, Refused, Row, RowKey, RunDigest,
    Scalar, StepKey, Store, Transaction, Write, environment,
    fence::{Fence, FenceState},
};
use saga_lambda::{Deadline, DynamoStore, Tables, Variables};
use serde_json::json;
use std::time::Duration;

const SEQUENCES: usize = 60;
const NUMBERS: [&str; 2] = ["free", "booked"];
const TEXTS: [&str; 2] = ["state", "owner"];
const SPEC: EntitySpec = EntitySpec { name: "rows", key: "id", fields: &[] };

fn row() -> impl Strategy<Value = Row> {
    (0_i64..5, "[ab]").prop_map(|(number, text)| {
        [("free".into(), Scalar::Number(number)), ("state".into(), Scalar::Text(text))].into()
    })
}

fn change() -> impl Strategy<Value = Change> {
    let add =
        (prop::sample::select(&NUMBERS[..]), -5_i64..6).prop_map(|(field, n)| (field, FieldChange::Add(n)));
    let set = (prop::sample::select(&TEXTS[..]), "[ab]")
        .prop_map(|(field, text)| (field, FieldChange::Set(Scalar::Text(text))));
    let changes = prop::collection::vec(prop_oneof![add, set], 0..3);
    prop_oneof![
        4 => changes.prop_map(|changes| {
            Change::Update(changes.into_iter().map(|(field, change)| (field.into(), change)).collect())
        }),
        2 => row().prop_map(Change::Insert),
        1 => Just(Change::Delete),
    ]
}

fn guard() -> impl Strategy<Value = Guard> {
    let number = prop::sample::select(&NUMBERS[..]);
    let condition = prop_oneof![
        Just(Condition::Absent),
        Just(Condition::Exists),
        (number.clone(), -2_i64..6).prop_map(|(field, n)| Condition::AtLeast(field.into(), n)),
        (number, -2_i64..6).prop_map(|(field, n)| Condition::AtMost(field.into(), n)),
        (prop::sample::select(&TEXTS[..]), "[ab]")
            .prop_map(|(field, text)| Condition::Equals(field.into(), Scalar::Text(text))),
    ];
    (condition, any::<bool>()).prop_map(|(condition, rejects)| {
        let refusal = rejects.then(|| Refusal { error: "No".into(), cause: "{}".into() });
        Guard { condition, refusal }
    })
}

fn fence() -> impl Strategy<Value = Fence> {
    prop_oneof![
        Just(Fence::Started),
        Just(Fence::Done { output: json!({ "n": 7 }), inverse: Vec::new() }),
        Just(Fence::Rejected(Refusal { error: "No".into(), cause: "{}".into() })),
        Just(Fence::Undone),
        Just(Fence::Abandoned { was: Some(FenceState::Started) }),
    ]
}

/// Writes to one or two of two rows under one of two fences. The rows and fences of each sequence are its own.
fn transaction(sequence: usize) -> impl Strategy<Value = Transaction> {
    let expected = prop_oneof![
        3 => Just(None),
        1 => Just(Some(FenceState::Started)),
        1 => Just(Some(FenceState::Done)),
        1 => Just(Some(FenceState::Rejected)),
        1 => Just(Some(FenceState::Undone)),
        1 => Just(Some(FenceState::Abandoned)),
    ];
    let write = move |row: &'static str| {
        (change(), prop::collection::vec(guard(), 0..3)).prop_map(move |(change, mut guards)| {
            // A write that only checks has something to check: `Writes` adds that the item exists.
            if matches!(&change, Change::Update(changes) if changes.is_empty()) {
                guards.push(Guard { condition: Condition::Exists, refusal: None });
            }
            let value = format!("{row}-{sequence}");
            let key = RowKey { entity: SPEC.name.into(), attribute: SPEC.key.into(), value };
            Write { key, change, guards }
        })
    };
    let writes = (write("a"), write("b"), 0_usize..3).prop_map(|(a, b, count)| {
        let mut writes = vec![a, b];
        writes.truncate(count);
        writes
    });
    let step = prop::sample::select(&["shop/one", "shop/two"][..]);
    // A message of version 1 knows no run.
    let run = prop::option::weighted(0.8, 0..2).prop_map(|run| run.map(|run| RunDigest::of(&json!(run))));
    (step, run, expected, fence(), writes).prop_map(move |(step, run, expected, next, writes)| {
        let saga_id = format!("s-{sequence}").parse().expect("a saga id");
        let fence = StepKey::at(saga_id, step).expect("a place");
        Transaction { fence, run, expected, next, writes }
    })
}

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

async fn store(emulator: &emulator::Emulator) -> DynamoStore {
    let dynamodb = aws_sdk_dynamodb::Client::new(&aws::config(emulator).await);
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
fn comparable(answer: Result<(), Refused>) -> Result<(), Refused> {
    answer.map_err(|refused| match refused {
        Refused::Unavailable(_) => Refused::Unavailable(saga::Unavailable(String::new())),
        refused => refused,
    })
}

async fn compare(store: &DynamoStore, transactions: &[Transaction]) {
    let mut memory = MemoryState::default();
    for (place, transaction) in transactions.iter().enumerate() {
        let told = || format!("transaction {place} of {transactions:#?}");
        let in_memory = comparable(memory.apply(transaction));
        assert_eq!(in_memory, comparable(store.apply(transaction).await), "memory on the left: {}", told());
        let fence = store.read_fence(&transaction.fence).await.expect("a fence is read");
        assert_eq!(memory.fences.get(&transaction.fence), fence.as_ref(), "memory on the left: {}", told());
        for write in &transaction.writes {
            let row = store.read_row(&write.key).await.expect("a row is read");
            assert_eq!(memory.rows.get(&write.key), row.as_ref(), "memory on the left: {}", told());
        }
    }
}

#[test]
fn the_store_in_memory_answers_as_dynamodb_does() {
    let seed = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_261_125);
    println!("SEED={seed}");
    let emulator = aws::start();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let store = runtime.block_on(store(&emulator));
    let mut runner = TestRunner::new(Config { rng_seed: RngSeed::Fixed(seed), ..Config::default() });
    for sequence in 0..SEQUENCES {
        let transactions = prop::collection::vec(transaction(sequence), 1..10).new_tree(&mut runner);
        let transactions = transactions.expect("a sequence is generated").current();
        runtime.block_on(compare(&store, &transactions));
    }
}
