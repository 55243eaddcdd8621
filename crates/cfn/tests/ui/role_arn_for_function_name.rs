//! An event source mapping takes a function, by name or ARN, and not the role of one.

use cfn::Template;
use cfn::iam::Role;
use cfn::lambda::EventSourceMapping;

fn main() {
    let mut template = Template::new("Orders");
    let role = template.add("Role", Role::for_lambda());
    let _ = EventSourceMapping::new(role.arn());
}
