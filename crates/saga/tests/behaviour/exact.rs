//! What is recorded is exact: an undo gives back what was there, whatever fields an item has and whoever else writes it.

use crate::{
    delivery,
    trip::{Rooms, Trip},
};
use futures::executor::block_on;
use saga::{
    Commit, Compensable, Context, Deployment, Entity, Fault, Handle, Handled, MemoryStore, Never, Op,
    Outcomes, Participant, Refused, Request, Row, RowKey, Scalar, Service, Step, StepKey, Store, Transaction,
    Unavailable, Unserved, Value, fence::Recorded, serve,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{sync::Mutex, time::Duration};

// ---- a step that writes whatever a test says ----

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Value)]
#[value(name = "stacked", max_bytes = 9, producer = Stack)]
struct Stacked {}

#[derive(Step)]
#[step(participant = Depot, kind = Compensable, input = (Trip,), output = Stacked)]
#[step(timeout = Duration::from_mins(15))]
struct Stack;

struct Depot;

impl Participant for Depot {
    const NAME: &'static str = "depot";
    type Steps = (Stack,);
    type Entities = (Goods,);
}

#[derive(Entity)]
#[entity(name = "goods")]
struct Goods {
    #[entity(key)]
    sku: String,
    count: u32,
    balance: i64,
    label: String,
}

struct Writing(fn(&mut Commit<Stack>));

impl Service for Writing {
    type Participant = Depot;
}

impl Handle<Stack> for Writing {
    async fn run(&self, _: &Context, _: (Trip,)) -> Result<Commit<Stack>, Fault<Never>> {
        let mut commit = Commit::of(Stacked {});
        self.0(&mut commit);
        Ok(commit)
    }
}

// ---- a store that somebody else writes too ----

fn key() -> RowKey {
    Goods::key("a".to_owned())
}

fn count(n: u32) -> Row {
    Goods::row("a".to_owned()).with(Goods::COUNT, n).into_parts().1
}

fn labelled(row: Row, label: &str) -> Row {
    let mut row = row;
    row.insert(Goods::LABEL.name().into(), Scalar::Text(label.into()));
    row
}

fn balance(n: i64) -> Row {
    Goods::row("a".to_owned()).with(Goods::BALANCE, n).into_parts().1
}

/// The item of these tests, and what somebody else makes of it as soon as it has been read.
struct Shared {
    store: MemoryStore,
    once_read: Mutex<Option<Row>>,
}

impl Shared {
    fn with(row: Option<Row>) -> Self {
        let shared = Self { store: MemoryStore::new(), once_read: Mutex::new(None) };
        row.into_iter().for_each(|row| shared.put(row));
        shared
    }

    fn then(self, row: Row) -> Self {
        Self { once_read: Mutex::new(Some(row)), ..self }
    }

    fn put(&self, row: Row) {
        self.store.put(key(), row);
    }

    fn row(&self) -> Option<Row> {
        self.store.row(&key())
    }

    fn serve(&self, op: Op, write: fn(&mut Commit<Stack>)) -> Result<Outcomes, String> {
        let request = Request { step: Stack::NAME.into(), ..delivery::request("book-hotel", op) };
        let served = block_on(serve(&Writing(write), self, &Deployment::in_memory(), &request));
        served.map(|Handled { outcome, .. }| outcome).map_err(|unserved| match unserved {
            Unserved::Retry(retry) => retry.to_string(),
            Unserved::Malformed(malformed) => panic!("{malformed}"),
        })
    }

    /// Why the step is not done. Nothing is written.
    fn refused(&self, write: fn(&mut Commit<Stack>)) -> String {
        let before = self.store.rows();
        let why = self.serve(Op::Run, write).unwrap_err();
        assert_eq!(self.store.rows(), before);
        why
    }

    #[track_caller]
    fn run(&self, write: fn(&mut Commit<Stack>)) {
        assert_eq!(self.serve(Op::Run, write), Ok(Outcomes::Done));
    }

    #[track_caller]
    fn undo(&self) {
        assert_eq!(self.serve(Op::Undo, |_| ()), Ok(Outcomes::Undone));
    }
}

impl Store for Shared {
    async fn read_fence(&self, key: &StepKey) -> Result<Option<Recorded>, Unavailable> {
        self.store.read_fence(key).await
    }

    async fn read_row(&self, key: &RowKey) -> Result<Option<Row>, Unavailable> {
        let read = self.store.read_row(key).await;
        if let Some(row) = self.once_read.lock().unwrap().take() {
            self.put(row);
        }
        read
    }

    async fn apply(&self, transaction: &Transaction) -> Result<(), Refused> {
        self.store.apply(transaction).await
    }
}

// ---- fields that are not there ----

fn set_label(commit: &mut Commit<Stack>) {
    commit.update::<Goods>("a".to_owned()).set(Goods::LABEL, "mine");
}

fn delete(commit: &mut Commit<Stack>) {
    commit.delete::<Goods>("a".to_owned()).or_retry();
}

fn insert(commit: &mut Commit<Stack>) {
    commit.insert(Goods::row("a".to_owned()).with(Goods::COUNT, 1_u32)).or_retry();
}

#[test]
fn setting_a_field_that_was_absent_is_undone_by_removing_it() {
    let shared = Shared::with(Some(count(1)));
    shared.run(set_label);
    assert_eq!(shared.row(), Some(labelled(count(1), "mine")));
    shared.undo();
    assert_eq!(shared.row(), Some(count(1)));
}

#[test]
fn a_field_that_appears_between_read_and_write_is_not_lost_by_an_undo() {
    for write in [set_label, delete] {
        let shared = Shared::with(Some(count(1))).then(labelled(count(1), "theirs"));
        shared.run(write);
        shared.undo();
        assert_eq!(shared.row(), Some(labelled(count(1), "theirs")));
    }
}

#[test]
fn an_inserted_item_that_somebody_changed_is_not_deleted_by_an_undo() {
    for became in [count(2), labelled(count(1), "theirs"), Row::new()] {
        let shared = Shared::with(None);
        shared.run(insert);
        shared.put(became.clone());
        shared.serve(Op::Undo, insert).unwrap_err();
        assert_eq!(shared.row(), Some(became));
    }
}

#[test]
fn an_inserted_item_that_is_as_it_was_is_deleted() {
    let shared = Shared::with(None);
    shared.run(insert);
    shared.undo();
    assert_eq!(shared.row(), None);
}

#[test]
fn an_undo_that_is_refused_does_not_tell_what_the_item_holds() {
    let shared = Shared::with(Some(count(1)));
    shared.run(set_label);
    shared.put(labelled(count(1), "theirs"));
    assert_eq!(shared.serve(Op::Undo, set_label).unwrap_err(), "goods/a: Equals(\"label\") does not hold");
}

// ---- what nobody declared ----

fn add_to_count(commit: &mut Commit<Stack>) {
    commit.update::<Goods>("a".to_owned()).add(Goods::COUNT, 3);
}

/// With a field that no type of ours can hold, and a text.
fn marked(row: Row) -> Row {
    let mark = [("mark", Scalar::Opaque { opaque: "true".into() }), ("note", Scalar::Text("theirs".into()))];
    row.into_iter().chain(mark.map(|(field, value)| (field.into(), value))).collect()
}

#[test]
fn what_somebody_else_puts_on_an_item_stays_through_an_update_and_its_undo() {
    for write in [set_label, add_to_count] {
        let shared = Shared::with(Some(marked(count(1))));
        shared.run(write);
        shared.undo();
        assert_eq!(shared.row(), Some(marked(count(1))));
        let shared = Shared::with(Some(count(1)));
        shared.run(write);
        shared.put(marked(shared.row().unwrap()));
        shared.undo();
        assert_eq!(shared.row(), Some(marked(count(1))));
    }
}

#[test]
fn what_somebody_else_put_on_an_item_comes_back_with_it() {
    let shared = Shared::with(Some(marked(count(1))));
    shared.run(delete);
    assert_eq!(shared.row(), None);
    shared.undo();
    assert_eq!(shared.row(), Some(marked(count(1))));
}

#[test]
fn a_field_does_not_read_what_its_type_cannot_hold() {
    let row: Row =
        ["count", "label"].map(|field| (field.into(), Scalar::Opaque { opaque: "true".into() })).into();
    assert_eq!((Goods::COUNT.read(&row), Goods::LABEL.read(&row)), (None, None));
}

// ---- numbers ----

fn add_to_balance(commit: &mut Commit<Stack>) {
    commit.update::<Goods>("a".to_owned()).add(Goods::BALANCE, 3);
}

#[test]
fn adding_to_a_signed_number_is_undone_below_zero_too() {
    for before in [-10, -3, 0, 10] {
        let shared = Shared::with(Some(balance(before)));
        shared.run(add_to_balance);
        shared.undo();
        assert_eq!(shared.row(), Some(balance(before)));
    }
}

#[test]
fn an_undo_does_not_take_an_unsigned_number_below_zero() {
    let shared = Shared::with(Some(count(0)));
    shared.run(add_to_count);
    shared.put(count(2));
    shared.serve(Op::Undo, add_to_count).unwrap_err();
    assert_eq!(shared.row(), Some(count(2)));
}

#[test]
fn a_sum_that_its_type_cannot_hold_is_refused() {
    let refused = Shared::with(Some(balance(i64::MAX - 2))).refused(add_to_balance);
    insta::assert_snapshot!(refused, @"goods/a: adding to balance needs a whole number, and a sum that its type can hold");
    let refused = Shared::with(Some(count(u32::MAX - 2))).refused(add_to_count);
    insta::assert_snapshot!(refused, @"goods/a: adding to count needs a whole number, and a sum that its type can hold");
}

#[test]
fn only_a_number_is_added_to() {
    let text = Row::from([("count".into(), Scalar::Text("1".into()))]);
    let needs = "goods/a: adding to count needs a whole number, and a sum that its type can hold";
    let stored = ": a text is stored, a whole number is needed";
    for (row, why) in [(text, stored), (Row::new(), "")] {
        let refused = Shared::with(Some(row)).refused(add_to_count);
        assert_eq!(refused, format!("{needs}{why}"));
    }
}

// ---- keys and entities ----

#[test]
fn an_empty_key_is_refused() {
    let write: fn(&mut Commit<Stack>) = |commit| commit.insert(Goods::row(String::new())).or_retry();
    let refused = Shared::with(None).refused(write);
    insta::assert_snapshot!(refused, @"the commit writes an item of `goods` whose key is empty: give each item a key of its own");
}

#[test]
fn an_entity_of_another_participant_is_refused() {
    let write: fn(&mut Commit<Stack>) = |commit| commit.insert(Rooms::row("ritz".to_owned())).or_retry();
    let refused = Shared::with(None).refused(write);
    insta::assert_snapshot!(refused, @"the step `stack` writes `rooms`, which is not among the entities of its participant: add it to `type Entities`");
}
