//! All charges of the last window, page by page.

use crate::{
    brake::{Brake, Orphans},
    charge::OurCharge,
    examine::{Finding, examine, look},
    judge::Verdict,
};
use futures::{StreamExt, stream};
use gateway::{Charge, ChargeQuery, ChargeStatus};
use payment::{Peer, PeerError};
use saga::{Deployment, Store};
use saga_lambda::{Deadline, DynamoStore, Error, Tables, Variables, aws, elapsed_ms};
use sagas::environment::{
    GATEWAY_URL, RECONCILIATION_GRACE_SECONDS, RECONCILIATION_WINDOW_SECONDS, SAGA_LONGEST_SECONDS,
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
    brake: Brake,
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
    /// Orphans not refunded, because they were too many at once.
    pub withheld: u64,
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
    /// Compares the charges of this deployment and span at this gateway, and refunds as much as the brake lets it.
    pub fn new(peer: Peer, deployment: Deployment, span: Span, brake: Brake) -> Self {
        Self { peer, deployment, span, brake }
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
        let brake = Brake::from_variables(variables)?;
        // It looks at fences and at nothing else.
        let tables = Tables::from_variables(variables, &[])?;
        let client = aws_sdk_dynamodb::Client::new(&aws::config(variables)?);
        let store = DynamoStore::new(client, tables, Deadline::after(Duration::ZERO));
        Ok((Self::new(peer, variables.deployment()?, span, brake), store))
    }

    /// Looks at every charge of the span, then refunds the orphans if they are not too many. Writes a log line for each
    /// that is refunded or that people must know of, and one at the end.
    ///
    /// # Errors
    /// When not every charge could be examined until the deadline. If one page could not be listed, nothing is refunded.
    pub async fn sweep(&self, store: &impl Store, deadline: Deadline) -> Result<Tally, Incomplete> {
        let (began, available) = (Instant::now(), deadline.remaining());
        let mut tally = Tally::default();
        let swept = timeout(available, self.look_and_refund(store, &mut tally)).await;
        let Tally { kept, in_flight, unsettled, abandoned, refunded, withheld, foreign, failed } = tally;
        let duration_ms = elapsed_ms(began);
        tracing::info!(
            kept,
            in_flight,
            unsettled,
            abandoned,
            refunded,
            withheld,
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

    async fn look_and_refund(&self, store: &impl Store, tally: &mut Tally) -> Result<(), PeerError> {
        let orphans = self.look_at_all(store, tally).await?;
        // What could not be looked at may be an orphan: fewer are seen when the store is busy, and no more may be refunded.
        let may_be = orphans.count() + tally.failed;
        let charges = tally.left() + may_be;
        if orphans.count() > 0 && self.brake.holds(may_be, charges) {
            tally.withheld = orphans.count();
            self.brake.tell(&orphans, tally.failed, charges);
            return Ok(());
        }
        let examined = orphans.charges().iter().map(|charge| self.examine_one(store, charge));
        let mut examined = stream::iter(examined).buffer_unordered(AT_ONCE);
        while let Some(found) = examined.next().await {
            match found {
                Some(Finding::Left(verdict)) => tally.leave(verdict),
                Some(Finding::Refunded(_)) => tally.refunded += 1,
                None => tally.failed += 1,
            }
        }
        Ok(())
    }

    /// Judges every charge of the span without changing anything; gives the orphans.
    async fn look_at_all(&self, store: &impl Store, tally: &mut Tally) -> Result<Orphans, PeerError> {
        let now_ms = now_ms();
        let mut query = ChargeQuery {
            limit: Some(PAGE),
            created_from_ms: Some(now_ms.saturating_sub(millis(self.span.window))),
            created_before_ms: Some(now_ms.saturating_sub(millis(self.span.grace))),
            status: Some(ChargeStatus::Charged),
            ..ChargeQuery::default()
        };
        let mut orphans = Orphans::within(self.brake);
        loop {
            let page = self.peer.charges(&query).await?;
            if page.charges.is_empty() {
                return Ok(orphans);
            }
            query.since = page.next_since;
            let seen = page.charges.into_iter().map(|charge| self.look_at_one(store, charge, now_ms));
            let mut seen = stream::iter(seen).buffered(AT_ONCE);
            while let Some(seen) = seen.next().await {
                match seen {
                    Seen::Foreign => tally.foreign += 1,
                    Seen::Failed => tally.failed += 1,
                    Seen::Ours(Verdict::Orphan(why), charge) => orphans.add(why, charge),
                    Seen::Ours(verdict, _) => tally.leave(verdict),
                }
            }
        }
    }

    async fn look_at_one(&self, store: &impl Store, charge: Charge, now_ms: u64) -> Seen {
        let Some(charge) = OurCharge::listed(charge, &self.deployment, now_ms) else { return Seen::Foreign };
        match look(store, &charge.step, self.is_overdue(&charge)).await {
            Ok(verdict) => {
                charge.tell_left(verdict);
                Seen::Ours(verdict, charge)
            }
            Err(retry) => {
                charge.tell_failed(&retry);
                Seen::Failed
            }
        }
    }

    /// Judges an orphan again, because its fence may have moved, and refunds it; `None` when that failed.
    async fn examine_one(&self, store: &impl Store, charge: &OurCharge) -> Option<Finding> {
        let overdue = self.is_overdue(charge);
        let found = examine(&self.peer, store, &self.deployment, &charge.step, overdue).await;
        match &found {
            Ok(Finding::Refunded(why)) => charge.tell_refunded(*why),
            Ok(Finding::Left(verdict)) => charge.tell_left(*verdict),
            Err(retry) => charge.tell_failed(retry),
        }
        found.ok()
    }

    fn is_overdue(&self, charge: &OurCharge) -> bool {
        charge.age > self.span.longest
    }
}

/// What was seen of one charge of a page.
#[derive(Debug)]
enum Seen {
    Foreign,
    Failed,
    Ours(Verdict, OurCharge),
}

impl Tally {
    /// Counts a charge that is left as it is.
    fn leave(&mut self, verdict: Verdict) {
        let counter = match verdict {
            Verdict::Kept => &mut self.kept,
            Verdict::InFlight => &mut self.in_flight,
            Verdict::Abandoned => &mut self.abandoned,
            Verdict::Unsettled | Verdict::FenceLost => &mut self.unsettled,
            Verdict::Orphan(_) => &mut self.withheld,
        };
        *counter += 1;
    }

    /// The charges of this deployment that were judged and are no orphans.
    fn left(&self) -> u64 {
        self.kept + self.in_flight + self.unsettled + self.abandoned
    }
}

/// This machine's clock. It may differ from the gateway's by less than the grace period.
fn now_ms() -> u64 {
    millis(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
