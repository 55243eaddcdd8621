//! A property that refers to a role takes no topic.

use cfn::Template;
use cfn::sns::Topic;
use cfn::stepfunctions::StateMachine;

fn main() {
    let mut template = Template::new("Orders");
    let topic = template.add("Topic", Topic::new());
    template.add("Machine", StateMachine::new(&topic));
}
