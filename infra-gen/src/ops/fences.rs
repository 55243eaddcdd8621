//! The fences of one saga id, over all participants.

use super::{Operations, OpsError};
use crate::aws::call;
use aws_sdk_dynamodb::types::AttributeValue;
use saga::fence_table::{AT, ERROR, SAGA_ID, STATE, STEP};
use serde::Serialize;
use std::collections::HashMap;

/// A fence, without what the step produced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FenceRow {
    /// Whose it is.
    pub participant: String,
    /// The step.
    pub step: String,
    /// `started`, `done`, `rejected` or `undone`.
    pub state: String,
    /// The wire name of the rejection, when rejected.
    pub error: Option<String>,
    /// When it was written last, ISO 8601.
    pub at: Option<String>,
}

impl Operations {
    pub(super) async fn fences(&self, id: &str) -> Result<Vec<FenceRow>, OpsError> {
        let mut rows = Vec::new();
        for participant in sagas::participants() {
            let table = self.output(&stacks::outputs::fence_table_name(participant.name))?;
            let mut pages = self
                .dynamodb
                .query()
                .table_name(table)
                .key_condition_expression("#id = :id")
                // Neither the output nor the inverse.
                .projection_expression("#step, #state, #error, #at")
                .set_expression_attribute_names(Some(
                    [("#id", SAGA_ID), ("#step", STEP), ("#state", STATE), ("#error", ERROR), ("#at", AT)]
                        .map(|(name, attribute)| (name.to_owned(), attribute.to_owned()))
                        .into(),
                ))
                .expression_attribute_values(":id", AttributeValue::S(id.to_owned()))
                .consistent_read(true)
                .into_paginator()
                .send();
            while let Some(page) = pages.next().await {
                let page = page.map_err(call(format!("read the fences of {}", participant.name)))?;
                rows.extend(page.items.unwrap_or_default().iter().map(|item| row(participant.name, item)));
            }
        }
        Ok(rows)
    }
}

fn row(participant: &str, item: &HashMap<String, AttributeValue>) -> FenceRow {
    FenceRow {
        participant: participant.to_owned(),
        step: text(item, STEP).unwrap_or_default(),
        state: text(item, STATE).unwrap_or_default(),
        error: text(item, ERROR),
        at: text(item, AT),
    }
}

/// A text of an item.
pub(super) fn text(item: &HashMap<String, AttributeValue>, name: &str) -> Option<String> {
    item.get(name)?.as_s().ok().cloned()
}
