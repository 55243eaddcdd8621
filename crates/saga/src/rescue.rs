//! What the stacks and the function that settles dead executions say to each other, beside the
//! [variables](crate::environment).

use serde_json::Value as Json;

/// The message that asks for a sweep. A schedule sends it to the function's queue, beside the events of executions that
/// died.
pub const SWEEP: &str = r#"{"sweep":true}"#;

/// Whether a message is [`SWEEP`], in whatever way it is written: a rule's input is JSON, and who delivers it may put
/// blanks into it.
pub fn asks_for_sweep(body: &str) -> bool {
    let sweep = serde_json::from_str::<Json>(SWEEP);
    serde_json::from_str::<Json>(body).is_ok_and(|body| sweep.is_ok_and(|sweep| sweep == body))
}

/// The `event` of the log line for each execution that is still not settled a while after it died, written by every
/// sweep; a metric filter counts them.
pub const UNSETTLED_EXECUTION_EVENT: &str = "unsettled_execution";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sweep_is_asked_for_in_whatever_way_it_is_written() {
        for body in [SWEEP, r#"{"sweep": true}"#, " {\n  \"sweep\": true\n}\n"] {
            assert!(asks_for_sweep(body), "{body}");
        }
        for body in ["", "sweep", r#"{"sweep":false}"#, r#"{"detail":{}}"#, r#"{"sweep":true,"detail":{}}"#] {
            assert!(!asks_for_sweep(body), "{body}");
        }
    }
}
