//! A property that takes several kinds of reference takes no other.

use cfn::Template;
use cfn::cloudwatch::{Alarm, ComparisonOperator};
use cfn::dynamodb::{KeySchema, Table};

fn main() {
    let mut template = Template::new("Orders");
    let table = template.add("Table", Table::new([KeySchema::hash("pk")]));
    let _ = Alarm::new(ComparisonOperator::GreaterThanThreshold, 1).alarm_actions([&table]);
}
