//! The code of a function is in a bucket.

use cfn::Template;
use cfn::dynamodb::{KeySchema, Table};
use cfn::lambda::Code;

fn main() {
    let mut template = Template::new("Orders");
    let table = template.add("Table", Table::new([KeySchema::hash("pk")]));
    let _ = Code::s3(table.name(), "orders.zip");
}
