use super::*;
use gateway::{
    CHARGES_PATH, Charge, ChargeRequest, ChargeStatus, Gateway, IDEMPOTENCY_KEY_HEADER, SUMMARY_PATH, Summary,
};
use payment::{Payment, Peer};
use saga::{
    Deployment, Entity, IdempotencyKey, MemoryStore, Outcomes, Refusal, Refused, Request, Row, RowKey,
    RunDigest, StepKey, StepOfRun, Store, Transaction, Unavailable,
    fence::{Fence, FenceState, Recorded},
    serve,
};
use saga_lambda::{Deadline, replay::Log};
use sagas::entities::LedgerEntry;
use serde_json::{Value as Json, json};
use std::{
    sync::{
        Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

const STEP: &str = "charge-payment";

/// Everything is compared: no charge is too young or too old.
const SPAN: Span =
    Span { grace: Duration::ZERO, window: Duration::from_secs(600), longest: Duration::from_secs(300) };

/// Whatever is found is refunded.
const OPEN: Brake = Brake { charges: 1_000, percent: 100 };

/// What the stack says unless it is told otherwise.
const BRAKE: Brake = Brake { charges: 50, percent: 10 };

struct Shop {
    gateway: Gateway,
    payment: Payment,
    peer: Peer,
    client: reqwest::Client,
    /// Kept in every test: a log line that is first reached where nobody keeps the log would be off for all.
    log: Log,
}

impl Shop {
    async fn open() -> Self {
        let log = Log::keep();
        let gateway = Gateway::start(0).await.unwrap();
        let peer = Peer::new(&gateway.url()).unwrap();
        let client = gateway::client_builder().build().unwrap();
        Self { gateway, payment: Payment::new(peer.clone()), peer, client, log }
    }

    /// Takes money under a key, as the request of a process that died does.
    async fn plant(&self, key: &str) {
        let body = ChargeRequest {
            amount_minor: 9_900,
            currency: "EUR".into(),
            payment_token: "tok_approve".into(),
            reference: key.split('/').nth(3).unwrap_or(key).into(),
        };
        let url = format!("{}{CHARGES_PATH}", self.gateway.url());
        let call = self.client.post(url).header(IDEMPOTENCY_KEY_HEADER, key).json(&body);
        call.send().await.unwrap().error_for_status().unwrap();
        // A charge of this very millisecond is not yet older than a grace period of nothing.
        tokio::time::sleep(Duration::from_millis(2)).await;
    }

    /// A charge that came after its undo.
    async fn plant_orphan(&self, store: &MemoryStore, id: &str) {
        // Not by an undo: our gateway then voids the key, and no charge could come after it. Others do not.
        set_fence(store, id, Fence::Undone);
        self.plant(&key_of(id)).await;
    }

    async fn status(&self, key: &str) -> Option<ChargeStatus> {
        let url = format!("{}{CHARGES_PATH}/{key}", self.gateway.url());
        let found = self.client.get(url).send().await.unwrap().error_for_status().ok()?;
        Some(found.json::<Charge>().await.unwrap().status)
    }

    async fn serve(&self, store: &impl Store, id: &str, op: &str) -> Option<Outcomes> {
        self.serve_in(&here(), store, id, op).await
    }

    async fn serve_in(
        &self,
        deployment: &Deployment,
        store: &impl Store,
        id: &str,
        op: &str,
    ) -> Option<Outcomes> {
        serve(&self.payment, store, deployment, &request(id, op)).await.ok().map(|handled| handled.outcome)
    }

    /// Places and charges orders: their fences and ledger are in this store.
    async fn sell(&self, store: &MemoryStore, ids: impl IntoIterator<Item = String>) {
        for id in ids {
            assert_eq!(self.serve(store, &id, "run").await, Some(Outcomes::Done));
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }

    async fn sweep(&self, store: &impl Store, span: Span) -> Tally {
        self.sweep_of(here(), store, span, OPEN).await
    }

    async fn sweep_within(&self, store: &impl Store, brake: Brake) -> Tally {
        self.sweep_of(here(), store, SPAN, brake).await
    }

    async fn sweep_of(&self, deployment: Deployment, store: &impl Store, span: Span, brake: Brake) -> Tally {
        let reconciliation = Reconciliation::new(self.peer.clone(), deployment, span, brake);
        reconciliation.sweep(store, Deadline::after(Duration::from_secs(20))).await.unwrap()
    }

    /// How many charges the gateway holds that were not refunded.
    async fn charged(&self) -> u64 {
        let url = format!("{}{SUMMARY_PATH}", self.gateway.url());
        let summary: Summary = self.client.get(url).send().await.unwrap().json().await.unwrap();
        summary.currencies.values().map(|totals| totals.charges - totals.refunds).sum()
    }

    /// The lines of the log with this event.
    fn told(&self, event: &str) -> Vec<Json> {
        let text = self.log.text();
        let lines = text.lines().map(|line| serde_json::from_str::<Json>(line).unwrap());
        lines.filter(|line| line["event"] == event).collect()
    }
}

fn ids(name: &str, count: u32) -> impl Iterator<Item = String> {
    (0..count).map(move |n| format!("{name}-{n}"))
}

fn request(id: &str, op: &str) -> Request {
    let order = json!({
        "order_id": id, "customer": { "id": "ALFKI", "email": "maria@example.com" },
        "lines": [{ "sku": "nw-1", "quantity": 3 }], "total": { "minor": 9_900, "currency": "EUR" },
        "payment_token": "tok_approve",
    });
    let request: Json = json!({
        "v": 2, "saga": "order", "id": id, "execution": id, "step": STEP, "op": op, "token": "t",
        "input": { "order": order },
    });
    serde_json::from_value(request).unwrap()
}

fn fence_of(id: &str) -> StepKey {
    StepKey::at(id.parse().unwrap(), "order/charge-payment").unwrap()
}

/// The charge of a saga of version 1, which knows no run.
fn charge_of(id: &str) -> StepOfRun {
    StepOfRun { key: fence_of(id), run: None }
}

fn here() -> Deployment {
    Deployment::in_memory()
}

fn key_of(id: &str) -> String {
    key_in(&here(), id)
}

fn key_in(deployment: &Deployment, id: &str) -> String {
    IdempotencyKey::new(deployment, &charge_of(id)).as_str().to_owned()
}

/// Puts a fence there, whatever its story is.
fn set_fence(store: &MemoryStore, id: &str, fence: Fence) {
    let fence = Transaction {
        fence: fence_of(id),
        run: None,
        turn: 0,
        expected: None,
        next: fence,
        writes: Vec::new(),
    };
    store.apply_now(&fence).unwrap();
}

fn rejected() -> Fence {
    serde_json::from_value(json!({ "rejected": { "error": "PaymentDeclined", "cause": "{}" } })).unwrap()
}

fn ledger(store: &MemoryStore, id: &str) -> Option<String> {
    LedgerEntry::STATUS.read(&store.row(&LedgerEntry::key(id))?)
}

#[tokio::test]
async fn an_orders_charge_is_kept() {
    let (shop, store) = (Shop::open().await, MemoryStore::new());
    assert_eq!(shop.serve(&store, "o-1", "run").await, Some(Outcomes::Done));
    tokio::time::sleep(Duration::from_millis(2)).await;
    assert_eq!(shop.sweep(&store, SPAN).await, Tally { kept: 1, ..Tally::default() });
    assert_eq!(shop.status(&key_of("o-1")).await, Some(ChargeStatus::Charged));
    assert!(matches!(store.fence(&fence_of("o-1")), Some(Fence::Done { .. })));
}

#[tokio::test]
async fn a_charge_that_came_after_its_undo_is_refunded_and_told() {
    let (shop, store) = (Shop::open().await, MemoryStore::new());
    shop.plant_orphan(&store, "o-1").await;
    assert_eq!(shop.sweep(&store, SPAN).await, Tally { refunded: 1, ..Tally::default() });
    assert_eq!(shop.status(&key_of("o-1")).await, Some(ChargeStatus::Refunded));
    assert_eq!(shop.sweep(&store, SPAN).await, Tally::default(), "a refund is not looked at again");

    let told = shop.told("orphaned_charge_refunded");
    assert_eq!(told.len(), 1, "{told:?}");
    let expected = json!({
        "fence": "undone", "saga_id": "o-1", "charge_id": "ch_00000001", "amount_minor": 9_900, "currency": "EUR",
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&told[0][name], value, "{name}");
    }
}

#[tokio::test]
async fn a_charge_of_a_rejected_step_is_refunded_and_the_rejection_stays() {
    let (shop, store) = (Shop::open().await, MemoryStore::new());
    set_fence(&store, "o-1", rejected());
    shop.plant(&key_of("o-1")).await;
    assert_eq!(shop.sweep(&store, SPAN).await, Tally { refunded: 1, ..Tally::default() });
    assert_eq!(shop.status(&key_of("o-1")).await, Some(ChargeStatus::Refunded));
    // A redelivered run still answers why, and not that it is too late.
    assert_eq!(shop.serve(&store, "o-1", "run").await, Some(Outcomes::RejectedBefore));
}

#[tokio::test]
async fn an_undecided_charge_is_left_alone_and_reported_when_it_is_old() {
    let (shop, store) = (Shop::open().await, MemoryStore::new());
    set_fence(&store, "o-1", Fence::Started);
    shop.plant(&key_of("o-1")).await;
    assert_eq!(shop.sweep(&store, SPAN).await, Tally { in_flight: 1, ..Tally::default() });
    assert!(!shop.log.text().contains("unsettled_charge"), "{}", shop.log.text());
    let quick = Span { longest: Duration::ZERO, ..SPAN };
    assert_eq!(shop.sweep(&store, quick).await, Tally { unsettled: 1, ..Tally::default() });
    assert!(shop.log.text().contains(r#""event":"unsettled_charge""#), "{}", shop.log.text());
    assert_eq!(shop.status(&key_of("o-1")).await, Some(ChargeStatus::Charged));
    assert_eq!(store.fence(&fence_of("o-1")), Some(Fence::Started));
}

/// As after restoring the fence table from a backup, whether or not the ledger was restored too: refunding would give away
/// what was sold.
#[tokio::test]
async fn a_charge_without_a_fence_is_left_to_people_whatever_the_ledger_says() {
    for in_the_ledger in [false, true] {
        let (shop, store) = (Shop::open().await, MemoryStore::new());
        shop.plant(&key_of("o-1")).await;
        if in_the_ledger {
            let entry = LedgerEntry::row("o-1").with(LedgerEntry::STATUS, LedgerEntry::CHARGED);
            let (key, row) = entry.into_parts();
            store.put(key, row);
        }
        assert_eq!(shop.sweep(&store, SPAN).await, Tally { unsettled: 1, ..Tally::default() });
        let examined = examine(&shop.peer, &store, &here(), &charge_of("o-1"), false).await;
        assert_eq!(examined.unwrap(), Finding::Left(Verdict::FenceLost));
        assert_eq!(shop.status(&key_of("o-1")).await, Some(ChargeStatus::Charged));
        assert_eq!(store.fence(&fence_of("o-1")), None);
        let told = shop.told("unsettled_charge");
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0]["reason"].as_str().unwrap().contains("its fence is gone"), "{told:?}");
        assert_eq!((&told[0]["level"], &told[0]["saga_id"]), (&json!("ERROR"), &json!("o-1")));
    }
}

/// Its fence was lost while it ran.
#[tokio::test]
async fn a_saga_that_still_runs_takes_up_its_charge_without_a_fence() {
    let (shop, store) = (Shop::open().await, MemoryStore::new());
    shop.plant(&key_of("o-1")).await;
    assert_eq!(shop.sweep(&store, SPAN).await, Tally { unsettled: 1, ..Tally::default() });
    assert_eq!(shop.serve(&store, "o-1", "run").await, Some(Outcomes::Done));
    assert_eq!(shop.sweep(&store, SPAN).await, Tally { kept: 1, ..Tally::default() });

    shop.plant(&key_of("o-2")).await;
    assert_eq!(shop.serve(&store, "o-2", "undo").await, Some(Outcomes::NothingToUndo));
    assert_eq!(shop.status(&key_of("o-2")).await, Some(ChargeStatus::Refunded));
}

/// The fences and the ledger of recent orders are gone, their charges are not.
#[tokio::test]
async fn tables_restored_to_one_point_in_time_refund_nothing() {
    let (shop, store) = (Shop::open().await, MemoryStore::new());
    let restored = MemoryStore::new();
    shop.sell(&restored, ids("before", 20)).await;
    shop.sell(&store, ids("since", 55)).await;
    let last_of_the_day = Instant::now();
    tokio::time::sleep(Duration::from_millis(500)).await;
    shop.sell(&store, ids("lately", 5)).await;

    for (sweep, brake) in (1..).zip([BRAKE, OPEN]) {
        let left = Tally { kept: 20, unsettled: 60, ..Tally::default() };
        assert_eq!(shop.sweep_of(here(), &restored, SPAN, brake).await, left, "{brake:?}");
        assert_eq!(shop.told("unsettled_charge").len(), 60 * sweep, "each is told in each sweep");
    }
    // Time goes by, and so few are left in the window that they would pass for orphans.
    let lately = Span { window: last_of_the_day.elapsed(), ..SPAN };
    let left = shop.sweep_of(here(), &restored, lately, BRAKE).await;
    assert_eq!(left, Tally { unsettled: 5, ..Tally::default() });
    assert_eq!(shop.charged().await, 80);
    assert_eq!(restored.recorded(&fence_of("lately-0")), None, "nothing is fenced off");
    assert!(shop.told("orphaned_charge_refunded").is_empty() && shop.told("refund_brake").is_empty());
}

#[tokio::test]
async fn too_many_orphans_are_not_refunded_until_somebody_has_looked() {
    let (shop, store) = (Shop::open().await, MemoryStore::new());
    shop.sell(&store, ids("sold", 20)).await;
    for (n, id) in ids("orphan", 60).enumerate() {
        set_fence(&store, &id, if n < 10 { rejected() } else { Fence::Undone });
        shop.plant(&key_of(&id)).await;
    }
    let withheld = Tally { kept: 20, withheld: 60, ..Tally::default() };
    for sweep in 1..=2 {
        assert_eq!(shop.sweep_within(&store, BRAKE).await, withheld);
        assert_eq!(shop.charged().await, 80);
        let told = shop.told("refund_brake");
        assert_eq!(told.len(), sweep, "told once in each sweep");
        let expected = json!({
            "level": "ERROR", "orphans": 60, "charges": 80, "max_refunds": 50, "max_percent": 10,
            "rejected": 10, "undone": 50,
            "examples": "orphan-0 orphan-1 orphan-2 orphan-3 orphan-4 orphan-5 orphan-6 orphan-7 orphan-8 orphan-9",
        });
        for (name, value) in expected.as_object().unwrap() {
            assert_eq!(&told[0][name], value, "{name}");
        }
    }
    assert!(shop.told("orphaned_charge_refunded").is_empty());

    // Somebody looked, and these are orphans indeed.
    let raised = Brake { charges: 60, percent: 75 };
    let refunded = Tally { kept: 20, refunded: 60, ..Tally::default() };
    assert_eq!(shop.sweep_within(&store, raised).await, refunded);
    assert_eq!(shop.charged().await, 20);
}

#[tokio::test]
async fn a_large_share_is_not_refunded_even_when_it_is_a_small_number() {
    let (shop, store) = (Shop::open().await, MemoryStore::new());
    shop.sell(&store, ids("sold", 53)).await;
    for id in ids("orphan", 6) {
        shop.plant_orphan(&store, &id).await;
    }
    let withheld = Tally { kept: 53, withheld: 6, ..Tally::default() };
    assert_eq!(shop.sweep_within(&store, BRAKE).await, withheld, "6 of 59");
    // Others' charges at the same gateway are no reason to let more through.
    for id in ids("foreign", 10) {
        shop.plant(&id).await;
    }
    assert_eq!(shop.sweep_within(&store, BRAKE).await, Tally { foreign: 10, ..withheld });
    shop.sell(&store, ids("one-more", 1)).await;
    let refunded = Tally { kept: 54, refunded: 6, foreign: 10, ..Tally::default() };
    assert_eq!(shop.sweep_within(&store, BRAKE).await, refunded, "6 of 60");
}

#[tokio::test]
async fn a_few_are_refunded_whatever_their_share() {
    let (shop, store) = (Shop::open().await, MemoryStore::new());
    for id in ids("orphan", 5) {
        shop.plant_orphan(&store, &id).await;
    }
    let shut = Brake { charges: 0, ..BRAKE };
    assert_eq!(shop.sweep_within(&store, shut).await, Tally { withheld: 5, ..Tally::default() });
    assert_eq!(shop.sweep_within(&store, BRAKE).await, Tally { refunded: 5, ..Tally::default() });
    assert!(shop.charged().await == 0 && shop.told("refund_brake").len() == 1);
}

/// A store in which an operator goes on without the step between the two looks of a sweep at its charge.
struct Overtaken {
    store: MemoryStore,
    looks: AtomicU32,
}

impl Store for Overtaken {
    async fn read_fence(&self, key: &StepKey) -> Result<Option<Recorded>, Unavailable> {
        if self.looks.fetch_add(1, Ordering::Relaxed) == 1 {
            let was = Some(FenceState::Undone);
            let (fence, next) = (key.clone(), Fence::Abandoned { was });
            let skipped = Transaction { fence, run: None, turn: 0, expected: was, next, writes: Vec::new() };
            self.store.apply_now(&skipped).unwrap();
        }
        self.store.read_fence(key).await
    }

    async fn read_row(&self, key: &RowKey) -> Result<Option<Row>, Unavailable> {
        self.store.read_row(key).await
    }

    async fn apply(&self, transaction: &Transaction) -> Result<(), Refused> {
        self.store.apply(transaction).await
    }
}

#[tokio::test]
async fn what_was_an_orphan_at_the_first_look_is_judged_again() {
    let shop = Shop::open().await;
    let store = Overtaken { store: MemoryStore::new(), looks: AtomicU32::new(0) };
    shop.plant_orphan(&store.store, "o-1").await;
    assert_eq!(shop.sweep_within(&store, BRAKE).await, Tally { abandoned: 1, ..Tally::default() });
    assert_eq!(shop.status(&key_of("o-1")).await, Some(ChargeStatus::Charged));
}

/// Whoever skipped the step knows what became of the money, and may have paid it back by hand.
#[tokio::test]
async fn an_abandoned_charge_is_left_alone_for_good_and_told_without_an_alarm() {
    let (shop, store) = (Shop::open().await, MemoryStore::new());
    let states = [None, Some(FenceState::Started), Some(FenceState::Done), Some(FenceState::Undone)];
    for (n, was) in states.into_iter().enumerate() {
        set_fence(&store, &format!("o-{n}"), Fence::Abandoned { was });
        shop.plant(&key_of(&format!("o-{n}"))).await;
    }
    let quick = Span { longest: Duration::ZERO, ..SPAN };
    for span in [SPAN, quick] {
        assert_eq!(shop.sweep(&store, span).await, Tally { abandoned: 4, ..Tally::default() });
    }
    assert_eq!(shop.charged().await, 4);
    let told = shop.told("abandoned_charge");
    assert_eq!(told.len(), 2 * states.len(), "{told:?}");
    assert!(told.iter().all(|line| line["level"] == "INFO" && line["amount_minor"] == 9_900), "{told:?}");
    assert!(shop.told("unsettled_charge").is_empty() && shop.told("orphaned_charge_refunded").is_empty());
}

/// The same order id in two deployments, and in two stages of one, at one account.
#[tokio::test]
async fn deployments_at_one_gateway_do_not_touch_each_others_charges() {
    let shop = Shop::open().await;
    let deployment = |name, stage| Deployment::new(name, stage).unwrap();
    let (shoes, hats) = (deployment("shoes", "prod"), deployment("hats", "prod"));
    let rehearsal = deployment("shoes", "dev");
    let (shoes_store, hats_store) = (MemoryStore::new(), MemoryStore::new());
    for (deployment, store) in [(&shoes, &shoes_store), (&hats, &hats_store)] {
        assert_eq!(shop.serve_in(deployment, store, "o-1", "run").await, Some(Outcomes::Done));
    }
    shop.plant(&key_in(&hats, "o-2")).await;
    shop.plant(&key_in(&rehearsal, "o-1")).await;
    // By the fences of either it is an orphan, but it is of one.
    set_fence(&shoes_store, "o-2", Fence::Undone);
    set_fence(&hats_store, "o-2", Fence::Undone);
    let status = async |deployment: &Deployment, id: &str| shop.status(&key_in(deployment, id)).await;

    let swept = shop.sweep_of(shoes.clone(), &shoes_store, SPAN, OPEN).await;
    assert_eq!(swept, Tally { kept: 1, foreign: 3, ..Tally::default() });
    let swept = shop.sweep_of(hats.clone(), &hats_store, SPAN, OPEN).await;
    assert_eq!(swept, Tally { kept: 1, refunded: 1, foreign: 2, ..Tally::default() });
    assert_eq!(status(&hats, "o-2").await, Some(ChargeStatus::Refunded));
    assert_eq!(status(&rehearsal, "o-1").await, Some(ChargeStatus::Charged));

    // An undo refunds its own charge only.
    assert_eq!(shop.serve_in(&hats, &hats_store, "o-1", "undo").await, Some(Outcomes::Undone));
    assert_eq!(status(&hats, "o-1").await, Some(ChargeStatus::Refunded));
    assert_eq!(status(&shoes, "o-1").await, Some(ChargeStatus::Charged));
}

#[tokio::test]
async fn charges_of_others_and_charges_outside_the_span_are_not_looked_at() {
    let (shop, store) = (Shop::open().await, MemoryStore::new());
    let foreign = ["shop-7/invoice", "charge-payment", "a/b/charge-payment", "o 1/charge-payment"];
    for key in foreign {
        shop.plant(key).await;
    }
    assert_eq!(shop.sweep(&store, SPAN).await, Tally { foreign: 4, ..Tally::default() });
    shop.plant_orphan(&store, "o-1").await;
    let patient = Span { grace: Duration::from_secs(60), ..SPAN };
    assert_eq!(shop.sweep(&store, patient).await, Tally::default());
    let forgetful = Span { window: Duration::ZERO, ..SPAN };
    assert_eq!(shop.sweep(&store, forgetful).await, Tally::default());
    for key in foreign.map(str::to_owned).into_iter().chain([key_of("o-1")]) {
        let url_key = key.replace(' ', "%20");
        assert_eq!(shop.status(&url_key).await, Some(ChargeStatus::Charged), "{key}");
    }
}

#[tokio::test]
async fn every_page_is_read() {
    let (shop, store) = (Shop::open().await, MemoryStore::new());
    for n in 0..520 {
        let id = format!("o-{n}");
        set_fence(&store, &id, Fence::Undone);
        let key = key_of(&id);
        let url = format!("{}{CHARGES_PATH}", shop.gateway.url());
        let body = json!({
            "amount_minor": 1, "currency": "EUR", "payment_token": "tok_approve", "reference": "r",
        });
        shop.client.post(url).header(IDEMPOTENCY_KEY_HEADER, key).json(&body).send().await.unwrap();
    }
    tokio::time::sleep(Duration::from_millis(2)).await;
    assert_eq!(shop.sweep(&store, SPAN).await, Tally { refunded: 520, ..Tally::default() });
}

/// A store that cannot be reached for one saga.
struct Deaf(MemoryStore);

impl Store for Deaf {
    async fn read_fence(&self, key: &StepKey) -> Result<Option<Recorded>, Unavailable> {
        match key.saga_id.as_str() {
            "o-1" => Err(Unavailable("it does not answer".into())),
            _ => self.0.read_fence(key).await,
        }
    }

    async fn read_row(&self, key: &RowKey) -> Result<Option<Row>, Unavailable> {
        self.0.read_row(key).await
    }

    async fn apply(&self, transaction: &Transaction) -> Result<(), Refused> {
        self.0.apply(transaction).await
    }
}

#[tokio::test]
async fn a_charge_of_another_run_than_its_fence_is_left_to_people() {
    let shop = Shop::open().await;
    let store = MemoryStore::new();
    let run = |input: &str| Some(RunDigest::of(&json!(input)));
    let charged = StepOfRun { key: fence_of("o-1"), run: run("the first order") };
    let key = IdempotencyKey::new(&here(), &charged).as_str().to_owned();
    shop.plant(&key).await;
    for next in [Fence::Undone, Fence::Rejected(Refusal { error: "No".into(), cause: "{}".into() })] {
        let store = MemoryStore::new();
        let (fence, run) = (fence_of("o-1"), run("another order"));
        store
            .apply_now(&Transaction { fence, run, turn: 0, expected: None, next, writes: Vec::new() })
            .unwrap();
        assert_eq!(shop.sweep(&store, SPAN).await, Tally { unsettled: 1, ..Tally::default() });
        assert_eq!(shop.status(&key).await, Some(ChargeStatus::Charged));
    }
    // Its own says that it is an orphan.
    let (fence, run) = (fence_of("o-1"), charged.run);
    let undone = Transaction { fence, run, turn: 0, expected: None, next: Fence::Undone, writes: Vec::new() };
    store.apply_now(&undone).unwrap();
    assert_eq!(shop.sweep(&store, SPAN).await, Tally { refunded: 1, ..Tally::default() });
}

#[tokio::test]
async fn what_cannot_be_looked_at_counts_as_what_would_be_refunded() {
    let shop = Shop::open().await;
    let store = Deaf(MemoryStore::new());
    for n in 1..=6 {
        shop.plant_orphan(&store.0, &format!("o-{n}")).await;
    }
    let at_most = |charges| Brake { charges, percent: 100 };
    for (brake, refunded) in [(at_most(5), 0), (at_most(6), 5)] {
        let reconciliation = Reconciliation::new(shop.peer.clone(), here(), SPAN, brake);
        let deadline = Deadline::after(Duration::from_secs(20));
        let Incomplete::Failed(tally) = reconciliation.sweep(&store, deadline).await.unwrap_err() else {
            panic!("one of them does not answer")
        };
        assert_eq!((tally.failed, tally.refunded, tally.withheld), (1, refunded, 5 - refunded), "{brake:?}");
    }
}

#[tokio::test]
async fn a_charge_that_cannot_be_examined_holds_up_no_other_and_fails_the_sweep() {
    let shop = Shop::open().await;
    let store = Deaf(MemoryStore::new());
    for id in ["o-1", "o-2"] {
        shop.plant_orphan(&store.0, id).await;
    }
    let reconciliation = Reconciliation::new(shop.peer.clone(), here(), SPAN, OPEN);
    let deadline = Deadline::after(Duration::from_secs(20));
    let incomplete = reconciliation.sweep(&store, deadline).await.unwrap_err();
    assert_eq!(incomplete.to_string(), "1 charges could not be examined, the log says why");
    assert_eq!(shop.status(&key_of("o-2")).await, Some(ChargeStatus::Refunded));
    assert_eq!(shop.status(&key_of("o-1")).await, Some(ChargeStatus::Charged));

    let away = Reconciliation::new(Peer::new("http://127.0.0.1:9").unwrap(), here(), SPAN, OPEN);
    let unlisted = away.sweep(&store, Deadline::after(Duration::from_secs(20))).await.unwrap_err();
    assert!(matches!(&unlisted, Incomplete::Unlisted(_)), "{unlisted}");

    // It takes the connection and never answers.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let peer = Peer::new(&format!("http://{}", silent.local_addr().unwrap())).unwrap();
    let unanswered = Reconciliation::new(peer, here(), SPAN, OPEN);
    let soon = Deadline::after(Duration::from_millis(200));
    let too_many = unanswered.sweep(&store, soon).await.unwrap_err();
    assert!(matches!(&too_many, Incomplete::TooMany(_)), "{too_many}");
}

/// A store before each of whose operations others may do something, as often as a seed says.
struct Shuffled {
    store: MemoryStore,
    random: Mutex<fastrand::Rng>,
}

impl Shuffled {
    async fn pause(&self) {
        let turns = self.random.lock().unwrap().u8(0..12);
        for _ in 0..turns {
            tokio::task::yield_now().await;
        }
    }
}

impl Store for Shuffled {
    async fn read_fence(&self, key: &StepKey) -> Result<Option<Recorded>, Unavailable> {
        self.pause().await;
        self.store.read_fence(key).await
    }

    async fn read_row(&self, key: &RowKey) -> Result<Option<Row>, Unavailable> {
        self.pause().await;
        self.store.read_row(key).await
    }

    async fn apply(&self, transaction: &Transaction) -> Result<(), Refused> {
        self.pause().await;
        self.store.apply(transaction).await
    }
}

/// How often each end was seen, to prove that the seeds reach them all.
#[derive(Debug, Default)]
struct Ends {
    committed: u32,
    undone: u32,
    run_was_too_late: u32,
    refunded: u32,
}

/// Two runs, perhaps an undo and two reconciliations of one saga, at the same time; an earlier run may have died when it
/// had the money. Then every message is delivered again, and reconciled once more.
async fn race(shop: &Shop, seed: u64, ends: &mut Ends) {
    let mut random = fastrand::Rng::with_seed(seed);
    let id = format!("race-{seed}");
    let key = key_of(&id);
    let (planted, undoing) = (random.bool(), random.bool());
    let store = Shuffled { store: MemoryStore::new(), random: Mutex::new(random) };
    if planted {
        set_fence(&store.store, &id, Fence::Started);
        shop.plant(&key).await;
    }
    let refunded = AtomicU32::new(0);
    let reconcile = async || {
        if shop.status(&key).await == Some(ChargeStatus::Charged) {
            let found = examine(&shop.peer, &store, &here(), &charge_of(&id), false).await.unwrap();
            refunded.fetch_add(u32::from(matches!(found, Finding::Refunded(_))), Ordering::Relaxed);
        }
    };
    let undo = async || if undoing { shop.serve(&store, &id, "undo").await } else { None };
    let (one, other, _, (), ()) = tokio::join!(
        shop.serve(&store, &id, "run"),
        shop.serve(&store, &id, "run"),
        undo(),
        reconcile(),
        reconcile(),
    );
    let last = shop.serve(&store, &id, "run").await;
    undo().await;
    reconcile().await;

    let (fence, status) = (store.store.fence(&fence_of(&id)), shop.status(&key).await);
    let seen = format!("seed {seed}: {one:?} {other:?} {last:?}, fence {fence:?}, charge {status:?}");
    match fence {
        Some(Fence::Done { .. }) => {
            assert!(!undoing && status == Some(ChargeStatus::Charged), "{seen}");
            assert_eq!(ledger(&store.store, &id).as_deref(), Some("charged"), "{seen}");
            ends.committed += 1;
        }
        Some(Fence::Undone) => {
            assert_ne!(status, Some(ChargeStatus::Charged), "{seen}");
            assert_ne!(ledger(&store.store, &id).as_deref(), Some("charged"), "{seen}");
            assert!(undoing, "a success was taken back: {seen}");
            ends.undone += 1;
            ends.run_was_too_late += u32::from(last == Some(Outcomes::TooLate));
        }
        _ => panic!("not decided: {seen}"),
    }
    ends.refunded += refunded.into_inner();
}

#[tokio::test]
async fn it_never_takes_a_charge_from_a_running_saga_nor_leaves_one_behind() {
    let (shop, mut ends) = (Shop::open().await, Ends::default());
    for seed in 0..400 {
        race(&shop, seed, &mut ends).await;
    }
    // Without these the test could pass without a race.
    let seen = [ends.committed, ends.undone, ends.run_was_too_late, ends.refunded];
    assert!(seen.iter().all(|seen| *seen > 20), "{ends:?}");
}
