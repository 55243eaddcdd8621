//! A fence as an item.

use super::Item;
use aws_sdk_dynamodb::{
    primitives::{DateTime, DateTimeFormat},
    types::AttributeValue,
};
use saga::{
    Refusal, Refused, Unavailable,
    fence::{Fence, FenceKey, FenceState},
    fence_table::{AT, CAUSE, ERROR, EXPIRES_AT, INVERSE, OUTPUT, SAGA_ID, STATE, STEP},
};
use serde_json::Value as Json;
use std::{
    collections::HashMap,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// The table of a participant's fences.
#[derive(Debug, Clone)]
pub(super) struct FenceTable {
    /// Its name.
    pub(super) name: String,
    /// How long a fence is kept after its last change.
    pub(super) keep: Duration,
}

impl FenceTable {
    /// The whole item of a fence.
    pub(super) fn item(&self, key: &FenceKey, fence: &Fence) -> Result<Item, Unavailable> {
        let now = SystemTime::now();
        let expires = (now + self.keep).duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let mut item = self::key(key);
        let mut put = |name: &str, value| item.insert(name.to_owned(), value);
        put(STATE, text(fence.state().as_str()));
        put(EXPIRES_AT, AttributeValue::N(expires.to_string()));
        if let Ok(at) = DateTime::from(now).fmt(DateTimeFormat::DateTime) {
            put(AT, AttributeValue::S(at));
        }
        match fence {
            Fence::Started | Fence::Undone => {}
            Fence::Done { output, inverse } => {
                let inverse = serde_json::to_string(inverse)
                    .map_err(|error| Unavailable(format!("the inverse is not JSON: {error}")))?;
                put(OUTPUT, AttributeValue::S(output.to_string()));
                put(INVERSE, AttributeValue::S(inverse));
            }
            Fence::Rejected(Refusal { error, cause }) => {
                put(ERROR, text(error));
                put(CAUSE, text(cause));
            }
        }
        Ok(item)
    }
}

/// The key of a fence.
pub(super) fn key(key: &FenceKey) -> Item {
    [(SAGA_ID.to_owned(), text(key.saga_id.as_str())), (STEP.to_owned(), text(key.step))].into()
}

/// A condition with its names and values, in the form the SDK takes.
pub(super) type Condition = (String, Option<HashMap<String, String>>, Option<Item>);

/// The condition under which a fence is in the expected state.
pub(super) fn condition(expected: Option<FenceState>) -> Condition {
    match expected {
        None => (format!("attribute_not_exists({SAGA_ID})"), None, None),
        Some(state) => (
            // `state` is a reserved word.
            "#state = :expected".into(),
            Some([("#state".to_owned(), STATE.to_owned())].into()),
            Some([(":expected".to_owned(), text(state.as_str()))].into()),
        ),
    }
}

/// What a failed fence condition means, given the item as it was.
pub(super) fn refused(old: Option<&Item>) -> Refused {
    match old.filter(|item| !item.is_empty()).map(parse).transpose() {
        Ok(fence) => Refused::Fence(fence),
        Err(unavailable) => Refused::Unavailable(unavailable),
    }
}

/// Reads a fence.
pub(super) fn parse(item: &Item) -> Result<Fence, Unavailable> {
    let fence = match member(item, STATE)? {
        "started" => Fence::Started,
        "undone" => Fence::Undone,
        "rejected" => Fence::Rejected(Refusal {
            error: member(item, ERROR)?.into(),
            cause: member(item, CAUSE)?.into(),
        }),
        "done" => {
            let output: Json = json(item, OUTPUT)?;
            Fence::Done { output, inverse: json(item, INVERSE)? }
        }
        other => return Err(unreadable(item, &format!("its state is `{other}`"))),
    };
    Ok(fence)
}

fn member<'a>(item: &'a Item, name: &str) -> Result<&'a str, Unavailable> {
    match item.get(name) {
        Some(AttributeValue::S(text)) => Ok(text),
        _ => Err(unreadable(item, &format!("it has no text `{name}`"))),
    }
}

fn json<T: serde::de::DeserializeOwned>(item: &Item, name: &str) -> Result<T, Unavailable> {
    serde_json::from_str(member(item, name)?)
        // Not the error's text: it quotes what is stored.
        .map_err(|error| unreadable(item, &format!("its `{name}` does not fit at column {}", error.column())))
}

fn unreadable(item: &Item, why: &str) -> Unavailable {
    let key = |name: &str| item.get(name).and_then(|value| value.as_s().ok()).map_or("?", String::as_str);
    Unavailable(format!("the fence {}/{} cannot be read: {why}", key(SAGA_ID), key(STEP)))
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use saga::{Change, Condition, Guard, RowKey, SagaId, Scalar, Write};
    use serde_json::json;

    fn table() -> FenceTable {
        FenceTable { name: "fences".into(), keep: Duration::from_secs(60) }
    }

    fn fence_key() -> FenceKey {
        FenceKey { saga_id: SagaId::try_from("o-1".to_owned()).unwrap(), step: "reserve-stock" }
    }

    fn done() -> Fence {
        let key = RowKey { entity: "stock".into(), attribute: "sku".into(), value: "nw-1".into() };
        let guards = vec![Guard { condition: Condition::AtLeast("reserved".into(), 3), refusal: None }];
        let row =
            [("available".into(), Scalar::Number(-3)), ("name".into(), Scalar::Text("Chai \"1\"".into()))];
        Fence::Done {
            output: json!({ "units": 3 }),
            inverse: vec![Write { key, change: Change::Insert(row.into()), guards }],
        }
    }

    fn any_fence() -> impl Strategy<Value = Fence> {
        prop_oneof![
            Just(Fence::Started),
            Just(Fence::Undone),
            Just(done()),
            (".{0,20}", ".{0,40}").prop_map(|(error, cause)| Fence::Rejected(Refusal { error, cause })),
        ]
    }

    proptest! {
        #[test]
        fn a_fence_survives_its_item(fence in any_fence()) {
            let item = table().item(&fence_key(), &fence).unwrap();
            prop_assert_eq!(parse(&item), Ok(fence));
        }
    }

    #[test]
    fn an_item_has_its_key_its_time_and_its_expiry() {
        let item = table().item(&fence_key(), &Fence::Started).unwrap();
        assert_eq!(item["saga_id"], text("o-1"));
        assert_eq!(item["step"], text("reserve-stock"));
        let expires: u64 = item["expires_at"].as_n().unwrap().parse().unwrap();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        assert!((now + 59..=now + 61).contains(&expires));
        assert!(item["at"].as_s().unwrap().ends_with('Z'));
    }

    #[test]
    fn an_unreadable_fence_says_which_and_why_and_not_what() {
        let mut item = table().item(&fence_key(), &done()).unwrap();
        item.insert(OUTPUT.into(), text("\"secret"));
        let error = parse(&item).unwrap_err().to_string();
        assert!(
            error.contains("the fence o-1/reserve-stock cannot be read: its `output` does not fit"),
            "{error}"
        );
        assert!(!error.contains("secret"));
        item.insert(STATE.into(), text("dreaming"));
        assert!(parse(&item).unwrap_err().to_string().ends_with("its state is `dreaming`"));
        assert!(parse(&Item::new()).unwrap_err().to_string().contains("it has no text `state`"));
    }
}
