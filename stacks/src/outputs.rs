//! The names of stack outputs: where tests, the demonstration and operators find things.
//!
//! Names of tables and queues are given by entity, participant and function as the crate `sagas` spells them.

use crate::names::pascal;

/// `data`: the name of the table of parked sagas.
pub const PARKED_TABLE_NAME: &str = "ParkedTableName";

/// `data`: the ARN of the table of parked sagas.
pub const PARKED_TABLE_ARN: &str = "ParkedTableArn";

/// `data`: the name of the table of claims to send letters.
pub const CLAIMS_TABLE_NAME: &str = "ClaimsTableName";

/// `data`: the ARN of the table of claims to send letters.
pub const CLAIMS_TABLE_ARN: &str = "ClaimsTableArn";

/// `app`: the ARN of the topic that customers publish orders and cancellations on.
pub const ORDER_TOPIC_ARN: &str = "OrderTopicArn";

/// `app`: the ARN of the topic with the outcomes of orders.
pub const ORDER_EVENTS_TOPIC_ARN: &str = "OrderEventsTopicArn";

/// `app`, where there is nothing but sagas: the ARN of the topic with their outcomes.
pub const NOTICES_TOPIC_ARN: &str = "NoticesTopicArn";

/// `app`: the URL of the queue that keeps refused orders.
pub const REFUSED_ORDERS_QUEUE_URL: &str = "RefusedOrdersQueueUrl";

/// `watch`: the ARN of the topic on which alarms go off.
pub const OPERATORS_TOPIC_ARN: &str = "OperatorsTopicArn";

/// `watch`: the name of the dashboard.
pub const DASHBOARD_NAME: &str = "DashboardName";

/// `data`: the name of an entity's table.
pub fn table_name(entity: &str) -> String {
    format!("{}TableName", pascal(entity))
}

/// `data`: the ARN of an entity's table.
pub fn table_arn(entity: &str) -> String {
    format!("{}TableArn", pascal(entity))
}

/// `data`: the name of a participant's fence table.
pub fn fence_table_name(participant: &str) -> String {
    format!("{}FenceTableName", pascal(participant))
}

/// `data`: the ARN of a participant's fence table.
pub fn fence_table_arn(participant: &str) -> String {
    format!("{}FenceTableArn", pascal(participant))
}

/// `app`: the ARN of a saga's state machine.
pub fn state_machine_arn(saga: &str) -> String {
    format!("{}StateMachineArn", pascal(saga))
}

/// `app`: the URL of the queue that a function works off.
pub fn queue_url(function: &str) -> String {
    format!("{}QueueUrl", pascal(function))
}

/// `app`: the name of the queue that a function works off.
pub fn queue_name(function: &str) -> String {
    format!("{}QueueName", pascal(function))
}

/// `app`: the URL of the dead-letter queue of a function: messages it could not work off, or for a function on a
/// schedule, calls that failed.
pub fn dead_letter_queue_url(function: &str) -> String {
    format!("{}DeadLetterQueueUrl", pascal(function))
}

/// `app`: the name of the dead-letter queue of a function.
pub fn dead_letter_queue_name(function: &str) -> String {
    format!("{}DeadLetterQueueName", pascal(function))
}

/// `app`: the name of a function.
pub fn function_name(function: &str) -> String {
    format!("{}FunctionName", pascal(function))
}

/// `app`: the ARN of the role of a function.
pub fn role_arn(function: &str) -> String {
    format!("{}RoleArn", pascal(function))
}

/// `app`: the name of the log group of a function.
pub fn log_group_name(function: &str) -> String {
    format!("{}LogGroupName", pascal(function))
}
