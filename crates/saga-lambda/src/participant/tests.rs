use super::*;
use crate::{
    Tables, Variables,
    replay::{Answer, Log, Replay},
};
use saga::{
    Commit, Compensable, Context, Deployment, Entities, Entity, Fault, Handle, MemoryStore, Rejection,
    Scalar, Start, Step, Value,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

// ---- a participant with one step ----

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Value)]
#[value(name = "order", max_bytes = 500, producer = Start)]
struct Order {
    sku: String,
    quantity: u32,
    email: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Value)]
#[value(name = "reserved", max_bytes = 100, producer = Reserve)]
struct Reserved {
    units: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Rejection)]
struct OutOfStock {}

#[derive(Entity)]
#[entity(name = "stock")]
struct Stock {
    #[entity(key)]
    sku: String,
    available: u32,
}

struct Inventory;

impl Participant for Inventory {
    const NAME: &'static str = "inventory";
    type Steps = (Reserve,);
    type Entities = (Stock,);
}

#[derive(Debug, Step)]
#[step(participant = Inventory, kind = Compensable, timeout = Duration::from_secs(60))]
#[step(input = (Order,), output = Reserved, rejection = OutOfStock)]
struct Reserve;

struct Handlers;

impl Service for Handlers {
    type Participant = Inventory;
}

impl Handle<Reserve> for Handlers {
    async fn run(&self, _: &Context, (order,): (Order,)) -> Result<Commit<Reserve>, Fault<OutOfStock>> {
        match order.sku.as_str() {
            "hangs" => std::future::pending::<()>().await,
            "panics" => panic!("{} is no customer of ours", order.email),
            "fails" => return Err(Fault::retry("the shelf is locked")),
            _ => {}
        }
        let mut commit = Commit::of(Reserved { units: order.quantity });
        commit.update::<Stock>(order.sku).subtract(Stock::AVAILABLE, order.quantity).or_reject(OutOfStock {});
        Ok(commit)
    }
}

// ---- driving it ----

const SECRETS: [&str; 2] = ["s3cret-token", "nancy@example.com"];

fn request(sku: &str) -> Json {
    json!({
        "v": 1, "saga": "order", "id": "o-1", "execution": "o-1-settle", "step": "reserve", "op": "run",
        "token": "s3cret-token",
        "input": { "order": { "sku": sku, "quantity": 3, "email": "nancy@example.com" } },
    })
}

fn message(request: &Json, receive_count: u32) -> Message {
    Message {
        id: "m-1".into(),
        body: request.to_string(),
        receive_count,
        sent_at: None,
        first_received_at: None,
        attributes: BTreeMap::new(),
    }
}

struct Told {
    verdict: Verdict,
    calls: Vec<crate::replay::Call>,
    line: Json,
}

/// Handles one message and returns the verdict, what was sent to Step Functions and the one line of the log.
async fn told(store: &impl Store, message: Message, answers: Vec<Answer>) -> Told {
    let log = Log::keep();
    let replay = Replay::of(answers);
    let answering = Answering {
        client: aws_sdk_sfn::Client::new(&replay.config()),
        deployment: Deployment::in_memory(),
        max_receive_count: 3,
    };
    let deadline = Deadline::after(Duration::from_secs(3));
    let work = deadline.earlier(REPLY_TIME);
    let verdict = answering.answer(&Handlers, store, &message, work, deadline).await;
    let log = log.text();
    for secret in SECRETS {
        assert!(!log.contains(secret), "{secret} is in the log: {log}");
    }
    Told { verdict, calls: replay.calls(), line: serde_json::from_str(&log).expect("one line") }
}

fn stocked() -> MemoryStore {
    let store = MemoryStore::new();
    store.put(Stock::key("nw-1".to_owned()), [("available".into(), Scalar::Number(4))].into());
    store
}

fn ok() -> Vec<Answer> {
    vec![Answer::ok(json!({}))]
}

#[tokio::test(start_paused = true)]
async fn a_step_is_carried_out_answered_and_told_in_one_line() {
    let store = stocked();
    let told = told(&store, message(&request("nw-1"), 1), ok()).await;
    assert_eq!(told.verdict, Verdict::Acknowledge);
    assert_eq!(told.calls[0].body, json!({ "taskToken": "s3cret-token", "output": "{\"units\":3}" }));
    let mut line = told.line;
    assert!(line["duration_ms"].as_f64().is_some());
    assert!(line["timestamp"].as_str().is_some());
    for volatile in ["duration_ms", "timestamp"] {
        line.as_object_mut().unwrap().remove(volatile);
    }
    assert_eq!(
        line,
        json!({
            "level": "INFO", "message": "served", "saga": "order", "execution": "o-1-settle", "saga_id": "o-1",
            "step": "reserve", "op": "run", "outcome": "done", "reply": "sent", "receive_count": 1,
            "message_id": "m-1",
        })
    );
}

#[tokio::test(start_paused = true)]
async fn a_second_delivery_is_answered_again_without_effect() {
    let store = stocked();
    told(&store, message(&request("nw-1"), 1), ok()).await;
    let again = told(&store, message(&request("nw-1"), 2), ok()).await;
    assert_eq!((again.verdict, &again.line["outcome"]), (Verdict::Acknowledge, &json!("done_before")));
    let row = store.row(&Stock::key("nw-1".to_owned())).unwrap();
    assert_eq!(Stock::AVAILABLE.read(&row), Some(1));
}

#[tokio::test(start_paused = true)]
async fn a_rejection_is_a_failure_of_its_name() {
    let store = MemoryStore::new();
    let told = told(&store, message(&request("nw-2"), 1), ok()).await;
    assert_eq!(told.verdict, Verdict::Acknowledge);
    assert_eq!(told.calls[0].target, "AWSStepFunctions.SendTaskFailure");
    assert_eq!(told.calls[0].body["error"], "OutOfStock");
    assert_eq!((&told.line["outcome"], &told.line["error"]), (&json!("rejected"), &json!("OutOfStock")));
}

#[tokio::test(start_paused = true)]
async fn a_late_reply_is_acknowledged() {
    let told = told(&stocked(), message(&request("nw-1"), 1), vec![Answer::error("TaskTimedOut")]).await;
    assert_eq!((told.verdict, &told.line["reply"]), (Verdict::Acknowledge, &json!("late_reply")));
}

#[tokio::test(start_paused = true)]
async fn a_reply_that_cannot_be_sent_brings_the_message_back() {
    let told = told(&stocked(), message(&request("nw-1"), 1), vec![]).await;
    let why = told.line["reason"].as_str().unwrap();
    assert_eq!(told.verdict, Verdict::deliver_again(format!("served, not answered: {why}")));
    assert_eq!(told.line["reply"], "unsent");
    assert_eq!(told.line["outcome"], "done");
}

#[tokio::test(start_paused = true)]
async fn a_malformed_message_goes_to_the_dead_letter_queue_with_its_reason() {
    let mut no_step = request("nw-1");
    no_step["op"] = json!("nancy@example.com");
    let told_malformed = told(&stocked(), message(&no_step, 1), vec![]).await;
    assert_eq!(told_malformed.calls, []);
    assert_eq!(told_malformed.line["outcome"], "malformed");
    let reason = told_malformed.line["reason"].as_str().unwrap();
    assert!(reason.starts_with("not a request: unknown variant …"), "{reason}");
    assert_eq!(told_malformed.verdict, Verdict::deliver_again(reason));

    let mut foreign = request("nw-1");
    foreign["step"] = json!("ship");
    let foreign = told(&stocked(), message(&foreign, 1), vec![]).await;
    assert_eq!(foreign.line["step"], "ship");
    assert_eq!(foreign.line["reason"], "the step is not served here: this participant owns [\"reserve\"]");
}

#[tokio::test(start_paused = true)]
async fn an_input_that_does_not_fit_is_not_quoted() {
    let mut unfit = request("nw-1");
    unfit["input"]["order"]["quantity"] = json!("nancy@example.com");
    let unfit = told(&stocked(), message(&unfit, 1), vec![]).await;
    assert_eq!(unfit.line["outcome"], "malformed");
    assert_eq!(
        unfit.line["reason"],
        "step `reserve`: `input.order` does not fit: invalid type: string …, expected u32"
    );
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_delivered_again_and_the_last_time_told_to_the_saga() {
    let first = told(&stocked(), message(&request("fails"), 2), vec![]).await;
    assert_eq!((&first.verdict, first.calls.len()), (&Verdict::deliver_again("the shelf is locked"), 0));
    assert_eq!(
        (&first.line["outcome"], &first.line["reason"]),
        (&json!("retry"), &json!("the shelf is locked"))
    );

    let last = told(&stocked(), message(&request("fails"), 3), ok()).await;
    assert_eq!(last.verdict, Verdict::deliver_again("the shelf is locked"));
    assert_eq!(last.calls[0].body["error"], DELIVERIES_EXHAUSTED);
    assert_eq!(last.calls[0].body["cause"], "the shelf is locked");
    assert_eq!((&last.line["level"], &last.line["reply"]), (&json!("ERROR"), &json!("sent")));
}

/// The first delivery was carried out, and its answer got lost; since then the handler is broken.
#[tokio::test(start_paused = true)]
async fn what_is_recorded_is_answered_though_the_handler_fails_now() {
    let mut unfit = request("nw-1");
    unfit["input"]["order"]["quantity"] = json!("three");
    for again in [request("fails"), request("panics"), request("hangs"), unfit] {
        let store = stocked();
        told(&store, message(&request("nw-1"), 1), vec![]).await;
        let done = told(&store, message(&again, 2), ok()).await;
        assert_eq!(
            (done.verdict, &done.line["outcome"]),
            (Verdict::Acknowledge, &json!("done_before")),
            "{again}"
        );
        assert_eq!(done.calls[0].body, json!({ "taskToken": "s3cret-token", "output": "{\"units\":3}" }));

        let mut undo = request("nw-1");
        undo["op"] = json!("undo");
        told(&store, message(&undo, 1), ok()).await;
        let late = told(&store, message(&again, 2), ok()).await;
        assert_eq!(
            (late.verdict, &late.line["outcome"]),
            (Verdict::Acknowledge, &json!("too_late")),
            "{again}"
        );
    }
}

/// In every delivery but the last one, others are always at the item when this transaction comes; in the last one at first.
#[tokio::test(start_paused = true)]
async fn an_item_that_is_hot_for_minutes_is_served_late_and_nothing_is_told_before() {
    let variables: Variables = [
        ("FLYOVER_FENCE_TABLE", "fences"),
        ("FLYOVER_FENCE_TTL_SECONDS", "60"),
        ("FLYOVER_TABLE_STOCK", "stock"),
    ]
    .into_iter()
    .collect();
    let conflict = Answer::Json(
        400,
        json!({
            "__type": "TransactionCanceledException",
            "CancellationReasons": [{ "Code": "None" }, { "Code": "TransactionConflict" }],
        }),
    );
    // Whoever is delivered again first asks for the fence: there is none yet.
    let asks = |delivery: u32, conflicts: usize| {
        let fence = if delivery > 1 { ok() } else { vec![] };
        let conflicts = std::iter::repeat_n(conflict.clone(), conflicts);
        let replay = Replay::of(fence.into_iter().chain(conflicts).chain(ok()));
        let tables = Tables::from_variables(&variables, <(Stock,) as Entities>::SPECS).unwrap();
        let client = aws_sdk_dynamodb::Client::new(&replay.config());
        (DynamoStore::new(client, tables, Deadline::after(Duration::from_secs(2))), replay)
    };
    for delivery in 1..=2 {
        let (store, asked) = asks(delivery, 1_000);
        let told = told(&store, message(&request("nw-1"), delivery), vec![]).await;
        let Verdict::DeliverAgain { reason } = &told.verdict else { panic!("{:?}", told.verdict) };
        assert!(reason.contains("TransactionConflict"), "{reason}");
        assert_eq!(told.calls, [], "the saga is told nothing");
        assert!(asked.calls().len() > 3, "{:?}", asked.calls());
    }
    let (store, asked) = asks(3, 3);
    let last = told(&store, message(&request("nw-1"), 3), ok()).await;
    assert_eq!((last.verdict, &last.line["outcome"]), (Verdict::Acknowledge, &json!("done")));
    assert_eq!(last.calls[0].target, "AWSStepFunctions.SendTaskSuccess");
    assert_eq!(asked.calls().len(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_hangs_is_cut_off_with_time_for_the_reply() {
    let told = told(&stocked(), message(&request("hangs"), 3), ok()).await;
    assert_eq!(told.verdict, Verdict::deliver_again("the time of the function is used up"));
    assert_eq!(told.calls[0].body["error"], DELIVERIES_EXHAUSTED);
    assert_eq!(told.line["reason"], "the time of the function is used up");
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_panics_is_delivered_again_and_the_last_time_told_to_the_saga_by_its_place() {
    let place = format!("the handler panicked at {}:", file!());
    let first = told(&stocked(), message(&request("panics"), 2), vec![]).await;
    assert!(matches!(&first.verdict, Verdict::DeliverAgain { reason } if reason.starts_with(&place)));
    assert_eq!((&first.line["outcome"], first.calls.len()), (&json!("retry"), 0));

    let last = told(&stocked(), message(&request("panics"), 3), ok()).await;
    assert_eq!(last.calls[0].body["error"], DELIVERIES_EXHAUSTED);
    let cause = last.calls[0].body["cause"].as_str().unwrap();
    assert!(cause.starts_with(&place) && !cause.contains("nancy"), "{cause}");
}
