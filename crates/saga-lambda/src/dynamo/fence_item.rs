//! A fence as an item.

use super::Item;
use aws_sdk_dynamodb::{
    primitives::{DateTime, DateTimeFormat},
    types::AttributeValue,
};
use saga::{
    Refusal, Refused, RunDigest, StepKey, Transaction, Unavailable,
    fence::{Fence, FenceState, Recorded, Standing},
    fence_table::{AT, CAUSE, ERROR, EXPIRES_AT, INVERSE, OUTPUT, RUN, SAGA_ID, STATE, STEP, TURN, WAS},
};
use serde_json::Value as Json;
use std::{
    collections::HashMap,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// The most bytes of an item, its names counted:
/// [400 KB](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html).
const MAX_ITEM_BYTES: usize = 400 * 1_024;

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
    pub(super) fn item(&self, key: &StepKey, recorded: &Recorded) -> Result<Item, Unavailable> {
        let now = SystemTime::now();
        let expires = (now + self.keep).duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let mut item = self::key(key);
        let mut put = |name: &str, value| item.insert(name.to_owned(), value);
        put(STATE, text(recorded.fence.state().as_str()));
        if let Some(run) = &recorded.run {
            put(RUN, text(run.as_str()));
        }
        if recorded.turn > 0 {
            put(TURN, AttributeValue::N(recorded.turn.to_string()));
        }
        put(EXPIRES_AT, AttributeValue::N(expires.to_string()));
        if let Ok(at) = DateTime::from(now).fmt(DateTimeFormat::DateTime) {
            put(AT, AttributeValue::S(at));
        }
        match &recorded.fence {
            Fence::Started | Fence::Undone | Fence::Abandoned { was: None } => {}
            Fence::Abandoned { was: Some(was) } => {
                put(WAS, text(was.as_str()));
            }
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
        check_size(&item)?;
        Ok(item)
    }
}

/// DynamoDB would refuse it on every delivery, and not say which item it means.
fn check_size(item: &Item) -> Result<(), Unavailable> {
    let size = |value: &AttributeValue| match value {
        AttributeValue::S(text) | AttributeValue::N(text) => text.len(),
        _ => 0,
    };
    let bytes: usize = item.iter().map(|(name, value)| name.len() + size(value)).sum();
    if bytes <= MAX_ITEM_BYTES {
        return Ok(());
    }
    let of = |name: &str| item.get(name).map_or(0, size);
    Err(about(
        item,
        &format!(
            "has {bytes} bytes, but DynamoDB takes {MAX_ITEM_BYTES}: {} for the output, {} for what undoes the step. \
             Write fewer or smaller rows, or several steps",
            of(OUTPUT),
            of(INVERSE)
        ),
    ))
}

/// The key of a fence.
pub(super) fn key(key: &StepKey) -> Item {
    [(SAGA_ID.to_owned(), text(key.saga_id.as_str())), (STEP.to_owned(), text(&key.place()))].into()
}

/// A condition with its names and values, in the form the SDK takes.
pub(super) type Condition = (String, Option<HashMap<String, String>>, Option<Item>);

/// The condition under which a transaction finds its fence in the expected state, of its run and of no later turn.
pub(super) fn condition(transaction: &Transaction) -> Condition {
    let Some(state) = transaction.expected else {
        return (format!("attribute_not_exists({SAGA_ID})"), None, None);
    };
    // `state` is a reserved word, and what is none today may be one tomorrow.
    let mut names = HashMap::from([("#state".to_owned(), STATE.to_owned())]);
    let mut values = Item::from([(":expected".to_owned(), text(state.as_str()))]);
    let mut condition = "#state = :expected".to_owned();
    if let Some(run) = &transaction.run {
        names.insert("#run".to_owned(), RUN.to_owned());
        values.insert(":run".to_owned(), text(run.as_str()));
        condition += " AND (attribute_not_exists(#run) OR #run = :run)";
    }
    // No other has a turn.
    if state == FenceState::Undone {
        names.insert("#turn".to_owned(), TURN.to_owned());
        values.insert(":turn".to_owned(), AttributeValue::N(transaction.turn.to_string()));
        condition += " AND (attribute_not_exists(#turn) OR #turn <= :turn)";
    }
    (condition, Some(names), Some(values))
}

/// What a failed fence condition means, given the item as it was.
pub(super) fn refused(old: Option<&Item>) -> Refused {
    match old.filter(|item| !item.is_empty()).map(parse).transpose() {
        Ok(fence) => Refused::Fence(fence),
        Err(unavailable) => Refused::Unavailable(unavailable),
    }
}

/// Reads a fence.
pub(super) fn parse(item: &Item) -> Result<Recorded, Unavailable> {
    let fence = match state(item, STATE)? {
        FenceState::Started => Fence::Started,
        FenceState::Undone => Fence::Undone,
        FenceState::Rejected => Fence::Rejected(Refusal {
            error: member(item, ERROR)?.into(),
            cause: member(item, CAUSE)?.into(),
        }),
        FenceState::Done => {
            let output: Json = json(item, OUTPUT)?;
            Fence::Done { output, inverse: json(item, INVERSE)? }
        }
        FenceState::Abandoned => Fence::Abandoned { was: was(item)? },
    };
    Ok(Recorded { run: run(item)?, turn: turn(item)?, fence })
}

/// Reads how it stands with a fence, and nothing of what it records.
pub(super) fn standing(item: &Item) -> Result<Standing, Unavailable> {
    Ok(Standing { run: run(item)?, turn: turn(item)?, state: state(item, STATE)?, was: was(item)? })
}

fn was(item: &Item) -> Result<Option<FenceState>, Unavailable> {
    item.contains_key(WAS).then(|| state(item, WAS)).transpose()
}

fn run(item: &Item) -> Result<Option<RunDigest>, Unavailable> {
    if !item.contains_key(RUN) {
        return Ok(None);
    }
    let run = member(item, RUN)?.parse();
    run.map(Some).map_err(|_| unreadable(item, &format!("its `{RUN}` is no digest")))
}

fn turn(item: &Item) -> Result<u32, Unavailable> {
    let number = match item.get(TURN) {
        None => Some(0),
        Some(turn) => turn.as_n().ok().and_then(|turn| turn.parse().ok()),
    };
    number.ok_or_else(|| unreadable(item, &format!("its `{TURN}` is no small number")))
}

fn state(item: &Item, name: &str) -> Result<FenceState, Unavailable> {
    let given = member(item, name)?;
    FenceState::named(given)
        .ok_or_else(|| unreadable(item, &format!("its `{name}` is none that this release knows")))
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
    about(item, &format!("cannot be read: {why}"))
}

fn about(item: &Item, what: &str) -> Unavailable {
    let key = |name: &str| item.get(name).and_then(|value| value.as_s().ok()).map_or("?", String::as_str);
    Unavailable(format!("the fence {}/{} {what}", key(SAGA_ID), key(STEP)))
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use saga::{Change, Condition, Guard, RowKey, Scalar, Write};
    use serde_json::json;

    fn table() -> FenceTable {
        FenceTable { name: "fences".into(), keep: Duration::from_secs(60) }
    }

    fn fence_key() -> StepKey {
        StepKey::at("o-1".parse().unwrap(), "order/reserve-stock").unwrap()
    }

    fn recorded(fence: Fence) -> Recorded {
        Recorded { run: Some(RunDigest::of(&json!(1))), turn: 0, fence }
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
            prop::option::of(prop::sample::select(&FenceState::ALL[..]))
                .prop_map(|was| Fence::Abandoned { was }),
            (".{0,20}", ".{0,40}").prop_map(|(error, cause)| Fence::Rejected(Refusal { error, cause })),
        ]
    }

    #[test]
    fn a_fence_that_dynamodb_does_not_take_is_refused_with_what_is_large() {
        // Beside the output, an item has some 150 bytes: its times are not always as long.
        let item = |bytes| {
            let done = Fence::Done { output: json!("x".repeat(bytes)), inverse: Vec::new() };
            table().item(&fence_key(), &recorded(done))
        };
        assert!(item(409_300).is_ok());
        let refused = item(409_600).unwrap_err().to_string();
        assert!(refused.contains("the fence o-1/order/reserve-stock has 409"), "{refused}");
        assert!(
            refused.contains("DynamoDB takes 409600: 409602 for the output, 2 for what undoes"),
            "{refused}"
        );
    }

    proptest! {
        #[test]
        fn a_fence_survives_its_item(fence in any_fence(), turn: u32, version_1: bool) {
            let run = (!version_1).then(|| RunDigest::of(&json!(1)));
            let recorded = Recorded { run, turn, fence };
            let item = table().item(&fence_key(), &recorded).unwrap();
            prop_assert_eq!(parse(&item), Ok(recorded));
        }
    }

    #[test]
    fn an_item_has_its_key_its_time_and_its_expiry() {
        let item = table().item(&fence_key(), &recorded(Fence::Started)).unwrap();
        assert_eq!(item["saga_id"], text("o-1"));
        assert_eq!(item["step"], text("order/reserve-stock"));
        assert_eq!(item["run"], text(RunDigest::of(&json!(1)).as_str()));
        let expires: u64 = item["expires_at"].as_n().unwrap().parse().unwrap();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        assert!((now + 59..=now + 61).contains(&expires));
        assert!(item["at"].as_s().unwrap().ends_with('Z'));
    }

    #[test]
    fn an_unreadable_fence_says_which_and_why_and_not_what() {
        let mut item = table().item(&fence_key(), &recorded(done())).unwrap();
        item.insert(OUTPUT.into(), text("\"secret"));
        let of_state = Standing { run: recorded(done()).run, turn: 0, state: FenceState::Done, was: None };
        assert_eq!(standing(&item), Ok(of_state), "it can still be gone without");
        let error = parse(&item).unwrap_err().to_string();
        assert!(
            error.contains("the fence o-1/order/reserve-stock cannot be read: its `output` does not fit"),
            "{error}"
        );
        assert!(!error.contains("secret"));
        item.insert(STATE.into(), text("dreaming"));
        assert!(
            parse(&item).unwrap_err().to_string().ends_with("its `state` is none that this release knows")
        );
        item.insert(STATE.into(), text("undone"));
        item.insert(TURN.into(), text("1"));
        assert!(parse(&item).unwrap_err().to_string().ends_with("its `turn` is no small number"));
        item.insert(RUN.into(), text("today"));
        assert!(parse(&item).unwrap_err().to_string().ends_with("its `run` is no digest"));
        assert!(parse(&Item::new()).unwrap_err().to_string().contains("it has no text `state`"));
    }
}
