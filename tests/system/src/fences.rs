//! What the participants have recorded of steps, read from their fence tables.

use crate::start::System;
use anyhow::{Context, Result, ensure};
use aws_sdk_dynamodb::types::AttributeValue;
use saga::{
    StepKey,
    fence::FenceState,
    fence_table::{RUN, SAGA_ID, STATE, STEP, WAS},
};
use std::collections::HashMap;

type Item = HashMap<String, AttributeValue>;

/// A fence, without outputs and inverses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FenceRow {
    /// The saga id.
    pub saga_id: String,
    /// Which step of which saga: see [`StepKey::place`].
    pub place: String,
    /// The digest of the run that wrote it.
    pub run: Option<String>,
    /// What it says.
    pub state: FenceState,
    /// What it said until an operator went on without the step.
    pub was: Option<FenceState>,
}

impl System {
    /// The fence of a step, if anything is recorded of it.
    ///
    /// # Errors
    /// When the table cannot be read or the item is no fence.
    pub async fn fence(&self, participant: &str, key: &StepKey) -> Result<Option<FenceRow>> {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let asked = self.clients().dynamodb.get_item().table_name(self.fence_table(participant));
        let asked = asked.key(SAGA_ID, text(key.saga_id.as_str())).key(STEP, text(&key.place()));
        let answer = asked.consistent_read(true).send().await;
        let item = answer.with_context(|| format!("cannot read the fence {key}"))?.item;
        item.as_ref().map(row).transpose()
    }

    /// Every fence of a participant.
    ///
    /// # Errors
    /// As [`fence`](Self::fence).
    pub async fn fences(&self, participant: &str) -> Result<Vec<FenceRow>> {
        let asked = self.clients().dynamodb.scan().table_name(self.fence_table(participant));
        let asked = asked.consistent_read(true).into_paginator().items().send();
        let items = asked.collect::<Result<Vec<_>, _>>().await;
        items.with_context(|| format!("cannot read the fences of {participant}"))?.iter().map(row).collect()
    }

    fn fence_table(&self, participant: &str) -> &str {
        self.output(&stacks::outputs::fence_table_name(participant))
    }
}

fn row(item: &Item) -> Result<FenceRow> {
    let text = |name: &str| item.get(name).and_then(|value| value.as_s().ok()).cloned();
    let needed = |name: &str| text(name).with_context(|| format!("a fence has no {name}: {:?}", item.keys()));
    let state =
        |name: String| FenceState::named(&name).with_context(|| format!("{name} is no state of a fence"));
    let row = FenceRow {
        saga_id: needed(SAGA_ID)?,
        place: needed(STEP)?,
        run: text(RUN),
        state: state(needed(STATE)?)?,
        was: text(WAS).map(state).transpose()?,
    };
    ensure!(
        row.was.is_none() || row.state == FenceState::Abandoned,
        "{row:?} was something, and is not abandoned"
    );
    Ok(row)
}
