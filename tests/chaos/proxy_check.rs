//! A test of the proxy itself: what each fault does to a charge at a real gateway, run beside the storm.

use crate::proxy::{Answer, Call, Fault, Judge, Proxy};
use anyhow::{Context, Result, ensure};
use gateway::{CALLS_PATH, CHARGES_PATH, ChargeRequest, Gateway, IDEMPOTENCY_KEY_HEADER, KeyCalls};
use http_body_util::{BodyExt, Full};
use hyper::{Method, Request, StatusCode, body::Bytes};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::json;
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::{sleep, timeout};

/// Longer than a call takes, and much shorter than it is held.
const HELD: Duration = Duration::from_millis(600);
const IMPATIENCE: Duration = Duration::from_millis(150);

/// Does the same to every call, and remembers whom it was asked to kill.
#[derive(Default)]
struct Always {
    fault: Option<Fault>,
    killed: Arc<Mutex<Vec<SocketAddr>>>,
}

impl Judge for Always {
    fn judge(&self, _: &Call<'_>) -> Option<Fault> {
        self.fault.clone()
    }

    fn kill(&self, peer: SocketAddr) {
        self.killed.lock().unwrap_or_else(PoisonError::into_inner).push(peer);
    }
}

/// What came of one charge: what the caller was told, if anything, and what the gateway knows.
#[derive(Debug, PartialEq)]
struct Outcome {
    told: Option<StatusCode>,
    calls: u64,
    kills: usize,
}

pub(crate) async fn every_fault_does_what_it_says() -> Result<()> {
    let answer = || Answer { status: StatusCode::SERVICE_UNAVAILABLE, body: json!({}) };
    let (done, refused) = (Some(StatusCode::CREATED), Some(StatusCode::SERVICE_UNAVAILABLE));
    let cases = [
        (None, Outcome { told: done, calls: 1, kills: 0 }),
        (Some(Fault::Refuse(answer())), Outcome { told: refused, calls: 0, kills: 0 }),
        (Some(Fault::HangUp), Outcome { told: None, calls: 0, kills: 0 }),
        (Some(Fault::DelayAnswer(Duration::from_millis(1))), Outcome { told: done, calls: 1, kills: 0 }),
        (Some(Fault::LoseAnswer), Outcome { told: None, calls: 1, kills: 0 }),
        (Some(Fault::Deny(answer())), Outcome { told: refused, calls: 1, kills: 0 }),
        (Some(Fault::KillBefore), Outcome { told: None, calls: 0, kills: 1 }),
        (Some(Fault::KillAfter), Outcome { told: None, calls: 1, kills: 1 }),
        // The caller has hung up before it is carried out.
        (Some(Fault::Hold(HELD)), Outcome { told: None, calls: 1, kills: 0 }),
    ];
    for (fault, expected) in cases {
        let seen = outcome(fault.clone()).await?;
        ensure!(seen == expected, "{fault:?}: {seen:?}, not {expected:?}");
    }
    Ok(())
}

async fn outcome(fault: Option<Fault>) -> Result<Outcome> {
    let gateway = Gateway::start(0).await?;
    let is_held = matches!(fault, Some(Fault::Hold(_)));
    let judge = Always { fault, ..Always::default() };
    let killed = Arc::clone(&judge.killed);
    let proxy = Proxy::bind(judge).await?;
    proxy.pass_on_to(Some(&gateway.url()))?;
    let request = ChargeRequest {
        amount_minor: 5,
        currency: "EUR".to_owned(),
        payment_token: "tok_approve".to_owned(),
        reference: "r".to_owned(),
    };
    let charge = Request::builder().method(Method::POST).uri(format!("{}{CHARGES_PATH}", proxy.url()));
    let charge = charge.header(IDEMPOTENCY_KEY_HEADER, "k");
    let charge = charge.body(Full::new(Bytes::from(serde_json::to_vec(&request)?)))?;
    let client: Client<HttpConnector, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let called = client.request(charge);
    let told = if is_held {
        timeout(IMPATIENCE, called).await.ok().transpose()?.map(|answer| answer.status())
    } else {
        called.await.ok().map(|answer| answer.status())
    };
    if is_held {
        sleep(2 * HELD).await;
    }
    let asked = format!("{}{CALLS_PATH}/k", gateway.url()).parse()?;
    let body = client.get(asked).await?.into_body().collect().await?.to_bytes();
    let calls: KeyCalls = serde_json::from_slice(&body).context("the gateway does not tell its calls")?;
    let kills = killed.lock().unwrap_or_else(PoisonError::into_inner).len();
    Ok(Outcome { told, calls: calls.charge_calls, kills })
}
