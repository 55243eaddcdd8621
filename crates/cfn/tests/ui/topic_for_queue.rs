//! A topic cannot stand for a queue.

use cfn::Template;
use cfn::sns::{Subscription, Topic};

fn main() {
    let mut template = Template::new("Orders");
    let topic = template.add("Topic", Topic::new());
    let _ = Subscription::to_queue(&topic, &topic);
}
