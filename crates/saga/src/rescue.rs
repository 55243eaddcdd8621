//! What the stacks and the function that settles dead executions say to each other, beside the
//! [variables](crate::environment).

/// The message that asks for a sweep. A schedule sends it to the function's queue, beside the events of executions that
/// died.
pub const SWEEP: &str = r#"{"sweep":true}"#;

/// The `event` of the log line for each execution that is still not settled a while after it died, written by every
/// sweep; a metric filter counts them.
pub const UNSETTLED_EXECUTION_EVENT: &str = "unsettled_execution";
