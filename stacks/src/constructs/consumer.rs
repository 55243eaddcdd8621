//! A function that works off a queue.

use super::{
    function::{Program, Variable, function},
    queue::{WorkQueue, queue_with_dead_letter},
};
use crate::{draft::Draft, names::pascal, outputs};
use cfn::{
    Handle,
    iam::Role,
    lambda::{EventSourceMapping, ScalingConfig},
    sqs::Queue,
};

/// The most messages of one invocation; they are worked off at the same time.
const BATCH_SIZE: u32 = 10;

/// The most invocations at once per queue. A burst then waits in the queue, where waiting is free, and neither starves
/// the other functions of the account nor overruns what the function calls.
const MAX_CONCURRENCY: u32 = 10;

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
    let WorkQueue { queue, dead_letters } = queue_with_dead_letter(draft, name);
    let attempts = draft.timing().max_receive_count().to_string();
    let environment =
        environment.into_iter().chain([(saga::environment::MAX_RECEIVE_COUNT.to_owned(), attempts.into())]);
    let deployed = function(draft, program, name, description, environment);
    draft.template.grant(&deployed.role, queue.grant_consume_messages());
    let source = EventSourceMapping::from_queue(&deployed.function, &queue)
        .batch_size(BATCH_SIZE)
        .scaling_config(ScalingConfig::new().maximum_concurrency(MAX_CONCURRENCY))
        .tags(draft.tags(name));
    draft.template.add(format!("{}EventSource", pascal(name)), source);

    draft.output(outputs::queue_url(name), queue.url(), format!("The URL of the queue of {name}"));
    draft.export(outputs::queue_name(name), queue.name(), format!("The name of the queue of {name}"));
    let dead = format!("the dead-letter queue of {name}");
    draft.output(outputs::dead_letter_queue_url(name), dead_letters.url(), format!("The URL of {dead}"));
    draft.export(outputs::dead_letter_queue_name(name), dead_letters.name(), format!("The name of {dead}"));
    draft.export(outputs::function_name(name), deployed.function.name(), format!("The name of {name}"));
    let log = format!("The name of the log group of {name}");
    draft.export(outputs::log_group_name(name), deployed.log_group.name(), log);
    Consumer { name, queue, dead_letters, role: deployed.role }
}
