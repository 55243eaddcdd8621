use super::*;
use crate::{
    entity::{FieldKind, FieldSpec},
    store::Refused,
};
use proptest::prelude::*;
use std::ops::RangeInclusive;

const NUMBERS: [&str; 2] = ["free", "booked"];
/// The last is not declared: somebody else puts it on items.
const FIELDS: [&str; 5] = ["free", "booked", "state", "owner", "mark"];
const DECLARED: &[FieldSpec] = &[
    FieldSpec { name: "free", kind: FieldKind::Number },
    FieldSpec { name: "booked", kind: FieldKind::Number },
    FieldSpec { name: "state", kind: FieldKind::Text },
    FieldSpec { name: "owner", kind: FieldKind::Text },
];

fn key() -> RowKey {
    RowKey { entity: "stock".into(), attribute: "sku".into(), value: "a".into() }
}

fn text(text: &str) -> Scalar {
    Scalar::Text(text.into())
}

fn add(n: i64, within: RangeInclusive<i64>) -> FieldChange {
    FieldChange::Add(Addition { n, least: *within.start(), most: *within.end() })
}

// ---- rows that anybody could have left behind ----

fn number() -> impl Strategy<Value = i64> {
    prop_oneof![
        6 => -20_i64..20,
        1 => prop::sample::select(&[i64::MIN, i64::MIN + 1, i64::MAX - 1, i64::MAX][..]),
    ]
}

/// Numbers that no field can hold, most with a digit behind the point.
fn foreign_number() -> impl Strategy<Value = Scalar> {
    let tenths = (-200_i32..200).prop_filter("it is whole", |tenths| tenths % 10 != 0);
    let written = tenths.prop_map(|tenths| {
        format!("{}{}.{}", if tenths < 0 { "-" } else { "" }, tenths.abs() / 10, tenths.abs() % 10)
    });
    let beyond = [
        "9223372036854775808",
        "-9223372036854775809",
        "9223372036854775807.5",
        "-9223372036854775808.5",
        "1E40",
    ];
    prop_oneof![4 => written, 1 => prop::sample::select(beyond.to_vec()).prop_map(str::to_owned)]
        .prop_map(|text| Scalar::number(&text).unwrap())
}

fn scalar() -> impl Strategy<Value = Scalar> {
    prop_oneof![
        4 => number().prop_map(Scalar::Number),
        4 => prop::sample::select(&["a", "b"][..]).prop_map(text),
        1 => foreign_number(),
        1 => Just(Scalar::Opaque { opaque: r#"{"BOOL":true}"#.into() }),
    ]
}

/// Ten times a number, worked out otherwise than the stores do it. `None` when it is none.
fn tenths(scalar: &Scalar) -> Option<i128> {
    let text = match scalar {
        Scalar::Number(number) => number.to_string(),
        Scalar::Text(_) => return None,
        Scalar::Opaque { opaque } => opaque.strip_prefix(r#"{"N":""#)?.strip_suffix(r#""}"#)?.to_owned(),
    };
    let (whole, tenth) = text.split_once('.').unwrap_or((&text, "0"));
    // Ten times what is beyond is as far beyond.
    format!("{whole}{tenth}").parse().ok().or(Some(i128::MAX))
}

fn field() -> impl Strategy<Value = Cow<'static, str>> {
    prop::sample::select(&FIELDS[..]).prop_map(Cow::Borrowed)
}

/// Any fields. Most often those for numbers hold numbers, so that something can be done to them.
fn row() -> impl Strategy<Value = Row> {
    let numbers = prop_oneof![4 => number().prop_map(Scalar::Number), 1 => foreign_number()];
    let numbers = prop::collection::vec(prop::option::weighted(0.9, numbers), 2);
    let others = prop::collection::btree_map(field(), scalar(), 0..4);
    (numbers, others).prop_map(|(numbers, others)| {
        let numbers = NUMBERS.into_iter().zip(numbers);
        let mut row: Row = numbers.filter_map(|(field, number)| Some((field.into(), number?))).collect();
        row.extend(others);
        row
    })
}

/// What a second writer does to an item: a field becomes something, or goes.
fn meddling() -> impl Strategy<Value = Vec<(Cow<'static, str>, Option<Scalar>)>> {
    prop::collection::vec((field(), prop::option::of(scalar())), 0..3)
}

fn meddled(row: &Row, meddling: Vec<(Cow<'static, str>, Option<Scalar>)>) -> Row {
    let mut row = row.clone();
    for (field, value) in meddling {
        match value {
            Some(value) => row.insert(field, value),
            None => row.remove(&field),
        };
    }
    row
}

// ---- writes, guarded as `Writes` guards them ----

fn change() -> impl Strategy<Value = Change> {
    let within = prop::sample::select(vec![(0, 30), (0, i64::from(u32::MAX)), (i64::MIN, i64::MAX)]);
    let add = (prop::sample::select(&NUMBERS[..]), number(), within)
        .prop_map(|(field, n, (least, most))| (field.into(), add(n, least..=most)));
    let set = (field(), scalar()).prop_map(|(field, value)| (field, FieldChange::Set(value)));
    let remove = field().prop_map(|field| (field, FieldChange::Remove));
    let changes = prop::collection::vec(prop_oneof![3 => add, 2 => set, 1 => remove], 0..4);
    prop_oneof![
        6 => changes.prop_map(|changes| Change::Update(changes.into_iter().collect())),
        2 => row().prop_map(Change::Insert),
        2 => Just(Change::Delete),
    ]
}

fn guard() -> impl Strategy<Value = Guard> {
    let condition = prop_oneof![
        (field(), number()).prop_map(|(field, n)| Condition::AtLeast(field, n)),
        (field(), number()).prop_map(|(field, n)| Condition::AtMost(field, n)),
        (field(), scalar()).prop_map(|(field, value)| Condition::Equals(field, value)),
        field().prop_map(Condition::Lacks),
    ];
    condition.prop_map(|condition| Guard { condition, refusal: None })
}

fn write() -> impl Strategy<Value = Write> {
    (change(), prop::collection::vec(guard(), 0..2)).prop_map(|(change, mut guards)| {
        let condition =
            if matches!(change, Change::Insert(_)) { Condition::Absent } else { Condition::Exists };
        // An insert has no fields to guard.
        guards.retain(|_| condition == Condition::Exists);
        guards.push(Guard { condition, refusal: None });
        Write { key: key(), change, guards }
    })
}

/// The item that a write is meant for, if it is one that was there.
fn found_by(write: &Write, row: Row) -> Option<Row> {
    (!matches!(write.change, Change::Insert(_))).then_some(row)
}

/// The write and its inverse as the engine makes them, having read this.
fn recorded(write: &Write, read: Option<&Row>) -> (Write, Write) {
    let mut pinned = write.clone();
    if !write.inverse_needs_old() {
        return (pinned, write.inverse(None, DECLARED));
    }
    pinned.pin(read, DECLARED);
    (pinned, write.inverse(read, DECLARED))
}

/// Whether an undo may be done to what the item became: only where everything that the write left behind is still
/// there, whatever else has changed.
fn may_be_undone(write: &Write, after: Option<&Row>, became: Option<&Row>) -> bool {
    let same = |field: &str| after.and_then(|row| row.get(field)) == became.and_then(|row| row.get(field));
    match (&write.change, became) {
        (Change::Delete, became) => became.is_none(),
        (_, None) => false,
        (Change::Insert(row), Some(_)) => {
            row.keys().map(|field| &**field).chain(DECLARED.iter().map(|field| field.name)).all(same)
        }
        (Change::Update(changes), Some(became)) => changes.iter().all(|(field, change)| match change {
            FieldChange::Set(_) | FieldChange::Remove => same(field),
            FieldChange::Add(addition) => {
                let within = 10 * i128::from(addition.least)..=10 * i128::from(addition.most);
                became.get(field).and_then(tenths).is_some_and(|tenths| {
                    within.contains(&tenths) && within.contains(&(tenths - 10 * i128::from(addition.n)))
                })
            }
        }),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, max_global_rejects: 1_000_000, ..Default::default() })]

    #[test]
    fn a_write_and_then_its_inverse_restore_the_row(write in write(), row in row()) {
        let before = found_by(&write, row);
        prop_assume!(write.unmet(before.as_ref()).is_none());
        let (pinned, inverse) = recorded(&write, before.as_ref());
        prop_assert_eq!(pinned.unmet(before.as_ref()), None);
        let after = pinned.applied_to(before.as_ref());
        prop_assert_eq!(inverse.unmet(after.as_ref()), None);
        prop_assert_eq!(inverse.applied_to(after.as_ref()), before);
    }

    #[test]
    fn a_pinned_write_is_refused_for_any_row_that_its_inverse_would_not_restore(
        write in write(),
        row in row(),
        meddling in meddling(),
    ) {
        let mut found = found_by(&write, meddled(&row, meddling));
        let read = found_by(&write, row);
        let (pinned, inverse) = recorded(&write, read.as_ref());
        prop_assume!(pinned.unmet(found.as_ref()).is_none());
        let after = pinned.applied_to(found.as_ref());
        prop_assert_eq!(inverse.unmet(after.as_ref()), None);
        if write.change == Change::Delete && !read.is_some_and(|read| read.contains_key("mark")) {
            // No store can be asked whether a field that nobody declared has appeared.
            found.iter_mut().for_each(|found| drop(found.remove("mark")));
        }
        prop_assert_eq!(inverse.applied_to(after.as_ref()), found);
    }

    #[test]
    fn an_undo_takes_back_what_was_written_and_nothing_that_came_after(
        write in write(),
        row in row(),
        meddling in meddling(),
        gone in prop::bool::weighted(0.1),
        there_again in row(),
    ) {
        let before = found_by(&write, row);
        prop_assume!(write.unmet(before.as_ref()).is_none());
        let (pinned, inverse) = recorded(&write, before.as_ref());
        let after = pinned.applied_to(before.as_ref());
        let became = match &after {
            Some(after) => (!gone).then(|| meddled(after, meddling)),
            None => gone.then_some(there_again),
        };
        let may = may_be_undone(&write, after.as_ref(), became.as_ref());
        prop_assert_eq!(inverse.unmet(became.as_ref()).is_none(), may);
        let (Change::Update(changes), Some(became), true) = (&write.change, &became, may) else { return Ok(()) };
        let undone = inverse.applied_to(Some(became)).unwrap();
        for field in FIELDS {
            let expected = match changes.get(field) {
                None => became.get(field),
                Some(FieldChange::Set(_) | FieldChange::Remove) => before.as_ref().unwrap().get(field),
                Some(FieldChange::Add(addition)) => {
                    let taken_back = tenths(&became[field]).unwrap() - 10 * i128::from(addition.n);
                    prop_assert_eq!(tenths(&undone[field]), Some(taken_back), "{}", field);
                    continue;
                }
            };
            prop_assert_eq!(undone.get(field), expected, "{}", field);
        }
    }

    #[test]
    fn an_addition_leaves_its_field_in_the_range_of_its_type(
        number in prop_oneof![number().prop_map(Scalar::Number), foreign_number()],
        n in number(),
        within in prop::sample::select(vec![(0, 30), (0, i64::from(u32::MAX)), (i64::MIN, i64::MAX)]),
    ) {
        let (least, most) = within;
        let write = Write {
            key: key(),
            change: Change::Update([("free".into(), add(n, least..=most))].into()),
            guards: Vec::new(),
        };
        let row = Row::from([("free".into(), number.clone())]);
        let within = 10 * i128::from(least)..=10 * i128::from(most);
        let before = tenths(&number).unwrap();
        let sum = before.saturating_add(10 * i128::from(n));
        // The least number has no opposite that could take it back.
        let may = within.contains(&before) && within.contains(&sum) && n != i64::MIN;
        prop_assert_eq!(write.unmet(Some(&row)).is_none(), may);
        let after = write.applied_to(Some(&row)).unwrap();
        prop_assert_eq!(tenths(&after["free"]), Some(if may { sum } else { before }));
    }

    #[test]
    fn writes_survive_json(write in write()) {
        let json = serde_json::to_string(&write).unwrap();
        prop_assert_eq!(serde_json::from_str::<Write>(&json).unwrap(), write);
    }
}

#[test]
fn an_addition_of_the_first_release_is_within_64_bits() {
    let change: FieldChange = serde_json::from_str(r#"{"add":-2}"#).unwrap();
    assert_eq!(change, add(-2, i64::MIN..=i64::MAX));
}

/// What is told of a write to an item that is refused.
fn told(change: Change, guards: Vec<Condition>, row: Option<&Row>) -> String {
    let guards = guards.into_iter().map(|condition| Guard { condition, refusal: None }).collect();
    match Refused::by_guard(&Write { key: key(), change, guards }, row) {
        Some(Refused::Guard { what, .. }) => what,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_refused_is_told_by_names_and_kinds_and_never_by_values() {
    const STORED: i64 = 271_828;
    let secret = || Scalar::Text("nancy@example.com".into());
    let opaque = Scalar::Opaque { opaque: r#"{"SS":["nancy@example.com"]}"#.into() };
    let rows = [secret(), opaque, Scalar::Number(STORED)].map(|scalar| Row::from([("free".into(), scalar)]));
    let conditions = [
        Condition::Absent,
        Condition::AtLeast("free".into(), STORED + 1),
        Condition::AtMost("free".into(), STORED - 1),
        Condition::Equals("free".into(), Scalar::Number(STORED + 1)),
        Condition::Equals("free".into(), text("other nancy@example.com")),
        Condition::Lacks("free".into()),
    ];
    let adding = || Change::Update([("free".into(), add(STORED, 0..=STORED))].into());
    let mut all = Vec::new();
    for row in &rows {
        all.extend(conditions.iter().map(|one| told(Change::Delete, vec![one.clone()], Some(row))));
        all.push(told(adding(), Vec::new(), Some(row)));
    }
    for told in &all {
        assert!(!["nancy", "2718", "SS"].iter().any(|value| told.contains(value)), "{told}");
    }
    let needs_number = "AtLeast(\"free\") does not hold";
    assert_eq!(all[1], format!("stock/a: {needs_number}: a text is stored, a whole number is needed"));
    assert_eq!(
        all[8],
        format!("stock/a: {needs_number}: what no field can have is stored, a whole number is needed")
    );
    assert_eq!(all[15], format!("stock/a: {needs_number}"));
    let adding = told(adding(), Vec::new(), None);
    assert_eq!(adding, "stock/a: adding to free needs a whole number, and a sum that its type can hold");
}

#[test]
fn an_undo_does_not_overwrite_what_came_after() {
    let set = BTreeMap::from([("state".into(), FieldChange::Set(text("new")))]);
    let write = Write { key: key(), change: Change::Update(set), guards: Vec::new() };
    let old = Row::from([("state".into(), text("old"))]);
    let inverse = write.inverse(Some(&old), DECLARED);
    let moved_on = Row::from([("state".into(), text("newer"))]);
    let condition = Condition::Equals("state".into(), text("new"));
    assert_eq!(inverse.unmet(Some(&moved_on)), Some(Unmet::Guard(&Guard { condition, refusal: None })));
}

#[test]
fn a_write_without_changes_only_checks() {
    let write = |change| Write { key: key(), change, guards: Vec::new() };
    assert!(write(Change::Update(BTreeMap::new())).only_checks());
    assert!(!write(Change::Update(BTreeMap::from([("free".into(), add(0, 0..=9))]))).only_checks());
    assert!(!write(Change::Delete).only_checks());
    assert!(!write(Change::Insert(Row::new())).only_checks());
}

#[test]
fn conditions_on_a_field_that_is_not_there_do_not_hold() {
    let row = Row::from([("state".into(), text("open"))]);
    for condition in [
        Condition::AtLeast("free".into(), 0),
        Condition::AtMost("free".into(), 0),
        Condition::AtMost("state".into(), 0),
        Condition::Equals("free".into(), Scalar::Number(0)),
    ] {
        assert!(!condition.holds(Some(&row)) && !condition.holds(None), "{condition:?}");
    }
}

#[test]
fn a_number_that_no_field_holds_is_compared_as_any_number() {
    let row = Row::from([("free".into(), Scalar::number("1.5").unwrap())]);
    let holds = |condition: Condition| condition.holds(Some(&row));
    assert!(holds(Condition::AtLeast("free".into(), 1)) && !holds(Condition::AtLeast("free".into(), 2)));
    assert!(holds(Condition::AtMost("free".into(), 2)) && !holds(Condition::AtMost("free".into(), 1)));
    assert!(holds(Condition::Equals("free".into(), Scalar::number("1.50").unwrap())));
}

#[test]
fn a_field_is_lacking_where_it_or_the_item_is_not_there() {
    let row = Row::from([("state".into(), text("open"))]);
    let lacks = |field: &'static str| Condition::Lacks(field.into());
    assert!(lacks("free").holds(Some(&row)) && lacks("free").holds(None));
    assert!(!lacks("state").holds(Some(&row)));
}
