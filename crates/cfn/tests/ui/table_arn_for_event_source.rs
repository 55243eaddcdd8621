//! A function reads the stream of a table, which has an ARN of its own.

use cfn::Template;
use cfn::dynamodb::{KeySchema, Table};
use cfn::lambda::EventSourceMapping;

fn main() {
    let mut template = Template::new("Orders");
    let table = template.add("Table", Table::new([KeySchema::hash("pk")]));
    let _ = EventSourceMapping::new("orders").event_source(table.arn());
}
