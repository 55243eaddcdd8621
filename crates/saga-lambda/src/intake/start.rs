//! Starts sagas.

use crate::{Deadline, Error, Repeatable, Tried, Variables, aws::Failure, persist};
use aws_sdk_sfn::Client;
use saga::{RunDigest, StartInput, Value, environment};

/// The state machine of a saga.
#[derive(Debug, Clone)]
pub(super) struct StateMachine {
    client: Client,
    arn: String,
}

/// What starting a saga did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Started {
    /// It began.
    Now,
    /// It had begun: an execution with its id and its input exists.
    Before,
    /// Nothing: an execution with its id and another input exists.
    OtherHasId,
}

/// Step Functions could not be asked, or refused.
#[derive(Debug, thiserror::Error)]
#[error("Step Functions: {0}")]
pub(super) struct Unstarted(String);

impl StateMachine {
    /// The state machine of one of the sagas that this function starts.
    pub(super) fn from_variables(client: Client, variables: &Variables, saga: &str) -> Result<Self, Error> {
        let name = environment::state_machine(saga);
        let arn = variables.text(&name)?;
        if arn.split(':').nth(5) != Some("stateMachine") {
            return Err(Error::Invalid { name, given: arn.into(), allowed: "the ARN of a state machine" });
        }
        Ok(Self { client, arn: arn.into() })
    }

    /// Starts a saga, unless it was started before: exactly once, because its id names the execution. `is_same`: whether an
    /// execution was started for the same.
    ///
    /// Step Functions says `ExecutionAlreadyExists` of an execution with the same input that has ended, and of one with
    /// any other input: <https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html>. So the
    /// one that exists is looked at.
    pub(super) async fn start(
        &self,
        start: &StartInput,
        is_same: fn(&str, &StartInput) -> bool,
        deadline: Deadline,
    ) -> Result<Started, Unstarted> {
        let text = serde_json::to_string(start).map_err(|error| Unstarted(error.to_string()))?;
        let request =
            self.client.start_execution().state_machine_arn(&self.arn).name(start.id.as_str()).input(text);
        let started = persist(
            deadline,
            Repeatable(|| async {
                match request.clone().send().await {
                    Ok(_) => Tried::Answered(Ok(true)),
                    Err(error) => Failure::of(&error).tried(|failure| match failure.code.as_deref() {
                        Some("ExecutionAlreadyExists") => Ok(false),
                        code => Err(Unstarted(code.unwrap_or(&failure.text).into())),
                    }),
                }
            }),
        );
        if started.await.unwrap_or_else(|why| Err(Unstarted(why)))? {
            return Ok(Started::Now);
        }
        match self.input_of(start.id.as_str(), deadline).await? {
            Some(existing) if is_same(&existing, start) => Ok(Started::Before),
            Some(_) => Ok(Started::OtherHasId),
            // Descriptions lag behind starts.
            None => Err(Unstarted("the execution that has this id is not described yet".into())),
        }
    }

    /// Whether the saga with this id was started.
    pub(super) async fn has(&self, id: &str, deadline: Deadline) -> Result<bool, Unstarted> {
        self.input_of(id, deadline).await.map(|input| input.is_some())
    }

    /// The input of the execution with this id, if there is one.
    async fn input_of(&self, id: &str, deadline: Deadline) -> Result<Option<String>, Unstarted> {
        let request = self.client.describe_execution().execution_arn(self.execution_arn(id));
        let described = persist(
            deadline,
            Repeatable(|| async {
                match request.clone().send().await {
                    Ok(described) => Tried::Answered(Ok(Some(described.input.unwrap_or_default()))),
                    Err(error) => Failure::of(&error).tried(|failure| match failure.code.as_deref() {
                        Some("ExecutionDoesNotExist") => Ok(None),
                        code => Err(Unstarted(code.unwrap_or(&failure.text).into())),
                    }),
                }
            }),
        );
        described.await.unwrap_or_else(|why| Err(Unstarted(why)))
    }

    /// `arn:aws:states:<region>:<account>:execution:<name>:<id>`.
    fn execution_arn(&self, id: &str) -> String {
        format!("{}:{id}", self.arn.replacen(":stateMachine:", ":execution:", 1))
    }
}

/// Whether an execution that exists was started for the same: with the same event; or for equal values of today's type,
/// because another release may have started it, which knew more or fewer members.
pub(super) fn is_same_run<V: Value>(existing: &str, start: &StartInput) -> bool {
    let Ok(existing) = serde_json::from_str::<StartInput>(existing) else { return false };
    if existing.id != start.id || existing.settle.is_some() {
        return false;
    }
    let is_same_event = existing.asked.is_some() && existing.asked == start.asked;
    let as_today = serde_json::from_value::<V>(existing.input).and_then(serde_json::to_value);
    is_same_event || as_today.is_ok_and(|input| RunDigest::of(&input) == RunDigest::of(&start.input))
}

#[cfg(test)]
mod tests {
    use super::*;
    use saga::Start;
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};
    use serde_json::{Value as Json, json};

    /// A value that got an optional member, and one with a default, in this release.
    #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Value)]
    #[value(name = "wish", max_bytes = 100, producer = Start)]
    struct Wish {
        what: String,
        gift: Option<String>,
        #[serde(default)]
        copies: u32,
    }

    fn is_same(existing: &Json) -> bool {
        is_same_as(&Wish { what: "tea".into(), gift: None, copies: 0 }, existing)
    }

    /// Whether the wish, uttered in the event `tea`, is what the execution was started for.
    fn is_same_as(wish: &Wish, existing: &Json) -> bool {
        let start = StartInput::begin("o-1".parse().unwrap(), json!(wish));
        is_same_run::<Wish>(&existing.to_string(), &start.asked_with(RunDigest::of(&json!("tea"))))
    }

    /// The event had its gift before there was a release that reads it.
    #[test]
    fn the_event_of_an_execution_is_the_same_for_a_release_that_reads_more_of_it() {
        let wish = Wish { what: "tea".into(), gift: Some("a card".into()), copies: 0 };
        let started_with =
            |asked: &Json| json!({ "v": 2, "id": "o-1", "input": { "what": "tea" }, "asked": asked });
        assert!(is_same_as(&wish, &started_with(&json!(RunDigest::of(&json!("tea"))))));
        assert!(!is_same_as(&wish, &started_with(&json!(RunDigest::of(&json!("tea, again"))))));
        assert!(!is_same_as(&wish, &started_with(&json!(null))));
        let mut another_id = started_with(&json!(RunDigest::of(&json!("tea"))));
        another_id["id"] = json!("o-2");
        assert!(!is_same_as(&wish, &another_id));
    }

    #[test]
    fn inputs_are_compared_as_values_of_today() {
        for same in [
            json!({ "v": 1, "id": "o-1", "input": { "what": "tea" } }),
            json!({ "v": 2, "id": "o-1", "input": { "copies": 0, "gift": null, "what": "tea", "gone": 1 } }),
        ] {
            assert!(is_same(&same), "{same}");
        }
        let settle = json!({ "execution": "o-1", "status": "ABORTED", "attempt": 1 });
        for other in [
            json!({ "v": 2, "id": "o-1", "input": { "what": "coffee" } }),
            json!({ "v": 2, "id": "o-1", "input": { "what": "tea", "copies": 2 } }),
            json!({ "v": 2, "id": "o-2", "input": { "what": "tea" } }),
            json!({ "v": 2, "id": "o-1", "input": { "what": "tea" }, "settle": settle }),
            json!({ "v": 2, "id": "o-1", "input": "tea" }),
            json!("tea"),
        ] {
            assert!(!is_same(&other), "{other}");
        }
    }
}
