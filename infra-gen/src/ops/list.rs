//! `list`: the sagas with their states, the most recent first.

use super::run::{SagaRow, time};
use super::{Operations, OpsError, State};
use crate::aws::call;
use aws_sdk_sfn::types::{ExecutionListItem, ExecutionStatus};
use futures::{StreamExt, TryStreamExt, stream};
use saga::SagaId;
use serde::Serialize;
use std::collections::BTreeSet;

/// The most executions that one call of `list` looks at: each may cost a request.
const MOST_EXAMINED: usize = 1_000;

/// How many executions are asked about at the same time.
const ASKED_AT_ONCE: usize = 8;

/// What to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListOptions {
    /// Only sagas in one of these states. Empty: all.
    pub states: Vec<State>,
    /// Only this saga. Default: all.
    pub saga: Option<String>,
    /// The most rows, 1 or more. Default: 50.
    pub limit: usize,
    /// Where the [`Listing`] before this one ended. Default: from the beginning.
    pub next: Option<String>,
}

impl Default for ListOptions {
    fn default() -> Self {
        Self { states: Vec::new(), saga: None, limit: 50, next: None }
    }
}

/// Some of the sagas.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Listing {
    /// The sagas, by name of the saga, then as Step Functions lists their executions: the most recent first.
    pub sagas: Vec<SagaRow>,
    /// There may be more: give this as [`ListOptions::next`], within 24 hours and with all else unchanged.
    pub next: Option<String>,
}

/// One listing of Step Functions: a saga's executions, all or of one status.
#[derive(Debug, Clone, PartialEq)]
struct Source {
    saga: &'static str,
    status: Option<ExecutionStatus>,
}

impl Source {
    fn key(&self) -> String {
        format!("{}/{}", self.saga, self.status.as_ref().map_or("all", ExecutionStatus::as_str))
    }
}

impl Operations {
    /// Lists sagas.
    ///
    /// # Errors
    /// When an option does not fit, or AWS cannot be asked.
    pub async fn list(&self, options: &ListOptions) -> Result<Listing, OpsError> {
        if options.limit == 0 {
            return Err(OpsError::Usage("the limit is 0: give 1 or more".to_owned()));
        }
        let sagas = self.sagas_named(options.saga.as_deref())?;
        let sources = sources(sagas.iter().map(|saga| saga.name), &options.states);
        let (mut place, mut token) = match &options.next {
            Some(next) => resume(&sources, next)?,
            None => (0, None),
        };
        let parked = self.parked_executions().await?;
        let mut listing = Listing::default();
        let mut examined = 0;
        while let Some(source) = sources.get(place) {
            let room = options.limit - listing.sagas.len();
            if room == 0 || examined >= MOST_EXAMINED {
                listing.next = Some(format!("{}/{}", source.key(), token.unwrap_or_default()));
                return Ok(listing);
            }
            let (items, next) = self.page(source, room, token.take()).await?;
            examined += items.len();
            let rows: Vec<_> = stream::iter(items)
                .map(|item| self.row(source.saga, item, &parked))
                .buffered(ASKED_AT_ONCE)
                .try_collect()
                .await?;
            let wanted = |row: &SagaRow| options.states.is_empty() || options.states.contains(&row.state);
            listing.sagas.extend(rows.into_iter().flatten().filter(wanted));
            token = next;
            if token.is_none() {
                place += 1;
            }
        }
        Ok(listing)
    }

    async fn page(
        &self,
        source: &Source,
        most: usize,
        token: Option<String>,
    ) -> Result<(Vec<ExecutionListItem>, Option<String>), OpsError> {
        let page = self
            .sfn
            .list_executions()
            .state_machine_arn(self.state_machine_arn(source.saga)?)
            .set_status_filter(source.status.clone())
            .max_results(i32::try_from(most.min(1_000)).unwrap_or(1_000))
            .set_next_token(token)
            .send()
            .await
            .map_err(call(format!("list the executions of saga {}", source.saga)))?;
        Ok((page.executions, page.next_token))
    }

    /// The row of a saga by its first execution; none for a settling one, which is part of its saga's row.
    async fn row(
        &self,
        saga: &'static str,
        item: ExecutionListItem,
        parked: &BTreeSet<String>,
    ) -> Result<Option<SagaRow>, OpsError> {
        // What has the name of a saga id settles nothing.
        if item.status == ExecutionStatus::Running && SagaId::try_from(item.name.clone()).is_ok() {
            let state = if parked.contains(&item.execution_arn) { State::Parked } else { State::Running };
            return Ok(Some(SagaRow {
                id: item.name,
                saga: saga.to_owned(),
                state,
                outcome: None,
                error: None,
                started: time(&item.start_date),
                ended: None,
                settlements: 0,
            }));
        }
        match self.execution(saga, &item.name).await? {
            Some(execution) if !execution.is_settling() => {
                Ok(Some(self.run_from(saga, execution).await?.row(parked)))
            }
            _ => Ok(None),
        }
    }
}

/// The listings in which sagas in these states are.
fn sources(sagas: impl Iterator<Item = &'static str>, states: &[State]) -> Vec<Source> {
    let statuses: BTreeSet<&'static str> =
        states.iter().flat_map(|state| state.statuses()).map(ExecutionStatus::as_str).collect();
    let statuses: Vec<_> = match states {
        [] => vec![None],
        _ => statuses.into_iter().map(|status| Some(ExecutionStatus::from(status))).collect(),
    };
    let of = |saga| statuses.iter().map(move |status| Source { saga, status: status.clone() });
    sagas.flat_map(of).collect()
}

/// Where a listing goes on: the place in the sources, and Step Functions' own token.
fn resume(sources: &[Source], next: &str) -> Result<(usize, Option<String>), OpsError> {
    let place = sources
        .iter()
        .position(|source| next.strip_prefix(&source.key()).is_some_and(|rest| rest.starts_with('/')));
    let Some(place) = place else {
        return Err(OpsError::Usage(
            "`--next` is not from a list with the same options: begin without it".to_owned(),
        ));
    };
    let token = &next[sources[place].key().len() + 1..];
    Ok((place, Some(token.to_owned()).filter(|token| !token.is_empty())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(states: &[State]) -> Vec<String> {
        sources(["order", "cancel-order"].into_iter(), states).iter().map(Source::key).collect()
    }

    #[test]
    fn only_the_listings_are_read_that_can_have_the_state() {
        assert_eq!(keys(&[]), ["order/all", "cancel-order/all"]);
        assert_eq!(
            keys(&[State::Committed, State::Compensated]),
            ["order/SUCCEEDED", "cancel-order/SUCCEEDED"]
        );
        assert_eq!(
            keys(&[State::Settled, State::Running])[..4],
            ["order/ABORTED", "order/FAILED", "order/RUNNING", "order/TIMED_OUT"]
        );
    }

    #[test]
    fn a_list_goes_on_where_the_last_one_ended() {
        let sources = sources(["order", "cancel-order"].into_iter(), &[]);
        assert_eq!(resume(&sources, "cancel-order/all/a/b").unwrap(), (1, Some("a/b".to_owned())));
        assert_eq!(resume(&sources, "cancel-order/all/").unwrap(), (1, None));
        for next in ["order/FAILED/x", "order/all", "order/allx/y", ""] {
            let error = resume(&sources, next).unwrap_err();
            assert!(matches!(error, OpsError::Usage(_)), "{next}: {error}");
        }
    }
}
