//! What waits for an operator, and what operators decided.

use crate::start::System;
use anyhow::{Context, Result};
use aws_sdk_dynamodb::types::AttributeValue;
use saga::parked_table::{
    ACTION, ATTEMPTS, BY, CAN_SKIP, DECISION, EXECUTION, FAILURE, OF, REASON, SAGA_ID, SINCE, STEP,
    TASK_TOKEN, WHAT, thing_of,
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
    let can_skip = item.get(CAN_SKIP).and_then(|value| value.as_bool().ok());
    Ok(Parked {
        what: thing_of(&text(item, WHAT)?).0.to_owned(),
        execution: text(item, EXECUTION)?,
        step: text(item, STEP)?,
        failure: serde_json::from_str(&text(item, FAILURE)?)?,
        attempts: attempts.context("a record tells how often it was tried")?.parse()?,
        since: text(item, SINCE)?,
        can_skip: *can_skip.context("a record tells whether it can be skipped")?,
    })
}

fn decision(item: &Item) -> Result<Decision> {
    Ok(Decision {
        of: text(item, OF)?,
        action: text(item, ACTION)?,
        reason: text(item, REASON)?,
        by: text(item, BY)?,
    })
}

fn text(item: &Item, name: &str) -> Result<String> {
    let value = item.get(name).and_then(|value| value.as_s().ok());
    value.cloned().with_context(|| format!("a record of a parked saga has no {name}"))
}
