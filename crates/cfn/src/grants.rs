//! Permissions as data, named by intent: each grant says which actions, on the resource it is called on.
//!
//! Every resource is named by its own ARN. The exceptions are functions of this module, with the reason.
//! The facts are from the service authorization reference:
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html>

use crate::declaration::Handle;
#[cfg(feature = "dynamodb")]
use crate::dynamodb::Table;
use crate::kind::{AnyArn, Arn};
#[cfg(feature = "lambda")]
use crate::lambda::Function;
#[cfg(feature = "logs")]
use crate::logs::LogGroup;
use crate::policy::Statement;
#[cfg(feature = "s3")]
use crate::s3::Bucket;
#[cfg(feature = "sns")]
use crate::sns::Topic;
#[cfg(feature = "sqs")]
use crate::sqs::Queue;
#[cfg(feature = "stepfunctions")]
use crate::stepfunctions::StateMachine;
use crate::value::Value;

/// Declares grants of a resource type: on its handle, and on an ARN for when there is no handle.
macro_rules! grants {
    ($Resource:ident { $($(#[$meta:meta])* $grant:ident: [$($action:literal),+ $(,)?],)+ }) => {
        impl Value<Arn<$Resource>> {
            $($(#[$meta])*
            #[must_use]
            pub fn $grant(&self) -> Vec<Statement> {
                vec![Statement::allow([$($action),+]).on(Value::<AnyArn>::from(self.clone()))]
            })+
        }

        impl Handle<$Resource> {
            $($(#[$meta])*
            #[must_use]
            pub fn $grant(&self) -> Vec<Statement> {
                self.arn().$grant()
            })+
        }
    };
}

#[cfg(feature = "sqs")]
grants! {
    Queue {
        /// Send messages, singly or in batches.
        grant_send_messages: ["sqs:SendMessage"],
        /// Receive messages, keep them hidden, and delete them. What an event source mapping needs.
        grant_consume_messages: [
            "sqs:ChangeMessageVisibility",
            "sqs:DeleteMessage",
            "sqs:GetQueueAttributes",
            "sqs:ReceiveMessage",
        ],
        /// Delete all messages.
        grant_purge: ["sqs:PurgeQueue"],
        /// Move messages from this dead-letter queue back to where they came from; the role must also be granted
        /// to send to the queues they go to.
        grant_redrive_messages: [
            "sqs:CancelMessageMoveTask",
            "sqs:DeleteMessage",
            "sqs:GetQueueAttributes",
            "sqs:ListMessageMoveTasks",
            "sqs:ReceiveMessage",
            "sqs:StartMessageMoveTask",
        ],
    }
}

#[cfg(feature = "sns")]
grants! {
    Topic {
        /// Publish, singly or in batches.
        grant_publish: ["sns:Publish"],
        /// Subscribe to the topic.
        grant_subscribe: ["sns:Subscribe"],
    }
}

#[cfg(feature = "dynamodb")]
grants! {
    Table {
        /// Read one item, or several at once, by key; in transactions too.
        grant_get_items: ["dynamodb:BatchGetItem", "dynamodb:GetItem"],
        /// Read items by key, by query and by scan. Not through indexes: see [`index_arns`].
        grant_read_data: ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan"],
        /// Put, update and delete items, singly or in batches.
        grant_write_data: [
            "dynamodb:BatchWriteItem",
            "dynamodb:DeleteItem",
            "dynamodb:PutItem",
            "dynamodb:UpdateItem",
        ],
        /// Write transactions with conditions, and read what they are about.
        ///
        /// There is no action of the name `TransactWriteItems`: a transaction needs the action of each of its parts,
        /// and `ConditionCheckItem` for parts that only check.
        /// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html>
        grant_write_transactions: [
            "dynamodb:ConditionCheckItem",
            "dynamodb:DeleteItem",
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            "dynamodb:UpdateItem",
        ],
        /// Describe the table.
        grant_describe: ["dynamodb:DescribeTable"],
    }
}

#[cfg(feature = "lambda")]
grants! {
    Function {
        /// Invoke the function.
        grant_invoke: ["lambda:InvokeFunction"],
    }
}

#[cfg(feature = "logs")]
grants! {
    LogGroup {
        /// Write lines, to streams of its own.
        grant_write: ["logs:CreateLogStream", "logs:PutLogEvents"],
    }
}

#[cfg(feature = "stepfunctions")]
grants! {
    StateMachine {
        /// Start executions.
        grant_start_execution: ["states:StartExecution"],
        /// List executions.
        grant_list_executions: ["states:ListExecutions"],
        /// Report the success, the failure or a sign of life of a task that waits for its token.
        ///
        /// The service authorization reference lists no resource type for these actions, but Step Functions does
        /// check them against the state machine that issued the token: statements confined to it work for tasks
        /// with `.waitForTaskToken` (not for activities, which have an ARN of their own). So `*` is not needed.
        /// <https://github.com/aws/aws-cdk/pull/8486>
        grant_send_task_response: [
            "states:SendTaskFailure",
            "states:SendTaskHeartbeat",
            "states:SendTaskSuccess",
        ],
    }
}

#[cfg(feature = "stepfunctions")]
impl Handle<StateMachine> {
    /// Describe, stop and redrive executions of this state machine, and read their history.
    #[must_use]
    pub fn grant_manage_executions(&self) -> Vec<Statement> {
        let actions = [
            "states:DescribeExecution",
            "states:GetExecutionHistory",
            "states:RedriveExecution",
            "states:StopExecution",
        ];
        vec![Statement::allow(actions).on(self.execution_arns())]
    }

    /// Describe executions of this state machine, and read their history.
    #[must_use]
    pub fn grant_read_executions(&self) -> Vec<Statement> {
        vec![
            Statement::allow(["states:DescribeExecution", "states:GetExecutionHistory"])
                .on(self.execution_arns()),
        ]
    }

    /// The ARNs of all executions of this state machine.
    #[must_use]
    pub fn execution_arns(&self) -> Value<AnyArn> {
        Value::<Arn<StateMachine>>::sub_with(
            "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:execution:${Machine}:*",
            [("Machine", Value::<String>::from(self.name()))],
        )
        .into()
    }
}

#[cfg(feature = "s3")]
impl Handle<Bucket> {
    /// Read objects, and list them.
    #[must_use]
    pub fn grant_read(&self) -> Vec<Statement> {
        vec![
            Statement::allow(["s3:GetObject"]).on(self.arn().suffixed("/*")),
            Statement::allow(["s3:ListBucket"]).on(self),
        ]
    }

    /// Write objects.
    #[must_use]
    pub fn grant_write(&self) -> Vec<Statement> {
        vec![Statement::allow(["s3:PutObject"]).on(self.arn().suffixed("/*"))]
    }
}

#[cfg(feature = "dynamodb")]
/// Query and scan all indexes of a table.
#[must_use]
pub fn read_indexes(table: &Handle<Table>) -> Vec<Statement> {
    vec![Statement::allow(["dynamodb:Query", "dynamodb:Scan"]).on(index_arns(table))]
}

#[cfg(feature = "dynamodb")]
/// The ARNs of all indexes of a table; an index has an ARN of its own.
#[must_use]
pub fn index_arns(table: &Handle<Table>) -> Value<AnyArn> {
    table.arn().suffixed("/index/*")
}

/// Send traces to X-Ray.
///
/// On everything: X-Ray has no resource for these actions, a trace belongs to the account.
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html>
#[must_use]
pub fn trace() -> Vec<Statement> {
    let actions = [
        "xray:GetSamplingRules",
        "xray:GetSamplingTargets",
        "xray:PutTelemetryRecords",
        "xray:PutTraceSegments",
    ];
    vec![Statement::allow(actions).on_everything()]
}

/// Have AWS deliver the log of a state machine to a log group.
///
/// On everything: the delivery actions of CloudWatch Logs have no resource, and Step Functions refuses to log with
/// a role that lacks them.
/// <https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html>
#[must_use]
pub fn deliver_vended_logs() -> Vec<Statement> {
    let actions = [
        "logs:CreateLogDelivery",
        "logs:DeleteLogDelivery",
        "logs:DescribeLogGroups",
        "logs:DescribeResourcePolicies",
        "logs:GetLogDelivery",
        "logs:ListLogDeliveries",
        "logs:PutResourcePolicy",
        "logs:UpdateLogDelivery",
    ];
    vec![Statement::allow(actions).on_everything()]
}

/// Report metrics in one namespace.
///
/// On everything, because `PutMetricData` has no resource; the namespace is confined by a condition instead.
#[must_use]
pub fn put_metrics(namespace: &str) -> Vec<Statement> {
    vec![Statement::allow(["cloudwatch:PutMetricData"]).on_everything().when(
        "StringEquals",
        "cloudwatch:namespace",
        namespace,
    )]
}

/// Send mail from an identity of SES, a domain or an address of this account and region.
#[must_use]
pub fn send_email(identity: impl Into<Value<String>>) -> Vec<Statement> {
    /// An identity of SES; a type of its own because no resource of this crate is one.
    enum Identity {}
    let identity: Value<Arn<Identity>> = Value::of_this_account("ses", "identity/", identity);
    vec![Statement::allow(["ses:SendEmail"]).on(identity)]
}

#[cfg(all(test, feature = "default"))]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_grant_names_the_resource_itself() {
        let queue: Handle<Queue> = Handle::new("Orders");
        assert_eq!(
            json!(queue.grant_send_messages()),
            json!([{
                "Effect": "Allow",
                "Action": "sqs:SendMessage",
                "Resource": { "Fn::GetAtt": ["Orders", "Arn"] },
            }])
        );
    }

    #[test]
    fn a_grant_on_an_arn_needs_no_handle() {
        let statements = StateMachine::arn_of_name("order").grant_send_task_response();
        assert_eq!(
            json!(statements)[0]["Resource"],
            json!({ "Fn::Sub": "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:stateMachine:order" })
        );
    }

    #[test]
    fn a_transaction_is_allowed_by_its_parts() {
        let table: Handle<Table> = Handle::new("Stock");
        let statements = table.grant_write_transactions();
        let actions: Vec<&str> = statements[0].actions().collect();
        assert!(actions.contains(&"dynamodb:ConditionCheckItem"));
        assert!(!actions.contains(&"dynamodb:TransactWriteItems"), "there is no such action");
    }

    #[test]
    fn only_actions_without_a_resource_are_on_everything() {
        for statement in [trace(), deliver_vended_logs(), put_metrics("Flyover")].concat() {
            assert_eq!(json!(statement)["Resource"], "*");
        }
    }
}
