use super::*;
use crate::{
    entity::{Entity, Field, FieldSpec},
    rejection::Rejection,
    write::{Addition, Condition, Row, Scalar, Unmet, Write},
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
fn more_than_a_field_can_hold_is_not_added() {
    let mistake = |commit: fn(Update<'_, No, Stock>)| {
        let mut writes = Writes::<No>::new();
        commit(update(&mut writes));
        writes.finish(1).unwrap_err()
    };
    let overflow = |field: &str, least, most| CommitError::Overflow {
        key: "stock/a".into(),
        field: field.into(),
        least,
        most,
    };
    let of_balance = overflow("balance", i64::MIN, i64::MAX);
    for commit in [
        (|update| drop(update.add(Stock::BALANCE, i64::MAX).add(Stock::BALANCE, 1)))
            as fn(Update<'_, No, Stock>),
        |update| drop(update.subtract(Stock::BALANCE, 1 << 62).or_retry().add(Stock::BALANCE, i64::MIN / 2)),
        |update| drop(update.subtract(Stock::BALANCE, 1 << 63).or_retry()),
        |update| drop(update.subtract(Stock::BALANCE, u64::MAX).or_retry()),
        |update| drop(update.add(Stock::BALANCE, i64::MIN)),
    ] {
        assert_eq!(mistake(commit), of_balance);
    }
    let of_free = overflow("free", 0, u32::MAX.into());
    for commit in [
        (|update| drop(update.add(Stock::FREE, u32::MAX).add(Stock::FREE, 1))) as fn(Update<'_, No, Stock>),
        |update| drop(update.subtract(Stock::FREE, u32::MAX).or_retry().subtract(Stock::FREE, 1).or_retry()),
    ] {
        assert_eq!(mistake(commit), of_free);
    }
    insta::assert_snapshot!(of_free, @"the commit adds more to `free` of stock/a than a number from 0 to 4294967295 can change by: add less, or in several steps");
}

#[test]
fn as_much_as_a_field_can_hold_is_added_and_taken_back() {
    let mut writes = Writes::<No>::new();
    update(&mut writes).subtract(Stock::FREE, u32::MAX).or_retry().subtract(Stock::BALANCE, 5).or_retry();
    let write = writes.finish(1).unwrap().remove(0);
    let full: Row =
        [("free".into(), Scalar::Number(u32::MAX.into())), ("balance".into(), Scalar::Number(5))].into();
    assert_eq!(write.unmet(Some(&full)), None);
    let after = write.applied_to(Some(&full)).unwrap();
    assert_eq!((Stock::FREE.read(&after), Stock::BALANCE.read(&after)), (Some(0), Some(0)));
    let inverse = write.inverse(None, Stock::FIELDS);
    assert_eq!(inverse.applied_to(Some(&after)), Some(full));
}

#[test]
fn a_field_that_its_entity_does_not_declare_is_told() {
    const KEY: Field<Stock, String> = Field::new("sku");
    const GONE: Field<Stock, u32> = Field::new("gone");
    const AS_TEXT: Field<Stock, String> = Field::new("free");
    let told = |write: fn(&mut Writes<No>)| {
        let mut writes = Writes::<No>::new();
        write(&mut writes);
        writes.finish(1).unwrap_err()
    };
    let undeclared = |field: &str| CommitError::Undeclared { entity: "stock", field: field.into() };
    for (write, field) in [
        ((|writes| drop(update(writes).set(KEY, "b"))) as fn(&mut Writes<No>), "sku"),
        (|writes| drop(update(writes).add(GONE, 1)), "gone"),
        (|writes| drop(update(writes).subtract(GONE, 1).or_retry()), "gone"),
        (|writes| drop(update(writes).at_least(GONE, 1).or_retry()), "gone"),
        (|writes| drop(update(writes).at_most(GONE, 1).or_retry()), "gone"),
        (|writes| drop(update(writes).equals(AS_TEXT, "1".to_owned()).or_retry()), "free"),
        (
            |writes| drop(update(writes).transition(AS_TEXT, "1".to_owned(), "2".to_owned()).or_retry()),
            "free",
        ),
        (|writes| writes.insert(Stock::row("a".to_owned()).with(GONE, 1_u32)).or_retry(), "gone"),
    ] {
        assert_eq!(told(write), undeclared(field));
    }
    insta::assert_snapshot!(undeclared("sku"), @"the commit names the field `sku` of `stock`, which `Entity::FIELDS` does not have so: list it there, with this type, or name another");
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
