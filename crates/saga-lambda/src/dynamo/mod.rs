//! A participant's store in DynamoDB: a table for each entity, and one for the fences.

mod cancelled;
mod expression;
mod fence_item;
mod opaque;
mod row_item;
mod transact;

use crate::{
    Error, Variables,
    aws::Failure,
    deadline::{Deadline, Repeatable, Tried, persist},
};
use aws_sdk_dynamodb::{
    Client,
    operation::{put_item::PutItemError, transact_write_items::TransactWriteItemsError},
    types::{AttributeValue, ReturnValuesOnConditionCheckFailure},
};
use cancelled::Cancelled;
use fence_item::FenceTable;
use saga::{
    EntitySpec, Refused, Row, RowKey, StepKey, Store, Transaction, Unavailable, environment,
    fence::{Recorded, Standing},
};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

type Item = HashMap<String, AttributeValue>;

/// The tables of a participant.
#[derive(Debug, Clone)]
pub struct Tables {
    fences: FenceTable,
    by_entity: BTreeMap<String, String>,
}

impl Tables {
    /// From the variables that the stack sets: see [`saga::environment`].
    ///
    /// # Errors
    /// When one is missing or invalid.
    pub fn from_variables(variables: &Variables, entities: &[EntitySpec]) -> Result<Self, Error> {
        let seconds = "a whole number of seconds";
        let fences = FenceTable {
            name: variables.text(environment::FENCE_TABLE)?.into(),
            keep: Duration::from_secs(variables.parsed(environment::FENCE_TTL_SECONDS, seconds)?),
        };
        let table = |entity: &EntitySpec| {
            let name = variables.text(&environment::table(entity.name))?;
            Ok((entity.name.to_owned(), name.to_owned()))
        };
        Ok(Self { fences, by_entity: entities.iter().map(table).collect::<Result<_, Error>>()? })
    }

    fn of_entity(&self, entity: &str) -> Result<&str, Unavailable> {
        let name = self.by_entity.get(entity).map(String::as_str);
        name.ok_or_else(|| Unavailable(format!("no table is known for the entity `{entity}`")))
    }
}

/// A [`Store`] in DynamoDB. Conflicts, throttling and lost answers are tried again until its deadline.
#[derive(Debug, Clone)]
pub struct DynamoStore {
    client: Client,
    tables: Arc<Tables>,
    deadline: Deadline,
}

impl DynamoStore {
    /// A store with these tables, for work until the deadline.
    pub fn new(client: Client, tables: Tables, deadline: Deadline) -> Self {
        Self { client, tables: Arc::new(tables), deadline }
    }

    /// The same store, for work until another deadline.
    pub fn until(&self, deadline: Deadline) -> Self {
        Self { deadline, ..self.clone() }
    }

    async fn read(&self, table: &str, key: Item) -> Result<Option<Item>, Unavailable> {
        let request = self.client.get_item().table_name(table).set_key(Some(key)).consistent_read(true);
        let read = persist(
            self.deadline,
            Repeatable(|| async {
                match request.clone().send().await {
                    Ok(answer) => Tried::Answered(Ok(answer.item)),
                    Err(error) => Failure::of(&error).tried(|failure| Err(failure.text)),
                }
            }),
        );
        read.await.and_then(|answer| answer).map_err(|why| Unavailable(format!("{table}: {why}")))
    }

    /// Moves a fence alone. A plain put costs half of what a transaction does.
    async fn put_fence(&self, transaction: &Transaction) -> Result<(), Refused> {
        let fences = &self.tables.fences;
        let (condition, names, values) = fence_item::condition(transaction);
        let request = self
            .client
            .put_item()
            .table_name(&fences.name)
            .set_item(Some(
                fences.item(&transaction.fence, &transaction.recorded()).map_err(Refused::Unavailable)?,
            ))
            .condition_expression(condition)
            .set_expression_attribute_names(names)
            .set_expression_attribute_values(values)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let put = persist(
            self.deadline,
            Repeatable(|| async {
                let Err(error) = request.clone().send().await else { return Tried::Answered(Ok(())) };
                match error.as_service_error() {
                    Some(PutItemError::ConditionalCheckFailedException(failed)) => {
                        Tried::Answered(Err(fence_item::refused(failed.item())))
                    }
                    _ => Failure::of(&error).tried(|failure| Err(unavailable(failure.text))),
                }
            }),
        );
        put.await.unwrap_or_else(|why| Err(unavailable(why)))
    }

    /// Moves a fence together with writes.
    ///
    /// No `ClientRequestToken`: the fence is what makes a repeated transaction harmless, for longer than the ten
    /// minutes of a token. A repetition of one that was applied is told the fence it left behind.
    async fn transact(&self, transaction: &Transaction) -> Result<(), Refused> {
        let items = transact::items(&self.tables, transaction).map_err(Refused::Unavailable)?;
        let request = self.client.transact_write_items().set_transact_items(Some(items));
        let transacted = persist(
            self.deadline,
            Repeatable(|| async {
                let Err(error) = request.clone().send().await else { return Tried::Answered(Ok(())) };
                match error.as_service_error() {
                    Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                        match cancelled::read(cancelled.cancellation_reasons(), &transaction.writes) {
                            Cancelled::Refused(refused) => Tried::Answered(Err(refused)),
                            Cancelled::Conflict(why) => Tried::Again(why),
                        }
                    }
                    _ => Failure::of(&error).tried(|failure| Err(unavailable(failure.text))),
                }
            }),
        );
        transacted.await.unwrap_or_else(|why| Err(unavailable(why)))
    }
}

fn unavailable(why: String) -> Refused {
    Refused::Unavailable(Unavailable(why))
}

impl Store for DynamoStore {
    async fn read_fence(&self, key: &StepKey) -> Result<Option<Recorded>, Unavailable> {
        let item = self.read(&self.tables.fences.name, fence_item::key(key)).await?;
        item.as_ref().map(fence_item::parse).transpose()
    }

    async fn read_standing(&self, key: &StepKey) -> Result<Option<Standing>, Unavailable> {
        let item = self.read(&self.tables.fences.name, fence_item::key(key)).await?;
        item.as_ref().map(fence_item::standing).transpose()
    }

    async fn read_row(&self, key: &RowKey) -> Result<Option<Row>, Unavailable> {
        key.check()?;
        let item = self.read(self.tables.of_entity(&key.entity)?, row_item::key(key)).await?;
        Ok(item.map(|item| row_item::parse(key, &item)))
    }

    async fn apply(&self, transaction: &Transaction) -> Result<(), Refused> {
        if transaction.writes.is_empty() {
            return self.put_fence(transaction).await;
        }
        for write in &transaction.writes {
            write.key.check().map_err(Refused::Unavailable)?;
        }
        let refused = match self.transact(transaction).await {
            Err(refused @ Refused::Guard { .. }) => refused,
            other => return other,
        };
        // DynamoDB may cancel at the first condition that fails, so a failed guard does not prove the fence. A state
        // that is left never comes back: if it is as expected now, it was when the guard failed.
        let now = self.read_fence(&transaction.fence).await.map_err(Refused::Unavailable)?;
        Err(if transaction.fits(now.as_ref()) { refused } else { Refused::Fence(now) })
    }
}

#[cfg(test)]
mod tests;
