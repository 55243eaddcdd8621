//! Text that the template computes is no reference until somebody vouches for it.

use cfn::Value;
use cfn::cloudwatch::{Alarm, ComparisonOperator};

fn main() {
    let action: Value<String> = Value::sub("arn:aws:sns:${AWS::Region}:123456789012:operators");
    let _ = Alarm::new(ComparisonOperator::GreaterThanThreshold, 1).alarm_actions([action]);
}
