//! A number of seconds is written as a duration.

use cfn::sqs::Queue;

fn main() {
    let _ = Queue::new().visibility_timeout(30);
}
