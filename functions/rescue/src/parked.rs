//! Records that a dead execution left in the table of parked sagas: nobody can answer them any more.

use crate::dead::{Dead, Unsettled};
use aws_sdk_dynamodb::{Client, types::AttributeValue};
use saga::parked_table::{EXECUTION_ARN, SAGA_ID, TASK_TOKEN, WHAT};
use saga_lambda::{Deadline, Tried, aws::Failure, persist};

/// The table of parked sagas. Its records are told apart by the ARN of their execution: an order and its cancellation may
/// share a saga id, and with it the name of their executions.
#[derive(Debug, Clone)]
pub(crate) struct ParkedTable {
    pub(crate) client: Client,
    pub(crate) name: String,
}

impl ParkedTable {
    /// Takes away what an execution left. Whatever waits after it comes from the settling execution.
    pub(crate) async fn forget(&self, dead: &Dead, deadline: Deadline) -> Result<(), Unsettled> {
        for what in self.left_by(dead, deadline).await? {
            self.delete(dead, &what, deadline).await?;
        }
        Ok(())
    }

    /// A saga has few records, so they are on one page.
    async fn left_by(&self, dead: &Dead, deadline: Deadline) -> Result<Vec<String>, Unsettled> {
        let request = self
            .client
            .query()
            .table_name(&self.name)
            .consistent_read(true)
            .key_condition_expression("#id = :id")
            // Decisions have an execution too, and are kept.
            .filter_expression("#execution = :execution AND attribute_exists(#token)")
            .expression_attribute_names("#id", SAGA_ID)
            .expression_attribute_names("#execution", EXECUTION_ARN)
            .expression_attribute_names("#token", TASK_TOKEN)
            .expression_attribute_values(":id", text(dead.input.id.as_str()))
            .expression_attribute_values(":execution", text(&dead.arn));
        let found = persist(deadline, || async {
            match request.clone().send().await {
                Ok(found) => Tried::Answered(Ok(found)),
                Err(error) => Failure::of(&error).tried(|failure| Err(refused(failure))),
            }
        });
        let found = found.await.unwrap_or_else(|why| Err(Unsettled::DynamoDb(why)))?;
        let whats = found.items.unwrap_or_default().into_iter();
        Ok(whats.filter_map(|mut item| item.remove(WHAT)?.as_s().ok().cloned()).collect())
    }

    async fn delete(&self, dead: &Dead, what: &str, deadline: Deadline) -> Result<(), Unsettled> {
        let request = self
            .client
            .delete_item()
            .table_name(&self.name)
            .key(SAGA_ID, text(dead.input.id.as_str()))
            .key(WHAT, text(what))
            // A settling execution may have parked the same meanwhile.
            .condition_expression("#execution = :execution")
            .expression_attribute_names("#execution", EXECUTION_ARN)
            .expression_attribute_values(":execution", text(&dead.arn));
        let deleted = persist(deadline, || async {
            match request.clone().send().await {
                Ok(_) => Tried::Answered(Ok(())),
                Err(error) => Failure::of(&error).tried(|failure| match failure.code.as_deref() {
                    Some("ConditionalCheckFailedException") => Ok(()),
                    _ => Err(refused(failure)),
                }),
            }
        });
        deleted.await.unwrap_or_else(|why| Err(Unsettled::DynamoDb(why)))
    }
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

fn refused(failure: Failure) -> Unsettled {
    Unsettled::DynamoDb(failure.code.unwrap_or(failure.text))
}
