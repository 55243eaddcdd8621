//! Reads an event from a message of the intake's queue.

use super::{IntakeService, Problem};
use crate::redacted;
use saga::RunDigest;
use serde_json::Value as Json;

/// An event as it came.
#[derive(Debug, Clone, PartialEq)]
pub struct Came<E> {
    /// What this release reads of it.
    pub event: E,
    /// The digest of all of it: the same for the same event, whatever a release reads of it.
    pub digest: RunDigest,
}

/// Reads an event. The topic delivers it raw; a subscription without raw delivery wraps it in an SNS notification,
/// which is unwrapped.
///
/// # Errors
/// Every reason why it is none: see [`IntakeService::misfits`].
pub fn decode<S: IntakeService>(body: &str) -> Result<Came<S::Event>, Vec<Problem>> {
    let no_event = |error: serde_json::Error| {
        vec![Problem::new("event", format!("not an event of this intake: {}", redacted(&error.to_string())))]
    };
    let json: Json = serde_json::from_str(body).map_err(no_event)?;
    let json = match sns_message(&json) {
        Some(message) => serde_json::from_str(message).map_err(no_event)?,
        None => json,
    };
    let digest = RunDigest::of(&json);
    let event = serde_json::from_value(json.clone()).map_err(|error| {
        let problems = S::misfits(&json);
        if problems.is_empty() { no_event(error) } else { problems }
    })?;
    Ok(Came { event, digest })
}

fn sns_message(json: &Json) -> Option<&str> {
    let is_notification = json.get("Type").and_then(Json::as_str) == Some("Notification");
    if is_notification { json.get("Message")?.as_str() } else { None }
}
