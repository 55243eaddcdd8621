//! A parameter that is a list cannot stand for one value.

use cfn::sqs::Queue;
use cfn::{Parameter, Template};

fn main() {
    let mut template = Template::new("Orders");
    let names = template.parameter("Names", Parameter::string_list());
    let _ = Queue::new().queue_name(&names);
}
