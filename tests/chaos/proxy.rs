//! A proxy over HTTP that passes calls on, and does to each what a judge says.

use anyhow::{Context, Result};
use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response, StatusCode, Uri,
    body::{Bytes, Incoming},
    header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, TRANSFER_ENCODING},
    http::request::Parts,
    server::conn::http1,
    service::service_fn,
};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo},
};
use serde_json::Value as Json;
use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::sleep,
};

/// How long to wait after a failed accept, such as for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A call that comes by.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    /// What is to be done: the operation of an AWS call, or the method and path of any other.
    pub(crate) operation: &'a str,
    /// The body.
    pub(crate) body: &'a [u8],
}

/// What is done to a call.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Fault {
    /// Answers in place of the peer, who never hears of it.
    Refuse(Answer),
    /// Hangs up; the peer never hears of it.
    HangUp,
    /// Passes it on later, even when the caller has given up by then.
    Hold(Duration),
    /// Passes it on, and the answer back later.
    DelayAnswer(Duration),
    /// Passes it on, and hangs up.
    LoseAnswer,
    /// Passes it on, and answers in place of the peer.
    Deny(Answer),
    /// Kills the calling process; the peer never hears of the call.
    KillBefore,
    /// Passes it on, and kills the calling process before it hears the answer.
    KillAfter,
}

/// An answer in place of the peer's.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Json,
}

/// Decides what is done to calls.
pub(crate) trait Judge: Send + Sync + 'static {
    /// What is done to a call; nothing for most.
    fn judge(&self, call: &Call<'_>) -> Option<Fault>;
    /// Kills the process that has this end of a connection, if it may be killed.
    fn kill(&self, peer: SocketAddr);
}

/// A running proxy on this machine's loopback address. Dropping it stops it.
#[derive(Debug)]
pub(crate) struct Proxy {
    address: SocketAddr,
    upstream: Upstream,
    task: JoinHandle<()>,
}

/// Where calls are passed on to. None: nobody is there.
type Upstream = Arc<RwLock<Option<Uri>>>;

impl Proxy {
    /// A proxy on a free port, with nobody behind it yet.
    pub(crate) async fn bind(judge: impl Judge) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("no port for a proxy")?;
        let address = listener.local_addr()?;
        let upstream = Upstream::default();
        let passing = Passing {
            client: Client::builder(TokioExecutor::new()).build_http(),
            judge: Box::new(judge),
            upstream: Arc::clone(&upstream),
        };
        Ok(Self { address, upstream, task: tokio::spawn(accept(listener, Arc::new(passing))) })
    }

    /// Its base URL.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Passes calls on to the peer at this base URL from now on; to nobody for `None`.
    pub(crate) fn pass_on_to(&self, url: Option<&str>) -> Result<()> {
        let url = url.map(str::parse).transpose().with_context(|| format!("{url:?} is no URL"))?;
        *self.upstream.write().unwrap_or_else(PoisonError::into_inner) = url;
        Ok(())
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Passing {
    client: Client<HttpConnector, Full<Bytes>>,
    judge: Box<dyn Judge>,
    upstream: Upstream,
}

/// The service of a connection failed on purpose, or because nobody is behind it.
#[derive(Debug, thiserror::Error)]
#[error("hung up without an answer")]
struct HungUp;

async fn accept(listener: TcpListener, passing: Arc<Passing>) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                tokio::spawn(serve(stream, peer, Arc::clone(&passing)));
            }
            Err(_) => sleep(ACCEPT_PAUSE).await,
        }
    }
}

async fn serve(stream: TcpStream, peer: SocketAddr, passing: Arc<Passing>) {
    // Without it small answers wait for the peer's delayed acknowledgement; it is no reason to refuse a caller.
    let _ = stream.set_nodelay(true);
    // hyper closes the connection without a response when the service fails: that is how we hang up.
    let service = service_fn(|request| pass(Arc::clone(&passing), peer, request));
    // An error here is the caller's doing or a hang-up of ours; neither concerns other connections.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn pass(
    passing: Arc<Passing>,
    peer: SocketAddr,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, HungUp> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| HungUp)?.to_bytes();
    let fault = passing.judge.judge(&Call { operation: &operation(&head), body: &body });
    match fault {
        None => passing.forward(head, body).await,
        Some(Fault::Refuse(answer)) => Ok(answer.response()),
        Some(Fault::HangUp) => Err(HungUp),
        Some(Fault::Hold(time)) => {
            // In a task of its own, so that a caller who hangs up cannot call it off.
            let held = tokio::spawn(async move {
                sleep(time).await;
                passing.forward(head, body).await
            });
            held.await.unwrap_or(Err(HungUp))
        }
        Some(Fault::DelayAnswer(time)) => {
            let answer = passing.forward(head, body).await;
            sleep(time).await;
            answer
        }
        Some(Fault::LoseAnswer) => passing.forward(head, body).await.and(Err(HungUp)),
        Some(Fault::Deny(answer)) => passing.forward(head, body).await.map(|_| answer.response()),
        Some(Fault::KillBefore) => {
            passing.judge.kill(peer);
            Err(HungUp)
        }
        Some(Fault::KillAfter) => {
            // Nobody to answer is left either way.
            let _ = passing.forward(head, body).await;
            passing.judge.kill(peer);
            Err(HungUp)
        }
    }
}

impl Passing {
    async fn forward(&self, mut head: Parts, body: Bytes) -> Result<Response<Full<Bytes>>, HungUp> {
        let upstream = self.upstream.read().unwrap_or_else(PoisonError::into_inner).clone().ok_or(HungUp)?;
        let mut uri = upstream.into_parts();
        uri.path_and_query = head.uri.path_and_query().cloned();
        head.uri = Uri::from_parts(uri).map_err(|_| HungUp)?;
        without_framing(&mut head.headers);
        let answer = self.client.request(Request::from_parts(head, Full::new(body))).await;
        let (mut head, body) = answer.map_err(|_| HungUp)?.into_parts();
        let body = body.collect().await.map_err(|_| HungUp)?.to_bytes();
        without_framing(&mut head.headers);
        Ok(Response::from_parts(head, Full::new(body)))
    }
}

impl Answer {
    fn response(&self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(Bytes::from(self.body.to_string())));
        *response.status_mut() = self.status;
        response
            .headers_mut()
            .insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static("application/x-amz-json-1.0"));
        response
    }
}

/// The connection on the other side is framed anew.
fn without_framing(headers: &mut HeaderMap) {
    for name in [CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING] {
        headers.remove(name);
    }
}

/// `TransactWriteItems` of `x-amz-target: DynamoDB_20120810.TransactWriteItems`; otherwise `POST /v1/charges`.
fn operation(head: &Parts) -> String {
    let target = head.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    match target.and_then(|target| target.rsplit('.').next()) {
        Some(operation) => operation.to_owned(),
        None => format!("{} {}", head.method, head.uri.path()),
    }
}
