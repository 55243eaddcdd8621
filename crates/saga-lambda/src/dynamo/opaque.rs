//! An attribute that no field can have, because somebody else put it on an item: kept as text, in DynamoDB's own JSON.

use aws_sdk_dynamodb::types::AttributeValue;
use aws_smithy_types::{Blob, base64};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

/// The text of an attribute. Equal attributes have equal texts: sets and maps, which have no order, are sorted.
pub(super) fn text(attribute: &AttributeValue) -> String {
    to_json(attribute).to_string()
}

/// The attribute of a text.
pub(super) fn attribute(text: &str) -> Option<AttributeValue> {
    of_json(&serde_json::from_str(text).ok()?)
}

fn to_json(attribute: &AttributeValue) -> Json {
    let sorted = |mut members: Vec<String>| {
        members.sort_unstable();
        members
    };
    match attribute {
        AttributeValue::S(text) => json!({ "S": text }),
        AttributeValue::N(number) => json!({ "N": number }),
        AttributeValue::B(bytes) => json!({ "B": base64::encode(bytes) }),
        AttributeValue::Bool(is) => json!({ "BOOL": is }),
        AttributeValue::Null(is) => json!({ "NULL": is }),
        AttributeValue::Ss(texts) => json!({ "SS": sorted(texts.clone()) }),
        AttributeValue::Ns(numbers) => json!({ "NS": sorted(numbers.clone()) }),
        AttributeValue::Bs(blobs) => json!({ "BS": sorted(blobs.iter().map(base64::encode).collect()) }),
        AttributeValue::L(list) => json!({ "L": list.iter().map(to_json).collect::<Vec<_>>() }),
        AttributeValue::M(members) => {
            let members: BTreeMap<_, _> =
                members.iter().map(|(name, value)| (name, to_json(value))).collect();
            json!({ "M": members })
        }
        // A type that this SDK does not know yet. Nothing is its text, so nothing is written that would lose it.
        _ => json!({}),
    }
}

fn of_json(json: &Json) -> Option<AttributeValue> {
    let (kind, value) = json.as_object()?.iter().next()?;
    let text = |json: &Json| json.as_str().map(str::to_owned);
    let blob = |json: &Json| base64::decode(json.as_str()?).ok().map(Blob::new);
    Some(match kind.as_str() {
        "S" => AttributeValue::S(text(value)?),
        "N" => AttributeValue::N(text(value)?),
        "B" => AttributeValue::B(blob(value)?),
        "BOOL" => AttributeValue::Bool(value.as_bool()?),
        "NULL" => AttributeValue::Null(value.as_bool()?),
        "SS" => AttributeValue::Ss(value.as_array()?.iter().map(text).collect::<Option<_>>()?),
        "NS" => AttributeValue::Ns(value.as_array()?.iter().map(text).collect::<Option<_>>()?),
        "BS" => AttributeValue::Bs(value.as_array()?.iter().map(blob).collect::<Option<_>>()?),
        "L" => AttributeValue::L(value.as_array()?.iter().map(of_json).collect::<Option<_>>()?),
        "M" => {
            let members = value.as_object()?.iter();
            AttributeValue::M(
                members.map(|(name, value)| Some((name.clone(), of_json(value)?))).collect::<Option<_>>()?,
            )
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn attribute_value() -> impl Strategy<Value = AttributeValue> {
        let bytes = || prop::collection::vec(any::<u8>(), 0..4).prop_map(Blob::new);
        let leaf = prop_oneof![
            ".{0,4}".prop_map(AttributeValue::S),
            "-?[1-9]\\.[1-9]".prop_map(AttributeValue::N),
            bytes().prop_map(AttributeValue::B),
            any::<bool>().prop_map(AttributeValue::Bool),
            Just(AttributeValue::Null(true)),
            prop::collection::btree_set(".{0,4}", 1..4)
                .prop_map(|texts| AttributeValue::Ss(texts.into_iter().collect())),
            prop::collection::btree_set("[1-9]", 1..4)
                .prop_map(|numbers| AttributeValue::Ns(numbers.into_iter().collect())),
            bytes().prop_map(|bytes| AttributeValue::Bs(vec![bytes])),
        ];
        leaf.prop_recursive(3, 12, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(AttributeValue::L),
                prop::collection::hash_map("[a-c]", inner, 0..3).prop_map(AttributeValue::M),
            ]
        })
    }

    proptest! {
        #[test]
        fn an_attribute_survives_its_text(value in attribute_value()) {
            prop_assert_eq!(attribute(&text(&value)), Some(value));
        }
    }

    #[test]
    fn what_has_no_order_has_one_text() {
        let texts = |texts: [&str; 2]| AttributeValue::Ss(texts.map(str::to_owned).into());
        assert_eq!(text(&texts(["b", "a"])), r#"{"SS":["a","b"]}"#);
        assert_eq!(text(&texts(["a", "b"])), text(&texts(["b", "a"])));
    }

    #[test]
    fn a_text_of_no_attribute_is_none() {
        for text in ["", "{}", "7", r#"{"BOOL":1}"#, r#"{"L":[{"?":1}]}"#] {
            assert_eq!(attribute(text), None, "{text}");
        }
    }
}
