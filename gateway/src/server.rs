//! The server: an accept loop of its own, because it must be able to hang up without an answer.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::api::{self, HangUp};
use crate::journal::{Book, JournalError};

/// How long open requests may take to finish once the gateway is told to stop.
const DRAIN_LIMIT: Duration = Duration::from_secs(5);
/// How long to wait after a failed accept, such as for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Why the gateway could not start.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: give a port that is free, or 0 for any free port")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// What earlier gateways decided cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// A running gateway with a ledger of its own. Dropping it stops it at once.
#[derive(Debug)]
pub struct Gateway {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl Gateway {
    /// Starts a gateway on this machine's loopback address; port 0 takes any free port.
    ///
    /// # Errors
    /// When the port cannot be listened on.
    pub async fn start(port: u16) -> Result<Self, GatewayError> {
        Self::start_with(Book::default(), port).await
    }

    /// Starts a gateway that goes on where the one before it with the same journal ended, even if that was killed.
    /// The file is created when it is not there. Only one gateway at a time may use it.
    ///
    /// # Errors
    /// When the port cannot be listened on, or the journal cannot be read.
    pub async fn start_with_journal(port: u16, journal: &Path) -> Result<Self, GatewayError> {
        Self::start_with(Book::open(journal)?, port).await
    }

    async fn start_with(book: Book, port: u16) -> Result<Self, GatewayError> {
        let asked = SocketAddr::from(([127, 0, 0, 1], port));
        let failed = |source| GatewayError::Listen { address: asked, source };
        let listener = TcpListener::bind(asked).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(serve_book(book, listener, async move {
            // A dropped sender stops the gateway as well.
            let _ = stopped.await;
        }));
        Ok(Self { address, stop: Some(stop), task })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The base URL for clients, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Lets open requests finish, for 5 seconds at most, and stops.
    pub async fn stop(mut self) {
        drop(self.stop.take());
        // The task only fails when it is aborted, which only `Drop` does.
        let _ = (&mut self.task).await;
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Serves a new gateway on a listener until `until` is ready, then lets open requests finish.
pub async fn serve(listener: TcpListener, until: impl Future<Output = ()>) {
    serve_book(Book::default(), listener, until).await;
}

async fn serve_book(book: Book, listener: TcpListener, until: impl Future<Output = ()>) {
    let router = TowerToHyperService::new(api::router(book));
    let graceful = GracefulShutdown::new();
    let mut until = std::pin::pin!(until);
    loop {
        let accepted = tokio::select! {
            () = &mut until => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => serve_connection(stream, router.clone(), &graceful),
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
    drop(listener);
    // What has not finished by then is cut off: the caller asked to stop.
    let _ = tokio::time::timeout(DRAIN_LIMIT, graceful.shutdown()).await;
}

/// The service of a connection failed on purpose.
#[derive(Debug, thiserror::Error)]
#[error("hung up without an answer")]
struct HungUp;

fn serve_connection<S>(stream: TcpStream, router: S, graceful: &GracefulShutdown)
where
    S: Service<Request<Incoming>, Response = Response<Body>, Error = Infallible> + Send + Sync + 'static,
    S::Future: Send,
{
    // Without it small answers wait for the peer's delayed acknowledgement; it is no reason to refuse a caller.
    let _ = stream.set_nodelay(true);
    // hyper closes the connection without a response when the service fails: that is how we hang up.
    let service = service_fn(move |request| {
        let answer = router.call(request);
        async move {
            let Ok(response) = answer.await;
            if response.extensions().get::<HangUp>().is_some() { Err(HungUp) } else { Ok(response) }
        }
    });
    let connection =
        http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service);
    let connection = graceful.watch(connection);
    tokio::spawn(async move {
        // An error here is the peer's doing or a hang-up of ours; neither concerns other connections.
        let _ = connection.await;
    });
}
