//! Queues: encrypted, over TLS only, and each with a dead-letter queue or being one.

use crate::{draft::Draft, names::pascal};
use cfn::{
    Declaration, Declare, Handle, PolicyDocument, Statement,
    sqs::{Queue, QueuePolicy, RedriveAllowPolicy, RedrivePolicy, queue_policy},
};
use std::time::Duration;

/// A queue that a function works off, and where its messages go that cannot be worked off.
pub(crate) struct WorkQueue {
    pub(crate) queue: Handle<Queue>,
    pub(crate) dead_letters: Handle<Queue>,
}

/// Adds a queue and its dead-letter queue, for the function of this name. `delay`: how long a message waits before it
/// is delivered for the first time.
pub(crate) fn queue_with_dead_letter(draft: &mut Draft, service: &str, delay: Duration) -> WorkQueue {
    let timing = draft.timing();
    // Each of the two names the other. The dead-letter queue names the queue by its name, which cuts the circle.
    let name = draft.physical_name("", service);
    let dead_letters = Queue::new()
        .message_retention_period(timing.dead_letter_retention())
        .redrive_allow_policy(RedriveAllowPolicy::by_queue([Queue::arn_of_name(&name)]))
        .tags(draft.tags(service));
    let dead_letters = draft.add_kept(format!("{}DeadLetterQueue", pascal(service)), encrypted(dead_letters));
    let queue = Queue::new()
        .queue_name(name)
        .visibility_timeout(timing.visibility_timeout())
        .message_retention_period(timing.queue_retention())
        .redrive_policy(RedrivePolicy::new(&dead_letters, timing.max_receive_count()))
        .tags(draft.tags(service));
    let queue = if delay.is_zero() { queue } else { queue.delay_seconds(delay) };
    let queue = draft.add_dropped(format!("{}Queue", pascal(service)), encrypted(queue));
    WorkQueue { queue, dead_letters }
}

/// Adds a queue that nothing works off: people look into it. Who sends needs nothing but a permission of its own.
pub(crate) fn kept_queue(draft: &mut Draft, logical_id: &str, service: &str) -> Handle<Queue> {
    let queue = kept_queue_without_policy(draft, logical_id, service);
    policy(draft, &queue, [], []);
    queue
}

/// Adds a queue that nothing works off. Its policy is left to the caller, who knows the senders.
pub(crate) fn kept_queue_without_policy(draft: &mut Draft, logical_id: &str, service: &str) -> Handle<Queue> {
    let queue = Queue::new()
        .message_retention_period(draft.timing().dead_letter_retention())
        .tags(draft.tags(service));
    draft.add_kept(logical_id, encrypted(queue))
}

/// Adds the policy of a queue: what holds everywhere; and, on AWS, over TLS only and what else is asked there.
pub(crate) fn policy(
    draft: &mut Draft,
    queue: &Handle<Queue>,
    everywhere: impl IntoIterator<Item = Statement>,
    on_aws: impl IntoIterator<Item = Statement>,
) {
    let condition = draft.on_aws();
    let id = format!("{}Policy", queue.logical_id());
    let everywhere: Vec<_> = everywhere.into_iter().collect();
    let on_aws = [queue_policy::deny_insecure_transport(queue)].into_iter().chain(on_aws);
    if everywhere.is_empty() {
        // A policy without statements is refused.
        let policy = QueuePolicy::new(PolicyDocument::new(on_aws), [queue]);
        draft.template.add(id, policy.condition(&condition));
    } else {
        let on_aws = on_aws.map(|statement| statement.only_if(&condition));
        let statements = everywhere.into_iter().chain(on_aws);
        draft.template.add(id, QueuePolicy::new(PolicyDocument::new(statements), [queue]));
    }
}

/// Encrypts a queue with the key that SQS manages. With a key of KMS, no topic could deliver to it unless a policy of that
/// key admits SNS.
fn encrypted(queue: Queue) -> Declaration<Queue> {
    queue.sqs_managed_sse_enabled(true).suppress_check(
        "CKV_AWS_27",
        "Encrypted with the key that SQS manages (SqsManagedSseEnabled), at which this check does not look",
    )
}
