//! The table of parked sagas: what the states `park …` write, and what operators read.
//!
//! One record per thing that waits, and one per decision. The key is the saga id and `what`: for a record what could
//! not be done (`undo <saga>`, `settle <pivot>`, `rescue <pivot>`, `recall <step>`, or a retriable step), for a decision
//! [`DECISION`] and its time; and in both the name of the execution, see [`sort_key`]. Two executions can act for one
//! saga at the same time, and neither may take away the token of the other.

/// The partition key: the saga id, text.
pub const SAGA_ID: &str = "saga_id";
/// The sort key: what waits, or which decision, and of which execution; text. See [`sort_key`].
pub const WHAT: &str = "what";
/// The saga's name, text.
pub const SAGA: &str = "saga";
/// The name of the execution that waits, text.
pub const EXECUTION: &str = "execution";
/// The ARN of that execution, text: two sagas can share a saga id, and then their executions share a name.
pub const EXECUTION_ARN: &str = "execution_arn";
/// How often that execution had been redriven when it began to wait, number; 0 when it is not there. A redriven execution
/// has the name and the ARN that it had before it died.
pub const REDRIVES: &str = "redrives";
/// The steps that could not be done, text, separated by `, `. Of a decision: those that it is about.
pub const STEP: &str = "step";
/// Why not: JSON text, by step its `error` and `cause`.
pub const FAILURE: &str = "failure";
/// How often each was tried, number.
pub const ATTEMPTS: &str = "attempts";
/// Of a record: why the saga compensates, JSON text, or `none`. Of a decision: why it was taken, text.
pub const REASON: &str = "reason";
/// Since when it waits, ISO 8601 text.
pub const SINCE: &str = "since";
/// How to answer, text. Whoever has it can decide.
pub const TASK_TOKEN: &str = "task_token";
/// Whether the saga can go on without: [`YES`] or [`NO`], text.
pub const CAN_SKIP: &str = "can_skip";

/// That it can. No boolean: integrations with the SDK spell the members of an API in PascalCase, so that the type `BOOL` of
/// DynamoDB would have to be `Bool`, and no emulator tells. What is spelt with one letter is spelt the same.
/// <https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html>
pub const YES: &str = "yes";

/// That it cannot.
pub const NO: &str = "no";

/// How `what` of a decision begins; the time follows.
pub const DECISION: &str = "decision ";

/// What stands in [`WHAT`] between a thing and the name of the execution. No name has a space in it.
pub const OF_EXECUTION: &str = " @ ";

/// The sort key of what waits in an execution: `<thing> @ <execution>`.
pub fn sort_key(thing: &str, execution: &str) -> String {
    format!("{thing}{OF_EXECUTION}{execution}")
}

/// What waits, and in which execution, as told by a [`sort_key`].
pub fn thing_of(sort_key: &str) -> (&str, &str) {
    sort_key.rsplit_once(OF_EXECUTION).unwrap_or((sort_key, ""))
}

/// Of a decision: `what` of the record that it answers, text.
pub const OF: &str = "of";
/// Of a decision: [`RETRY`] or [`SKIP`], text.
pub const ACTION: &str = "action";
/// Of a decision: who took it, text.
pub const BY: &str = "by";

/// In an answer: the steps that it is about, a list of names. All that are unresolved unless given.
pub const STEPS: &str = "steps";

/// The [`ACTION`] that tries again.
pub const RETRY: &str = "retry";
/// The [`ACTION`] that goes on without.
pub const SKIP: &str = "skip";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sort_key_is_read_again() {
        let key = sort_key("undo order", "o-1.settle-00");
        assert_eq!(key, "undo order @ o-1.settle-00");
        assert_eq!(thing_of(&key), ("undo order", "o-1.settle-00"));
        assert_eq!(thing_of("undo order"), ("undo order", ""));
    }
}
