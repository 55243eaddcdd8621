use crate::OrderEvents;
use saga_lambda::{
    Deadline, Message, Variables, Verdict,
    intake::Taking,
    replay::{Answer, Log, Replay},
};
use serde_json::{Value as Json, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, SystemTime},
};

const ORDER: &str = "arn:aws:states:eu-central-1:123456789012:stateMachine:order";
const CANCEL: &str = "arn:aws:states:eu-central-1:123456789012:stateMachine:cancel-order";

fn intake(replay: &Replay) -> Taking<OrderEvents> {
    let variables: Variables = [
        ("FLYOVER_SAGA_ORDER", ORDER),
        ("FLYOVER_SAGA_CANCEL_ORDER", CANCEL),
        (
            "FLYOVER_QUEUE_REFUSED_ORDERS",
            "https://sqs.eu-central-1.amazonaws.com/123456789012/refused-orders",
        ),
        ("FLYOVER_QUEUE_NOTIFICATION", "https://sqs.eu-central-1.amazonaws.com/123456789012/notification"),
        ("FLYOVER_QUEUE_ORDERS", "https://sqs.eu-central-1.amazonaws.com/123456789012/orders"),
        ("FLYOVER_QUEUE_INVENTORY", "https://sqs.eu-central-1.amazonaws.com/123456789012/inventory"),
        ("FLYOVER_QUEUE_PAYMENT", "https://sqs.eu-central-1.amazonaws.com/123456789012/payment"),
        ("FLYOVER_QUEUE_ORDER_INTAKE", "https://sqs.eu-central-1.amazonaws.com/123456789012/order-intake"),
        ("FLYOVER_MAX_BACKLOG", "100"),
        ("FLYOVER_MAX_RECEIVE_COUNT", "3"),
    ]
    .into_iter()
    .collect();
    Taking::new(&replay.config(), &variables).unwrap()
}

fn order() -> Json {
    json!({
        "type": "OrderPlaced", "order_id": "o-1", "customer": { "id": "ALFKI", "email": "maria@example.com" },
        "currency": "EUR", "lines": [{ "sku": "nw-1", "quantity": 3, "unit_price_minor": 1_800 }],
        "payment_token": "tok_approve",
    })
}

fn cancel() -> Json {
    json!({ "type": "CancelOrder", "order_id": "o-1", "customer": { "id": "ALFKI", "email": "maria@example.com" } })
}

/// The verdict on a body, and what was asked of AWS for it: operation and body.
async fn taken(body: &str, receive_count: u32, answers: Vec<Answer>) -> (Verdict, Vec<(String, Json)>) {
    let (verdict, calls, _) = logged(body, receive_count, answers).await;
    (verdict, calls)
}

/// The same with the last line of the log, in which no personal data may be.
async fn logged(
    body: &str,
    receive_count: u32,
    answers: Vec<Answer>,
) -> (Verdict, Vec<(String, Json)>, Json) {
    logged_by(&Replay::of(answers), body, receive_count).await
}

async fn logged_by(replay: &Replay, body: &str, receive_count: u32) -> (Verdict, Vec<(String, Json)>, Json) {
    logged_of(replay, message(body, receive_count)).await
}

fn message(body: &str, receive_count: u32) -> Message {
    let attributes = BTreeMap::new();
    Message {
        id: "m-1".into(),
        body: body.into(),
        receive_count,
        sent_at: None,
        first_received_at: None,
        attributes,
    }
}

async fn logged_of(replay: &Replay, message: Message) -> (Verdict, Vec<(String, Json)>, Json) {
    let log = Log::keep();
    let verdict = intake(replay).handle(&message, Deadline::after(Duration::from_secs(2))).await;
    for personal in ["maria", "ALFKI", "tok_approve"] {
        assert!(!log.text().contains(personal), "{personal} is in the log: {}", log.text());
    }
    let calls = replay.calls().into_iter();
    let calls =
        calls.map(|call| (call.target.rsplit('.').next().unwrap_or_default().into(), call.body)).collect();
    // Before it there may be warnings.
    let text = log.text();
    (verdict, calls, serde_json::from_str(text.lines().last().unwrap_or_default()).expect("a line"))
}

/// What the queues of the three participants have, each so much.
fn backlog(count: u32) -> Vec<Answer> {
    let has = || {
        Answer::ok(json!({ "Attributes": {
            "ApproximateNumberOfMessages": count.to_string(), "ApproximateNumberOfMessagesNotVisible": "0",
        }}))
    };
    (0..3).map(|_| has()).collect()
}

/// So many messages in the queue of this function that were sent with a delay.
fn delayed(count: u32) -> Answer {
    Answer::ok(json!({ "Attributes": { "ApproximateNumberOfMessagesDelayed": count.to_string() } }))
}

/// The verdict on a body whose order is not held back, and what was asked of AWS for it beside the backlogs.
async fn taken_at_once(
    body: &str,
    receive_count: u32,
    answers: Vec<Answer>,
) -> (Verdict, Vec<(String, Json)>) {
    let (verdict, calls, _) = logged_at_once(body, receive_count, answers).await;
    (verdict, calls)
}

/// The same with the one line of the log.
async fn logged_at_once(
    body: &str,
    receive_count: u32,
    answers: Vec<Answer>,
) -> (Verdict, Vec<(String, Json)>, Json) {
    let answers = backlog(0).into_iter().chain(answers).collect();
    let (verdict, mut calls, line) = logged(body, receive_count, answers).await;
    let counted: Vec<_> = calls.drain(..3).map(|(operation, _)| operation).collect();
    assert_eq!(counted, ["GetQueueAttributes"; 3]);
    (verdict, calls, line)
}

#[tokio::test(start_paused = true)]
async fn an_order_is_held_back_while_participants_have_enough_to_do() {
    // It looks twice in the second that it has for it.
    let put_back = Answer::ok(json!({ "MessageId": "2" }));
    let answers = backlog(100).into_iter().chain([put_back]).collect();
    let (verdict, calls, line) = logged(&order().to_string(), 1, answers).await;
    assert_eq!((verdict, &line["event"]), (Verdict::Acknowledge, &json!("held_back")));
    let (operation, message) = calls.last().unwrap();
    assert_eq!((calls.len(), operation.as_str()), (4, "SendMessage"));
    assert!(message["QueueUrl"].as_str().unwrap().ends_with("/order-intake"), "{message}");
    assert_eq!(message["MessageBody"], order().to_string());
}

#[tokio::test(start_paused = true)]
async fn an_order_that_cannot_be_put_back_is_delivered_again() {
    let answers = backlog(100).into_iter().chain([Answer::error("AccessDenied")]).collect();
    let (verdict, _) = taken(&order().to_string(), 1, answers).await;
    assert_eq!(verdict, Verdict::deliver_again("the queue of this intake: AccessDenied"));
}

/// The answers when the order of a cancel is not known: the backlogs of the participants, what is delayed here, what waits.
fn unknown(backlogs: u32, held_back: u32, waiting: u32) -> Vec<Answer> {
    let own = [delayed(held_back), backlog(waiting).remove(0)];
    [Answer::error("ExecutionDoesNotExist")].into_iter().chain(backlog(backlogs)).chain(own).collect()
}

/// On the last delivery, while orders are held back, or were and have not come again, or more wait than are worked on.
#[tokio::test(start_paused = true)]
async fn a_cancel_of_an_order_that_may_stand_in_line_is_not_refused() {
    for (backlogs, held_back, waiting, looks) in [(100, 0, 0, 3), (0, 1, 0, 4), (0, 0, 101, 5)] {
        let mut answers = unknown(backlogs, held_back, waiting);
        answers.truncate(1 + looks);
        answers.push(sent());
        let (verdict, calls, line) = logged(&cancel().to_string(), 3, answers).await;
        assert_eq!((verdict, &line["outcome"]), (Verdict::Acknowledge, &json!("in_line")));
        let (operation, message) = calls.last().unwrap();
        assert_eq!((calls.len(), operation.as_str()), (looks + 2, "SendMessage"));
        assert_eq!(message["MessageBody"], cancel().to_string());
        // Another cancel does not take this one for an order that is held back.
        assert_eq!(message["DelaySeconds"], 0);
    }
}

/// On the last delivery, while no queue says what it has, or this function's own does not.
#[tokio::test(start_paused = true)]
async fn a_cancel_of_an_order_of_which_nobody_knows_whether_it_stands_in_line_is_not_refused() {
    for denied in ["", "/order-intake"] {
        let replay = Replay::answering(move |call| match call.target.rsplit('.').next() {
            Some("DescribeExecution") => Answer::error("ExecutionDoesNotExist"),
            Some("GetQueueAttributes") if call.body["QueueUrl"].as_str().unwrap().ends_with(denied) => {
                Answer::error("AccessDenied")
            }
            Some("GetQueueAttributes") => backlog(0).remove(0),
            _ => sent(),
        });
        let (verdict, calls, line) = logged_by(&replay, &cancel().to_string(), 3).await;
        let to = calls.last().unwrap().1["QueueUrl"].as_str().unwrap();
        assert!(to.ends_with("/order-intake"), "{to}");
        assert_eq!((verdict, &line["outcome"]), (Verdict::Acknowledge, &json!("in_line")));
    }
}

fn started() -> Answer {
    Answer::ok(json!({ "executionArn": "arn", "startDate": 1 }))
}

/// The execution that has an id, with its input.
fn described(input: &Json) -> Answer {
    Answer::ok(json!({
        "executionArn": "arn", "stateMachineArn": ORDER, "startDate": 1, "status": "RUNNING",
        "input": input.to_string(),
    }))
}

fn exists() -> Answer {
    Answer::error("ExecutionAlreadyExists")
}

fn sent() -> Answer {
    Answer::ok(json!({ "MessageId": "1" }))
}

/// What the execution of [`order`] was given, by a release that knew no `run`.
fn given() -> Json {
    json!({ "v": 1, "id": "o-1", "input": {
        "order_id": "o-1", "customer": { "id": "ALFKI", "email": "maria@example.com" },
        "lines": [{ "sku": "nw-1", "quantity": 3 }], "total": { "minor": 5_400, "currency": "EUR" },
        "payment_token": "tok_approve",
    }})
}

#[tokio::test(start_paused = true)]
async fn an_order_starts_the_saga_named_after_it() {
    let (verdict, calls) = taken_at_once(&order().to_string(), 1, vec![started()]).await;
    assert_eq!(verdict, Verdict::Acknowledge);
    let (target, body) = &calls[0];
    assert_eq!(
        (target.as_str(), &body["name"], &body["stateMachineArn"]),
        ("StartExecution", &json!("o-1"), &json!(ORDER))
    );
    let input: saga::StartInput = serde_json::from_str(body["input"].as_str().unwrap()).unwrap();
    assert_eq!((input.v, input.id.as_str()), (2, "o-1"));
    assert_eq!(input.run, Some(saga::RunDigest::of(&input.input)));
    assert_eq!(input.input["total"], json!({ "minor": 5_400, "currency": "EUR" }));
    assert_eq!(input.input["lines"], json!([{ "sku": "nw-1", "quantity": 3 }]));
}

#[tokio::test(start_paused = true)]
async fn an_order_that_was_started_before_is_done_with() {
    let (verdict, calls, line) =
        logged_at_once(&order().to_string(), 1, vec![exists(), described(&given())]).await;
    assert_eq!(verdict, Verdict::Acknowledge);
    assert_eq!((&line["saga_id"], &line["outcome"]), (&json!("o-1"), &json!("started_before")));
    assert_eq!(calls[1].0, "DescribeExecution");
}

#[tokio::test(start_paused = true)]
async fn another_order_under_a_taken_id_is_refused_and_its_customer_is_told() {
    let mut other = given();
    other["input"]["lines"][0]["quantity"] = json!(4);
    let answers = vec![exists(), described(&other), sent(), sent()];
    let (verdict, calls, line) = logged_at_once(&order().to_string(), 1, answers).await;
    assert_eq!(verdict, Verdict::Acknowledge);
    assert_eq!((&line["event"], &line["reasons"]), (&json!("order_refused"), &json!(1)));
    let told: Json = serde_json::from_str(calls[2].1["MessageBody"].as_str().unwrap()).unwrap();
    assert!(calls[2].1["QueueUrl"].as_str().unwrap().ends_with("/notification"));
    assert_eq!((&told["type"], &told["id"]), (&json!("OrderRejected"), &json!("o-1")));
    assert_eq!(told["reason"]["error"], "DuplicateOrder");
    // The order that was published now, and not the one that has its id.
    assert_eq!(told["input"]["order"]["lines"][0]["quantity"], 3);
    let letter: Json = serde_json::from_str(calls[3].1["MessageBody"].as_str().unwrap()).unwrap();
    assert_eq!(letter["reasons"][0]["field"], "order_id");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_compared_or_told_now_comes_again() {
    let undescribed = vec![exists(), Answer::error("ExecutionDoesNotExist")];
    let why = "Step Functions: the execution that has this id is not described yet";
    assert_eq!(taken_at_once(&order().to_string(), 1, undescribed).await.0, Verdict::deliver_again(why));
    let untold = vec![exists(), described(&json!("anything")), Answer::error("AccessDenied")];
    let why = "the queue of notifications: AccessDenied";
    assert_eq!(taken_at_once(&order().to_string(), 1, untold).await.0, Verdict::deliver_again(why));
}

/// What was sent to the queue of this name.
fn sent_to<'c>(queue: &str, calls: &'c [(String, Json)]) -> Vec<&'c str> {
    let is_there =
        |call: &&(String, Json)| call.1["QueueUrl"].as_str().is_some_and(|url| url.ends_with(queue));
    calls.iter().filter(is_there).filter_map(|call| call.1["MessageBody"].as_str()).collect()
}

/// Whoever tells customers knows a notice by its body, and tells it once more at most: `notification`.
#[tokio::test(start_paused = true)]
async fn a_refusal_that_is_told_again_and_again_is_one_notice() {
    let mut notices = BTreeSet::new();
    for receive_count in 1..=3 {
        let other = vec![exists(), described(&json!("anything"))];
        // It is not known whether the queue has it; then it has; then the event cannot be kept.
        let answers = [other, vec![Answer::Lost, sent(), Answer::error("AccessDenied")]].concat();
        let (verdict, calls) = taken_at_once(&order().to_string(), receive_count, answers).await;
        assert_eq!(verdict, Verdict::deliver_again("the queue of refused events: AccessDenied"));
        let told = sent_to("/notification", &calls);
        assert_eq!(told.len(), 2);
        notices.extend(told.into_iter().map(str::to_owned));
    }
    assert_eq!(notices.len(), 1, "{notices:?}");
}

/// A customer is told by the last delivery too, if none came so far before: Step Functions did not answer.
#[tokio::test(start_paused = true)]
async fn a_queue_that_is_slow_to_take_a_notice_leaves_time_to_keep_the_event() {
    let answers = vec![exists(), described(&json!("anything")), Answer::Silence, sent(), sent()];
    let (verdict, calls) = taken_at_once(&order().to_string(), 3, answers).await;
    assert_eq!(verdict, Verdict::Acknowledge);
    assert_eq!((sent_to("/notification", &calls).len(), sent_to("/refused-orders", &calls).len()), (2, 1));
}

/// Nobody reads the member, and SQS does not take the character.
#[tokio::test(start_paused = true)]
async fn what_sqs_does_not_take_is_kept_and_put_back_all_the_same() {
    let with_note = |mut event: Json| {
        event["note"] = json!("\u{ffff}");
        event.to_string()
    };
    let mut invalid = order();
    invalid["currency"] = json!("euro");
    let in_line = backlog(100).into_iter().chain([sent()]).collect();
    for (event, answers) in [(with_note(invalid), vec![sent()]), (with_note(order()), in_line)] {
        let (verdict, calls) = taken(&event, 1, answers).await;
        assert_eq!(verdict, Verdict::Acknowledge);
        let body = calls.last().unwrap().1["MessageBody"].as_str().unwrap();
        assert!(body.chars().all(saga_lambda::is_sendable) && body.contains("\\uffff"), "{body}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_wish_to_cancel_that_was_uttered_before_with_another_address_is_refused_and_told() {
    let wish = json!({ "order_id": "o-1", "customer": { "id": "ALFKI", "email": "before@example.com" } });
    let before = json!({ "v": 2, "id": "o-1-a418cb5601568317", "input": wish });
    let answers = vec![described(&given()), exists(), described(&before), sent(), sent()];
    let (verdict, calls) = taken(&cancel().to_string(), 1, answers).await;
    assert_eq!((verdict, calls.len()), (Verdict::Acknowledge, 5));
    let told: Json = serde_json::from_str(calls[3].1["MessageBody"].as_str().unwrap()).unwrap();
    assert_eq!(
        (&told["type"], &told["reason"]["error"]),
        (&json!("CancellationRefused"), &json!("AskedBefore"))
    );
}

#[tokio::test(start_paused = true)]
async fn an_order_that_cannot_be_started_now_comes_again() {
    let (verdict, calls) =
        taken_at_once(&order().to_string(), 1, vec![Answer::error("StateMachineDoesNotExist")]).await;
    let why = "Step Functions: StateMachineDoesNotExist";
    assert_eq!((verdict, calls.len()), (Verdict::deliver_again(why), 1));
    let (verdict, calls) =
        taken_at_once(&order().to_string(), 1, vec![Answer::error("ThrottlingException"), started()]).await;
    assert_eq!((verdict, calls.len()), (Verdict::Acknowledge, 2));
}

#[tokio::test(start_paused = true)]
async fn an_invalid_order_is_kept_with_every_reason() {
    let mut order = order();
    order["currency"] = json!("euro");
    order["lines"][0]["quantity"] = json!(0);
    let kept = Answer::ok(json!({ "MessageId": "1" }));
    let (verdict, calls, line) = logged(&order.to_string(), 1, vec![kept]).await;
    assert_eq!((verdict, calls.len()), (Verdict::Acknowledge, 1));
    assert_eq!((&line["event"], &line["reasons"]), (&json!("order_refused"), &json!(2)));
    let (target, body) = &calls[0];
    assert_eq!(target, "SendMessage");
    let letter: Json = serde_json::from_str(body["MessageBody"].as_str().unwrap()).unwrap();
    assert_eq!(letter["event"], order);
    let reasons = letter["reasons"].as_array().unwrap();
    assert_eq!(reasons.len(), 2);
    assert_eq!(reasons[1]["field"], "lines[0].quantity");
}

#[tokio::test(start_paused = true)]
async fn what_is_no_event_is_refused_and_comes_again_when_it_cannot_be_kept() {
    let (verdict, calls) = taken("{oops", 1, vec![Answer::ok(json!({ "MessageId": "1" }))]).await;
    assert_eq!((verdict, calls[0].0.as_str()), (Verdict::Acknowledge, "SendMessage"));
    let denied = Answer::error("AccessDenied");
    let why = "the queue of refused events: AccessDenied";
    assert_eq!(taken("{oops", 1, vec![denied]).await.0, Verdict::deliver_again(why));
}

#[tokio::test(start_paused = true)]
async fn a_cancel_of_a_known_order_starts_the_cancel_saga() {
    let (verdict, calls) = taken(&cancel().to_string(), 1, vec![described(&given()), started()]).await;
    assert_eq!(verdict, Verdict::Acknowledge);
    let execution = "arn:aws:states:eu-central-1:123456789012:execution:order:o-1";
    assert_eq!(calls[0], ("DescribeExecution".into(), json!({ "executionArn": execution })));
    assert_eq!(calls[1].1["stateMachineArn"], CANCEL);
    // Named after the order and its customer.
    assert_eq!(calls[1].1["name"], "o-1-a418cb5601568317");
}

#[tokio::test(start_paused = true)]
async fn a_cancel_waits_for_its_order_and_is_refused_at_last() {
    let (verdict, calls) = taken(&cancel().to_string(), 2, unknown(0, 0, 0)).await;
    assert_eq!((verdict, calls.len()), (Verdict::deliver_again("its saga `order` is not known yet"), 1));
    // Nobody stands in line, neither at the participants nor here; others that wait for their orders are no line.
    let mut answers = unknown(0, 0, 100);
    answers.extend([hidden_for_a_minute(), Answer::error("ExecutionDoesNotExist"), sent()]);
    let waited = came_before(Duration::from_secs(181), message(&cancel().to_string(), 3));
    let (verdict, calls, _) = logged_of(&Replay::of(answers), waited).await;
    assert_eq!((verdict, calls.len()), (Verdict::Acknowledge, 9));
    assert!(calls[8].1["MessageBody"].as_str().unwrap().contains("no such order"));
}

/// Deliveries of two messages are not as many as each other when some come sooner: an order may have some before it yet.
#[tokio::test(start_paused = true)]
async fn a_cancel_is_not_refused_while_its_order_may_be_under_way() {
    let hidden = [hidden_for_a_minute(), Answer::error("AccessDenied")];
    for (waited_seconds, hidden) in [170, 3_600].into_iter().zip(hidden) {
        let came = came_before(Duration::from_secs(waited_seconds), message(&cancel().to_string(), 3));
        let since = came.first_received_at.unwrap().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let answers: Vec<_> = unknown(0, 0, 0).into_iter().chain([hidden, sent()]).collect();
        let (verdict, calls, line) = logged_of(&Replay::of(answers), came).await;
        assert_eq!((verdict, &line["outcome"]), (Verdict::Acknowledge, &json!("under_way")));
        let sent = &calls.last().unwrap().1;
        assert_eq!((&sent["MessageBody"], &sent["DelaySeconds"]), (&json!(cancel().to_string()), &json!(0)));
        let since = json!({ "DataType": "Number", "StringValue": since.as_millis().to_string() });
        assert_eq!(sent["MessageAttributes"]["waits_since_ms"], since);
    }
}

/// It has all deliveries again, and is refused when the time that it waits since it first came is over. Who publishes an
/// event cannot have it wait for ever.
#[tokio::test(start_paused = true)]
async fn a_cancel_that_began_again_is_refused_in_its_time() {
    let ago =
        |age| SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap() - Duration::from_secs(age);
    let never = Duration::from_millis(99_999_999_999_999);
    for (sent_before, waits_since, outcome) in
        [(5, ago(181), None), (5, ago(170), Some("under_way")), (181, never, None)]
    {
        let mut again = came_before(Duration::from_secs(sent_before), message(&cancel().to_string(), 3));
        again.attributes.insert("waits_since_ms".into(), waits_since.as_millis().to_string());
        let mut answers = unknown(0, 0, 0);
        answers.push(hidden_for_a_minute());
        answers.extend(outcome.is_none().then(|| Answer::error("ExecutionDoesNotExist")));
        answers.push(sent());
        let (verdict, calls, line) = logged_of(&Replay::of(answers), again).await;
        assert_eq!((verdict, line["outcome"].as_str()), (Verdict::Acknowledge, outcome));
        let to = if outcome.is_some() { "/order-intake" } else { "/refused-orders" };
        assert_eq!(sent_to(to, &calls).len(), 1, "{calls:?}");
    }
}

/// A message that was delivered for the first time so long ago, and sent long before that.
fn came_before(age: Duration, message: Message) -> Message {
    let first = SystemTime::now() - age;
    let sent = first - Duration::from_secs(3_600);
    Message { sent_at: Some(sent), first_received_at: Some(first), ..message }
}

fn hidden_for_a_minute() -> Answer {
    Answer::ok(json!({ "Attributes": { "VisibilityTimeout": "60" } }))
}

#[tokio::test(start_paused = true)]
async fn a_cancel_of_an_order_that_has_just_begun_is_not_refused() {
    let mut answers = unknown(0, 0, 0);
    answers.extend([hidden_for_a_minute(), described(&given()), started()]);
    let waited = came_before(Duration::from_secs(181), message(&cancel().to_string(), 3));
    let (verdict, calls, _) = logged_of(&Replay::of(answers), waited).await;
    assert_eq!(verdict, Verdict::Acknowledge);
    assert_eq!(calls.last().unwrap().1["stateMachineArn"], CANCEL);
}

#[test]
fn a_state_machine_must_be_one() {
    let replay = Replay::of([]);
    let variables: Variables = [
        ("FLYOVER_QUEUE_REFUSED_ORDERS", "url"),
        ("FLYOVER_QUEUE_NOTIFICATION", "url"),
        ("FLYOVER_SAGA_ORDER", "order"),
    ]
    .into_iter()
    .collect();
    let error = Taking::<OrderEvents>::new(&replay.config(), &variables).unwrap_err().to_string();
    assert!(
        error.contains("`FLYOVER_SAGA_ORDER` is `order`, but the ARN of a state machine is needed"),
        "{error}"
    );
}
