//! The log group of one function, read again and again.

use std::collections::BTreeSet;

use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::types::FilteredLogEvent;

use super::LogLine;
use crate::aws::{AwsError, call};

/// How much later than a newer one an event may be shown.
const LATE_MS: i64 = 30_000;

/// What tells an event from all others: where, when, what, and the how-manieth of those that are the same in this. CloudWatch's
/// ids of events are not everywhere.
type Key = (i64, String, String, usize);

/// What was read of a log group.
#[derive(Debug)]
pub(super) struct Group {
    function: String,
    name: String,
    since_ms: i64,
    seen: BTreeSet<Key>,
    /// What was read and not taken yet.
    news: Vec<LogLine>,
}

impl Group {
    pub(super) fn new(function: &str, name: &str, since_ms: i64) -> Self {
        let (function, name) = (function.to_owned(), name.to_owned());
        Self { function, name, since_ms, seen: BTreeSet::new(), news: Vec::new() }
    }

    /// Reads what is new, or late.
    pub(super) async fn read(&mut self, client: &Client, saga_id: Option<&str>) -> Result<(), AwsError> {
        let request = client.filter_log_events().log_group_name(&self.name).start_time(self.since_ms);
        // Cloudwatch looks for the words; whose member they are is looked at here.
        let pattern = saga_id.map(|id| format!("{id:?}"));
        let mut pages = request.set_filter_pattern(pattern).into_paginator().send();
        let mut events = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(call(format!("read the log {} of {}", self.name, self.function)))?;
            events.extend(page.events.unwrap_or_default());
        }
        self.hear(events);
        Ok(())
    }

    /// What was read since it was taken the last time.
    pub(super) fn take(&mut self) -> Vec<LogLine> {
        std::mem::take(&mut self.news)
    }

    fn hear(&mut self, events: Vec<FilteredLogEvent>) {
        let mut here = BTreeSet::new();
        for event in events {
            let (Some(at_ms), Some(text)) = (event.timestamp, event.message) else { continue };
            let mut key = (at_ms, event.log_stream_name.unwrap_or_default(), text, 0);
            while here.contains(&key) {
                key.3 += 1;
            }
            if self.seen.insert(key.clone()) {
                self.news.push(LogLine::new(&self.function, at_ms, &key.2));
            }
            here.insert(key);
        }
        let newest = self.seen.last().map_or(i64::MIN, |key| key.0);
        self.since_ms = self.since_ms.max(newest.saturating_sub(LATE_MS));
        self.seen.retain(|key| key.0 >= self.since_ms);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(at_ms: i64, stream: &str, text: &str) -> FilteredLogEvent {
        FilteredLogEvent::builder().timestamp(at_ms).log_stream_name(stream).message(text).build()
    }

    fn heard(group: &mut Group, events: Vec<FilteredLogEvent>) -> Vec<String> {
        group.hear(events);
        group.take().into_iter().map(|line| line.text).collect()
    }

    #[test]
    fn an_event_is_told_once_and_a_late_one_too() {
        let mut group = Group::new("orders", "g", 1_000);
        let first = || vec![event(5_000, "a", "one"), event(5_000, "a", "one"), event(5_000, "b", "one")];
        assert_eq!(heard(&mut group, first()), ["one", "one", "one"]);
        assert_eq!(heard(&mut group, first()), Vec::<String>::new());
        let with_a_late_one = [vec![event(4_000, "c", "late")], first(), vec![event(6_000, "a", "two")]];
        assert_eq!(heard(&mut group, with_a_late_one.concat()), ["late", "two"]);
    }

    #[test]
    fn what_is_long_over_is_not_read_again() {
        let mut group = Group::new("orders", "g", 1_000);
        heard(&mut group, vec![event(5_000, "a", "old"), event(100_000, "a", "new")]);
        assert_eq!((group.since_ms, group.seen.len()), (100_000 - LATE_MS, 1));
        // A quiet function is read from the same moment on.
        heard(&mut group, vec![event(100_000, "a", "new")]);
        assert_eq!(group.since_ms, 100_000 - LATE_MS);
    }
}
