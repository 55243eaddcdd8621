//! The pseudo parameters that CloudFormation fills in for every stack.
//!
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html>

#[cfg(feature = "sns")]
use crate::kind::Arn;
#[cfg(feature = "sns")]
use crate::sns::Topic;
use crate::value::Value;

pub(crate) const NO_VALUE: &str = "AWS::NoValue";

/// Every pseudo parameter that a `Ref` or a `${…}` may name.
pub(crate) const ALL: [&str; 8] = [
    "AWS::AccountId",
    NO_VALUE,
    "AWS::NotificationARNs",
    "AWS::Partition",
    "AWS::Region",
    "AWS::StackId",
    "AWS::StackName",
    "AWS::URLSuffix",
];

/// `AWS::AccountId`: the account the stack is created in, as 12 digits.
#[must_use]
pub fn account_id() -> Value<String> {
    Value::reference_to("AWS::AccountId")
}

/// `AWS::NotificationARNs`: the ARNs of the topics that hear of the progress of the stack.
#[must_use]
#[cfg(feature = "sns")]
pub fn notification_arns() -> Value<Vec<Arn<Topic>>> {
    Value::reference_to("AWS::NotificationARNs")
}

/// `AWS::Partition`: `aws`, or `aws-cn`, `aws-us-gov` for those regions.
#[must_use]
pub fn partition() -> Value<String> {
    Value::reference_to("AWS::Partition")
}

/// `AWS::Region`: the region the stack is created in, as in `eu-central-1`.
#[must_use]
pub fn region() -> Value<String> {
    Value::reference_to("AWS::Region")
}

/// `AWS::StackId`: the ARN of the stack.
#[must_use]
pub fn stack_id() -> Value<String> {
    Value::reference_to("AWS::StackId")
}

/// `AWS::StackName`: the name of the stack.
#[must_use]
pub fn stack_name() -> Value<String> {
    Value::reference_to("AWS::StackName")
}

/// `AWS::URLSuffix`: the domain of the partition, `amazonaws.com` for most regions.
#[must_use]
pub fn url_suffix() -> Value<String> {
    Value::reference_to("AWS::URLSuffix")
}
