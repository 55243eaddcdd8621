//! A grant belongs to the resource it is about.

use cfn::Template;
use cfn::iam::Role;
use cfn::sns::Topic;

fn main() {
    let mut template = Template::new("Orders");
    let topic = template.add("Topic", Topic::new());
    let role = template.add("Role", Role::for_lambda());
    template.grant(&role, topic.grant_send_messages());
}
