//! What tests wait for and look at from outside: orders, mails, the gateway and the logs.

use crate::world::World;
use anyhow::{Result, bail};
use sagas::{entities::OrderStatus, events::OrderPlaced};
use serde_json::Value as Json;
use system::{Mail, Peer, eventually};

impl World {
    /// Waits until the payment gateway was called for an order.
    pub(crate) async fn gateway_is_called(&self, order: &OrderPlaced) -> Result<()> {
        let what = format!("the gateway is called for {}", order.order_id);
        eventually(&what, self.soon(), || async {
            let calls = self.system.gateway_calls(&order.order_id).await?.charge_calls;
            Ok(if calls > 0 { Ok(()) } else { Err("not yet".to_owned()) })
        })
        .await
    }

    /// Waits until an order has a status.
    pub(crate) async fn order_becomes(&self, order: &OrderPlaced, status: OrderStatus) -> Result<()> {
        let what = format!("order {} {}", order.order_id, status.as_str());
        eventually(&what, self.soon(), || async {
            let row = self.system.order(&order.order_id).await?;
            let reached = row.as_ref().is_some_and(|row| row.status == status);
            Ok(if reached { Ok(()) } else { Err(format!("{row:?}")) })
        })
        .await
    }

    /// The one e-mail to the customer of an order whose subject contains this.
    pub(crate) async fn mail(&self, order: &OrderPlaced, subject: &str) -> Result<Mail> {
        let what = format!("an e-mail to {} about {subject:?}", order.customer.email);
        let found = eventually(&what, self.soon(), || async {
            let mut mails = self.system.mails().await?;
            mails.retain(|mail| mail.to.contains(&order.customer.email));
            let fits = mails.iter().any(|mail| mail.subject.contains(subject));
            Ok(if fits { Ok(mails) } else { Err(format!("{mails:?}")) })
        });
        let mut fitting: Vec<_> =
            found.await?.into_iter().filter(|mail| mail.subject.contains(subject)).collect();
        match (fitting.pop(), fitting.is_empty()) {
            (Some(mail), true) => Ok(mail),
            (last, _) => bail!("{what}: more than one, {fitting:?} and {last:?}"),
        }
    }

    /// Waits for `count` log lines of a function with these members; gives all such lines.
    pub(crate) async fn log_lines(
        &self,
        function: &str,
        saga_id: &str,
        members: &[(&str, &str)],
        count: usize,
    ) -> Result<Vec<Json>> {
        let what = format!("{count} log lines of {function} about {saga_id} with {members:?}");
        eventually(&what, self.soon(), || async {
            let lines = self.system.logs(function, &format!("{saga_id:?}")).await?;
            let lines: Vec<Json> = lines.iter().filter_map(|line| serde_json::from_str(line).ok()).collect();
            let fits = |line: &&Json| members.iter().all(|(name, value)| line[*name] == *value);
            let fitting: Vec<Json> = lines.iter().filter(fits).cloned().collect();
            Ok(if fitting.len() >= count { Ok(fitting) } else { Err(format!("{lines:?}")) })
        })
        .await
    }

    /// So many of these deliveries had the effect, and the others found it there.
    ///
    /// LocalStack's store may tell even the one which has written that it has not: it tries again, and finds it there.
    pub(crate) fn expect_outcomes(&self, served: &[Json], outcome: &str, times: usize) {
        let before = format!("{outcome}_before");
        let outcomes: Vec<_> = served.iter().filter_map(|line| line["outcome"].as_str()).collect();
        let had_it = outcomes.iter().filter(|seen| **seen == outcome).count();
        let found_it = outcomes.iter().filter(|seen| **seen == before).count();
        assert_eq!(had_it + found_it, served.len(), "{outcomes:?}");
        let is_busy = self.system.peer() == Peer::LocalStack;
        assert!(
            had_it == times || (is_busy && had_it < times),
            "{had_it} {outcome}, not {times}: {outcomes:?}"
        );
    }
}
