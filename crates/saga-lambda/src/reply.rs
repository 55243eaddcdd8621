//! Answers to the state machine.

use crate::{
    aws::Failure,
    deadline::{Deadline, Repeatable, Tried, persist},
};
use aws_sdk_sfn::{
    Client,
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
};
use saga::{Reply, TaskToken};

/// The most characters of an error and of a cause, as
/// [`SendTaskFailure`](https://docs.aws.amazon.com/step-functions/latest/apireference/API_SendTaskFailure.html) allows.
const ERROR_CHARS: usize = 256;
const CAUSE_CHARS: usize = 32_768;

/// What became of a reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Sent {
    /// The state machine has it.
    InTime,
    /// Nobody waits for it any more. Normal: the saga has gone on by itself, and its undo finds the fence.
    Late,
    /// It could not be sent.
    Failed(String),
}

/// Sends a reply, trying within the time there is.
pub(crate) async fn send(client: &Client, token: &TaskToken, reply: &Reply, deadline: Deadline) -> Sent {
    let sent = match reply {
        Reply::Success(output) => {
            let request = client.send_task_success().task_token(token.expose()).output(output.to_string());
            persist(deadline, Repeatable(|| async { outcome(request.clone().send().await) })).await
        }
        Reply::Failure { error, cause } => {
            let request = client
                .send_task_failure()
                .task_token(token.expose())
                .error(clipped(error, ERROR_CHARS))
                .cause(clipped(cause, CAUSE_CHARS));
            persist(deadline, Repeatable(|| async { outcome(request.clone().send().await) })).await
        }
    };
    sent.unwrap_or_else(Sent::Failed)
}

fn outcome<T, E>(sent: Result<T, SdkError<E, HttpResponse>>) -> Tried<Sent>
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let Err(error) = sent else { return Tried::Answered(Sent::InTime) };
    let failure = Failure::of(&error);
    // Never the message of an answer: it can quote the token.
    let why = failure.code.unwrap_or(failure.text);
    match why.as_str() {
        "TaskTimedOut" | "TaskDoesNotExist" | "InvalidToken" => Tried::Answered(Sent::Late),
        _ if failure.is_transient => Tried::Again(why),
        _ => Tried::Answered(Sent::Failed(why)),
    }
}

/// At most `most` characters of a text.
fn clipped(text: &str, most: usize) -> &str {
    text.char_indices().nth(most).map_or(text, |(end, _)| &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::{Answer, Replay};
    use serde_json::json;
    use std::time::Duration;

    async fn sent(reply: Reply, answers: Vec<Answer>) -> (Sent, Replay) {
        let replay = Replay::of(answers);
        let client = Client::new(&replay.config());
        let deadline = Deadline::after(Duration::from_secs(2));
        (send(&client, &TaskToken::new("secret"), &reply, deadline).await, replay)
    }

    fn success() -> Reply {
        Reply::Success(json!({ "units": 3 }))
    }

    #[tokio::test(start_paused = true)]
    async fn a_success_carries_the_output() {
        let (sent, replay) = sent(success(), vec![Answer::ok(json!({}))]).await;
        assert_eq!(sent, Sent::InTime);
        let calls = replay.calls();
        assert_eq!(calls[0].target, "AWSStepFunctions.SendTaskSuccess");
        assert_eq!(calls[0].body, json!({ "taskToken": "secret", "output": "{\"units\":3}" }));
    }

    #[tokio::test(start_paused = true)]
    async fn a_long_failure_is_clipped_between_characters() {
        let reply = Reply::Failure { error: "É".repeat(300), cause: "é".repeat(40_000) };
        let (sent, replay) = sent(reply, vec![Answer::ok(json!({}))]).await;
        assert_eq!(sent, Sent::InTime);
        let calls = replay.calls();
        assert_eq!(calls[0].body["error"], json!("É".repeat(256)));
        assert_eq!(calls[0].body["cause"], json!("é".repeat(32_768)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_reply_nobody_waits_for_is_late() {
        for code in ["TaskTimedOut", "TaskDoesNotExist", "InvalidToken"] {
            let (sent, _) = sent(success(), vec![Answer::error(code)]).await;
            assert_eq!(sent, Sent::Late, "{code}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn throttling_and_lost_connections_are_tried_again() {
        let answers = vec![Answer::error("ThrottlingException"), Answer::Lost, Answer::ok(json!({}))];
        let (sent, replay) = sent(success(), answers).await;
        assert_eq!((sent, replay.calls().len()), (Sent::InTime, 3));
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_reply_has_failed_and_says_only_the_code() {
        let (sent, _) = sent(success(), vec![Answer::error("AccessDeniedException")]).await;
        assert_eq!(sent, Sent::Failed("AccessDeniedException".into()));
    }
}
