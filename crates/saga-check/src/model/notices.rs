//! What the topics were told.

use super::{state::State, tables::Tables};
use crate::{
    asl::Run,
    invariant::{Outcome, SagaEnd},
};
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// A notice of one saga.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Notice {
    /// Which saga, by its place in the check.
    pub(crate) saga: usize,
    /// It says that the saga was compensated, not that it committed.
    pub(crate) compensated: bool,
    pub(crate) name: String,
}

/// What was published, and what would have been had the topic not failed for good.
pub(crate) type Notices = BTreeMap<Notice, Published>;

/// What became of a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Published {
    Once,
    Failed,
}

impl Notice {
    pub(super) fn of(run: &Run, arguments: &Json) -> Self {
        let message = &arguments["Message"];
        Self {
            saga: run.execution().saga,
            compensated: message.get("reason").is_some(),
            name: message["type"].as_str().unwrap_or("?").to_owned(),
        }
    }
}

impl Tables {
    pub(super) fn publish(&self, state: &mut State, notice: &Notice, fails: bool) {
        let mut told = (*self.notices.value(state.notices)).clone();
        if fails {
            told.entry(notice.clone()).or_insert(Published::Failed);
        } else {
            told.insert(notice.clone(), Published::Once);
            let otherwise = |(other, published): (&Notice, &Published)| {
                other.saga == notice.saga
                    && other.compensated != notice.compensated
                    && *published == Published::Once
            };
            // Who decides without the fences can be wrong.
            if state.blind >> notice.saga & 1 == 0 && told.iter().any(otherwise) {
                let id = &self.starts[notice.saga].name;
                let both = format!("it is told of {id} that it committed, and that it was compensated");
                state.verdict = self.verdicts.id(both);
            }
        }
        state.notices = self.notices.id(told);
    }

    /// A notice that is missing, or one too many.
    pub(super) fn notices_broken(&self, state: &State, end: &SagaEnd<'_>, saga: usize) -> Option<String> {
        let told = self.notices.value(state.notices);
        let SagaEnd { saga: name, id, .. } = end;
        let compensated = match end.outcome {
            Outcome::Committed(_) => false,
            Outcome::Compensated(_) => true,
            Outcome::Parked => {
                let published = |(notice, published): &(&Notice, &Published)| {
                    notice.saga == saga && **published == Published::Once
                };
                let (notice, _) = told.iter().find(published)?;
                return Some(format!("{name} {id} is parked, but `{}` was published", notice.name));
            }
            Outcome::Neither(_) => return None,
        };
        let machine = &self.machines[self.starts[saga].machine].1;
        let missing = machine.notices().filter(|(_, of)| *of == compensated).find(|(notice, _)| {
            !told.contains_key(&Notice { saga, compensated, name: (*notice).to_owned() })
        });
        let how = if compensated { "compensated" } else { "committed" };
        missing.map(|(notice, _)| format!("{name} {id} is {how}, but `{notice}` was never published"))
    }
}
