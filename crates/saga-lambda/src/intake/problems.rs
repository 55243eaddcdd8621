//! Why an event is refused.

use crate::is_sendable;
use saga::{SagaId, Value};
use serde::Serialize;

/// One reason why an event is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Where: for example `lines[2].quantity`.
    pub field: String,
    /// What was given, where that says something and is no personal data, and what is allowed.
    pub problem: String,
}

impl Problem {
    /// A reason.
    pub fn new(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { field: field.into(), problem: problem.into() }
    }
}

/// The problems found so far.
#[derive(Debug, Default)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// One more.
    pub fn add(&mut self, field: impl Into<String>, problem: impl Into<String>) {
        self.0.push(Problem::new(field, problem));
    }

    /// Text of 1 to `most` characters, all of them [printable](Self::is_printable).
    pub fn check_text(&mut self, field: impl Into<String>, text: &str, most: usize) {
        let count = text.chars().count();
        if !(1..=most).contains(&count) {
            self.add(field, format!("it has {count} characters: 1 to {most} are allowed"));
        } else if !text.chars().all(Self::is_printable) {
            self.add(field, "it has control characters, U+FFFE or U+FFFF: none are allowed");
        }
    }

    /// An id that a saga can have.
    pub fn check_saga_id(&mut self, field: impl Into<String>, id: &str) {
        if SagaId::try_from(id.to_owned()).is_err() {
            self.add(field, "1 to 80 letters, digits, `-` and `_` are allowed");
        }
    }

    /// A value that is no larger than it says: messages of its saga are bounded by it.
    pub fn check_size<V: Value>(&mut self, value: Option<&V>) {
        let bytes = value.and_then(|value| serde_json::to_string(value).ok()).map_or(0, |json| json.len());
        if bytes > V::MAX_BYTES {
            self.add("event", format!("it has {bytes} bytes as JSON: at most {} are allowed", V::MAX_BYTES));
        }
    }

    /// `value`, when no problem was found; it was only looked at, so it may be missing a part when one was.
    ///
    /// # Errors
    /// The problems.
    pub fn or<T>(self, value: Option<T>) -> Result<T, Vec<Problem>> {
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => Err(self.0),
        }
    }

    /// Whether a character of an event can go into a saga: no control character, and none that no queue takes. It goes on
    /// into the messages of the saga, and SQS would refuse each of them each time.
    pub fn is_printable(character: char) -> bool {
        !character.is_control() && is_sendable(character)
    }
}
