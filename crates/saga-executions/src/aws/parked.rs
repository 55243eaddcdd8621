//! The table of parked sagas.

use super::failed;
use crate::orchestrator::{CallError, Record};
use aws_sdk_dynamodb::{Client, operation::delete_item::DeleteItemError, types::AttributeValue};
use saga::{
    SagaId,
    parked_table::{DECISION, EXECUTION_ARN, REDRIVES, SAGA_ID, TASK_TOKEN, WHAT},
};
use std::collections::HashMap;

const SERVICE: &str = "DynamoDB";

/// An item of the table: a record of something that waits, which has a task token, or a decision.
pub type Item = HashMap<String, AttributeValue>;

/// The table of parked sagas.
#[derive(Debug, Clone)]
pub struct ParkedTable {
    client: Client,
    name: String,
}

impl ParkedTable {
    /// The table of this name.
    pub fn new(client: Client, name: impl Into<String>) -> Self {
        Self { client, name: name.into() }
    }

    /// Everything of one saga id: records and decisions.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn items_of(&self, saga_id: &str) -> Result<Vec<Item>, CallError> {
        let mut pages = self
            .client
            .query()
            .table_name(&self.name)
            .key_condition_expression("#id = :id")
            .expression_attribute_names("#id", SAGA_ID)
            .expression_attribute_values(":id", text(saga_id))
            .consistent_read(true)
            .into_paginator()
            .send();
        let mut items = Vec::new();
        while let Some(page) = pages.next().await {
            items.extend(page.map_err(|error| failed(SERVICE, &error))?.items.unwrap_or_default());
        }
        Ok(items)
    }

    /// All records, and if asked, all decisions.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn items(&self, with_decisions: bool) -> Result<Vec<Item>, CallError> {
        let mut scan = self.client.scan().table_name(&self.name).consistent_read(true);
        if !with_decisions {
            scan = scan
                .filter_expression("NOT begins_with(#what, :decision)")
                .expression_attribute_names("#what", WHAT)
                .expression_attribute_values(":decision", text(DECISION));
        }
        let mut items = Vec::new();
        let mut pages = scan.into_paginator().send();
        while let Some(page) = pages.next().await {
            items.extend(page.map_err(|error| failed(SERVICE, &error))?.items.unwrap_or_default());
        }
        Ok(items)
    }

    pub(super) async fn records_of(&self, saga_id: &SagaId) -> Result<Vec<Record>, CallError> {
        Ok(self.items_of(saga_id.as_str()).await?.iter().filter_map(record).collect())
    }

    pub(super) async fn forget(&self, saga_id: &SagaId, record: &Record) -> Result<(), CallError> {
        let deleted = self
            .client
            .delete_item()
            .table_name(&self.name)
            .key(SAGA_ID, text(saga_id.as_str()))
            .key(WHAT, text(&record.sort_key))
            // Another execution, or the same one redriven, may have parked under this key meanwhile.
            .condition_expression(
                "#execution = :execution AND (attribute_not_exists(#redrives) OR #redrives <= :redrives)",
            )
            .expression_attribute_names("#execution", EXECUTION_ARN)
            .expression_attribute_names("#redrives", REDRIVES)
            .expression_attribute_values(":execution", text(&record.execution_arn))
            .expression_attribute_values(":redrives", AttributeValue::N(record.redrives.to_string()))
            .send()
            .await;
        match deleted {
            Ok(_) => Ok(()),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(DeleteItemError::is_conditional_check_failed_exception) =>
            {
                Ok(())
            }
            Err(error) => Err(failed(SERVICE, &error)),
        }
    }
}

/// A record, as far as it must be known to take it away; `None` for a decision.
fn record(item: &Item) -> Option<Record> {
    item.get(TASK_TOKEN)?;
    Some(Record {
        sort_key: item.get(WHAT)?.as_s().ok()?.clone(),
        execution_arn: item.get(EXECUTION_ARN)?.as_s().ok()?.clone(),
        redrives: item.get(REDRIVES).and_then(|count| count.as_n().ok()?.parse().ok()).unwrap_or_default(),
    })
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}
