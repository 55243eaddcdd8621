use super::*;
use saga_lambda::replay::{Answer, Log, Replay};
use serde_json::{Value as Json, json};
use std::time::Duration;

const MACHINE: &str = "arn:aws:states:eu-central-1:123456789012:stateMachine:order";
const EXECUTION: &str = "arn:aws:states:eu-central-1:123456789012:execution:order:o-1";

fn event() -> Json {
    json!({
        "detail-type": "Step Functions Execution Status Change",
        "detail": { "executionArn": EXECUTION, "stateMachineArn": MACHINE, "name": "o-1", "status": "ABORTED" },
    })
}

fn input() -> Json {
    json!({ "v": 1, "id": "o-1", "input": { "customer": "maria@example.com" } })
}

fn described(status: &str, input: &str) -> Answer {
    Answer::ok(json!({
        "executionArn": EXECUTION, "stateMachineArn": MACHINE, "name": "o-1", "startDate": 1,
        "status": status, "input": input,
    }))
}

fn none_parked() -> Answer {
    Answer::ok(json!({ "Items": [], "Count": 0 }))
}

fn started() -> Answer {
    Answer::ok(json!({ "executionArn": "arn", "startDate": 1 }))
}

/// The verdict on an event, what was asked of AWS, and the one line of the log, in which no personal data may be.
async fn rescued(body: &Json, answers: Vec<Answer>) -> (Verdict, Vec<(String, Json)>, Json) {
    let log = Log::keep();
    let replay = Replay::of(answers);
    let variables: Variables = [("FLYOVER_PARKED_TABLE", "parked")].into_iter().collect();
    let rescue = Rescue::new(&replay.config(), &variables).unwrap();
    let message = Message { id: "m-1".into(), body: body.to_string(), receive_count: 1 };
    let verdict = rescue.handle(&message, Deadline::after(Duration::from_secs(2))).await;
    assert!(!log.text().contains("maria"), "{}", log.text());
    let calls = replay.calls().into_iter();
    let calls =
        calls.map(|call| (call.target.rsplit('.').next().unwrap_or_default().into(), call.body)).collect();
    (verdict, calls, serde_json::from_str(&log.text()).expect("one line"))
}

fn names(calls: &[(String, Json)]) -> Vec<&str> {
    calls.iter().map(|(name, _)| name.as_str()).collect()
}

#[tokio::test]
async fn a_dead_execution_is_settled_by_one_of_the_same_machine_named_after_it() {
    let answers = vec![described("ABORTED", &input().to_string()), none_parked(), started()];
    let (verdict, calls, line) = rescued(&event(), answers).await;
    assert_eq!(verdict, Verdict::Acknowledge);
    assert_eq!(names(&calls), ["DescribeExecution", "Query", "StartExecution"]);
    let start = &calls[2].1;
    let name = Settling::execution_name(&"o-1".to_owned().try_into().unwrap(), EXECUTION);
    assert_eq!((&start["stateMachineArn"], &start["name"]), (&json!(MACHINE), &json!(name)));
    let mut expected = input();
    expected["settle"] = json!({ "execution": "o-1", "status": "ABORTED", "attempt": 1 });
    let given: Json = serde_json::from_str(start["input"].as_str().unwrap()).unwrap();
    assert_eq!(given, expected);
    assert_eq!((&line["saga_id"], &line["outcome"]), (&json!("o-1"), &json!("settling")));
}

#[tokio::test]
async fn an_event_that_comes_again_settles_nothing_twice() {
    let exists = Answer::error("ExecutionAlreadyExists");
    let answers = vec![described("FAILED", &input().to_string()), none_parked(), exists];
    let (verdict, _, line) = rescued(&event(), answers).await;
    assert_eq!((verdict, &line["outcome"]), (Verdict::Acknowledge, &json!("settling_before")));
}

#[tokio::test]
async fn an_execution_that_runs_or_ended_well_is_left_alone() {
    for status in ["RUNNING", "SUCCEEDED", "PENDING_REDRIVE"] {
        let (verdict, calls, line) = rescued(&event(), vec![described(status, &input().to_string())]).await;
        assert_eq!((verdict, &line["outcome"]), (Verdict::Acknowledge, &json!("alive")), "{status}");
        assert_eq!(names(&calls), ["DescribeExecution"], "{status}");
    }
}

#[tokio::test]
async fn records_that_nobody_can_answer_any_more_are_taken_away() {
    let left = json!({ "Items": [{ "saga_id": { "S": "o-1" }, "what": { "S": "undo order" } }], "Count": 1 });
    let answers = vec![
        described("ABORTED", &input().to_string()),
        Answer::ok(left),
        Answer::error("ConditionalCheckFailedException"),
        started(),
    ];
    let (verdict, calls, _) = rescued(&event(), answers).await;
    assert_eq!(verdict, Verdict::Acknowledge);
    let (name, delete) = &calls[2];
    assert_eq!((name.as_str(), &delete["Key"]["what"]["S"]), ("DeleteItem", &json!("undo order")));
    assert_eq!(delete["ExpressionAttributeValues"][":execution"]["S"], EXECUTION);
    assert_eq!(delete["ExpressionAttributeNames"]["#execution"], "execution_arn");
}

#[tokio::test]
async fn what_can_not_be_settled_is_left_to_the_dead_letter_queue_with_its_reason() {
    let mut too_often = input();
    too_often["settle"] = json!({ "execution": "o-1", "status": "FAILED", "attempt": MAX_ATTEMPTS });
    let cases = [
        (json!({ "detail": {} }), vec![], "not an event about an execution: missing field `executionArn`"),
        (
            event(),
            vec![described("FAILED", "{}")],
            "the input of execution `o-1` is none of a saga: missing field `v`",
        ),
        (
            event(),
            vec![described("FAILED", &too_often.to_string())],
            "attempt 5 to settle this saga has died too, and 5 are made: find out why, then settle it by hand",
        ),
        (event(), vec![Answer::error("AccessDeniedException")], "Step Functions: AccessDeniedException"),
    ];
    for (body, answers, expected) in cases {
        let (verdict, calls, line) = rescued(&body, answers).await;
        let reason = line["reason"].as_str().unwrap_or_default();
        assert_eq!(verdict, Verdict::deliver_again(reason), "{expected}");
        assert!(reason.starts_with(expected), "{reason}");
        assert!(!names(&calls).contains(&"StartExecution"), "{expected}");
    }
}
