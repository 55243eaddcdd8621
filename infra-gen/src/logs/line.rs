//! One line of a log.

use serde_json::{Map, Value as Json};

/// What Lambda writes beside what a function writes, as text and, of a function that logs JSON, as JSON.
/// <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html>
const OF_THE_PLATFORM: [&str; 5] = ["START ", "END ", "REPORT ", "INIT_START ", "EXTENSION\t"];

/// One line of a function's log.
#[derive(Debug, Clone, PartialEq)]
pub struct LogLine {
    /// The function.
    pub function: String,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// As it was written, without its end.
    pub text: String,
    members: Option<Map<String, Json>>,
}

impl LogLine {
    pub(super) fn new(function: &str, at_ms: i64, text: &str) -> Self {
        let text = text.trim_end().to_owned();
        let members = serde_json::from_str(&text).ok();
        Self { function: function.to_owned(), at_ms, text, members }
    }

    /// The members of a line that is a JSON object, as all are that handlers and their runtime write.
    #[must_use]
    pub fn members(&self) -> Option<&Map<String, Json>> {
        self.members.as_ref()
    }

    /// A member that is text.
    #[must_use]
    pub fn text_of(&self, member: &str) -> Option<&str> {
        self.members()?.get(member)?.as_str()
    }

    /// The saga that it is about.
    #[must_use]
    pub fn saga_id(&self) -> Option<&str> {
        self.text_of("saga_id")
    }

    /// Whether Lambda wrote it to say that all goes its way.
    #[must_use]
    pub fn is_of_the_platform(&self) -> bool {
        match self.text_of("type") {
            Some(kind) => kind.starts_with("platform."),
            None => OF_THE_PLATFORM.iter().any(|mark| self.text.starts_with(mark)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_function_writes_is_told_from_what_lambda_writes() {
        for (text, platform) in [
            ("START RequestId: 1 Version: $LATEST", true),
            ("REPORT RequestId: 1\tDuration: 2 ms", true),
            (r#"{"time":"2026-01-01T00:00:00Z","type":"platform.report","record":{}}"#, true),
            (r#"{"level":"INFO","message":"served","saga_id":"o-1"}"#, false),
            ("2026-01-01T00:00:00Z 1 Task timed out after 30.00 seconds", false),
            ("thread 'main' panicked at src/main.rs:1", false),
        ] {
            assert_eq!(LogLine::new("orders", 0, text).is_of_the_platform(), platform, "{text}");
        }
    }

    #[test]
    fn a_line_that_is_no_object_has_no_members() {
        for text in ["not JSON", "[1]", "\"text\"", ""] {
            assert_eq!(LogLine::new("orders", 0, text).members(), None, "{text}");
        }
        let line = LogLine::new("orders", 0, "{\"saga_id\":\"o-1\",\"step\":7}\n");
        assert_eq!((line.saga_id(), line.text_of("step")), (Some("o-1"), None));
    }
}
