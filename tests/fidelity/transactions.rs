//! Transactions to compare stores with: of every kind, against items that anybody could have left behind.

use proptest::prelude::*;
use saga::{
    Addition, Change, Condition, EntitySpec, FieldChange, FieldKind, FieldSpec, Guard, Refusal, Row, RowKey,
    RunDigest, SagaId, Scalar, StepKey, Transaction, Write,
    fence::{Fence, FenceState},
};
use serde_json::json;
use std::borrow::Cow;

/// The entity that is written. Somebody else puts [`MARK`] on its items too.
pub(crate) const SPEC: EntitySpec = EntitySpec {
    name: "rows",
    key: "id",
    fields: &[
        FieldSpec { name: "free", kind: FieldKind::Number },
        FieldSpec { name: "booked", kind: FieldKind::Number },
        FieldSpec { name: "state", kind: FieldKind::Text },
        FieldSpec { name: "owner", kind: FieldKind::Text },
    ],
};
const NUMBERS: [&str; 2] = ["free", "booked"];
const MARK: &str = "mark";

/// What no field can hold.
const FORMS: [&str; 7] = [
    r#"{"BOOL":true}"#,
    r#"{"L":[{"S":"a"},{"N":"1.5"}]}"#,
    r#"{"NULL":true}"#,
    r#"{"SS":["a","b"]}"#,
    r#"{"B":"AAE="}"#,
    r#"{"M":{"a":{"BOOL":false},"b":{"N":"7"}}}"#,
    r#"{"NS":["1","2.5"]}"#,
];

/// Numbers that no field can hold. DynamoDB compares them and adds to them.
const NUMBER_FORMS: [&str; 9] = [
    r#"{"N":"1.5"}"#,
    r#"{"N":"-0.25"}"#,
    r#"{"N":"4.999"}"#,
    r#"{"N":"4294967294.5"}"#,
    r#"{"N":"9223372036854775807.5"}"#,
    r#"{"N":"9223372036854775808"}"#,
    r#"{"N":"-9223372036854775809"}"#,
    r#"{"N":"-9223372036854775808.5"}"#,
    r#"{"N":"10000000000000000000000000000000000000"}"#,
];

/// One thing that happens to the items.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    /// A transaction as it is.
    Write(Transaction),
    /// Its writes as the engine does them, with their inverses recorded, but what it read is older by one act.
    Record(Transaction),
    /// What was recorded last but this many (modulo their number) is undone.
    Undo(usize),
}

/// Acts on one or two of a few items under one of two fences. The items and fences of each sequence are its own.
pub(crate) fn acts(sequence: usize) -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        2 => transaction(sequence).prop_map(Act::Write),
        3 => transaction(sequence).prop_map(Act::Record),
        2 => (0_usize..3).prop_map(Act::Undo),
    ];
    prop::collection::vec(act, 1..16)
}

/// The fence of what is recorded and undone.
pub(crate) fn recording(sequence: usize) -> StepKey {
    StepKey::at(saga_id(sequence), "shop/recording").expect("a place")
}

fn saga_id(sequence: usize) -> SagaId {
    SagaId::try_from(format!("s-{sequence}")).expect("a saga id")
}

fn number() -> impl Strategy<Value = i64> {
    prop_oneof![
        8 => -5_i64..6,
        1 => prop::sample::select(&[i64::MIN, i64::MIN + 1, i64::MAX - 1, i64::MAX][..]),
    ]
}

/// What a field for numbers most often holds.
fn any_number() -> impl Strategy<Value = Scalar> {
    prop_oneof![4 => number().prop_map(Scalar::Number), 1 => opaque(&NUMBER_FORMS)]
}

fn opaque(forms: &'static [&'static str]) -> impl Strategy<Value = Scalar> {
    prop::sample::select(forms).prop_map(|form| Scalar::Opaque { opaque: form.into() })
}

fn scalar() -> impl Strategy<Value = Scalar> {
    prop_oneof![
        4 => number().prop_map(Scalar::Number),
        4 => "[ab]?".prop_map(Scalar::Text),
        1 => opaque(&FORMS),
        1 => opaque(&NUMBER_FORMS),
    ]
}

fn declared() -> impl Strategy<Value = Cow<'static, str>> {
    prop::sample::select(SPEC.fields).prop_map(|field| field.name.into())
}

/// A field and what it holds.
fn field() -> impl Strategy<Value = (Cow<'static, str>, Scalar)> {
    prop_oneof![4 => (declared(), scalar()), 1 => (Just(MARK.into()), scalar())]
}

/// Any fields. Most often those for numbers hold numbers, so that something can be done to them.
fn row() -> impl Strategy<Value = Row> {
    let numbers = prop::collection::vec(prop::option::weighted(0.8, any_number()), 2);
    (numbers, prop::collection::vec(field(), 0..3)).prop_map(|(numbers, others)| {
        let numbers = NUMBERS.into_iter().zip(numbers);
        let mut row: Row = numbers.filter_map(|(field, number)| Some((field.into(), number?))).collect();
        row.extend(others);
        row
    })
}

fn change() -> impl Strategy<Value = Change> {
    let within = prop::sample::select(vec![(0, 9), (0, i64::from(u32::MAX)), (i64::MIN, i64::MAX)]);
    let add = (prop::sample::select(&NUMBERS[..]), number(), within)
        .prop_map(|(field, n, (least, most))| (field.into(), FieldChange::Add(Addition { n, least, most })));
    let set = field().prop_map(|(field, value)| (field, FieldChange::Set(value)));
    let remove = field().prop_map(|(field, _)| (field, FieldChange::Remove));
    let changes = prop::collection::vec(prop_oneof![3 => add, 2 => set, 1 => remove], 0..3);
    prop_oneof![
        4 => changes.prop_map(|changes| Change::Update(changes.into_iter().collect())),
        2 => row().prop_map(Change::Insert),
        1 => Just(Change::Delete),
    ]
}

fn guard() -> impl Strategy<Value = Guard> {
    let condition = prop_oneof![
        Just(Condition::Absent),
        Just(Condition::Exists),
        (declared(), number()).prop_map(|(field, n)| Condition::AtLeast(field, n)),
        (declared(), number()).prop_map(|(field, n)| Condition::AtMost(field, n)),
        field().prop_map(|(field, value)| Condition::Equals(field, value)),
        field().prop_map(|(field, _)| Condition::Lacks(field)),
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

/// Two keys most often, and now and then the longest there can be, and those that there cannot be.
fn key(first: &'static str, sequence: usize) -> impl Strategy<Value = RowKey> {
    let long = |bytes: usize| format!("{first}-{sequence}-{}", "k".repeat(bytes))[..bytes].to_owned();
    let value = prop_oneof![
        60 => Just(format!("{first}-{sequence}")),
        1 => Just(String::new()),
        1 => Just(long(2_048)),
        1 => Just(long(2_049)),
    ];
    value.prop_map(|value| RowKey { entity: SPEC.name.into(), attribute: SPEC.key.into(), value })
}

fn write(first: &'static str, sequence: usize) -> impl Strategy<Value = Write> {
    let guards = prop_oneof![2 => Just(Vec::new()), 1 => prop::collection::vec(guard(), 1..3)];
    (key(first, sequence), change(), guards, any::<bool>()).prop_map(|(key, change, mut guards, exists)| {
        // `Writes` adds that the item exists. A write that only checks needs something to check.
        if matches!(&change, Change::Update(changes) if changes.is_empty() || exists) {
            guards.push(Guard { condition: Condition::Exists, refusal: None });
        }
        Write { key, change, guards }
    })
}

fn transaction(sequence: usize) -> impl Strategy<Value = Transaction> {
    let expected = prop_oneof![
        3 => Just(None),
        1 => Just(Some(FenceState::Started)),
        1 => Just(Some(FenceState::Done)),
        1 => Just(Some(FenceState::Rejected)),
        1 => Just(Some(FenceState::Undone)),
        1 => Just(Some(FenceState::Abandoned)),
    ];
    let writes = (write("a", sequence), write("b", sequence), 0_usize..3).prop_map(|(a, b, count)| {
        let mut writes = vec![a, b];
        writes.truncate(count);
        writes
    });
    let step = prop::sample::select(&["shop/one", "shop/two"][..]);
    // A message of version 1 knows no run.
    let run = prop::option::weighted(0.8, 0..2).prop_map(|run| run.map(|run| RunDigest::of(&json!(run))));
    let fields = (step, run, 0_u32..3, expected, fence(), writes);
    fields.prop_map(move |(step, run, turn, expected, next, writes)| Transaction {
        fence: StepKey::at(saga_id(sequence), step).expect("a place"),
        run,
        turn,
        expected,
        next,
        writes,
    })
}
