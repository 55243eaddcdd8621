//! What is granted on everything, because no resource can be named.

use crate::kind::AnyArn;
use crate::policy::Statement;
use crate::value::Value;

/// A trace belongs to the account: X-Ray has no resource for these actions.
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html>
const TRACE: &[&str] = &[
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
];

/// The delivery actions of CloudWatch Logs have no resource, and Step Functions refuses to log with a role that lacks
/// any of these.
/// <https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html>
const DELIVER_VENDED_LOGS: &[&str] = &[
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
];

/// A metric is no resource; its namespace can be confined by a condition.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/iam-cw-condition-keys-namespace.html>
const PUT_METRICS: &[&str] = &["cloudwatch:PutMetricData"];

/// A telephone number is no resource. What else publishing could reach has ARNs and is taken out by a deny.
/// <https://docs.aws.amazon.com/sns/latest/dg/sns-using-identity-based-policies.html>
const SEND_TEXT_MESSAGES: &[&str] = &["sns:Publish"];

/// Every action that a grant allows on everything.
#[cfg(all(test, feature = "default"))]
pub(super) const ALL: &[&[&str]] = &[TRACE, DELIVER_VENDED_LOGS, PUT_METRICS, SEND_TEXT_MESSAGES];

/// Send traces to X-Ray.
#[must_use]
pub fn trace() -> Vec<Statement> {
    vec![allow(TRACE)]
}

/// Have AWS deliver the log of a state machine to a log group.
#[must_use]
pub fn deliver_vended_logs() -> Vec<Statement> {
    vec![allow(DELIVER_VENDED_LOGS)]
}

/// Report metrics in one namespace.
#[must_use]
pub fn put_metrics(namespace: &str) -> Vec<Statement> {
    vec![allow(PUT_METRICS).when("StringEquals", "cloudwatch:namespace", namespace)]
}

/// Send text messages to telephones, and publish on no topic.
///
/// The deny wins over whatever else the role is granted: it cannot publish on topics at all.
#[must_use]
pub fn send_text_messages() -> Vec<Statement> {
    let topics: Value<AnyArn> = Value::sub("arn:${AWS::Partition}:sns:*:*:*");
    vec![allow(SEND_TEXT_MESSAGES), Statement::deny(SEND_TEXT_MESSAGES.iter().copied()).on(topics)]
}

fn allow(actions: &[&str]) -> Statement {
    Statement::allow(actions.iter().copied()).on_everything()
}
