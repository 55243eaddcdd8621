//! A property that the resource type does not have.

use cfn::sqs::Queue;

fn main() {
    let _ = Queue::new().delay_second(5);
}
