//! The table: for each resource type its grants, by intent; for each grant the actions, on the resource itself (`""`) or
//! on what is below it (`"/index/*"`).
//!
//! A new grant is a line here. Actions are those of one intent and no more: grants can be combined, and are merged.

use super::{Grant, GrantTable, Granted, Part};
use crate::declaration::{Handle, Resource};
#[cfg(feature = "dynamodb")]
use crate::dynamodb::Table;
#[cfg(feature = "events")]
use crate::events::EventBus;
use crate::kind::Arn;
#[cfg(feature = "kms")]
use crate::kms::Key;
#[cfg(feature = "lambda")]
use crate::lambda::Function;
#[cfg(feature = "logs")]
use crate::logs::LogGroup;
use crate::policy::Statement;
#[cfg(feature = "s3")]
use crate::s3::Bucket;
#[cfg(feature = "ses")]
use crate::ses::EmailIdentity;
#[cfg(feature = "sns")]
use crate::sns::Topic;
#[cfg(feature = "sqs")]
use crate::sqs::Queue;
#[cfg(feature = "stepfunctions")]
use crate::stepfunctions::{Execution, StateMachine};
use crate::value::Value;

/// The tables of all resource types whose services are compiled.
pub(super) fn all() -> Vec<GrantTable> {
    vec![
        #[cfg(feature = "dynamodb")]
        Table::TABLE,
        #[cfg(feature = "events")]
        EventBus::TABLE,
        #[cfg(feature = "kms")]
        Key::TABLE,
        #[cfg(feature = "lambda")]
        Function::TABLE,
        #[cfg(feature = "logs")]
        LogGroup::TABLE,
        #[cfg(feature = "s3")]
        Bucket::TABLE,
        #[cfg(feature = "ses")]
        EmailIdentity::TABLE,
        #[cfg(feature = "sns")]
        Topic::TABLE,
        #[cfg(feature = "sqs")]
        Queue::TABLE,
        #[cfg(feature = "stepfunctions")]
        StateMachine::TABLE,
        #[cfg(feature = "stepfunctions")]
        Execution::TABLE,
    ]
}

#[cfg(feature = "dynamodb")]
grants! {
    Table, Table::TYPE, "arn:${Partition}:dynamodb:${Region}:${Account}:table/${TableName}",
    on Value<Arn<Table>>, Handle<Table>;
    {
        /// Read one item by its key, in transactions too.
        grant_get_items: { "" => ["dynamodb:GetItem"] },
        /// Create or replace items, in transactions too.
        grant_put_items: { "" => ["dynamodb:PutItem"] },
        /// Change items, or create them by doing so, in transactions too.
        grant_update_items: { "" => ["dynamodb:UpdateItem"] },
        /// Delete items, in transactions too.
        grant_delete_items: { "" => ["dynamodb:DeleteItem"] },
        /// Have a transaction depend on an item that it does not write.
        grant_check_items: { "" => ["dynamodb:ConditionCheckItem"] },
        /// Query the table, not its indexes.
        grant_query: { "" => ["dynamodb:Query"] },
        /// Read items by key, singly or in batches, by query and by scan. Not through indexes: see
        /// `grant_read_indexes`.
        grant_read_data: {
            "" => ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan"],
        },
        /// Put, update and delete items, singly or in batches.
        grant_write_data: {
            "" => ["dynamodb:BatchWriteItem", "dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:UpdateItem"],
        },
        /// Read and write items in every way but through indexes; transactions too, with those that only check.
        grant_read_write_data: {
            "" => [
                "dynamodb:BatchGetItem",
                "dynamodb:BatchWriteItem",
                "dynamodb:ConditionCheckItem",
                "dynamodb:DeleteItem",
                "dynamodb:GetItem",
                "dynamodb:PutItem",
                "dynamodb:Query",
                "dynamodb:Scan",
                "dynamodb:UpdateItem",
            ],
        },
        /// Write transactions with conditions, and read what they are about.
        ///
        /// There is no action of the name `TransactWriteItems`: a transaction needs the action of each of its parts,
        /// and `ConditionCheckItem` for parts that only check.
        /// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html>
        grant_write_transactions: {
            "" => [
                "dynamodb:ConditionCheckItem",
                "dynamodb:DeleteItem",
                "dynamodb:GetItem",
                "dynamodb:PutItem",
                "dynamodb:UpdateItem",
            ],
        },
        /// Query and scan all indexes of the table; an index has an ARN of its own.
        grant_read_indexes: { "/index/*" => ["dynamodb:Query", "dynamodb:Scan"] },
        /// Read the streams of the table. What an event source mapping needs.
        ///
        /// <https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html>
        grant_read_stream: {
            "/stream/*" => [
                "dynamodb:DescribeStream",
                "dynamodb:GetRecords",
                "dynamodb:GetShardIterator",
                "dynamodb:ListStreams",
            ],
        },
        /// Describe the table.
        grant_describe: { "" => ["dynamodb:DescribeTable"] },
    }
}

#[cfg(feature = "events")]
grants! {
    EventBus, EventBus::TYPE, "arn:${Partition}:events:${Region}:${Account}:event-bus/${EventBusName}",
    on Value<Arn<EventBus>>, Handle<EventBus>;
    {
        /// Put events on the bus.
        grant_put_events: { "" => ["events:PutEvents"] },
    }
}

#[cfg(feature = "kms")]
grants! {
    Key, Key::TYPE, "arn:${Partition}:kms:${Region}:${Account}:key/${KeyId}",
    on Value<Arn<Key>>, Handle<Key>;
    {
        /// Encrypt data, up to 4 KiB directly and more with a data key.
        grant_encrypt: { "" => ["kms:Encrypt", "kms:GenerateDataKey"] },
        /// Decrypt data and data keys.
        grant_decrypt: { "" => ["kms:Decrypt"] },
        /// Encrypt and decrypt.
        grant_encrypt_decrypt: { "" => ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"] },
        /// Generate message authentication codes.
        grant_generate_mac: { "" => ["kms:GenerateMac"] },
        /// Verify message authentication codes.
        grant_verify_mac: { "" => ["kms:VerifyMac"] },
        /// Sign.
        grant_sign: { "" => ["kms:Sign"] },
        /// Verify signatures, by asking KMS or with the public key.
        grant_verify: { "" => ["kms:GetPublicKey", "kms:Verify"] },
    }
}

#[cfg(feature = "lambda")]
grants! {
    Function, Function::TYPE, "arn:${Partition}:lambda:${Region}:${Account}:function:${FunctionName}",
    on Value<Arn<Function>>, Handle<Function>;
    {
        /// Invoke the function.
        grant_invoke: { "" => ["lambda:InvokeFunction"] },
    }
}

// The ARN that CloudFormation gives of a log group ends with `:*`, which is its streams.
#[cfg(feature = "logs")]
grants! {
    LogGroup, LogGroup::TYPE, "arn:${Partition}:logs:${Region}:${Account}:log-group:${LogGroupName}:*",
    on Value<Arn<LogGroup>>, Handle<LogGroup>;
    {
        /// Write lines, to streams of its own.
        grant_write: { "" => ["logs:CreateLogStream", "logs:PutLogEvents"] },
    }
}

#[cfg(feature = "s3")]
grants! {
    Bucket, Bucket::TYPE, "arn:${Partition}:s3:::${BucketName}",
    on Value<Arn<Bucket>>, Handle<Bucket>;
    {
        /// Read objects, and list them.
        grant_read: { "" => ["s3:ListBucket"], "/*" => ["s3:GetObject"] },
        /// Write objects, and give up uploads in parts that failed.
        grant_write: { "/*" => ["s3:AbortMultipartUpload", "s3:PutObject"] },
        /// Delete objects.
        grant_delete: { "/*" => ["s3:DeleteObject"] },
        /// Read, list and write objects. Not delete them: see `grant_delete`.
        grant_read_write: {
            "" => ["s3:ListBucket"],
            "/*" => ["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"],
        },
    }
}

// CloudFormation gives no ARN of an identity: its grants are on `EmailIdentity::arn_of_name`.
#[cfg(feature = "ses")]
grants! {
    EmailIdentity, EmailIdentity::TYPE, "arn:${Partition}:ses:${Region}:${Account}:identity/${IdentityName}",
    on Value<Arn<EmailIdentity>>;
    {
        /// Send mail from the identity, an address or a domain.
        grant_send_email: { "" => ["ses:SendEmail"] },
    }
}

#[cfg(feature = "sns")]
grants! {
    Topic, Topic::TYPE, "arn:${Partition}:sns:${Region}:${Account}:${TopicName}",
    on Value<Arn<Topic>>, Handle<Topic>;
    {
        /// Publish, singly or in batches.
        grant_publish: { "" => ["sns:Publish"] },
        /// Subscribe to the topic.
        grant_subscribe: { "" => ["sns:Subscribe"] },
    }
}

#[cfg(feature = "sqs")]
grants! {
    Queue, Queue::TYPE, "arn:${Partition}:sqs:${Region}:${Account}:${QueueName}",
    on Value<Arn<Queue>>, Handle<Queue>;
    {
        /// Send messages, singly or in batches.
        grant_send_messages: { "" => ["sqs:SendMessage"] },
        /// Receive messages, keep them hidden, and delete them. What an event source mapping needs.
        grant_consume_messages: {
            "" => [
                "sqs:ChangeMessageVisibility",
                "sqs:DeleteMessage",
                "sqs:GetQueueAttributes",
                "sqs:ReceiveMessage",
            ],
        },
        /// Ask for attributes: how many messages there are, say.
        grant_get_attributes: { "" => ["sqs:GetQueueAttributes"] },
        /// Delete all messages.
        grant_purge: { "" => ["sqs:PurgeQueue"] },
        /// Move messages from this dead-letter queue back to where they came from; the role must also be granted
        /// to send to the queues they go to.
        grant_redrive_messages: {
            "" => [
                "sqs:CancelMessageMoveTask",
                "sqs:DeleteMessage",
                "sqs:GetQueueAttributes",
                "sqs:ListMessageMoveTasks",
                "sqs:ReceiveMessage",
                "sqs:StartMessageMoveTask",
            ],
        },
    }
}

#[cfg(feature = "stepfunctions")]
grants! {
    StateMachine, StateMachine::TYPE, "arn:${Partition}:states:${Region}:${Account}:stateMachine:${StateMachineName}",
    on Value<Arn<StateMachine>>, Handle<StateMachine>;
    {
        /// Start executions.
        grant_start_execution: { "" => ["states:StartExecution"] },
        /// Start executions of an express state machine, and wait for their end.
        grant_start_sync_execution: { "" => ["states:StartSyncExecution"] },
        /// List executions.
        grant_list_executions: { "" => ["states:ListExecutions"] },
        /// Report the success or the failure of a task that waits for its token.
        ///
        /// The service authorization reference lists no resource type for these actions, but Step Functions does
        /// check them against the state machine that issued the token: statements confined to it work for tasks
        /// with `.waitForTaskToken` (not for activities, which have an ARN of their own). So `*` is not needed.
        /// <https://github.com/aws/aws-cdk/pull/8486>
        grant_send_task_response: { "" => ["states:SendTaskFailure", "states:SendTaskSuccess"] },
        /// Report that a task that waits for its token is still under way.
        grant_send_task_heartbeat: { "" => ["states:SendTaskHeartbeat"] },
    }
}

#[cfg(feature = "stepfunctions")]
grants! {
    Execution, "executions of a state machine",
    "arn:${Partition}:states:${Region}:${Account}:execution:${StateMachineName}:*",
    on Value<Arn<Execution>>;
    {
        /// Describe executions: how they are doing, with input and output.
        grant_describe: { "" => ["states:DescribeExecution"] },
        /// Describe executions, and read their history.
        grant_read: { "" => ["states:DescribeExecution", "states:GetExecutionHistory"] },
        /// Describe, stop and redrive executions, and read their history.
        grant_manage: {
            "" => [
                "states:DescribeExecution",
                "states:GetExecutionHistory",
                "states:RedriveExecution",
                "states:StopExecution",
            ],
        },
    }
}
