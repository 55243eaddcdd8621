//! What the comparison lets pass, a validator lets pass.

use super::*;
use proptest::{prelude::*, strategy::ValueTree};
use serde_json::json;

/// A schema of the shapes that types of serde have, and one like it.
fn schemas() -> impl Strategy<Value = (Json, Json)> {
    let leaf = prop_oneof![
        Just(json!({ "type": "string" })),
        Just(json!({ "type": "null" })),
        Just(json!({ "type": "boolean" })),
        Just(json!({ "type": ["string", "null"] })),
        (0..4_i64, 4..8_i64)
            .prop_map(|(low, high)| json!({ "type": "integer", "minimum": low, "maximum": high })),
        (0..4_i64).prop_map(|low| json!({ "type": "number", "exclusiveMinimum": low })),
        (0..3_u64, 3..5_u64)
            .prop_map(|(least, most)| json!({ "type": "string", "minLength": least, "maxLength": most })),
        prop::sample::subsequence(vec!["a", "b", "c"], 1..=3).prop_map(|names| json!({ "enum": names })),
    ];
    let schema = leaf.prop_recursive(3, 12, 3, |inner| {
        let members = prop::collection::btree_map("[xyz]", (inner.clone(), any::<bool>()), 0..3);
        let object = (members, prop_oneof![Just(None), Just(Some(false))]).prop_map(|(members, closed)| {
            let required: Vec<_> =
                members.iter().filter(|(_, (_, required))| *required).map(|(name, _)| name.clone()).collect();
            let properties: BTreeMap<_, _> =
                members.into_iter().map(|(name, (schema, _))| (name, schema)).collect();
            let mut object = json!({ "type": "object", "properties": properties, "required": required });
            if let Some(closed) = closed {
                object["additionalProperties"] = closed.into();
            }
            object
        });
        let pair = (inner.clone(), inner.clone()).prop_map(
            |(a, b)| json!({ "type": "array", "prefixItems": [a, b], "minItems": 2, "maxItems": 2 }),
        );
        prop_oneof![
            object,
            pair,
            inner.clone().prop_map(|items| json!({ "type": "array", "items": items })),
            inner.clone().prop_map(|others| json!({ "type": "object", "additionalProperties": others })),
            (inner.clone(), inner).prop_map(|(a, b)| json!({ "anyOf": [a, b] })),
        ]
    });
    (schema.clone(), schema, any::<prop::sample::Index>()).prop_map(|(old, other, place)| {
        // Mostly alike, so that a change is in one place.
        let places = count(&old);
        let mut new = old.clone();
        replace(&mut new, &mut place.index(places), &other);
        (old, new)
    })
}

fn inside(schema: &mut Json) -> Vec<&mut Json> {
    let Some(map) = schema.as_object_mut() else { return Vec::new() };
    let mut all = Vec::new();
    for (keyword, value) in map {
        match (keyword.as_str(), value) {
            ("properties", Json::Object(members)) => all.extend(members.values_mut()),
            ("prefixItems" | "anyOf", Json::Array(schemas)) => all.extend(schemas),
            ("items" | "additionalProperties", value @ Json::Object(_)) => all.push(value),
            _ => {}
        }
    }
    all
}

fn count(schema: &Json) -> usize {
    1 + inside(&mut schema.clone()).into_iter().map(|schema| count(schema)).sum::<usize>()
}

/// Replaces the schema that is at this place when they are counted from outside.
fn replace(schema: &mut Json, place: &mut usize, other: &Json) {
    if *place == 0 {
        *schema = other.clone();
        *place = usize::MAX;
        return;
    }
    for schema in inside(schema) {
        if *place != usize::MAX {
            *place -= 1;
            replace(schema, place, other);
        }
    }
}

/// Something that is valid, as a program of the old release would write it: without members that it does not know.
fn instance(schema: &Json, choice: &mut impl FnMut(usize) -> usize) -> Json {
    if let Some(branches) = schema["anyOf"].as_array() {
        return instance(&branches[choice(branches.len())], choice);
    }
    if let Some(values) = schema["enum"].as_array() {
        return values[choice(values.len())].clone();
    }
    let type_name = match &schema["type"] {
        Json::Array(types) => types[choice(types.len())].as_str(),
        one => one.as_str(),
    };
    let number = |keyword: &str, otherwise: u64| schema[keyword].as_u64().unwrap_or(otherwise);
    match type_name {
        Some("null") => Json::Null,
        Some("boolean") => Json::Bool(choice(2) == 1),
        Some("integer") => {
            let (low, high) = (number("minimum", 0), number("maximum", 9));
            json!(low + choice((high - low + 1) as usize) as u64)
        }
        Some("number") => json!(number("exclusiveMinimum", 0) as f64 + 0.25 + choice(9) as f64 / 2.0),
        Some("string") => {
            let (least, most) = (number("minLength", 0), number("maxLength", 6));
            "ä".repeat((least + choice((most - least + 1) as usize) as u64) as usize).into()
        }
        Some("array") => match schema["prefixItems"].as_array() {
            Some(items) => items.iter().map(|item| instance(item, choice)).collect(),
            None => (0..choice(3)).map(|_| instance(&schema["items"], choice)).collect(),
        },
        _ => {
            let mut object = serde_json::Map::new();
            for (name, member) in schema["properties"].as_object().into_iter().flatten() {
                let required =
                    schema["required"].as_array().is_some_and(|names| names.contains(&json!(name)));
                if required || choice(2) == 1 {
                    object.insert(name.clone(), instance(member, choice));
                }
            }
            if schema["additionalProperties"].is_object() {
                for name in ["x", "q"].into_iter().take(choice(3)) {
                    object.insert(name.into(), instance(&schema["additionalProperties"], choice));
                }
            }
            object.into()
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn what_passes_can_be_read((old, new) in schemas(), seed in any::<[prop::sample::Index; 64]>()) {
        let none = Definitions::new();
        let mismatches = mismatches((&old, &none), (&new, &none));
        let reader = jsonschema::draft202012::new(&new).unwrap();
        let writer = jsonschema::draft202012::new(&old).unwrap();
        let mut drawn = 0;
        for _ in 0..8 {
            let mut choice = |most: usize| {
                drawn += 1;
                seed[drawn % seed.len()].index(most)
            };
            let written = instance(&old, &mut choice);
            prop_assert!(writer.is_valid(&written), "{written} is not valid under {old}");
            if mismatches.is_empty() {
                prop_assert!(reader.is_valid(&written), "{written} was valid under {old} and is not under {new}");
            }
        }
    }

    #[test]
    fn nothing_is_said_of_what_stayed((old, _) in schemas()) {
        // Another definition beside it keeps the comparison from ending before it begins.
        let more = Definitions::from([("Other".to_owned(), Json::Bool(true))]);
        prop_assert_eq!(mismatches((&old, &Definitions::new()), (&old, &more)), []);
    }
}

/// So that the property above is not empty: of these changes a good part passes, and a good part does not.
#[test]
fn changes_of_both_kinds_are_tried() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let none = Definitions::new();
    let passed = (0..400)
        .filter(|_| {
            let (old, new) = schemas().new_tree(&mut runner).unwrap().current();
            old != new && mismatches((&old, &none), (&new, &none)).is_empty()
        })
        .count();
    assert!((20..380).contains(&passed), "{passed} of 400 pass");
}
