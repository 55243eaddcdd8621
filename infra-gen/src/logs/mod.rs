//! The logs of all functions of a deployment as one stream.
//!
//! They are asked for again and again by `FilterLogEvents`, as the CDK and SAM do: live tail costs by the minute, leaves out
//! events when there are many, and begins now; Logs Insights costs by the gigabyte and lags behind.
//! <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html>

mod group;
mod line;

pub use line::LogLine;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_config::SdkConfig;

use crate::aws::{AwsError, Connection, Target, given_or_usual, outputs};
use group::Group;

/// Which lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// Only lines about the saga of this id. Default: all.
    pub saga_id: Option<String>,
    /// Only lines of these functions. Default: none named, so all.
    pub functions: BTreeSet<String>,
    /// Only lines that are not older than this. Default: ten minutes.
    pub since: Duration,
    /// Also what Lambda writes: where a call begins and ends, and what it took. Default: no.
    pub platform: bool,
}

impl Default for Selection {
    fn default() -> Self {
        let since = Duration::from_mins(10);
        Self { saga_id: None, functions: BTreeSet::new(), since, platform: false }
    }
}

/// The logs of a deployment, from a moment on.
#[derive(Debug)]
pub struct Logs {
    client: aws_sdk_cloudwatchlogs::Client,
    groups: Vec<Group>,
    selection: Selection,
    pause: Duration,
}

impl Logs {
    /// Finds the logs of a deployment, with the configuration given or the ordinary one.
    ///
    /// # Errors
    /// When AWS cannot be asked, the deployment is not there, or it has no such function.
    pub async fn open(
        target: &Target,
        config: Option<&SdkConfig>,
        selection: Selection,
    ) -> Result<Self, AwsError> {
        let config = given_or_usual(config).await;
        let app = target.app()?;
        let known: BTreeSet<&str> = app.functions.iter().map(|function| function.name).collect();
        if let Some(given) = selection.functions.iter().find(|name| !known.contains(name.as_str())) {
            let known = known.iter().map(|name| (*name).to_owned()).collect();
            return Err(AwsError::UnknownFunction { given: given.clone(), known });
        }
        let connection = Connection::with(&config).await?;
        let outputs = outputs(&connection, target, &app).await?;
        let since_ms = now_ms() - i64::try_from(selection.since.as_millis()).unwrap_or(i64::MAX);
        let wanted = known
            .into_iter()
            .filter(|name| selection.functions.is_empty() || selection.functions.contains(*name));
        let groups = wanted.filter_map(|name| Some((name, group_of(&outputs, name)?)));
        Ok(Self {
            groups: groups.map(|(function, name)| Group::new(function, name, since_ms.max(0))).collect(),
            client: aws_sdk_cloudwatchlogs::Client::new(&config),
            pause: connection.pause(),
            selection,
        })
    }

    /// The lines that are new since the last time, or since the beginning; the oldest first.
    ///
    /// # Errors
    /// When AWS cannot be asked. What it had told before is given the next time.
    pub async fn news(&mut self) -> Result<Vec<LogLine>, AwsError> {
        let mut lines = Vec::new();
        for group in &mut self.groups {
            // One after the other: an account may ask five times a second.
            group.read(&self.client, self.selection.saga_id.as_deref()).await?;
        }
        for group in &mut self.groups {
            lines.append(&mut group.take());
        }
        lines.retain(|line| self.selection.takes(line));
        // Lines of one function stay in their order.
        lines.sort_by_key(|line| line.at_ms);
        Ok(lines)
    }

    /// How long to wait before asking for news again.
    #[must_use]
    pub fn pause(&self) -> Duration {
        self.pause
    }
}

impl Selection {
    fn takes(&self, line: &LogLine) -> bool {
        let of_the_saga = self.saga_id.as_ref().is_none_or(|id| line.saga_id() == Some(id));
        of_the_saga && (self.platform || !line.is_of_the_platform())
    }
}

fn group_of<'o>(outputs: &'o BTreeMap<String, String>, function: &str) -> Option<&'o str> {
    outputs.get(&stacks::outputs::log_group_name(function)).map(String::as_str)
}

fn now_ms() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_saga_is_selected_by_its_whole_id() {
        let line = |text: &str| LogLine::new("orders", 0, text);
        let selection = Selection { saga_id: Some("o-1".to_owned()), ..Selection::default() };
        assert!(selection.takes(&line(r#"{"saga_id":"o-1","message":"served"}"#)));
        for other in [r#"{"saga_id":"o-10"}"#, r#"{"reason":"not \"o-1\""}"#, "REPORT RequestId: o-1"] {
            assert!(!selection.takes(&line(other)), "{other}");
        }
    }

    #[test]
    fn what_lambda_writes_is_left_out_unless_asked_for() {
        let report = LogLine::new("orders", 0, "REPORT RequestId: 1\tDuration: 3 ms");
        assert!(!Selection::default().takes(&report));
        assert!(Selection { platform: true, ..Selection::default() }.takes(&report));
    }
}
