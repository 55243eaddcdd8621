use super::*;
use saga::{
    Deployment, Direction, Entity, Handled, MemoryStore, Outcomes, Reply, Request, SettleReply, Unserved,
    serve,
};
use serde_json::{Value as Json, json};

fn here() -> Deployment {
    Deployment::in_memory()
}

fn request(step: &str, op: &str, reason: Option<&str>) -> Request {
    let customer = json!({ "id": "ALFKI", "email": "maria@example.com" });
    let total = json!({ "minor": 9_900, "currency": "EUR" });
    let order = json!({
        "order_id": "o-1", "customer": customer, "lines": [{ "sku": "nw-1", "quantity": 3 }], "total": total,
        "payment_token": "tok_approve",
    });
    let input = json!({
        "order": order, "reservation": { "units": 3 }, "charge": { "charge_id": "ch-1", "amount": total },
        "cancel": { "order_id": "o-1", "customer": customer },
    });
    let mut request: Json = json!({
        "v": 2, "saga": "order", "id": "o-1", "execution": "o-1", "step": step, "op": op, "token": "t",
        "input": input,
    });
    if let Some(error) = reason {
        request["reason"] = json!({ "step": "reserve-stock", "error": error, "cause": "{}" });
    }
    serde_json::from_value(request).unwrap()
}

async fn handled(store: &MemoryStore, step: &str, op: &str) -> Handled {
    serve(&Orders, store, &here(), &request(step, op, None)).await.unwrap()
}

async fn created() -> MemoryStore {
    let store = MemoryStore::new();
    assert_eq!(handled(&store, "create-order", "run").await.outcome, Outcomes::Done);
    store
}

/// The status and the reason.
fn order(store: &MemoryStore) -> (OrderStatus, Option<String>) {
    let row = store.row(&Order::key("o-1")).unwrap();
    (Order::STATUS.read(&row).unwrap(), Order::REASON.read(&row))
}

fn failed_with(reply: &Reply, expected: &str) -> bool {
    matches!(reply, Reply::Failure { error, .. } if error == expected)
}

#[tokio::test]
async fn an_order_is_created_pending_once() {
    let store = created().await;
    let row = store.row(&Order::key("o-1")).unwrap();
    assert_eq!(order(&store), (OrderStatus::Pending, None));
    assert_eq!(Order::CUSTOMER_ID.read(&row).as_deref(), Some("ALFKI"));
    assert_eq!(Order::TOTAL_MINOR.read(&row), Some(9_900));
    assert_eq!(Order::CURRENCY.read(&row).as_deref(), Some("EUR"));
    assert_eq!(handled(&store, "create-order", "run").await.outcome, Outcomes::DoneBefore);
}

#[tokio::test]
async fn an_order_that_is_there_already_is_a_duplicate() {
    let store = MemoryStore::new();
    let (key, row) = Order::row("o-1").with(Order::STATUS, OrderStatus::Confirmed).into_parts();
    store.put(key, row);
    assert!(failed_with(&handled(&store, "create-order", "run").await.reply, "DuplicateOrder"));
    assert_eq!(order(&store).0, OrderStatus::Confirmed);
    // The undo of a rejected step leaves the other order alone.
    assert_eq!(handled(&store, "create-order", "undo").await.outcome, Outcomes::NothingToUndo);
    assert_eq!(order(&store).0, OrderStatus::Confirmed);
}

#[tokio::test]
async fn an_undone_order_stays_as_rejected_with_the_reason() {
    let store = created().await;
    for expected in [Outcomes::Undone, Outcomes::UndoneBefore] {
        let undo = request("create-order", "undo", Some("OutOfStock"));
        assert_eq!(serve(&Orders, &store, &here(), &undo).await.unwrap().outcome, expected);
    }
    assert_eq!(order(&store), (OrderStatus::Rejected, Some("OutOfStock".into())));
    assert!(failed_with(&handled(&store, "create-order", "run").await.reply, saga::TOO_LATE));
}

#[tokio::test]
async fn a_confirmed_order_says_what_was_charged_and_settles_forward() {
    let store = created().await;
    let output = json!({ "order_id": "o-1", "total": { "minor": 9_900, "currency": "EUR" } });
    let confirmed = handled(&store, "confirm-order", "run").await;
    assert_eq!((confirmed.outcome, confirmed.reply), (Outcomes::Done, Reply::Success(output.clone())));
    assert_eq!(order(&store).0, OrderStatus::Confirmed);
    let settled = handled(&store, "confirm-order", "settle").await;
    let forward =
        SettleReply { direction: Direction::Forward, output: Some(output), error: None, cause: None };
    assert_eq!((settled.outcome, settled.reply), (Outcomes::SettledForward, Reply::Success(json!(forward))));
}

#[tokio::test]
async fn a_cancelled_order_is_not_confirmed_and_stays_cancelled() {
    let store = created().await;
    assert_eq!(handled(&store, "cancel-pending-order", "run").await.outcome, Outcomes::Done);
    assert_eq!(handled(&store, "cancel-pending-order", "run").await.outcome, Outcomes::DoneBefore);
    assert_eq!(order(&store).0, OrderStatus::Cancelled);
    assert!(failed_with(&handled(&store, "confirm-order", "run").await.reply, "OrderCancelled"));
    let undo = request("create-order", "undo", Some("OrderCancelled"));
    serve(&Orders, &store, &here(), &undo).await.unwrap();
    assert_eq!(order(&store), (OrderStatus::Cancelled, Some("OrderCancelled".into())));
}

#[tokio::test]
async fn an_accepted_cancel_is_not_overwritten_when_the_saga_fails_for_another_reason() {
    let store = created().await;
    assert_eq!(handled(&store, "cancel-pending-order", "run").await.outcome, Outcomes::Done);
    for expected in [Outcomes::Undone, Outcomes::UndoneBefore] {
        let undo = request("create-order", "undo", Some("OutOfStock"));
        assert_eq!(serve(&Orders, &store, &here(), &undo).await.unwrap().outcome, expected);
    }
    assert_eq!(order(&store), (OrderStatus::Cancelled, Some("OrderCancelled".into())));
}

#[tokio::test]
async fn after_the_pivot_a_cancel_is_refused() {
    let store = created().await;
    handled(&store, "confirm-order", "run").await;
    assert!(failed_with(&handled(&store, "cancel-pending-order", "run").await.reply, "TooLateToCancel"));
    assert_eq!(order(&store).0, OrderStatus::Confirmed);
}

#[tokio::test]
async fn only_the_customer_who_placed_an_order_can_cancel_it() {
    for step_before in ["create-order", "confirm-order"] {
        let store = created().await;
        handled(&store, step_before, "run").await;
        let status = order(&store).0;
        let mut strange = request("cancel-pending-order", "run", None);
        strange.input["cancel"]["customer"]["id"] = json!("ANATR");
        let handled = serve(&Orders, &store, &here(), &strange).await.unwrap();
        // Whatever became of the order: a stranger does not learn it.
        assert!(failed_with(&handled.reply, "NotYourOrder"), "{handled:?}");
        assert_eq!((handled.outcome, order(&store).0), (Outcomes::Rejected, status));
    }
}

#[tokio::test]
async fn a_cancel_waits_for_an_order_that_is_not_there_yet() {
    let store = MemoryStore::new();
    let early = serve(&Orders, &store, &here(), &request("cancel-pending-order", "run", None)).await;
    assert!(matches!(early, Err(Unserved::Retry(_))), "{early:?}");
    handled(&store, "create-order", "run").await;
    assert_eq!(handled(&store, "cancel-pending-order", "run").await.outcome, Outcomes::Done);
}
