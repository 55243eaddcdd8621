use super::*;
use saga::{Deployment, Entity, MemoryStore, Outcomes, Reply, Request, TOO_LATE, serve};
use serde_json::{Value as Json, json};

const LINES: [(&str, u32); 2] = [("nw-1", 3), ("nw-2", 5)];

fn here() -> Deployment {
    Deployment::in_memory()
}

fn request(op: &str) -> Request {
    let lines: Vec<_> =
        LINES.iter().map(|(sku, quantity)| json!({ "sku": sku, "quantity": quantity })).collect();
    let order = json!({
        "order_id": "o-1", "customer": { "id": "ALFKI", "email": "maria@example.com" }, "lines": lines,
        "total": { "minor": 9_900, "currency": "EUR" }, "payment_token": "tok_approve",
    });
    let request: Json = json!({
        "v": 2, "saga": "order", "id": "o-1", "execution": "o-1", "step": "reserve-stock", "op": op, "token": "t",
        "input": { "order": order },
    });
    serde_json::from_value(request).unwrap()
}

fn stocked(available: [u32; 2]) -> MemoryStore {
    let store = MemoryStore::new();
    for ((sku, _), available) in LINES.iter().zip(available) {
        let row = Stock::row(*sku).with(Stock::AVAILABLE, available).with(Stock::RESERVED, 0_u32);
        let (key, row) = row.into_parts();
        store.put(key, row);
    }
    store
}

/// Available and reserved of each product.
fn stock(store: &MemoryStore) -> Vec<(u32, u32)> {
    let of = |sku: &str| {
        let row = store.row(&Stock::key(sku)).unwrap();
        (Stock::AVAILABLE.read(&row).unwrap(), Stock::RESERVED.read(&row).unwrap())
    };
    LINES.iter().map(|(sku, _)| of(sku)).collect()
}

async fn outcome(store: &MemoryStore, op: &str) -> (Outcomes, Reply) {
    let handled = serve(&Inventory, store, &here(), &request(op)).await.unwrap();
    (handled.outcome, handled.reply)
}

#[tokio::test]
async fn all_lines_are_reserved_once_however_often_asked() {
    let store = stocked([3, 9]);
    let units = Reply::Success(json!({ "units": 8 }));
    assert_eq!(outcome(&store, "run").await, (Outcomes::Done, units.clone()));
    assert_eq!(outcome(&store, "run").await, (Outcomes::DoneBefore, units));
    assert_eq!(stock(&store), [(0, 3), (4, 5)]);
}

#[tokio::test]
async fn an_undo_restores_the_stock_once() {
    let store = stocked([3, 9]);
    outcome(&store, "run").await;
    assert_eq!(outcome(&store, "undo").await.0, Outcomes::Undone);
    assert_eq!(outcome(&store, "undo").await.0, Outcomes::UndoneBefore);
    assert_eq!(stock(&store), [(3, 0), (9, 0)]);
}

#[tokio::test]
async fn one_line_out_of_stock_reserves_nothing_and_stays_refused() {
    let store = stocked([3, 4]);
    let (outcome_of_first, reply) = outcome(&store, "run").await;
    let failure = Reply::Failure { error: "OutOfStock".into(), cause: r#"{"sku":"nw-2"}"#.into() };
    assert_eq!((outcome_of_first, &reply), (Outcomes::Rejected, &failure));
    assert_eq!(stock(&store), [(3, 0), (4, 0)]);
    // New stock does not change an answer that the saga may have acted on.
    let (key, row) =
        Stock::row("nw-2").with(Stock::AVAILABLE, 9_u32).with(Stock::RESERVED, 0_u32).into_parts();
    store.put(key, row);
    assert_eq!(outcome(&store, "run").await, (Outcomes::RejectedBefore, failure));
}

#[tokio::test]
async fn an_unknown_product_is_out_of_stock() {
    let (outcome, reply) = outcome(&MemoryStore::new(), "run").await;
    assert_eq!(outcome, Outcomes::Rejected);
    assert_eq!(reply, Reply::Failure { error: "OutOfStock".into(), cause: r#"{"sku":"nw-1"}"#.into() });
}

#[tokio::test]
async fn a_run_after_its_undo_has_no_effect() {
    let store = stocked([3, 9]);
    assert_eq!(outcome(&store, "undo").await.0, Outcomes::NothingToUndo);
    let (outcome, reply) = outcome(&store, "run").await;
    assert_eq!(outcome, Outcomes::TooLate);
    assert!(matches!(reply, Reply::Failure { error, .. } if error == TOO_LATE));
    assert_eq!(stock(&store), [(3, 0), (9, 0)]);
}
