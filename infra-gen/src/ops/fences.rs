//! The fences of one saga id, over all participants.

use super::{Operations, OpsError};
use crate::aws::call;
use aws_sdk_dynamodb::types::AttributeValue;
use saga::fence_table::{AT, ERROR, RUN, SAGA_ID, STATE, STEP, WAS};
use saga::{SagaId, StepKey};
use saga_executions::aws::Item;
use serde::Serialize;

/// A fence, without what the step produced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FenceRow {
    /// Whose it is.
    pub participant: String,
    /// The saga's name; none of a fence of an earlier release.
    pub saga: Option<String>,
    /// The step.
    pub step: String,
    /// Which item, where the step runs once for each.
    pub item: Option<String>,
    /// The digest of the run that wrote it; none of a fence of an earlier release.
    pub run: Option<String>,
    /// `started`, `done`, `rejected`, `undone` or `abandoned`.
    pub state: String,
    /// When abandoned: its state until then; none when nothing was recorded.
    pub was: Option<String>,
    /// The wire name of the rejection, when rejected.
    pub error: Option<String>,
    /// When it was written last, ISO 8601.
    pub at: Option<String>,
}

impl Operations {
    pub(super) async fn fences(&self, id: &str) -> Result<Vec<FenceRow>, OpsError> {
        let mut rows = Vec::new();
        for participant in &self.participants {
            let table = self.output(&stacks::outputs::fence_table_name(participant.name))?;
            let mut pages = self
                .dynamodb
                .query()
                .table_name(table)
                .key_condition_expression("#id = :id")
                // Neither the output nor the inverse.
                .projection_expression(SHOWN.map(|(name, _)| name).join(", "))
                .set_expression_attribute_names(Some(
                    SHOWN
                        .into_iter()
                        .chain([("#id", SAGA_ID)])
                        .map(|(name, attribute)| (name.to_owned(), attribute.to_owned()))
                        .collect(),
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

/// What is read of a fence.
const SHOWN: [(&str, &str); 6] =
    [("#step", STEP), ("#run", RUN), ("#state", STATE), ("#was", WAS), ("#error", ERROR), ("#at", AT)];

fn row(participant: &str, item: &Item) -> FenceRow {
    let place = text(item, STEP).unwrap_or_default();
    // The saga id is another part of the key.
    let key = "-".parse::<SagaId>().ok().and_then(|id| StepKey::at(id, &place));
    let (saga, step, of_item) = match key {
        Some(StepKey { saga, step, item, .. }) => (Some(saga.to_string()), step, item.map(String::from)),
        None => (None, place, None),
    };
    FenceRow {
        participant: participant.to_owned(),
        saga,
        step,
        item: of_item,
        run: text(item, RUN),
        state: text(item, STATE).unwrap_or_default(),
        was: text(item, WAS),
        error: text(item, ERROR),
        at: text(item, AT),
    }
}

/// A text of an item.
pub(super) fn text(item: &Item, name: &str) -> Option<String> {
    item.get(name)?.as_s().ok().cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(members: &[(&str, &str)]) -> [Option<String>; 5] {
        let item =
            members.iter().map(|(name, value)| ((*name).to_owned(), AttributeValue::S((*value).to_owned())));
        let FenceRow { saga, step, item, state, was, .. } = row("payment", &item.collect());
        [saga, Some(step), item, Some(state), was]
    }

    #[test]
    fn a_fence_is_told_by_saga_step_and_item() {
        let some = |text: &str| Some(text.to_owned());
        let abandoned = told(&[("step", "order/charge-payment"), ("state", "abandoned"), ("was", "done")]);
        assert_eq!(abandoned, [some("order"), some("charge-payment"), None, some("abandoned"), some("done")]);
        let of_item = told(&[("step", "order/reserve-stock/tea-1"), ("state", "done")]);
        assert_eq!(of_item, [some("order"), some("reserve-stock"), some("tea-1"), some("done"), None]);
        let of_version_1 = told(&[("step", "charge-payment"), ("state", "undone")]);
        assert_eq!(of_version_1, [None, some("charge-payment"), None, some("undone"), None]);
    }
}
