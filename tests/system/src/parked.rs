//! What waits for an operator, and what operators decided.

use crate::start::System;
use anyhow::{Context, Result};
use aws_sdk_dynamodb::types::AttributeValue;
use saga::parked_table::{
    ACTION, ATTEMPTS, BY, CAN_SKIP, DECISION, EXECUTION, EXECUTION_ARN, FAILURE, NO, OF, REASON, SAGA,
    SAGA_ID, SINCE, STEP, TASK_TOKEN, WHAT, YES, sort_key, thing_of,
};
use serde_json::Value as Json;
use std::collections::HashMap;

type Item = HashMap<String, AttributeValue>;

/// A record of the table of parked sagas.
#[derive(Debug, Clone, PartialEq)]
pub struct Parked {
    /// What waits.
    pub what: String,
    /// The execution that waits.
    pub execution: String,
    /// Its ARN.
    pub execution_arn: String,
    /// The steps that could not be done.
    pub step: String,
    /// Why not, by step.
    pub failure: Json,
    /// How often each was tried.
    pub attempts: u32,
    /// Since when it waits.
    pub since: String,
    /// Whether the saga can go on without.
    pub can_skip: bool,
}

/// What an operator decided, as the state machine recorded it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// What it was about.
    pub of: String,
    /// Which of its steps.
    pub steps: String,
    /// `retry` or `skip`.
    pub action: String,
    /// Why.
    pub reason: String,
    /// Who.
    pub by: String,
}

impl System {
    /// What waits for an operator of one saga.
    ///
    /// # Errors
    /// When the table cannot be read or holds something else.
    pub async fn parked(&self, saga_id: &str) -> Result<Vec<Parked>> {
        let items = self.parked_items(saga_id).await?;
        items.iter().filter(|item| item.contains_key(TASK_TOKEN)).map(parked).collect()
    }

    /// What operators decided about one saga, in order.
    ///
    /// # Errors
    /// As [`parked`](Self::parked).
    pub async fn decisions(&self, saga_id: &str) -> Result<Vec<Decision>> {
        let items = self.parked_items(saga_id).await?;
        let decided = |item: &&Item| text(item, WHAT).is_ok_and(|what| what.starts_with(DECISION));
        items.iter().filter(decided).map(decision).collect()
    }

    /// Puts a record of something that waits in an execution, as a state machine does. Nobody can answer it.
    ///
    /// # Errors
    /// When the table does not take it.
    pub async fn plant_parked(&self, saga_id: &str, thing: &str, execution_arn: &str) -> Result<()> {
        let name = execution_arn.rsplit(':').next().unwrap_or_default();
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let key = sort_key(thing, name);
        let planted = [
            (SAGA_ID, text(saga_id)),
            (WHAT, text(&key)),
            (SAGA, text("order")),
            (EXECUTION, text(name)),
            (EXECUTION_ARN, text(execution_arn)),
            (STEP, text("reserve-stock")),
            (FAILURE, text("{}")),
            (ATTEMPTS, AttributeValue::N("1".to_owned())),
            (REASON, text("none")),
            (SINCE, text("2026-01-01T00:00:00Z")),
            (TASK_TOKEN, text("planted")),
            (CAN_SKIP, text(NO)),
        ];
        let table = self.output(stacks::outputs::PARKED_TABLE_NAME);
        let item = planted.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let put = self.clients().dynamodb.put_item().table_name(table).set_item(Some(item)).send().await;
        put.with_context(|| format!("cannot plant {key} of {saga_id}"))?;
        Ok(())
    }

    /// Takes such a record away.
    ///
    /// # Errors
    /// When it cannot be taken away.
    pub async fn take_parked_away(&self, saga_id: &str, record: &Parked) -> Result<()> {
        let key = sort_key(&record.what, &record.execution);
        let asked = self.clients().dynamodb.delete_item();
        let asked = asked
            .table_name(self.output(stacks::outputs::PARKED_TABLE_NAME))
            .key(SAGA_ID, AttributeValue::S(saga_id.to_owned()))
            .key(WHAT, AttributeValue::S(key.clone()));
        asked.send().await.with_context(|| format!("cannot take {key} of {saga_id} away"))?;
        Ok(())
    }

    async fn parked_items(&self, saga_id: &str) -> Result<Vec<Item>> {
        let asked = self
            .clients()
            .dynamodb
            .query()
            .table_name(self.output(stacks::outputs::PARKED_TABLE_NAME))
            .consistent_read(true)
            .key_condition_expression("#id = :id")
            .expression_attribute_names("#id", SAGA_ID)
            .expression_attribute_values(":id", AttributeValue::S(saga_id.to_owned()));
        let answer = asked.send().await.with_context(|| format!("cannot read what {saga_id} parked"))?;
        Ok(answer.items.unwrap_or_default())
    }
}

fn parked(item: &Item) -> Result<Parked> {
    let attempts = item.get(ATTEMPTS).and_then(|value| value.as_n().ok());
    let can_skip = text(item, CAN_SKIP)? == YES;
    Ok(Parked {
        what: thing_of(&text(item, WHAT)?).0.to_owned(),
        execution: text(item, EXECUTION)?,
        execution_arn: text(item, EXECUTION_ARN)?,
        step: text(item, STEP)?,
        failure: serde_json::from_str(&text(item, FAILURE)?)?,
        attempts: attempts.context("a record tells how often it was tried")?.parse()?,
        since: text(item, SINCE)?,
        can_skip,
    })
}

fn decision(item: &Item) -> Result<Decision> {
    Ok(Decision {
        of: text(item, OF)?,
        steps: text(item, STEP)?,
        action: text(item, ACTION)?,
        reason: text(item, REASON)?,
        by: text(item, BY)?,
    })
}

fn text(item: &Item, name: &str) -> Result<String> {
    let value = item.get(name).and_then(|value| value.as_s().ok());
    value.cloned().with_context(|| format!("a record of a parked saga has no {name}"))
}
