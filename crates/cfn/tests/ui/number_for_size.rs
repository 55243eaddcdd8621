//! A size is written with its unit, so that nobody takes MB for bytes.

use cfn::sqs::Queue;

fn main() {
    let _ = Queue::new().maximum_message_size(1_024);
}
