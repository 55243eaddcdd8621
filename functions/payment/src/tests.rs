use super::*;
use gateway::Gateway;
use saga::{
    Deployment, IdempotencyKey, MemoryStore, Outcomes, Reply, Request, StepKey, StepOfRun, Transaction,
    Unserved, fence::Fence, serve,
};
use serde_json::{Value as Json, json};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn request(op: &str, payment_token: &str, minor: i64) -> Request {
    let order = json!({
        "order_id": "o-1", "customer": { "id": "ALFKI", "email": "maria@example.com" },
        "lines": [{ "sku": "nw-1", "quantity": 3 }], "total": { "minor": minor, "currency": "EUR" },
        "payment_token": payment_token,
    });
    let request: Json = json!({
        "v": 2, "saga": "order", "id": "o-1", "execution": "o-1", "step": "charge-payment", "op": op, "token": "t",
        "input": { "order": order },
    });
    serde_json::from_value(request).unwrap()
}

fn here() -> Deployment {
    Deployment::in_memory()
}

fn fence() -> StepKey {
    StepKey::at("o-1".parse().unwrap(), "order/charge-payment").unwrap()
}

fn charge_key() -> IdempotencyKey {
    IdempotencyKey::new(&here(), &StepOfRun { key: fence(), run: None })
}

struct Shop {
    gateway: Gateway,
    payment: Payment,
    store: MemoryStore,
    payment_token: &'static str,
}

impl Shop {
    async fn with(payment_token: &'static str) -> Self {
        let gateway = Gateway::start(0).await.unwrap();
        let payment = Payment::new(Peer::new(&gateway.url()).unwrap());
        Self { gateway, payment, store: MemoryStore::new(), payment_token }
    }

    async fn ask(&self, op: &str) -> Result<(Outcomes, Reply), Unserved> {
        let request = request(op, self.payment_token, 9_900);
        serve(&self.payment, &self.store, &here(), &request)
            .await
            .map(|handled| (handled.outcome, handled.reply))
    }

    /// What the gateway keeps of the customer's money, in minor units.
    async fn kept(&self) -> i64 {
        let url = format!("{}{}", self.gateway.url(), gateway::SUMMARY_PATH);
        let client = gateway::client_builder().build().unwrap();
        let summary: gateway::Summary = client.get(url).send().await.unwrap().json().await.unwrap();
        summary.currencies.get("EUR").map_or(0, |totals| totals.net_minor)
    }

    fn ledger(&self) -> Option<String> {
        LedgerEntry::STATUS.read(&self.store.row(&LedgerEntry::key("o-1"))?)
    }
}

#[tokio::test]
async fn a_charge_is_taken_once_and_kept_in_the_ledger() {
    let shop = Shop::with("tok_approve").await;
    let (outcome, reply) = shop.ask("run").await.unwrap();
    assert_eq!(outcome, Outcomes::Done);
    let Reply::Success(output) = &reply else { panic!("{reply:?}") };
    assert_eq!(output["amount"], json!({ "minor": 9_900, "currency": "EUR" }));
    assert_eq!(shop.ask("run").await.unwrap(), (Outcomes::DoneBefore, reply));
    assert_eq!((shop.kept().await, shop.ledger().as_deref()), (9_900, Some("charged")));
}

#[tokio::test]
async fn a_recorded_output_that_does_not_fit_is_told_without_what_is_in_it() {
    let shop = Shop::with("tok_approve").await;
    let output = json!({ "charge_id": { "of": "nancy" }, "amount": "nancy" });
    let next = Fence::Done { output, inverse: Vec::new() };
    let done = Transaction { fence: fence(), run: None, turn: 0, expected: None, next, writes: Vec::new() };
    shop.store.apply_now(&done).unwrap();
    let why = shop.ask("undo").await.unwrap_err().to_string();
    assert!(why.starts_with("the recorded output of `charge-payment` does not fit: invalid type: "), "{why}");
    assert!(!why.contains("nancy"), "{why}");
}

#[tokio::test]
async fn a_declined_payment_is_a_rejection_with_the_reason() {
    let shop = Shop::with("tok_decline").await;
    let cause = r#"{"reason":"insufficient_funds"}"#.to_owned();
    let declined = Reply::Failure { error: "PaymentDeclined".into(), cause };
    assert_eq!(shop.ask("run").await.unwrap(), (Outcomes::Rejected, declined.clone()));
    assert_eq!(shop.ask("run").await.unwrap(), (Outcomes::RejectedBefore, declined));
    assert_eq!((shop.kept().await, shop.ledger()), (0, None));
}

#[tokio::test]
async fn a_request_that_the_gateway_never_takes_is_a_rejection() {
    let shop = Shop::with("visa").await;
    let cause = r#"{"reason":"invalid_request"}"#.to_owned();
    let declined = Reply::Failure { error: "PaymentDeclined".into(), cause };
    assert_eq!(shop.ask("run").await.unwrap(), (Outcomes::Rejected, declined));
    assert_eq!((shop.kept().await, shop.ledger()), (0, None));
}

/// A gateway that gives every request this answer.
async fn answering(status: &str, body: &str) -> Payment {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answer =
        format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            // The whole request comes in one piece: it is small.
            let _ = stream.read(&mut [0; 4_096]).await;
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    Payment::new(Peer::new(&url).unwrap())
}

#[tokio::test]
async fn what_may_be_otherwise_next_time_is_asked_again() {
    let invalid = r#"{"error":"invalid_request","message":"m"}"#;
    let reused = r#"{"error":"idempotency_key_reused","message":"m"}"#;
    for (status, body) in [
        ("400 Bad Request", "<html>a proxy</html>"),
        ("400 Bad Request", reused),
        ("409 Conflict", reused),
        ("413 Payload Too Large", invalid),
        ("503 Service Unavailable", invalid),
    ] {
        let payment = answering(status, body).await;
        let unserved = serve(&payment, &MemoryStore::new(), &here(), &request("run", "tok_approve", 1)).await;
        assert!(matches!(unserved, Err(Unserved::Retry(_))), "{status} {body}: {unserved:?}");
    }
}

#[tokio::test]
async fn an_undo_gives_the_money_back_once() {
    let shop = Shop::with("tok_approve").await;
    shop.ask("run").await.unwrap();
    assert_eq!(shop.ask("undo").await.unwrap().0, Outcomes::Undone);
    assert_eq!(shop.ask("undo").await.unwrap().0, Outcomes::UndoneBefore);
    assert_eq!((shop.kept().await, shop.ledger().as_deref()), (0, Some("refunded")));
}

#[tokio::test]
async fn a_lost_answer_is_unknown_and_asked_again_with_the_same_key() {
    let shop = Shop::with("tok_lossy_once").await;
    let lost = shop.ask("run").await.unwrap_err();
    assert!(matches!(&lost, Unserved::Retry(why) if why.0.starts_with("the outcome is unknown")), "{lost:?}");
    assert_eq!(shop.kept().await, 9_900);
    assert_eq!(shop.ask("run").await.unwrap().0, Outcomes::Done);
    assert_eq!((shop.kept().await, shop.ledger().as_deref()), (9_900, Some("charged")));
}

#[tokio::test]
async fn a_charge_whose_answer_is_always_lost_comes_back_by_the_undo() {
    let shop = Shop::with("tok_lossy").await;
    assert!(shop.ask("run").await.is_err());
    assert_eq!(shop.kept().await, 9_900);
    assert_eq!(shop.ask("undo").await.unwrap().0, Outcomes::NothingToUndo);
    assert_eq!((shop.kept().await, shop.ledger()), (0, None));
}

/// The last delivery of a run is cut off in its call, and the saga turns back before the charge lands.
#[tokio::test]
async fn a_charge_still_on_its_way_does_not_land_after_the_undo() {
    let shop = Shop::with("tok_slow_300").await;
    let cut_off = tokio::time::timeout(Duration::from_millis(50), shop.ask("run")).await;
    assert!(cut_off.is_err(), "the gateway is still at it: {cut_off:?}");
    assert_eq!(shop.ask("undo").await.unwrap().0, Outcomes::NothingToUndo);
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!((shop.kept().await, shop.ledger()), (0, None));
    assert_eq!(shop.ask("run").await.unwrap().0, Outcomes::TooLate);
    assert_eq!(shop.kept().await, 0);
}

#[tokio::test]
async fn a_gateway_that_fails_or_is_away_is_asked_again() {
    let shop = Shop::with("tok_error_once").await;
    let failed = shop.ask("run").await.unwrap_err();
    assert_eq!(failed.to_string(), "the gateway answered 500 (InternalError)");
    assert_eq!(shop.ask("run").await.unwrap().0, Outcomes::Done);

    let away = Payment::new(Peer::new("http://127.0.0.1:9").unwrap());
    let away =
        serve(&away, &MemoryStore::new(), &here(), &request("run", "tok_approve", 1)).await.unwrap_err();
    assert_eq!(away.to_string(), "the outcome is unknown: the gateway cannot be reached");
}

#[tokio::test]
async fn a_run_after_its_undo_takes_no_money() {
    let shop = Shop::with("tok_approve").await;
    assert_eq!(shop.ask("undo").await.unwrap().0, Outcomes::NothingToUndo);
    assert_eq!(shop.ask("run").await.unwrap().0, Outcomes::TooLate);
    assert_eq!((shop.kept().await, shop.ledger()), (0, None));
}

#[tokio::test]
async fn a_run_that_was_overtaken_by_its_undo_takes_no_money() {
    let shop = Shop::with("tok_slow_300").await;
    let overtaking = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        shop.ask("undo").await.unwrap().0
    };
    let (run, undo) = tokio::join!(shop.ask("run"), overtaking);
    assert_eq!((run.unwrap().0, undo), (Outcomes::TooLate, Outcomes::NothingToUndo));
    assert_eq!((shop.kept().await, shop.ledger()), (0, None));
}

/// As at a gateway that does not void a key which is reversed before its charge: the request of a dead process lands
/// when the step is undone already.
#[tokio::test]
async fn a_charge_that_landed_after_its_undo_is_reversed_before_its_message_is_acknowledged() {
    let shop = Shop::with("tok_lossy").await;
    assert!(shop.ask("run").await.is_err(), "the money is taken and nobody knows");
    let fence = fence();
    let (expected, next) = (Some(saga::fence::FenceState::Started), Fence::Undone);
    let undone = saga::Transaction { fence, run: None, turn: 0, expected, next, writes: Vec::new() };
    shop.store.apply_now(&undone).unwrap();
    assert_eq!(shop.kept().await, 9_900);
    // The message comes again, because nobody acknowledged it.
    assert_eq!(shop.ask("run").await.unwrap().0, Outcomes::TooLate);
    assert_eq!((shop.kept().await, shop.ledger()), (0, None));
}

#[tokio::test]
async fn a_message_that_came_too_late_is_not_acknowledged_while_its_charge_cannot_be_reversed() {
    let mut shop = Shop::with("tok_approve").await;
    assert_eq!(shop.ask("undo").await.unwrap().0, Outcomes::NothingToUndo);
    let here = std::mem::replace(&mut shop.payment, Payment::new(Peer::new("http://127.0.0.1:9").unwrap()));
    let unserved = shop.ask("run").await.unwrap_err();
    assert!(matches!(&unserved, Unserved::Retry(_)), "{unserved:?}");
    shop.payment = here;
    assert_eq!(shop.ask("run").await.unwrap().0, Outcomes::TooLate);
}

#[tokio::test]
async fn a_charge_that_was_refunded_meanwhile_is_not_committed() {
    let shop = Shop::with("tok_lossy_once").await;
    assert!(shop.ask("run").await.is_err());
    assert_eq!(shop.store.fence(&fence()), Some(Fence::Started));
    crate::Gateway::reverse(&shop.payment.peer, &charge_key()).await.unwrap();
    let refunded = shop.ask("run").await.unwrap_err();
    assert_eq!(refunded.to_string(), "the charge was refunded already");
    assert_eq!((shop.kept().await, shop.ledger()), (0, None));
}

#[tokio::test]
async fn a_payment_that_was_voided_meanwhile_is_a_rejection() {
    let shop = Shop::with("tok_approve").await;
    crate::Gateway::reverse(&shop.payment.peer, &charge_key()).await.unwrap();
    let cause = r#"{"reason":"voided"}"#.to_owned();
    let declined = Reply::Failure { error: "PaymentDeclined".into(), cause };
    assert_eq!(shop.ask("run").await.unwrap(), (Outcomes::Rejected, declined));
    assert_eq!((shop.kept().await, shop.ledger()), (0, None));
}

#[tokio::test]
async fn an_order_that_costs_nothing_does_not_ask_the_gateway() {
    let away = Payment::new(Peer::new("http://127.0.0.1:9").unwrap());
    let store = MemoryStore::new();
    let done = serve(&away, &store, &here(), &request("run", "tok_approve", 0)).await.unwrap();
    assert_eq!(done.outcome, Outcomes::Done);
    assert!(store.rows().is_empty());
}

#[test]
fn a_base_url_must_be_one() {
    for given in ["", "gateway", "ftp://gateway", "http://"] {
        let error = Peer::new(given).unwrap_err().to_string();
        assert!(error.contains("is no base URL of a gateway: give one like `https://"), "{given}: {error}");
    }
}
