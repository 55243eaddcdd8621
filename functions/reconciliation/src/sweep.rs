//! All charges of the last window, page by page.

use crate::examine::{Finding, examine};
use futures::{StreamExt, stream};
use gateway::{Charge, ChargeQuery, ChargeStatus};
use payment::{Peer, PeerError};
use saga::{Deployment, Entities, IdempotencyKey, Participant, Step, Store};
use saga_lambda::{Deadline, DynamoStore, Error, Tables, Variables, aws, elapsed_ms};
use sagas::{
    environment::{
        GATEWAY_URL, ORPHANED_CHARGE_REFUNDED_EVENT, RECONCILIATION_GRACE_SECONDS,
        RECONCILIATION_WINDOW_SECONDS, SAGA_LONGEST_SECONDS, UNSETTLED_CHARGE_EVENT,
    },
    order::ChargePayment,
    participants,
};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::time::timeout;

/// The most charges of one page.
const PAGE: usize = 500;

/// How many charges are examined at a time.
const AT_ONCE: usize = 16;

/// Compares charges with fences.
#[derive(Debug, Clone)]
pub struct Reconciliation {
    peer: Peer,
    deployment: Deployment,
    span: Span,
}

/// Which charges are compared, by age.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Younger ones are not looked at.
    pub grace: Duration,
    /// Older ones are not looked at.
    pub window: Duration,
    /// How long a saga can take to decide about its charge.
    pub longest: Duration,
}

/// What became of the charges of one sweep, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Orders' charges.
    pub kept: u64,
    /// Charges whose saga has not decided.
    pub in_flight: u64,
    /// Charges that only people can judge.
    pub unsettled: u64,
    /// Charges of steps that an operator went on without.
    pub abandoned: u64,
    /// Orphans refunded.
    pub refunded: u64,
    /// Charges of others, not looked at.
    pub foreign: u64,
    /// Charges that could not be examined.
    pub failed: u64,
}

/// Not every charge could be examined. What was done is done; the next sweep looks at all of them again.
#[derive(Debug, thiserror::Error)]
pub enum Incomplete {
    /// The gateway did not list its charges.
    #[error("the gateway's charges cannot be listed: {0}")]
    Unlisted(#[from] PeerError),
    /// Some charges could not be examined; the log has a line for each.
    #[error("{} charges could not be examined, the log says why", .0.failed)]
    Failed(Tally),
    /// The time was over before the end of the list.
    #[error(
        "the charges could not all be examined within {} s: raise the function's timeout or shorten the window",
        .0.as_secs()
    )]
    TooMany(Duration),
}

impl Reconciliation {
    /// Compares the charges of this deployment and span at this gateway.
    pub fn new(peer: Peer, deployment: Deployment, span: Span) -> Self {
        Self { peer, deployment, span }
    }

    /// Compares at the gateway, and with the fences, that the stack names.
    ///
    /// # Errors
    /// When a variable is missing or invalid.
    pub fn from_variables(variables: &Variables) -> Result<(Self, DynamoStore), Error> {
        let client = |error: PeerError| Error::Client { what: "payment gateway", why: error.to_string() };
        let peer = Peer::new(variables.text(GATEWAY_URL)?).map_err(client)?;
        let seconds = |name: &str| -> Result<Duration, Error> {
            variables.parsed(name, "a whole number of seconds").map(Duration::from_secs)
        };
        let span = Span {
            grace: seconds(RECONCILIATION_GRACE_SECONDS)?,
            window: seconds(RECONCILIATION_WINDOW_SECONDS)?,
            longest: seconds(SAGA_LONGEST_SECONDS)?,
        };
        let entities = <<participants::Payment as Participant>::Entities as Entities>::SPECS;
        let tables = Tables::from_variables(variables, entities)?;
        let client = aws_sdk_dynamodb::Client::new(&aws::config(variables)?);
        let store = DynamoStore::new(client, tables, Deadline::after(Duration::ZERO));
        Ok((Self::new(peer, variables.deployment()?, span), store))
    }

    /// Examines every charge of the span, and writes a log line for each that is refunded or that people must look at,
    /// and one at the end.
    ///
    /// # Errors
    /// When not every charge could be examined until the deadline.
    pub async fn sweep(&self, store: &impl Store, deadline: Deadline) -> Result<Tally, Incomplete> {
        let (began, available) = (Instant::now(), deadline.remaining());
        let mut tally = Tally::default();
        let swept = timeout(available, self.examine_all(store, &mut tally)).await;
        let Tally { kept, in_flight, unsettled, abandoned, refunded, foreign, failed } = tally;
        let duration_ms = elapsed_ms(began);
        tracing::info!(
            kept,
            in_flight,
            unsettled,
            abandoned,
            refunded,
            foreign,
            failed,
            duration_ms,
            "charges compared"
        );
        match swept {
            Err(_) => Err(Incomplete::TooMany(available)),
            Ok(Err(error)) => Err(error.into()),
            Ok(Ok(())) if failed > 0 => Err(Incomplete::Failed(tally)),
            Ok(Ok(())) => Ok(tally),
        }
    }

    async fn examine_all(&self, store: &impl Store, tally: &mut Tally) -> Result<(), PeerError> {
        let now_ms = now_ms();
        let mut query = ChargeQuery {
            limit: Some(PAGE),
            created_from_ms: Some(now_ms.saturating_sub(millis(self.span.window))),
            created_before_ms: Some(now_ms.saturating_sub(millis(self.span.grace))),
            status: Some(ChargeStatus::Charged),
            ..ChargeQuery::default()
        };
        loop {
            let page = self.peer.charges(&query).await?;
            if page.charges.is_empty() {
                return Ok(());
            }
            query.since = page.next_since;
            let examined = page.charges.iter().map(|charge| self.examine_one(store, charge, now_ms));
            let mut examined = stream::iter(examined).buffer_unordered(AT_ONCE);
            while let Some(seen) = examined.next().await {
                tally.count(seen);
            }
        }
    }

    async fn examine_one(&self, store: &impl Store, charge: &Charge, now_ms: u64) -> Seen {
        let key = IdempotencyKey::step_in(&self.deployment, &charge.idempotency_key);
        let Some(key) = key.filter(|key| key.step == ChargePayment::NAME) else { return Seen::Foreign };
        let age = Duration::from_millis(now_ms.saturating_sub(charge.created_at_ms));
        let found = examine(&self.peer, store, &self.deployment, &key, age, self.span.longest).await;
        let (saga_id, charge_id, age_seconds) =
            (key.saga_id.as_str(), charge.charge_id.as_str(), age.as_secs());
        let (amount_minor, currency) = (charge.amount_minor, charge.currency.as_str());
        let report = |reason: &str| {
            let event = UNSETTLED_CHARGE_EVENT;
            tracing::error!(
                event,
                reason,
                saga_id,
                charge_id,
                amount_minor,
                currency,
                age_seconds,
                "look at this charge"
            );
        };
        match found {
            Ok(Finding::Refunded(why)) => {
                let (event, fence) = (ORPHANED_CHARGE_REFUNDED_EVENT, why.as_str());
                tracing::warn!(
                    event,
                    fence,
                    saga_id,
                    charge_id,
                    amount_minor,
                    currency,
                    age_seconds,
                    "refunded"
                );
            }
            Ok(Finding::Unsettled) => report("its saga has not decided about it for too long"),
            Ok(Finding::FenceLost) => report("the ledger has it, but its fence is gone"),
            Ok(Finding::Kept | Finding::InFlight | Finding::Abandoned) => {}
            Err(retry) => {
                let reason = retry.to_string();
                tracing::warn!(outcome = "retry", reason, saga_id, charge_id, "not examined");
                return Seen::Failed;
            }
        }
        found.map_or(Seen::Failed, Seen::Ours)
    }
}

/// What was seen of one charge of a page.
#[derive(Debug, Clone, Copy)]
enum Seen {
    Foreign,
    Failed,
    Ours(Finding),
}

impl Tally {
    fn count(&mut self, seen: Seen) {
        let counter = match seen {
            Seen::Foreign => &mut self.foreign,
            Seen::Failed => &mut self.failed,
            Seen::Ours(Finding::Kept) => &mut self.kept,
            Seen::Ours(Finding::InFlight) => &mut self.in_flight,
            Seen::Ours(Finding::Abandoned) => &mut self.abandoned,
            Seen::Ours(Finding::Unsettled | Finding::FenceLost) => &mut self.unsettled,
            Seen::Ours(Finding::Refunded(_)) => &mut self.refunded,
        };
        *counter += 1;
    }
}

/// This machine's clock. It may differ from the gateway's by less than the grace period.
fn now_ms() -> u64 {
    millis(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
