//! Every behaviour of the gateway, over real TCP.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use gateway::{
    CALLS_PATH, CHARGES_PATH, Charge, ChargePage, ChargeRequest, ChargeStatus, DeclineReason, ErrorBody,
    ErrorCode, Gateway, IDEMPOTENCY_KEY_HEADER, KeyCalls, RESET_PATH, REVERSALS_PATH, ReversalRequest,
    SUMMARY_PATH, Summary,
};
use reqwest::{Client, Response, StatusCode};

const KEY: &str = "order-1/charge-payment";

struct Peer {
    gateway: Gateway,
    client: Client,
}

impl Peer {
    async fn start() -> Self {
        Self { gateway: Gateway::start(0).await.unwrap(), client: gateway::client_builder().build().unwrap() }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.gateway.url())
    }

    async fn charge(&self, key: &str, request: &ChargeRequest) -> reqwest::Result<Response> {
        let call = self.client.post(self.url(CHARGES_PATH)).header(IDEMPOTENCY_KEY_HEADER, key);
        call.json(request).send().await
    }

    async fn reverse(&self, key: &str) -> Response {
        let body = ReversalRequest { idempotency_key: key.to_owned() };
        self.client.post(self.url(REVERSALS_PATH)).json(&body).send().await.unwrap()
    }

    async fn get(&self, path: &str) -> Response {
        self.client.get(self.url(path)).send().await.unwrap()
    }

    async fn charges(&self) -> Vec<Charge> {
        self.get(CHARGES_PATH).await.json::<ChargePage>().await.unwrap().charges
    }

    async fn charge_calls(&self, key: &str) -> u64 {
        self.get(&format!("{CALLS_PATH}/{key}")).await.json::<KeyCalls>().await.unwrap().charge_calls
    }
}

fn euros(amount_minor: i64, token: &str) -> ChargeRequest {
    ChargeRequest {
        amount_minor,
        currency: "EUR".to_owned(),
        payment_token: token.to_owned(),
        reference: "order-1".to_owned(),
    }
}

async fn error(response: Response) -> (StatusCode, ErrorBody) {
    (response.status(), response.json().await.unwrap())
}

#[tokio::test]
async fn the_same_key_charges_once() {
    let peer = Peer::start().await;
    let first = peer.charge(KEY, &euros(500, "tok_approve")).await.unwrap();
    assert_eq!(first.status(), StatusCode::CREATED);
    let charge: Charge = first.json().await.unwrap();
    let again = peer.charge(KEY, &euros(500, "tok_approve")).await.unwrap();
    assert_eq!(again.status(), StatusCode::OK);
    assert_eq!(again.json::<Charge>().await.unwrap(), charge);
    assert_eq!(peer.charges().await, [charge]);
}

#[tokio::test]
async fn the_same_key_with_another_body_is_refused() {
    let peer = Peer::start().await;
    peer.charge(KEY, &euros(500, "tok_approve")).await.unwrap();
    let (status, body) = error(peer.charge(KEY, &euros(501, "tok_approve")).await.unwrap()).await;
    assert_eq!((status, body.error), (StatusCode::CONFLICT, ErrorCode::IdempotencyKeyReused));
    assert!(body.message.contains("500 EUR"), "{}", body.message);
}

#[tokio::test]
async fn a_decline_is_remembered() {
    let peer = Peer::start().await;
    for _ in 0..2 {
        let (status, body) = error(peer.charge(KEY, &euros(500, "tok_decline")).await.unwrap()).await;
        assert_eq!((status, body.error), (StatusCode::PAYMENT_REQUIRED, ErrorCode::Declined));
        assert_eq!(body.reason, Some(DeclineReason::InsufficientFunds));
    }
    let (status, _) = error(peer.charge(KEY, &euros(500, "tok_approve")).await.unwrap()).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert_eq!(peer.reverse(KEY).await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_error_never_charges_and_an_error_once_charges_on_the_second_call() {
    let peer = Peer::start().await;
    for _ in 0..3 {
        let (status, body) = error(peer.charge("e", &euros(1, "tok_error")).await.unwrap()).await;
        assert_eq!((status, body.error), (StatusCode::INTERNAL_SERVER_ERROR, ErrorCode::InternalError));
    }
    let once = euros(2, "tok_error_once");
    assert_eq!(peer.charge(KEY, &once).await.unwrap().status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(peer.charge(KEY, &once).await.unwrap().status(), StatusCode::CREATED);
    assert_eq!(peer.charges().await.len(), 1);
    assert_eq!((peer.charge_calls("e").await, peer.charge_calls(KEY).await), (3, 2));
}

#[tokio::test]
async fn a_lossy_charge_is_taken_and_never_answered() {
    let peer = Peer::start().await;
    for _ in 0..2 {
        let lost = peer.charge(KEY, &euros(5, "tok_lossy")).await.unwrap_err();
        assert!(lost.is_request() && !lost.is_connect(), "{lost:?}");
    }
    assert_eq!(peer.charges().await.len(), 1);
    assert_eq!(peer.charge_calls(KEY).await, 2);
    let found: Charge = peer.get(&format!("{CHARGES_PATH}/{KEY}")).await.json().await.unwrap();
    assert_eq!(found.amount_minor, 5);
}

#[tokio::test]
async fn a_charge_lossy_once_is_answered_on_the_second_call() {
    let peer = Peer::start().await;
    let request = euros(5, "tok_lossy_once");
    peer.charge(KEY, &request).await.unwrap_err();
    assert_eq!(peer.charge(KEY, &request).await.unwrap().status(), StatusCode::OK);
    assert_eq!(peer.charges().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn hanging_up_closes_the_connection_without_a_byte() {
    let peer = Peer::start().await;
    let body = serde_json::to_string(&euros(5, "tok_lossy")).unwrap();
    let mut stream = TcpStream::connect(peer.gateway.address()).unwrap();
    let head = format!("POST {CHARGES_PATH} HTTP/1.1\r\nhost: g\r\nidempotency-key: k\r\n");
    write!(stream, "{head}content-length: {}\r\n\r\n{body}", body.len()).unwrap();
    let mut answer = Vec::new();
    assert_eq!(stream.read_to_end(&mut answer).unwrap(), 0, "a clean close, not a reset");
}

#[tokio::test]
async fn a_slow_charge_lands_after_its_delay_even_when_the_caller_hangs_up() {
    let peer = Peer::start().await;
    let begun = Instant::now();
    let answered = peer.charge("slow", &euros(5, "tok_slow_150")).await.unwrap();
    assert_eq!(answered.status(), StatusCode::CREATED);
    assert!(begun.elapsed() >= Duration::from_millis(150));

    let url = peer.url(CHARGES_PATH);
    let call = peer.client.post(url).header(IDEMPOTENCY_KEY_HEADER, KEY).json(&euros(5, "tok_slow_300"));
    assert!(call.timeout(Duration::from_millis(50)).send().await.unwrap_err().is_timeout());
    let pending = peer.get(&format!("{CHARGES_PATH}/{KEY}")).await;
    assert_eq!(pending.status(), StatusCode::NOT_FOUND, "not there yet");
    tokio::time::sleep(Duration::from_millis(600)).await;
    let landed: Charge = peer.get(&format!("{CHARGES_PATH}/{KEY}")).await.json().await.unwrap();
    assert_eq!(landed.status, ChargeStatus::Charged);
}

#[tokio::test]
async fn a_key_that_is_reversed_before_its_charge_is_never_charged() {
    let peer = Peer::start().await;
    let url = peer.url(CHARGES_PATH);
    let call = peer.client.post(url).header(IDEMPOTENCY_KEY_HEADER, KEY).json(&euros(5, "tok_slow_300"));
    assert!(call.timeout(Duration::from_millis(50)).send().await.unwrap_err().is_timeout());
    for _ in 0..2 {
        let (status, body) = error(peer.reverse(KEY).await).await;
        assert_eq!((status, body.error), (StatusCode::NOT_FOUND, ErrorCode::UnknownCharge));
    }
    tokio::time::sleep(Duration::from_millis(600)).await;
    for request in [euros(5, "tok_slow_300"), euros(500, "tok_approve")] {
        let (status, body) = error(peer.charge(KEY, &request).await.unwrap()).await;
        assert_eq!((status, body.error), (StatusCode::CONFLICT, ErrorCode::Voided));
    }
    assert_eq!(peer.charges().await, [], "neither the charge on its way nor a later one has landed");
}

#[tokio::test]
async fn a_reversal_refunds_once() {
    let peer = Peer::start().await;
    peer.charge(KEY, &euros(500, "tok_approve")).await.unwrap();
    for _ in 0..2 {
        let reversed: Charge = peer.reverse(KEY).await.json().await.unwrap();
        assert_eq!(reversed.status, ChargeStatus::Refunded);
    }
    let again = peer.charge(KEY, &euros(500, "tok_approve")).await.unwrap();
    assert_eq!(again.status(), StatusCode::OK);
    assert_eq!(again.json::<Charge>().await.unwrap().status, ChargeStatus::Refunded);
    let summary: Summary = peer.get(SUMMARY_PATH).await.json().await.unwrap();
    let totals = &summary.currencies["EUR"];
    assert_eq!((totals.charged_minor, totals.refunded_minor, totals.net_minor), (500, 500, 0));
    assert_eq!((totals.charges, totals.refunds, totals.duplicates_answered), (1, 1, 1));
}

#[tokio::test]
async fn the_listing_goes_on_where_it_stopped() {
    let peer = Peer::start().await;
    for key in ["a", "b", "c"] {
        peer.charge(key, &euros(1, "tok_approve")).await.unwrap();
    }
    let page: ChargePage = peer.get("/v1/charges?since=1&limit=1").await.json().await.unwrap();
    assert_eq!((page.charges[0].idempotency_key.as_str(), page.next_since), ("b", 2));
    let rest: ChargePage = peer.get("/v1/charges?since=3").await.json().await.unwrap();
    assert_eq!((rest.charges.len(), rest.next_since), (0, 3));
    let (status, _) = error(peer.get("/v1/charges?limit=0").await).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn the_listing_can_be_narrowed_to_a_time_and_a_status() {
    let peer = Peer::start().await;
    for key in ["a", "b", "c"] {
        peer.charge(key, &euros(1, "tok_approve")).await.unwrap();
        // Each in a millisecond of its own.
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    peer.reverse("a").await;
    let created: Vec<u64> = peer.charges().await.iter().map(|charge| charge.created_at_ms).collect();
    assert!(created[0] < created[1] && created[1] < created[2], "{created:?}");

    let cases = [
        (format!("created_from_ms={}", created[1]), vec!["b", "c"]),
        (format!("created_before_ms={}", created[1]), vec!["a"]),
        (format!("created_from_ms={}&created_before_ms={}", created[1], created[2]), vec!["b"]),
        ("status=charged".to_owned(), vec!["b", "c"]),
        ("status=refunded".to_owned(), vec!["a"]),
        ("status=charged&limit=1".to_owned(), vec!["b"]),
        ("status=charged&since=2".to_owned(), vec!["c"]),
        (format!("created_from_ms={}", created[2] + 1), vec![]),
    ];
    for (query, expected) in cases {
        let page: ChargePage = peer.get(&format!("{CHARGES_PATH}?{query}")).await.json().await.unwrap();
        let found: Vec<_> = page.charges.iter().map(|charge| charge.idempotency_key.as_str()).collect();
        assert_eq!(found, expected, "{query}");
        let last = page.charges.last().map(|charge| charge.sequence);
        assert_eq!(page.next_since, last.unwrap_or(0), "{query}");
    }
    for query in ["created_from_ms=yesterday", "status=lost", "created=5"] {
        let (status, body) = error(peer.get(&format!("{CHARGES_PATH}?{query}")).await).await;
        assert_eq!((status, body.error), (StatusCode::BAD_REQUEST, ErrorCode::InvalidRequest), "{query}");
    }
}

#[tokio::test]
async fn the_time_of_a_charge_is_when_the_money_was_taken() {
    let peer = Peer::start().await;
    let clock = || {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        u64::try_from(since_1970.as_millis()).unwrap()
    };
    let before = clock();
    let first = peer.charge(KEY, &euros(5, "tok_slow_100")).await.unwrap().json::<Charge>().await.unwrap();
    assert!((before + 100..=clock()).contains(&first.created_at_ms), "{before} {first:?}");
    let again = peer.charge(KEY, &euros(5, "tok_slow_100")).await.unwrap().json::<Charge>().await.unwrap();
    assert_eq!(again.created_at_ms, first.created_at_ms);
}

#[tokio::test]
async fn bad_input_is_told_what_is_allowed() {
    let peer = Peer::start().await;
    let cases = [
        (euros(0, "tok_approve"), "amount_minor is 0"),
        (euros(-5, "tok_approve"), "amount_minor is -5"),
        (euros(i64::MAX, "tok_approve"), "allowed are 1 to 1000000000000"),
        (ChargeRequest { currency: "eur".to_owned(), ..euros(1, "tok_approve") }, "currency is \"eur\""),
        (ChargeRequest { reference: String::new(), ..euros(1, "tok_approve") }, "reference is \"\""),
        (euros(1, "visa"), "tok_lossy_once"),
    ];
    for (request, expected) in cases {
        let (status, body) = error(peer.charge(KEY, &request).await.unwrap()).await;
        assert_eq!((status, body.error), (StatusCode::BAD_REQUEST, ErrorCode::InvalidRequest));
        assert!(body.message.contains(expected), "{}", body.message);
    }
    let url = peer.url(CHARGES_PATH);
    let raw = |body: String| peer.client.post(&url).header(IDEMPOTENCY_KEY_HEADER, KEY).body(body).send();
    let float = r#"{"amount_minor":1.5,"currency":"EUR","payment_token":"tok_approve","reference":"r"}"#;
    assert_eq!(error(raw(float.to_owned()).await.unwrap()).await.0, StatusCode::BAD_REQUEST);
    let large = raw("x".repeat(20_000)).await.unwrap();
    assert_eq!(error(large).await.0, StatusCode::PAYLOAD_TOO_LARGE);
    let keyless = peer.client.post(&url).json(&euros(1, "tok_approve")).send().await.unwrap();
    assert!(error(keyless).await.1.message.contains("idempotency-key is missing"));
    assert_eq!(error(peer.get("/v2").await).await.1.error, ErrorCode::NotFound);
    assert!(peer.charges().await.is_empty());
}

#[tokio::test]
async fn an_encoded_key_is_the_same_key_and_reset_forgets_it() {
    let peer = Peer::start().await;
    peer.charge(KEY, &euros(1, "tok_approve")).await.unwrap();
    let encoded = format!("{CHARGES_PATH}/order-1%2Fcharge-payment");
    assert_eq!(peer.get(&encoded).await.status(), StatusCode::OK);
    let reset = peer.client.post(peer.url(RESET_PATH)).send().await.unwrap();
    assert_eq!(reset.status(), StatusCode::NO_CONTENT);
    assert_eq!(peer.get(&encoded).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(peer.charge_calls(KEY).await, 0);
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let peer = Peer::start().await;
    let error = Gateway::start(peer.gateway.address().port()).await.unwrap_err();
    assert!(error.to_string().contains(&peer.gateway.address().to_string()), "{error}");
}

#[test]
fn the_wire_format_is_stable() {
    let charge = Charge {
        charge_id: "ch_1".to_owned(),
        idempotency_key: KEY.to_owned(),
        sequence: 1,
        amount_minor: 500,
        currency: "EUR".to_owned(),
        reference: "r".to_owned(),
        created_at_ms: 1_700_000_000_000,
        status: ChargeStatus::Refunded,
    };
    let expected = r#"{"charge_id":"ch_1","idempotency_key":"order-1/charge-payment","sequence":1,"#
        .to_owned()
        + r#""amount_minor":500,"currency":"EUR","reference":"r","#
        + r#""created_at_ms":1700000000000,"status":"refunded"}"#;
    assert_eq!(serde_json::to_string(&charge).unwrap(), expected);
    let declined = ErrorBody {
        error: ErrorCode::Declined,
        message: "m".to_owned(),
        reason: Some(DeclineReason::InsufficientFunds),
    };
    let expected = r#"{"error":"declined","message":"m","reason":"insufficient_funds"}"#;
    assert_eq!(serde_json::to_string(&declined).unwrap(), expected);
}
