//! The URL of a queue is not its ARN.

use cfn::Template;
use cfn::sqs::{Queue, queue_policy};

fn main() {
    let mut template = Template::new("Orders");
    let queue = template.add("Queue", Queue::new());
    let _ = queue_policy::deny_insecure_transport(queue.url());
}
