//! The event about an execution that died.

use crate::execution::Death;
use saga::redacted;
use serde::Deserialize;

/// What somebody says of an execution: that it died.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Report {
    /// The ARN of the execution.
    pub execution: String,
    /// How it died.
    pub death: Death,
    /// How often it had been redriven by then.
    pub redrives: u32,
}

impl Report {
    /// Reads an event of EventBridge about the status of an execution.
    ///
    /// Only what the event is needed for is read: which execution, and that it died, which Step Functions itself may
    /// say later. An event leaves out a large input, so the rest is asked for.
    /// <https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html>
    ///
    /// # Errors
    /// When it is no such event, or the execution did not die.
    pub fn of_event(body: &str) -> Result<Self, NoReport> {
        let Event { detail } = serde_json::from_str(body)
            .map_err(|error| NoReport(redacted(&error.to_string()).into_owned()))?;
        let Detail { execution_arn, status, redrive_count } = detail;
        Ok(Self { execution: execution_arn, death: status, redrives: redrive_count.unwrap_or_default() })
    }
}

#[derive(Deserialize)]
struct Event {
    detail: Detail,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Detail {
    execution_arn: String,
    status: Death,
    #[serde(default)]
    redrive_count: Option<u32>,
}

/// Why a text is no [`Report`], without what was given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an event about an execution that died: {0}")]
pub struct NoReport(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_event_says_is_read() {
        let body = r#"{"detail-type":"Step Functions Execution Status Change","detail":{"executionArn":"arn:e",
            "stateMachineArn":"arn:m","name":"o-1","status":"TIMED_OUT","startDate":1,"stopDate":1551225151881,
            "input":"{}","inputDetails":{"included":true},"output":null,"redriveCount":2,"redriveDate":3}}"#;
        let report = Report::of_event(body).unwrap();
        assert_eq!((report.execution.as_str(), report.death, report.redrives), ("arn:e", Death::TimedOut, 2));
        let least = r#"{"detail":{"executionArn":"arn:e","status":"ABORTED","stopDate":null}}"#;
        assert_eq!(Report::of_event(least).unwrap().redrives, 0);
    }

    #[test]
    fn what_is_no_event_about_a_death_says_why() {
        let told = |body: &str| Report::of_event(body).unwrap_err().to_string();
        let missing = "not an event about an execution that died: missing field `executionArn`";
        assert!(told(r#"{"detail":{}}"#).starts_with(missing));
        assert!(
            told(r#"{"detail":{"executionArn":"e","status":"RUNNING"}}"#)
                .contains("unknown variant …, expected one of `FAILED`")
        );
        assert!(told("hello").contains("expected value"));
    }
}
