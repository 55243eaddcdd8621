//! Keeps refused events with every reason.

use super::Problem;
use crate::{Deadline, aws, sendable_json};
use aws_sdk_sqs::Client;
use serde_json::{Value as Json, json};

/// The most bytes of a message that every SQS queue takes.
const MAX_BYTES: usize = 256 * 1024;

/// The queue of refused events.
#[derive(Debug, Clone)]
pub(super) struct RefusedEvents {
    pub(super) client: Client,
    pub(super) url: String,
}

/// The queue did not take a refused event.
#[derive(Debug, thiserror::Error)]
#[error("the queue of refused events: {0}")]
pub(super) struct Unkept(String);

impl RefusedEvents {
    /// Keeps an event, for people to look at.
    pub(super) async fn keep(
        &self,
        event: &str,
        reasons: &[Problem],
        deadline: Deadline,
    ) -> Result<(), Unkept> {
        let request = self.client.send_message().queue_url(&self.url).message_body(letter(event, reasons));
        aws::send(request, deadline).await.map_err(Unkept)
    }
}

/// `{"reasons":[{"field","problem"}],"event":<as it came>}`. An event that is no JSON is kept as text. What is too large
/// for a queue is cut: the event to its beginning, and the reasons to those that fit.
fn letter(event: &str, reasons: &[Problem]) -> String {
    let json = serde_json::from_str(event).unwrap_or_else(|_| Json::String(event.into()));
    let whole = json!({ "reasons": reasons, "event": json }).to_string();
    // What is escaped to be sent counts.
    let whole = sendable_json(&whole);
    if whole.len() <= MAX_BYTES {
        return whole.into_owned();
    }
    // A JSON string takes at most six bytes for one of its text.
    let cut = &event[..event.floor_char_boundary(MAX_BYTES / 16)];
    let mut room = MAX_BYTES / 2;
    let mut shown = Vec::new();
    for reason in reasons {
        let json = json!(reason);
        let bytes = json.to_string().len() + 1;
        if bytes > room {
            break;
        }
        room -= bytes;
        shown.push(json);
    }
    let left_out = reasons.len() - shown.len();
    let cut =
        json!({ "reasons": shown, "reasons_left_out": left_out, "event": cut, "event_bytes": event.len() });
    sendable_json(&cut.to_string()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::is_sendable;

    #[test]
    fn a_letter_has_every_reason_and_the_event_as_it_came() {
        let reasons = [Problem::new("order_id", "too long"), Problem::new("lines", "none")];
        let letter: Json = serde_json::from_str(&letter(r#"{"order_id":"?"}"#, &reasons)).unwrap();
        let reasons =
            json!([{ "field": "order_id", "problem": "too long" }, { "field": "lines", "problem": "none" }]);
        assert_eq!(letter, json!({ "reasons": reasons, "event": { "order_id": "?" } }));
    }

    #[test]
    fn what_is_no_json_is_kept_as_text() {
        let letter: Json = serde_json::from_str(&letter("{oops", &[])).unwrap();
        assert_eq!(letter["event"], "{oops");
    }

    /// An event can have any text in a member that nobody reads, and SQS not any text in a message.
    #[test]
    fn every_event_is_kept_as_sqs_takes_it() {
        for event in ["{\"note\":\"\\uffff\"}", "{\"\u{fffe}\":1}", "{oops \u{ffff}"] {
            let letter = letter(event, &[Problem::new("order_id", "taken")]);
            assert!(letter.chars().all(is_sendable), "{letter}");
            let letter: Json = serde_json::from_str(&letter).unwrap();
            let kept = serde_json::from_str(event).unwrap_or_else(|_| json!(event));
            assert_eq!(letter["event"], kept);
        }
        // Escaped it is twice as large.
        let event = json!({ "note": "\u{ffff}".repeat(60_000) }).to_string();
        assert!(event.len() < MAX_BYTES);
        let letter = letter(&event, &[]);
        assert!(letter.len() <= MAX_BYTES && letter.chars().all(is_sendable), "{}", letter.len());
    }

    #[test]
    fn what_is_too_large_is_cut_and_says_so() {
        let reasons = vec![Problem::new("lines[0].quantity", "it is 0: 1 or more is needed"); 10_000];
        let event = "\u{1}é".repeat(100_000);
        let letter = letter(&event, &reasons);
        assert!(letter.len() <= MAX_BYTES, "{}", letter.len());
        let letter: Json = serde_json::from_str(&letter).unwrap();
        let shown = letter["reasons"].as_array().unwrap().len();
        assert!(shown > 1_000);
        assert_eq!(letter["reasons_left_out"], 10_000 - shown);
        assert_eq!(letter["event_bytes"], 300_000);
    }
}
