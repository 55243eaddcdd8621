//! A function that works off a queue.

use super::{
    function::{Program, Variable, function},
    queue::{WorkQueue, queue_with_dead_letter},
};
use crate::{draft::Draft, names::pascal, outputs, synth::Trigger};
use cfn::{
    Handle,
    iam::Role,
    lambda::{EventSourceMapping, ScalingConfig},
    sqs::Queue,
};
use std::time::Duration;

/// How fast a queue is worked off.
pub(crate) struct Pace {
    /// The most messages of one invocation; they are worked off at the same time.
    pub(crate) batch_size: u32,
    /// The most invocations at once, 2 or more. A burst then waits in the queue, where waiting is free, and neither
    /// starves the other functions of the account nor overruns what the function calls.
    pub(crate) max_concurrency: u32,
    /// How long a message waits before it is delivered for the first time.
    pub(crate) delay: Duration,
}

/// The pace of what customers wait for.
pub(crate) const AT_ONCE: Pace = Pace { batch_size: 10, max_concurrency: 10, delay: Duration::ZERO };

/// A function in its stack, with its queue.
pub(crate) struct Consumer {
    pub(crate) name: &'static str,
    pub(crate) queue: Handle<Queue>,
    pub(crate) dead_letters: Handle<Queue>,
    pub(crate) role: Handle<Role>,
}

/// Adds a queue, its dead-letter queue, a function that works it off, and the outputs that tell where they are. The
/// policies of the queues are left to the caller, who knows the senders.
pub(crate) fn consumer(
    draft: &mut Draft,
    program: &Program,
    name: &'static str,
    description: &str,
    environment: impl IntoIterator<Item = Variable>,
) -> Consumer {
    paced_consumer(draft, program, name, description, environment, &AT_ONCE)
}

/// The same at a pace of its own.
pub(crate) fn paced_consumer(
    draft: &mut Draft,
    program: &Program,
    name: &'static str,
    description: &str,
    environment: impl IntoIterator<Item = Variable>,
    pace: &Pace,
) -> Consumer {
    let queue = queue_with_dead_letter(draft, name, pace.delay);
    consumer_of(draft, program, name, description, environment, queue, pace)
}

/// The same for a queue that is there already: for a function that is told its own queue.
pub(crate) fn consumer_of(
    draft: &mut Draft,
    program: &Program,
    name: &'static str,
    description: &str,
    environment: impl IntoIterator<Item = Variable>,
    queue: WorkQueue,
    pace: &Pace,
) -> Consumer {
    let WorkQueue { queue, dead_letters } = queue;
    let attempts = draft.timing().max_receive_count().to_string();
    let environment = environment.into_iter().chain([
        (saga::environment::MAX_RECEIVE_COUNT.to_owned(), attempts.into()),
        (saga::environment::DEAD_LETTER_QUEUE.to_owned(), dead_letters.url().into()),
    ]);
    let timeout = draft.timing().function_timeout();
    let deployed = function(draft, program, name, description, timeout, Trigger::Queue, environment);
    draft.template.grant(&deployed.role, queue.grant_consume_messages());
    draft.template.grant(&deployed.role, dead_letters.grant_send_messages());
    let source = EventSourceMapping::from_queue(&deployed.function, &queue)
        .batch_size(pace.batch_size)
        .scaling_config(ScalingConfig::new().maximum_concurrency(pace.max_concurrency))
        .tags(draft.tags(name));
    draft.template.add(format!("{}EventSource", pascal(name)), source);

    draft.output(outputs::queue_url(name), queue.url(), format!("The URL of the queue of {name}"));
    draft.output(outputs::queue_name(name), queue.name(), format!("The name of the queue of {name}"));
    let dead = format!("the dead-letter queue of {name}");
    draft.output(outputs::dead_letter_queue_url(name), dead_letters.url(), format!("The URL of {dead}"));
    draft.output(outputs::dead_letter_queue_name(name), dead_letters.name(), format!("The name of {dead}"));
    Consumer { name, queue, dead_letters, role: deployed.role }
}
