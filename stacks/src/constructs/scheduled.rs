//! A function that is called on a schedule.

use super::{
    function::{Deployed, Program, Variable, function},
    queue,
};
use crate::{draft::Draft, names::pascal, outputs, synth::Trigger};
use cfn::{
    Handle,
    events::{DeadLetterConfig, Rule, Target},
    iam::Role,
    lambda::{
        EventInvokeConfig, Permission,
        event_invoke_config::{DestinationConfig, OnFailure},
    },
    sqs::queue_policy,
};
use std::time::Duration;

/// How often Lambda tries a failed call again, minutes apart. The next call of the schedule does the same work, but a
/// failure that lasts this long is for people to see.
const RETRIES: u32 = 2;

/// When a function is called.
pub(crate) struct Schedule {
    /// How often: whole minutes, at least one.
    pub(crate) interval: Duration,
    /// How long a call may take.
    pub(crate) timeout: Duration,
}

/// Adds a function, the schedule that calls it, a queue that keeps the calls that failed, and the outputs that tell
/// where they are. Gives its role.
///
/// A rule of EventBridge and not a schedule of EventBridge Scheduler: it needs no role, and emulators call its targets.
pub(crate) fn scheduled(
    draft: &mut Draft,
    program: &Program,
    name: &'static str,
    description: &str,
    schedule: &Schedule,
    environment: impl IntoIterator<Item = Variable>,
) -> Handle<Role> {
    let id = pascal(name);
    let Deployed { function, role } =
        function(draft, program, name, description, schedule.timeout, Trigger::Schedule, environment);
    let failed = queue::kept_queue_without_policy(draft, &format!("{id}DeadLetterQueue"), name);
    // Lambda sends there in the name of the function's role.
    // <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html>
    draft.template.grant(&role, failed.grant_send_messages());
    let on_failure = DestinationConfig::new().on_failure(OnFailure::new(&failed));
    let invoked = EventInvokeConfig::new(function.name(), "$LATEST")
        .destination_config(on_failure)
        .maximum_retry_attempts(RETRIES);
    draft.template.add(format!("{id}Invocations"), invoked);

    let target = Target::new(name, &function).dead_letter_config(DeadLetterConfig::new().queue(&failed));
    let rule = Rule::new()
        .description(format!("Calls {name}"))
        .schedule_expression(rate(schedule.interval))
        .targets([target])
        .tags(draft.tags(name));
    let rule = draft.template.add(format!("{id}Schedule"), rule);
    let permission = Permission::invoke(&function, "events.amazonaws.com", rule.arn());
    draft.template.add(format!("{id}SchedulePermission"), permission);
    queue::policy(draft, &failed, [queue_policy::allow_rule_to_send(&failed, &rule)], []);

    let what = format!("the queue of the calls of {name} that failed");
    draft.output(outputs::dead_letter_queue_url(name), failed.url(), format!("The URL of {what}"));
    draft.output(outputs::dead_letter_queue_name(name), failed.name(), format!("The name of {what}"));
    role
}

/// An interval of whole minutes as a schedule.
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html>
pub(crate) fn rate(interval: Duration) -> String {
    match interval.as_secs().div_ceil(60).max(1) {
        1 => "rate(1 minute)".to_owned(),
        minutes => format!("rate({minutes} minutes)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_in_whole_minutes_and_knows_its_plural() {
        let rates = [
            (1, "rate(1 minute)"),
            (60, "rate(1 minute)"),
            (61, "rate(2 minutes)"),
            (300, "rate(5 minutes)"),
        ];
        for (seconds, expected) in rates {
            assert_eq!(rate(Duration::from_secs(seconds)), expected);
        }
    }
}
