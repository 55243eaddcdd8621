//! Permissions are granted to roles.

use cfn::Template;
use cfn::sqs::Queue;

fn main() {
    let mut template = Template::new("Orders");
    let queue = template.add("Queue", Queue::new());
    template.grant(&queue, queue.grant_send_messages());
}
