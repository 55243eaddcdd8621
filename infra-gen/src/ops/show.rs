//! `show`: everything about one saga id.

use super::history::attempts;
use super::run::{Run, rfc3339};
use super::{Attempt, DeadLetter, Decision, FenceRow, Operations, OpsError, ParkedRecord, SagaRow};
use crate::aws::call;
use saga::Definition;
use saga_executions::{Death, Execution, Status};
use serde::Serialize;
use std::collections::BTreeSet;

/// The most dead letters of each queue that are looked through.
const MOST_LETTERS: usize = 500;

/// Everything about one saga id.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Story {
    /// The saga id.
    pub id: String,
    /// The sagas with this id, and those that belong to them: of an order, that of its cancellation by the customer who
    /// placed it.
    pub sagas: Vec<SagaStory>,
    /// What the participants have recorded.
    pub fences: Vec<FenceRow>,
    /// What waits for an operator.
    pub parked: Vec<ParkedRecord>,
    /// What operators decided.
    pub decisions: Vec<Decision>,
    /// Messages with this id that nobody could handle, and what was refused under it before there was a saga.
    pub dead_letters: Vec<DeadLetter>,
    /// Whether all dead letters were looked through.
    pub dead_letters_complete: bool,
}

/// One saga.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SagaStory {
    /// Where it stands.
    #[serde(flatten)]
    pub row: SagaRow,
    /// Its execution, and the settling ones.
    pub executions: Vec<ExecutionRow>,
    /// What they tried, in order.
    pub timeline: Vec<Attempt>,
}

/// One execution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExecutionRow {
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// Its status, as Step Functions says: `RUNNING`, `SUCCEEDED`, `FAILED`, `TIMED_OUT` or `ABORTED`.
    pub status: String,
    /// When it began, RFC 3339.
    pub started: Option<String>,
    /// When it ended, RFC 3339.
    pub ended: Option<String>,
    /// The name of the error it ended with.
    pub error: Option<String>,
    /// What whoever stopped it said.
    pub cause: Option<String>,
}

impl From<&Execution> for ExecutionRow {
    fn from(execution: &Execution) -> Self {
        // What Step Functions says about an error can hold what customers gave.
        let stopped = execution.status == Status::Dead(Death::Aborted);
        Self {
            name: execution.name.clone(),
            arn: execution.arn.clone(),
            status: execution.status.as_str().to_owned(),
            started: rfc3339(execution.started),
            ended: rfc3339(execution.stopped),
            error: execution.error.clone(),
            cause: execution.cause.clone().filter(|_| stopped),
        }
    }
}

impl Operations {
    /// Everything about one saga id.
    ///
    /// # Errors
    /// When nothing is known of it, or AWS cannot be asked.
    pub async fn show(&self, id: &str) -> Result<Story, OpsError> {
        let (open, decisions) = self.parked_of(id).await?;
        let parked: Vec<_> = open.into_iter().map(|open| open.record).collect();
        let waiting = parked.iter().filter_map(|record| record.execution_arn.clone()).collect();
        let mut runs = self.runs_of(id).await?;
        let related = runs.iter().flat_map(|(_, run)| self.related_to(run));
        for other in related.collect::<BTreeSet<_>>() {
            runs.extend(self.runs_of(&other).await?);
        }
        let mut sagas = Vec::new();
        for (definition, run) in runs {
            sagas.push(self.saga_story(definition, &run, &waiting).await?);
        }
        let fences = self.fences(id).await?;
        let mut dead = self.dead_letters(None, MOST_LETTERS).await?;
        dead.letters.retain(|letter| letter.id.as_deref() == Some(id));
        let story = Story {
            id: id.to_owned(),
            sagas,
            fences,
            parked,
            decisions,
            dead_letters: dead.letters,
            dead_letters_complete: dead.complete,
        };
        let nothing = story.sagas.is_empty()
            && story.fences.is_empty()
            && story.parked.is_empty()
            && story.decisions.is_empty()
            && story.dead_letters.is_empty();
        if nothing {
            return Err(OpsError::NotFound(format!("nothing is known of a saga {id}")));
        }
        Ok(story)
    }

    /// The runs of all sagas with this id.
    async fn runs_of(&self, id: &str) -> Result<Vec<(&Definition, Run)>, OpsError> {
        let mut runs = Vec::new();
        for definition in &self.sagas {
            runs.extend(self.run_of(definition.name, id).await?.map(|run| (definition, run)));
        }
        Ok(runs)
    }

    /// The other saga ids that belong to a run.
    fn related_to(&self, run: &Run) -> Vec<String> {
        let mut ids = (self.related)(run.saga, &run.id, &run.first.input["input"]);
        ids.retain(|id| *id != run.id);
        ids
    }

    async fn saga_story(
        &self,
        definition: &Definition,
        run: &Run,
        waiting: &BTreeSet<String>,
    ) -> Result<SagaStory, OpsError> {
        let mut timeline = Vec::new();
        for execution in run.executions() {
            timeline.extend(self.timeline(definition, execution).await?);
        }
        Ok(SagaStory {
            row: run.row(waiting),
            executions: run.executions().map(ExecutionRow::from).collect(),
            timeline,
        })
    }

    async fn timeline(
        &self,
        definition: &Definition,
        execution: &Execution,
    ) -> Result<Vec<Attempt>, OpsError> {
        let mut events = Vec::new();
        let mut pages = self
            .sfn
            .get_execution_history()
            .execution_arn(&execution.arn)
            .max_results(1_000)
            // Inputs and outputs are personal data, and the tokens are among them.
            .include_execution_data(false)
            .into_paginator()
            .send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(call(format!("read the history of execution {}", execution.name)))?;
            events.extend(page.events);
        }
        let has_ended = execution.status != Status::Running;
        Ok(attempts(definition, &execution.name, &events, has_ended))
    }
}

#[cfg(test)]
mod tests {
    use super::super::run::tests::execution;
    use super::*;
    use serde_json::Value as Json;

    #[test]
    fn only_who_stopped_an_execution_is_quoted() {
        for (death, shown) in [(Death::Aborted, true), (Death::Failed, false)] {
            let mut one = execution("o-1", Status::Dead(death), Json::Null);
            one.cause = Some("stopped by the night shift".to_owned());
            assert_eq!(ExecutionRow::from(&one).cause.is_some(), shown);
        }
    }
}
