use super::*;
use saga_executions::MAX_ATTEMPTS;
use saga_lambda::replay::{Answer, Log, Replay};
use serde_json::{Value as Json, json};
use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

mod sweeps;

const MACHINE: &str = "arn:aws:states:eu-central-1:123456789012:stateMachine:order";
const EXECUTION: &str = "arn:aws:states:eu-central-1:123456789012:execution:order:o-1";

fn event() -> Json {
    json!({
        "detail-type": "Step Functions Execution Status Change",
        "detail": {
            "executionArn": EXECUTION, "stateMachineArn": MACHINE, "name": "o-1", "status": "ABORTED",
            "stopDate": 1_551_225_151_881_u64, "redriveCount": 0,
        },
    })
}

fn input() -> Json {
    json!({ "v": 2, "id": "o-1", "run": "0".repeat(32), "input": { "customer": "maria@example.com" } })
}

/// The input of the execution that settles.
fn settling() -> Json {
    let mut input = input();
    input["settle"] = json!({ "execution": "o-1", "status": "ABORTED", "attempt": 1 });
    input
}

/// The name of the execution that settles.
fn successor() -> String {
    saga::Settling::execution_name(&"o-1".parse().unwrap(), EXECUTION)
}

fn described(status: &str, input: &Json) -> Answer {
    described_as("o-1", status, input)
}

fn described_as(name: &str, status: &str, input: &Json) -> Answer {
    Answer::ok(json!({
        "executionArn": EXECUTION.replace("o-1", name), "stateMachineArn": MACHINE, "name": name, "startDate": 1,
        "status": status, "input": input.to_string(), "redriveCount": 0,
    }))
}

fn none_parked() -> Answer {
    Answer::ok(json!({ "Items": [], "Count": 0 }))
}

fn started() -> Answer {
    Answer::ok(json!({ "executionArn": "arn", "startDate": 1 }))
}

/// AWS as it answers, the function that asks it, and its log, in which no personal data may be.
struct Case {
    replay: Replay,
    rescue: Rescue,
    log: Log,
}

impl Case {
    fn of(answers: Vec<Answer>) -> Self {
        let log = Log::keep();
        let replay = Replay::of(answers);
        let variables: Variables = [
            ("FLYOVER_PARKED_TABLE", "parked"),
            ("FLYOVER_SAGA_ORDER", MACHINE),
            ("FLYOVER_RESCUE_DELAY_SECONDS", "30"),
            ("FLYOVER_SWEEP_WINDOW_SECONDS", "1209600"),
            ("FLYOVER_UNSETTLED_AFTER_SECONDS", "900"),
        ]
        .into_iter()
        .collect();
        let rescue = Rescue::new(&replay.config(), &variables).unwrap();
        Self { replay, rescue, log }
    }

    async fn handle(&self, body: impl Into<String>) -> Verdict {
        self.handle_sent(body, SystemTime::now()).await
    }

    async fn handle_sent(&self, body: impl Into<String>, at: SystemTime) -> Verdict {
        let attributes = BTreeMap::new();
        let message = Message {
            id: "m-1".into(),
            body: body.into(),
            receive_count: 1,
            sent_at: Some(at),
            first_received_at: None,
            attributes,
        };
        let verdict = self.rescue.handle(&message, Deadline::after(Duration::from_secs(2))).await;
        assert!(!self.log.text().contains("maria"), "{}", self.log.text());
        verdict
    }

    /// What was asked of AWS, in order.
    fn calls(&self) -> Vec<(String, Json)> {
        let calls = self.replay.calls().into_iter();
        calls.map(|call| (call.target.rsplit('.').next().unwrap_or_default().into(), call.body)).collect()
    }

    fn lines(&self) -> Vec<Json> {
        self.log.text().lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }
}

/// The verdict on an event, what was asked of AWS, and the one line of the log.
async fn rescued(body: &Json, answers: Vec<Answer>) -> (Verdict, Vec<(String, Json)>, Json) {
    let case = Case::of(answers);
    let verdict = case.handle(body.to_string()).await;
    let [line] = case.lines().try_into().expect("one line");
    (verdict, case.calls(), line)
}

fn names(calls: &[(String, Json)]) -> Vec<&str> {
    calls.iter().map(|(name, _)| name.as_str()).collect()
}

#[tokio::test]
async fn a_dead_execution_is_settled_by_one_of_the_same_machine_named_after_it() {
    let answers = vec![described("ABORTED", &input()), none_parked(), started()];
    let (verdict, calls, line) = rescued(&event(), answers).await;
    assert_eq!(verdict, Verdict::Acknowledge);
    assert_eq!(names(&calls), ["DescribeExecution", "Query", "StartExecution"]);
    let start = &calls[2].1;
    assert_eq!((&start["stateMachineArn"], &start["name"]), (&json!(MACHINE), &json!(successor())));
    let given: Json = serde_json::from_str(start["input"].as_str().unwrap()).unwrap();
    assert_eq!(given, settling());
    assert_eq!((&line["saga_id"], &line["outcome"]), (&json!("o-1"), &json!("settling")));
}

#[tokio::test]
async fn an_event_that_comes_again_settles_nothing_twice() {
    let exists = Answer::error("ExecutionAlreadyExists");
    let there = described_as(&successor(), "RUNNING", &settling());
    let answers = vec![described("ABORTED", &input()), none_parked(), exists, there];
    let (verdict, calls, line) = rescued(&event(), answers).await;
    assert_eq!((verdict, &line["outcome"]), (Verdict::Acknowledge, &json!("settling_before")));
    let (name, describe) = &calls[3];
    let arn = EXECUTION.replace("o-1", &successor());
    assert_eq!((name.as_str(), &describe["executionArn"]), ("DescribeExecution", &json!(arn)));
}

#[tokio::test]
async fn an_execution_under_the_name_of_the_settling_one_is_not_believed() {
    let exists = Answer::error("ExecutionAlreadyExists");
    let other = described_as(&successor(), "SUCCEEDED", &input());
    let answers = vec![described("ABORTED", &input()), none_parked(), exists, other];
    let (verdict, _, line) = rescued(&event(), answers).await;
    let reason = line["reason"].as_str().unwrap_or_default();
    assert_eq!(verdict, Verdict::deliver_again(reason));
    let expected = format!("execution `{}` has the name of the one that settles `o-1`", successor());
    assert!(reason.starts_with(&expected), "{reason}");
}

#[tokio::test]
async fn an_execution_that_ended_well_or_was_redriven_is_left_alone() {
    let redriven = Answer::ok(json!({
        "executionArn": EXECUTION, "stateMachineArn": MACHINE, "name": "o-1", "startDate": 1,
        "status": "RUNNING", "input": input().to_string(), "redriveCount": 1,
    }));
    for answer in [described("SUCCEEDED", &input()), redriven] {
        let (verdict, calls, line) = rescued(&event(), vec![answer]).await;
        assert_eq!((verdict, &line["outcome"]), (Verdict::Acknowledge, &json!("alive")));
        assert_eq!(names(&calls), ["DescribeExecution"]);
    }
}

#[tokio::test]
async fn the_only_event_is_not_given_up_for_an_answer_that_is_late() {
    for status in ["RUNNING", "PENDING_REDRIVE"] {
        let (verdict, _, line) = rescued(&event(), vec![described(status, &input())]).await;
        let reason = line["reason"].as_str().unwrap_or_default();
        assert_eq!(verdict, Verdict::deliver_again(reason), "{status}");
        assert!(reason.contains("Step Functions does not know yet"), "{reason}");
    }
}

#[tokio::test]
async fn records_that_nobody_can_answer_any_more_are_taken_away_and_others_are_kept() {
    let record = |what: &str, execution: &str| {
        json!({
            "saga_id": { "S": "o-1" }, "what": { "S": what }, "execution_arn": { "S": execution },
            "task_token": { "S": "secret" },
        })
    };
    let decision = json!({ "saga_id": { "S": "o-1" }, "what": { "S": "decision 2026 @ o-1" } });
    let cancels = EXECUTION.replace(":order:", ":cancel-order:");
    let left = json!({
        "Items": [record("undo order @ o-1", EXECUTION), record("settle x @ o-1", &cancels), decision], "Count": 3,
    });
    let answers = vec![
        described("ABORTED", &input()),
        Answer::ok(left),
        Answer::error("ConditionalCheckFailedException"),
        started(),
    ];
    let (verdict, calls, _) = rescued(&event(), answers).await;
    assert_eq!(verdict, Verdict::Acknowledge);
    assert_eq!(names(&calls), ["DescribeExecution", "Query", "DeleteItem", "StartExecution"]);
    let delete = &calls[2].1;
    assert_eq!(delete["Key"]["what"]["S"], "undo order @ o-1");
    assert_eq!(delete["ExpressionAttributeValues"][":execution"]["S"], EXECUTION);
    assert_eq!(delete["ExpressionAttributeNames"]["#execution"], "execution_arn");
}

#[tokio::test]
async fn what_is_throttled_is_asked_again_within_the_time() {
    let busy = || Answer::error("ThrottlingException");
    let answers = vec![
        busy(),
        described("ABORTED", &input()),
        Answer::Lost,
        none_parked(),
        Answer::Json(503, json!({})),
        started(),
    ];
    // The SDK may have a line of its own about the connection that broke.
    let case = Case::of(answers);
    assert_eq!(case.handle(event().to_string()).await, Verdict::Acknowledge);
    assert_eq!(case.calls().len(), 6);
}

#[tokio::test]
async fn what_can_not_be_settled_is_left_to_the_dead_letter_queue_with_its_reason() {
    let mut too_often = input();
    too_often["settle"] = json!({ "execution": "o-1", "status": "FAILED", "attempt": MAX_ATTEMPTS });
    let alive = json!({ "detail": { "executionArn": EXECUTION, "status": "maria" } });
    let unknown = || Answer::error("ExecutionDoesNotExist");
    let quoting = Answer::Json(
        400,
        json!({ "__type": "ValidationException", "message": "1 validation error: value 'maria' …" }),
    );
    let cases = [
        (
            json!({ "detail": {} }),
            vec![],
            "not an event about an execution that died: missing field `executionArn`",
        ),
        (alive, vec![], "not an event about an execution that died: unknown variant …"),
        (
            event(),
            vec![described("FAILED", &json!({ "customer": "maria" }))],
            "the input of execution `o-1` is none of a saga",
        ),
        (
            event(),
            vec![described("FAILED", &too_often), unknown()],
            "attempt 5 to settle this saga has died too, and 5 are made: find out why, then settle it by hand",
        ),
        (event(), vec![Answer::error("AccessDeniedException")], "Step Functions: AccessDeniedException"),
        (event(), vec![quoting], "Step Functions: ValidationException"),
        (
            event(),
            vec![unknown()],
            "execution arn:aws:states:eu-central-1:123456789012:execution:order:o-1 is not known",
        ),
    ];
    for (body, answers, expected) in cases {
        let (verdict, calls, line) = rescued(&body, answers).await;
        let reason = line["reason"].as_str().unwrap_or_default();
        assert_eq!(verdict, Verdict::deliver_again(reason), "{expected}");
        assert!(reason.starts_with(expected) && !reason.contains("maria"), "{reason}");
        assert!(!names(&calls).contains(&"StartExecution"), "{expected}");
    }
}
