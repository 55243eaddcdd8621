use super::*;
use crate::{
    entity::{Entity, Field, FieldSpec},
    rejection::Rejection,
    write::{Addition, Condition, Row, Unmet, Write},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

struct Stock;
impl Entity for Stock {
    const NAME: &'static str = "stock";
    const KEY: &'static str = "sku";
    type Key = String;
    const FIELDS: &'static [FieldSpec] = &[Stock::FREE.spec(), Stock::BALANCE.spec(), Stock::STATE.spec()];
}
impl Stock {
    const FREE: Field<Stock, u32> = Field::new("free");
    const BALANCE: Field<Stock, i64> = Field::new("balance");
    const STATE: Field<Stock, String> = Field::new("state");
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
struct No(u32);
impl Rejection for No {
    const NAMES: &'static [&'static str] = &["No"];

    fn name(&self) -> &'static str {
        "No"
    }
}

fn update(writes: &mut Writes<No>) -> Update<'_, No, Stock> {
    writes.update::<Stock>("a".to_owned())
}

fn row(free: u32) -> Row {
    Stock::row("a".to_owned()).with(Stock::FREE, free).into_parts().1
}

/// The cause of the refusal that this many free units give.
fn refused_with(write: &Write, free: u32) -> Option<String> {
    write.unmet(Some(&row(free)))?.refusal().map(|refusal| refusal.cause.clone())
}

#[test]
fn writes_to_one_item_are_merged_and_ordered_by_key() {
    let mut writes = Writes::<No>::new();
    writes.update::<Stock>("b".to_owned()).add(Stock::FREE, 1);
    update(&mut writes).add(Stock::FREE, 1).set(Stock::STATE, "open");
    update(&mut writes).add(Stock::FREE, 2).set(Stock::STATE, "open");
    let writes = writes.finish(2).unwrap();
    let keys: Vec<_> = writes.iter().map(|write| write.key.value.as_str()).collect();
    assert_eq!(keys, ["a", "b"]);
    let after = writes[0].applied_to(Some(&row(5))).unwrap();
    assert_eq!((Stock::FREE.read(&after), Stock::STATE.read(&after).as_deref()), (Some(8), Some("open")));
}

#[test]
fn guards_of_merged_subtractions_add_up_and_the_first_that_fails_is_told() {
    let mut writes = Writes::<No>::new();
    update(&mut writes).subtract(Stock::FREE, 3).or_reject(No(1));
    update(&mut writes).subtract(Stock::FREE, 4).or_reject(No(2)).add(Stock::FREE, 5);
    update(&mut writes).subtract(Stock::FREE, 4).or_reject(No(3));
    let write = writes.finish(1).unwrap().remove(0);
    assert_eq!(refused_with(&write, 2).as_deref(), Some("1"));
    assert_eq!(refused_with(&write, 6).as_deref(), Some("2"));
    assert_eq!(write.unmet(Some(&row(7))), None);
    assert_eq!(write.applied_to(Some(&row(7))), Some(row(1)));
}

#[test]
fn an_update_never_creates_an_item() {
    let mut writes = Writes::<No>::new();
    update(&mut writes).add(Stock::FREE, 1);
    let write = writes.finish(1).unwrap().remove(0);
    let Some(Unmet::Guard(guard)) = write.unmet(None) else { panic!("it is done") };
    assert_eq!((&guard.condition, &guard.refusal), (&Condition::Exists, &None));
}

#[test]
fn additions_keep_within_the_type_of_their_field() {
    let mut writes = Writes::<No>::new();
    update(&mut writes).add(Stock::FREE, 1).add(Stock::BALANCE, -2);
    let write = writes.finish(1).unwrap().remove(0);
    let additions: Vec<_> = write.additions().map(|(_, addition)| *addition).collect();
    let balance = Addition { n: -2, least: i64::MIN, most: i64::MAX };
    assert_eq!(additions, [balance, Addition { n: 1, least: 0, most: u32::MAX.into() }]);
}

#[test]
fn a_rejection_wins_over_an_addition_that_does_not_fit() {
    let mut writes = Writes::<No>::new();
    update(&mut writes).subtract(Stock::FREE, 3).or_reject(No(1));
    let write = writes.finish(1).unwrap().remove(0);
    assert_eq!(refused_with(&write, 2).as_deref(), Some("1"));
}

#[test]
fn more_than_64_bits_is_not_added() {
    let mistake = |commit: fn(Update<'_, No, Stock>)| {
        let mut writes = Writes::<No>::new();
        commit(update(&mut writes));
        writes.finish(1).unwrap_err()
    };
    let overflow = CommitError::Overflow { key: "stock/a".into(), field: "balance" };
    for commit in [
        (|update| drop(update.add(Stock::BALANCE, i64::MAX).add(Stock::BALANCE, 1)))
            as fn(Update<'_, No, Stock>),
        |update| drop(update.subtract(Stock::BALANCE, i64::MAX).or_retry().add(Stock::BALANCE, -1)),
        |update| drop(update.subtract(Stock::BALANCE, i64::MIN).or_retry()),
        |update| drop(update.add(Stock::BALANCE, i64::MIN)),
    ] {
        assert_eq!(mistake(commit), overflow);
    }
    insta::assert_snapshot!(overflow, @"the commit adds more to `balance` of stock/a than 64 bits hold: add less, or in several steps");
}

#[test]
fn an_empty_key_is_told() {
    let mut writes = Writes::<No>::new();
    writes.delete::<Stock>(String::new()).or_retry();
    insta::assert_snapshot!(writes.finish(1).unwrap_err(), @"the commit writes an item of `stock` whose key is empty: give each item a key of its own");
}

/// What contradicts itself, in words.
fn contradiction(write: impl FnOnce(&mut Writes<No>)) -> String {
    let mut writes = Writes::new();
    write(&mut writes);
    writes.finish(9).unwrap_err().to_string()
}

#[test]
fn contradictions_are_told() {
    let insert = |writes: &mut Writes<No>| writes.insert(Stock::row("a".to_owned())).or_retry();
    let delete = |writes: &mut Writes<No>| writes.delete::<Stock>("a".to_owned()).or_retry();
    let told = [
        contradiction(|writes| drop(update(writes).add(Stock::FREE, 1).set(Stock::FREE, 2_u32))),
        contradiction(|writes| drop(update(writes).set(Stock::FREE, 2_u32).add(Stock::FREE, 1))),
        contradiction(|writes| drop(update(writes).set(Stock::STATE, "a").set(Stock::STATE, "b"))),
        contradiction(|writes| {
            insert(writes);
            update(writes).add(Stock::FREE, 1);
        }),
        contradiction(|writes| {
            delete(writes);
            update(writes).set(Stock::STATE, "a");
        }),
        contradiction(|writes| {
            insert(writes);
            delete(writes);
        }),
    ];
    insta::assert_snapshot!(told.join("\n"), @r#"
the commit contradicts itself at stock/a: it sets a field and adds to it; write each item in one way
the commit contradicts itself at stock/a: it sets a field and adds to it; write each item in one way
the commit contradicts itself at stock/a: it sets a field to two values; write each item in one way
the commit contradicts itself at stock/a: it inserts the item and updates it; write each item in one way
the commit contradicts itself at stock/a: it deletes the item and updates it; write each item in one way
the commit contradicts itself at stock/a: it inserts or deletes an item that it also writes elsewhere; write each item in one way
"#);
}

#[test]
fn too_many_items_are_told() {
    let mut writes = Writes::<No>::new();
    for key in ["a", "b", "c"] {
        writes.delete::<Stock>(key.to_owned()).or_retry();
    }
    insta::assert_snapshot!(writes.finish(2).unwrap_err(), @"the commit writes 3 items, but the step allows 2: raise `Step::MAX_WRITES` (99 at the most) or write less");
}
