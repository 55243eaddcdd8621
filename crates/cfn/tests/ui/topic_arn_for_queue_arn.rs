//! The ARN of a topic is not the ARN of a queue.

use cfn::Template;
use cfn::sns::Topic;
use cfn::sqs::RedrivePolicy;

fn main() {
    let mut template = Template::new("Orders");
    let topic = template.add("Topic", Topic::new());
    let _ = RedrivePolicy::new(topic.arn(), 5);
}
