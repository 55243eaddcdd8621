//! A dead letter, as much of it as may be shown. Pure.

use super::run::time;
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};
use saga::{Definition, ItemId, SagaId, dead_letter};
use serde::Serialize;
use serde_json::Value as Json;

/// The operations of requests.
const OPS: [&str; 4] = ["run", "undo", "settle", "abandon"];

/// The events of customers.
const EVENTS: [&str; 2] = ["OrderPlaced", "CancelOrder"];

/// How many characters of a saga id the name of a settling execution has at most.
const SHOWN_AT_MOST: usize = 40;

/// How executions die.
const DEATHS: [&str; 3] = ["FAILED", "TIMED_OUT", "ABORTED"];

/// Why Lambda gives up a call.
const CONDITIONS: [&str; 2] = ["EventAgeExceeded", "RetriesExhausted"];

/// A message that nobody could handle. Of its body only the names that this release knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeadLetter {
    /// The function whose queue it was in, or the name of a queue of what was refused.
    pub queue: String,
    /// The id it has here.
    pub message_id: String,
    /// The id it had in the function's queue, as in the function's log.
    pub logged_as: String,
    /// The saga's name.
    pub saga: Option<String>,
    /// The saga id.
    pub id: Option<String>,
    /// The step, of a request.
    pub step: Option<String>,
    /// Which item, of a request of a step that runs once for each.
    pub item: Option<String>,
    /// `run`, `undo`, `settle` or `abandon`, of a request.
    pub op: Option<String>,
    /// The type of a notice or of a customer's event; of an execution that died its
    /// status, for example `ABORTED`; `sweep` of a sweep for such executions; `schedule` of a call by a schedule.
    pub event: Option<String>,
    /// Why nobody could handle it; none when the function ended before it could say.
    pub reason: Option<String>,
    /// How often it was delivered, if the function could say.
    pub deliveries: Option<u64>,
    /// Since when it is here, RFC 3339; for one that SQS moved by itself, since when it exists.
    pub since: Option<String>,
}

/// What may be shown of a message in the dead-letter queue of a function.
pub(super) fn dead_letter(sagas: &[Definition], function: &str, message: &Message) -> DeadLetter {
    let body = body_of(message);
    let member = |name: &str| body[name].as_str();
    let told = |name: &str| message.message_attributes.as_ref()?.get(name)?.string_value.clone();
    let known_step = |given: &&str| sagas.iter().flat_map(Definition::steps).any(|step| step.name == *given);
    let message_id = message.message_id.clone().unwrap_or_default();
    DeadLetter {
        queue: function.to_owned(),
        logged_as: told(dead_letter::MESSAGE_ID).unwrap_or_else(|| message_id.clone()),
        message_id,
        saga: member("saga").filter(|given| sagas.iter().any(|saga| saga.name == *given)).map(str::to_owned),
        id: member("id").or_else(|| member("order_id")).and_then(saga_id).or_else(|| id_of_dead(&body)),
        step: member("step").filter(known_step).map(str::to_owned),
        item: member("item").and_then(|given| given.parse::<ItemId>().ok()).map(String::from),
        op: member("op").filter(|given| OPS.contains(given)).map(str::to_owned),
        event: event_of(sagas, &body),
        reason: told(dead_letter::REASON),
        deliveries: told(dead_letter::DELIVERIES).and_then(|count| count.parse().ok()),
        since: since(message),
    }
}

/// What may be shown of a refused order: the names of the fields that are wrong, and not what is said about them.
pub(super) fn refused_order(sagas: &[Definition], queue: &str, message: &Message) -> DeadLetter {
    let body = body_of(message);
    let reasons = body["reasons"].as_array().map(Vec::as_slice).unwrap_or_default();
    let fields: Vec<_> = reasons.iter().filter_map(|reason| reason["field"].as_str()).collect();
    let message_id = message.message_id.clone().unwrap_or_default();
    DeadLetter {
        queue: queue.to_owned(),
        logged_as: message_id.clone(),
        message_id,
        saga: None,
        id: body["event"]["order_id"].as_str().and_then(saga_id),
        step: None,
        item: None,
        op: None,
        event: event_of(sagas, &body["event"]),
        reason: (!fields.is_empty()).then(|| format!("refused: {}", fields.join(", "))),
        deliveries: None,
        since: since(message),
    }
}

/// What may be shown of a failed call of a function by its schedule.
/// <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html>
pub(super) fn failed_call(function: &str, message: &Message) -> DeadLetter {
    let condition = &body_of(message)["requestContext"]["condition"];
    let known = condition.as_str().filter(|condition| CONDITIONS.contains(condition));
    let message_id = message.message_id.clone().unwrap_or_default();
    DeadLetter {
        queue: function.to_owned(),
        logged_as: message_id.clone(),
        message_id,
        saga: None,
        id: None,
        step: None,
        item: None,
        op: None,
        event: Some("schedule".to_owned()),
        reason: known.map(str::to_owned),
        deliveries: None,
        since: since(message),
    }
}

/// The body as JSON; null when it is none. A topic that does not deliver raw wraps it.
fn body_of(message: &Message) -> Json {
    let json = |text: &str| serde_json::from_str::<Json>(text).unwrap_or_default();
    let body = json(message.body.as_deref().unwrap_or_default());
    match body["Message"].as_str() {
        Some(wrapped) if body["Type"] == "Notification" => json(wrapped),
        _ => body,
    }
}

fn saga_id(given: &str) -> Option<String> {
    SagaId::try_from(given.to_owned()).ok().map(String::from)
}

/// The saga id in the event about an execution that died. A large input is left out of it.
/// <https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html>
fn id_of_dead(body: &Json) -> Option<String> {
    let detail = &body["detail"];
    let input = detail["input"].as_str().and_then(|input| serde_json::from_str::<Json>(input).ok());
    let id = input.as_ref().and_then(|input| input["id"].as_str()).and_then(saga_id);
    id.or_else(|| detail["name"].as_str().and_then(id_in_name))
}

/// The saga id in the name of an execution: the name itself, or of a settling one what stands before the `.`, unless that
/// is as long as it can be and may be cut: see [`saga::Settling::execution_name`].
fn id_in_name(name: &str) -> Option<String> {
    match name.split_once('.') {
        None => saga_id(name),
        Some((shown, _)) => saga_id(shown).filter(|_| shown.len() < SHOWN_AT_MOST),
    }
}

fn event_of(sagas: &[Definition], body: &Json) -> Option<String> {
    if let Some(status) = body["detail"]["status"].as_str() {
        return DEATHS.contains(&status).then(|| status.to_owned());
    }
    if body["sweep"] == true {
        return Some("sweep".to_owned());
    }
    let given = body["type"].as_str()?;
    let mut notices = sagas.iter().flat_map(Definition::notices);
    let known = EVENTS.contains(&given) || notices.any(|notice| notice.name == given);
    known.then(|| given.to_owned())
}

fn since(message: &Message) -> Option<String> {
    let sent = message.attributes.as_ref()?.get(&MessageSystemAttributeName::SentTimestamp)?;
    time(&aws_sdk_sfn::primitives::DateTime::from_millis(sent.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_sqs::types::MessageAttributeValue;
    use serde_json::json;

    const SECRET: &str = "nancy@example.com";

    fn message(body: &Json, attributes: &[(&str, &str)]) -> Message {
        let mut message = Message::builder()
            .message_id("m-2")
            .body(body.to_string())
            .attributes(MessageSystemAttributeName::SentTimestamp, "1767323045000");
        for (name, value) in attributes {
            let value = MessageAttributeValue::builder().data_type("String").string_value(*value);
            message = message.message_attributes(*name, value.build().unwrap());
        }
        message.build()
    }

    #[test]
    fn a_request_shows_its_names_and_its_reason() {
        let body = json!({
            "v": 2, "saga": "order", "id": "o-1", "execution": "o-1", "step": "reserve-stock", "item": "2", "op": "run",
            "token": "s3cret", "input": { "order": { "customer": { "email": SECRET } } },
        });
        let attributes = [("reason", "the shelf is locked"), ("message_id", "m-1"), ("deliveries", "5")];
        let letter = dead_letter(&sagas::all(), "inventory", &message(&body, &attributes));
        let text = |text: &str| Some(text.to_owned());
        let expected = DeadLetter {
            queue: "inventory".to_owned(),
            message_id: "m-2".to_owned(),
            logged_as: "m-1".to_owned(),
            saga: text("order"),
            id: text("o-1"),
            step: text("reserve-stock"),
            item: text("2"),
            op: text("run"),
            event: None,
            reason: text("the shelf is locked"),
            deliveries: Some(5),
            since: text("2026-01-02T03:04:05Z"),
        };
        assert_eq!(letter, expected);
    }

    #[test]
    fn what_this_release_does_not_know_is_not_shown() {
        let body = json!({ "saga": SECRET, "id": SECRET, "step": SECRET, "op": SECRET, "type": SECRET });
        let letter = dead_letter(&sagas::all(), "inventory", &message(&body, &[]));
        assert!(!format!("{letter:?}").contains(SECRET), "{letter:?}");
        assert_eq!((letter.logged_as.as_str(), letter.reason), ("m-2", None));
        let letter = dead_letter(&sagas::all(), "inventory", &Message::builder().body("{oops").build());
        assert_eq!((letter.id, letter.step), (None, None));
    }

    #[test]
    fn events_and_notices_show_their_type_and_order() {
        let event = json!({ "type": "CancelOrder", "order_id": "o-1", "customer": { "email": SECRET } });
        let wrapped = json!({ "Type": "Notification", "Message": event.to_string() });
        for body in [event, wrapped] {
            let letter = dead_letter(&sagas::all(), "order-intake", &message(&body, &[]));
            assert_eq!((letter.event.as_deref(), letter.id.as_deref()), (Some("CancelOrder"), Some("o-1")));
        }
        let notice = json!({ "v": 1, "type": "OrderConfirmed", "saga": "order", "id": "o-1", "input": {} });
        let letter = dead_letter(&sagas::all(), "notification", &message(&notice, &[]));
        assert_eq!(
            (letter.event.as_deref(), letter.saga.as_deref()),
            (Some("OrderConfirmed"), Some("order"))
        );
    }

    #[test]
    fn an_execution_that_could_not_be_settled_shows_its_saga() {
        let input = json!({ "v": 1, "id": "o-1", "input": { "email": SECRET } }).to_string();
        let mut body = json!({ "detail": { "name": "o-1.settle-0", "status": "ABORTED", "input": input } });
        let told = |body: &Json| {
            let letter = dead_letter(&sagas::all(), "rescue", &message(body, &[]));
            (letter.id, letter.event)
        };
        assert_eq!(told(&body), (Some("o-1".to_owned()), Some("ABORTED".to_owned())));
        body["detail"]["input"] = Json::Null;
        assert_eq!(told(&body).0.as_deref(), Some("o-1"));
        let cut = saga::Settling::execution_name(&"x".repeat(41).parse().unwrap(), "arn");
        body["detail"]["name"] = json!(cut);
        assert_eq!(told(&body).0, None, "it may be cut");
        let sweep = serde_json::from_str(saga::rescue::SWEEP).unwrap();
        assert_eq!(told(&sweep), (None, Some("sweep".to_owned())));
    }

    #[test]
    fn a_failed_call_shows_why_lambda_gave_it_up() {
        let record =
            json!({ "requestContext": { "condition": "RetriesExhausted" }, "responsePayload": SECRET });
        let letter = failed_call("reconcile", &message(&record, &[]));
        assert_eq!(letter.reason.as_deref(), Some("RetriesExhausted"));
        assert_eq!(failed_call("reconcile", &message(&json!({}), &[])).reason, None);
    }

    #[test]
    fn a_refused_order_shows_which_fields_are_wrong() {
        let reasons =
            json!([{ "field": "currency", "problem": SECRET }, { "field": "lines[0].sku", "problem": "" }]);
        let body = json!({ "reasons": reasons, "event": { "type": "OrderPlaced", "order_id": "o-1" } });
        let letter = refused_order(&sagas::all(), "refused-orders", &message(&body, &[]));
        assert_eq!(letter.reason.as_deref(), Some("refused: currency, lines[0].sku"));
        assert_eq!((letter.id.as_deref(), letter.event.as_deref()), (Some("o-1"), Some("OrderPlaced")));
    }
}
