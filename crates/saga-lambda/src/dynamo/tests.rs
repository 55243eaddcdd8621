use super::*;
use crate::replay::{Answer, Call, Replay};
use saga::{
    Addition, Change, Condition, FieldChange, Guard, Refusal, RunDigest, Scalar, Write,
    fence::{Fence, FenceState},
};
use serde_json::{Value as Json, json};

fn tables() -> Tables {
    let variables: Variables = [
        ("FLYOVER_FENCE_TABLE", "fences"),
        ("FLYOVER_FENCE_TTL_SECONDS", "60"),
        ("FLYOVER_TABLE_STOCK", "stock-table"),
    ]
    .into_iter()
    .collect();
    Tables::from_variables(&variables, &[EntitySpec { name: "stock", key: "sku", fields: &[] }]).unwrap()
}

fn store(answers: impl IntoIterator<Item = Answer>) -> (DynamoStore, Replay) {
    let replay = Replay::of(answers);
    let deadline = Deadline::after(Duration::from_secs(3));
    (DynamoStore::new(Client::new(&replay.config()), tables(), deadline), replay)
}

fn fence_key() -> StepKey {
    StepKey::at("o-1".parse().unwrap(), "order/reserve").unwrap()
}

fn run() -> RunDigest {
    RunDigest::of(&json!(1))
}

fn of_this_run(fence: Fence) -> Recorded {
    Recorded { run: Some(run()), turn: 0, fence }
}

fn stock(sku: &str) -> RowKey {
    RowKey { entity: "stock".into(), attribute: "sku".into(), value: sku.to_owned() }
}

fn take(n: i64) -> Write {
    let refusal = Some(Refusal { error: "OutOfStock".into(), cause: "{}".into() });
    let guards = vec![Guard { condition: Condition::AtLeast("available".into(), n), refusal }];
    let change = Change::Update(
        [("available".into(), FieldChange::Add(Addition { n: -n, least: 0, most: 9 }))].into(),
    );
    Write { key: stock("nw-1"), change, guards }
}

fn transaction(expected: Option<FenceState>, writes: Vec<Write>) -> Transaction {
    let next = Fence::Done { output: json!({ "units": 3 }), inverse: Vec::new() };
    Transaction { fence: fence_key(), run: Some(run()), turn: 0, expected, next, writes }
}

fn fence_item(state: &str) -> Json {
    json!({
        "saga_id": { "S": "o-1" }, "step": { "S": "order/reserve" }, "state": { "S": state },
        "run": { "S": run().as_str() },
        "output": { "S": "{\"units\":3}" }, "inverse": { "S": "[]" },
    })
}

fn cancelled(reasons: &Json) -> Answer {
    let code = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException";
    Answer::Json(400, json!({ "__type": code, "Message": "cancelled", "CancellationReasons": reasons }))
}

fn none() -> Json {
    json!({ "Code": "None" })
}

fn few() -> Json {
    json!({ "Code": "ConditionalCheckFailed", "Item": { "sku": { "S": "nw-1" }, "available": { "N": "2" } } })
}

fn ok() -> Answer {
    Answer::ok(json!({}))
}

fn targets(replay: &Replay) -> Vec<String> {
    replay.calls().into_iter().map(|Call { target, .. }| target.replace("DynamoDB_20120810.", "")).collect()
}

#[tokio::test(start_paused = true)]
async fn a_fence_alone_is_a_put_under_its_condition() {
    let (store, replay) = store([ok(), ok()]);
    assert_eq!(store.apply(&transaction(None, vec![])).await, Ok(()));
    assert_eq!(store.apply(&transaction(Some(FenceState::Started), vec![])).await, Ok(()));
    assert_eq!(targets(&replay), ["PutItem", "PutItem"]);
    let [first, second] = &replay.calls()[..] else { panic!("two calls") };
    assert_eq!(first.body["TableName"], "fences");
    assert_eq!(first.body["ConditionExpression"], "attribute_not_exists(saga_id)");
    let condition = "#state = :expected AND (attribute_not_exists(#run) OR #run = :run)";
    assert_eq!(second.body["ConditionExpression"], condition);
    let values = json!({ ":expected": { "S": "started" }, ":run": { "S": run().as_str() } });
    assert_eq!(second.body["ExpressionAttributeValues"], values);
    assert_eq!(second.body["ReturnValuesOnConditionCheckFailure"], "ALL_OLD");
}

#[tokio::test(start_paused = true)]
async fn a_fence_that_moved_is_told_as_it_is() {
    let refused = |item: Json| {
        Answer::Json(
            400,
            json!({ "__type": "ConditionalCheckFailedException", "message": "no", "Item": item }),
        )
    };
    let (store, _) = store([refused(fence_item("done")), refused(fence_item("?"))]);
    let done = Fence::Done { output: json!({ "units": 3 }), inverse: vec![] };
    assert_eq!(store.apply(&transaction(None, vec![])).await, Err(Refused::Fence(Some(of_this_run(done)))));
    let unreadable = store.apply(&transaction(None, vec![])).await.unwrap_err();
    assert!(
        matches!(&unreadable, Refused::Unavailable(why) if why.0.contains("its `state` is none")),
        "{unreadable:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn fence_and_writes_are_one_transaction() {
    let (store, replay) = store([ok()]);
    assert_eq!(store.apply(&transaction(None, vec![take(3)])).await, Ok(()));
    let body = &replay.calls()[0].body;
    assert_eq!(targets(&replay), ["TransactWriteItems"]);
    assert_eq!(body["TransactItems"][0]["Put"]["Item"]["state"], json!({ "S": "done" }));
    let update = &body["TransactItems"][1]["Update"];
    assert_eq!(update["TableName"], "stock-table");
    assert_eq!(update["Key"], json!({ "sku": { "S": "nw-1" } }));
    assert_eq!(update["ConditionExpression"], "#n0 >= :v0 AND #n0 >= :v1 AND #n0 <= :v2");
    assert_eq!(update["UpdateExpression"], "ADD #n0 :v3");
}

#[tokio::test(start_paused = true)]
async fn a_fence_that_moved_cancels_before_any_guard() {
    let moved = json!({ "Code": "ConditionalCheckFailed", "Item": fence_item("undone") });
    let (store, replay) = store([cancelled(&json!([moved, few()]))]);
    let refused = store.apply(&transaction(None, vec![take(3)])).await;
    assert_eq!(refused, Err(Refused::Fence(Some(of_this_run(Fence::Undone)))));
    assert_eq!(targets(&replay), ["TransactWriteItems"]);
}

#[tokio::test(start_paused = true)]
async fn a_failed_guard_is_its_rejection_once_the_fence_is_known() {
    let (store, replay) = store([cancelled(&json!([none(), few()])), ok()]);
    let refused = store.apply(&transaction(None, vec![take(3)])).await;
    let Err(Refused::Guard { refusal: Some(refusal), .. }) = refused else { panic!("{refused:?}") };
    assert_eq!(refusal.error, "OutOfStock");
    assert_eq!(targets(&replay), ["TransactWriteItems", "GetItem"]);
    assert_eq!(replay.calls()[1].body["ConsistentRead"], true);
}

#[tokio::test(start_paused = true)]
async fn a_failed_guard_behind_a_fence_that_moved_is_not_told() {
    let done = Answer::ok(json!({ "Item": fence_item("done") }));
    let (store, _) = store([cancelled(&json!([none(), few()])), done]);
    let refused = store.apply(&transaction(None, vec![take(3)])).await;
    assert!(
        matches!(refused, Err(Refused::Fence(Some(Recorded { fence: Fence::Done { .. }, .. })))),
        "{refused:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn conflicts_throttling_and_lost_answers_are_tried_again() {
    let conflict = cancelled(&json!([none(), { "Code": "TransactionConflict" }]));
    let answers = [
        conflict,
        Answer::error("ThrottlingException"),
        Answer::error("TransactionInProgressException"),
        Answer::error("RequestLimitExceeded"),
        Answer::Json(500, json!({ "__type": "InternalServerError" })),
        Answer::Lost,
        ok(),
    ];
    let (store, replay) = store(answers);
    let store = store.until(Deadline::after(Duration::from_secs(20)));
    assert_eq!(store.apply(&transaction(None, vec![take(3)])).await, Ok(()));
    assert_eq!(replay.calls().len(), 7);
}

#[tokio::test(start_paused = true)]
async fn a_hung_connection_leaves_time_for_another_try() {
    let (store, replay) = store([Answer::Silence, ok()]);
    assert_eq!(store.apply(&transaction(None, vec![take(3)])).await, Ok(()));
    assert_eq!(replay.calls().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_stays_busy_is_unavailable_in_time_and_says_why() {
    let (store, replay) = store(std::iter::repeat_n(Answer::error("ThrottlingException"), 1_000));
    let refused = store.apply(&transaction(None, vec![take(3)])).await.unwrap_err();
    assert!(
        matches!(&refused, Refused::Unavailable(why) if why.0.contains("ThrottlingException")),
        "{refused:?}"
    );
    assert!(replay.calls().len() > 3);
}

#[tokio::test(start_paused = true)]
async fn what_another_try_would_not_change_is_not_tried_again() {
    let (store, replay) = store([Answer::error("AccessDeniedException")]);
    let refused = store.apply(&transaction(None, vec![take(3)])).await.unwrap_err();
    let text = "AccessDeniedException: AccessDeniedException was replayed";
    assert_eq!(refused, Refused::Unavailable(Unavailable(text.into())));
    assert_eq!(replay.calls().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn reads_are_consistent_and_absent_is_absent() {
    let row = json!({ "sku": { "S": "nw-1" }, "available": { "N": "39" } });
    let (store, replay) = store([
        Answer::ok(json!({ "Item": row })),
        ok(),
        Answer::ok(json!({ "Item": fence_item("undone") })),
    ]);
    let expected: Row = [("available".into(), Scalar::Number(39))].into();
    assert_eq!(store.read_row(&stock("nw-1")).await, Ok(Some(expected)));
    assert_eq!(store.read_fence(&fence_key()).await, Ok(None));
    assert_eq!(store.read_fence(&fence_key()).await, Ok(Some(of_this_run(Fence::Undone))));
    assert!(replay.calls().iter().all(|call| call.body["ConsistentRead"] == true));
}

#[test]
fn every_table_must_be_named() {
    let variables: Variables =
        [("FLYOVER_FENCE_TABLE", "fences"), ("FLYOVER_FENCE_TTL_SECONDS", "soon")].into_iter().collect();
    let invalid = Tables::from_variables(&variables, &[]).unwrap_err();
    assert_eq!(
        invalid.to_string(),
        "the environment variable `FLYOVER_FENCE_TTL_SECONDS` is `soon`, but a whole number of seconds is needed: \
         correct it in the stack"
    );
    let spec = EntitySpec { name: "order-lines", key: "id", fields: &[] };
    let variables: Variables =
        [("FLYOVER_FENCE_TABLE", "fences"), ("FLYOVER_FENCE_TTL_SECONDS", "60")].into_iter().collect();
    let missing = Tables::from_variables(&variables, &[spec]).unwrap_err();
    assert!(missing.to_string().contains("FLYOVER_TABLE_ORDER_LINES"), "{missing}");
}

/// An item that somebody put more on than any field holds.
fn foreign() -> Json {
    json!({
        "sku": { "S": "nw-1" }, "available": { "N": "2" }, "organic": { "BOOL": true },
        "price": { "N": "1.5" }, "tags": { "L": [{ "S": "tea" }, { "N": "7" }] },
    })
}

#[tokio::test(start_paused = true)]
async fn a_step_that_is_done_is_answered_from_the_fence_behind_a_guard_without_a_rejection_too() {
    let done = Answer::ok(json!({ "Item": fence_item("done") }));
    let (store, replay) = store([cancelled(&json!([none(), few()])), done]);
    let mut write = take(3);
    write.guards[0].refusal = None;
    let refused = store.apply(&transaction(None, vec![write])).await;
    assert!(
        matches!(refused, Err(Refused::Fence(Some(Recorded { fence: Fence::Done { .. }, .. })))),
        "{refused:?}"
    );
    assert_eq!(targets(&replay), ["TransactWriteItems", "GetItem"]);
}

#[tokio::test(start_paused = true)]
async fn what_somebody_else_put_on_an_item_does_not_hide_that_it_is_out_of_stock() {
    let few = json!({ "Code": "ConditionalCheckFailed", "Item": foreign() });
    let (store, _) = store([cancelled(&json!([none(), few])), ok()]);
    let refused = store.apply(&transaction(None, vec![take(3)])).await;
    let Err(Refused::Guard { refusal: Some(refusal), .. }) = refused else { panic!("{refused:?}") };
    assert_eq!(refusal.error, "OutOfStock");
}

#[tokio::test(start_paused = true)]
async fn an_item_is_read_with_what_somebody_else_put_on_it() {
    let (store, _) = store([Answer::ok(json!({ "Item": foreign() }))]);
    let row = store.read_row(&stock("nw-1")).await.unwrap().unwrap();
    assert_eq!((row.len(), &row["available"]), (4, &Scalar::Number(2)));
}

#[tokio::test(start_paused = true)]
async fn a_key_that_dynamodb_does_not_take_is_refused_without_asking() {
    let (store, replay) = store([]);
    for key in ["", &"k".repeat(2_049)] {
        let write = Write { key: stock(key), ..take(3) };
        let refused = store.apply(&transaction(None, vec![write])).await;
        assert!(matches!(refused, Err(Refused::Unavailable(_))), "{refused:?}");
        assert!(store.read_row(&stock(key)).await.is_err());
    }
    assert_eq!(replay.calls(), []);
}

/// What is stored, what was sent and what came is personal: none of it is in what is told, which ends in logs, dead
/// letters and histories.
#[tokio::test(start_paused = true)]
async fn what_is_refused_or_cannot_be_read_is_told_without_values() {
    let secret = "nancy@example.com";
    let item = json!({ "sku": { "S": "nw-1" }, "available": { "S": secret } });
    let guard = cancelled(&json!([none(), { "Code": "ConditionalCheckFailed", "Item": item }]));
    let of_fence = |member: &str| {
        let mut item = fence_item("done");
        item[member] = json!({ "S": format!("{{\"{secret}\"") });
        Answer::ok(json!({ "Item": item }))
    };
    let quoting = json!({ "__type": "ValidationException", "message": format!("Invalid value: {secret}") });
    let mut lossy = take(3);
    lossy.guards.clear();
    let transaction = transaction(None, vec![lossy]);
    let mut told = Vec::new();
    let answers = [guard, Answer::ok(json!({}))];
    told.push(format!("{:?}", store(answers).0.apply(&transaction).await.unwrap_err()));
    told.push(format!("{:?}", store([Answer::Json(400, quoting)]).0.apply(&transaction).await.unwrap_err()));
    for member in ["output", "inverse", "state", "run", "turn"] {
        let read = store([of_fence(member)]).0.read_fence(&fence_key()).await;
        told.push(read.unwrap_err().to_string());
    }
    let unreadable = vec![Answer::Text(200, format!("{{\"Item\": {secret}")); 99];
    told.push(store(unreadable).0.read_row(&stock("nw-1")).await.unwrap_err().to_string());
    for told in &told {
        assert!(!told.contains("nancy"), "{told}");
    }
    assert!(told[0].contains("a text is stored, a whole number is needed"), "{}", told[0]);
    assert!(told[1].contains("ValidationException"), "{}", told[1]);
    assert!(told[7].contains("the answer, with status 200, cannot be read"), "{}", told[7]);
}
