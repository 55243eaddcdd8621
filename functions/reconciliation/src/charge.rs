//! One charge of this deployment, and what the log says of it.

use crate::judge::{Orphan, Verdict};
use gateway::Charge;
use saga::{Deployment, IdempotencyKey, ItemId, Retry, Step, StepOfRun};
use sagas::{
    environment::{ABANDONED_CHARGE_EVENT, ORPHANED_CHARGE_REFUNDED_EVENT, UNSETTLED_CHARGE_EVENT},
    order::ChargePayment,
};
use std::time::Duration;

/// A charge of this deployment: what it takes to judge it, to refund it and to tell of it.
#[derive(Debug)]
pub(crate) struct OurCharge {
    pub(crate) step: StepOfRun,
    pub(crate) charge_id: String,
    pub(crate) amount_minor: i64,
    pub(crate) currency: String,
    pub(crate) age: Duration,
}

/// A log line of a level about a charge: its event or outcome first, and what else it says.
macro_rules! tell {
    ($level:ident, $charge:expr, $text:literal, $($field:ident = $value:expr),+) => {{
        let OurCharge { step: StepOfRun { key, .. }, charge_id, amount_minor, currency, age } = $charge;
        tracing::$level!(
            $($field = $value,)+
            saga = key.saga.as_str(),
            saga_id = key.saga_id.as_str(),
            item = key.item.as_ref().map(ItemId::as_str),
            charge_id = charge_id.as_str(),
            amount_minor,
            currency = currency.as_str(),
            age_seconds = age.as_secs(),
            $text
        );
    }};
}

impl OurCharge {
    /// What the gateway lists, if it is of this deployment.
    pub(crate) fn listed(charge: Charge, deployment: &Deployment, now_ms: u64) -> Option<Self> {
        let step = IdempotencyKey::step_in(deployment, &charge.idempotency_key);
        let step = step.filter(|step| step.key.step == ChargePayment::NAME)?;
        let age = Duration::from_millis(now_ms.saturating_sub(charge.created_at_ms));
        let Charge { charge_id, amount_minor, currency, .. } = charge;
        Some(Self { step, charge_id, amount_minor, currency, age })
    }

    /// Tells that it is left as it is, where somebody wants to know.
    pub(crate) fn tell_left(&self, verdict: Verdict) {
        match verdict {
            Verdict::Unsettled => self.tell_unsettled("its saga has not decided about it for too long"),
            Verdict::FenceLost => {
                self.tell_unsettled("its fence is gone, so nothing says whether it was sold");
            }
            // Known to whoever abandoned it: told for the record in each sweep, so nothing may alarm on it.
            Verdict::Abandoned => {
                tell!(info, self, "an operator went on without its step", event = ABANDONED_CHARGE_EVENT);
            }
            Verdict::Kept | Verdict::InFlight | Verdict::Orphan(_) => {}
        }
    }

    fn tell_unsettled(&self, reason: &str) {
        tell!(error, self, "look at this charge", event = UNSETTLED_CHARGE_EVENT, reason = reason);
    }

    pub(crate) fn tell_refunded(&self, why: Orphan) {
        tell!(warn, self, "refunded", event = ORPHANED_CHARGE_REFUNDED_EVENT, fence = why.as_str());
    }

    pub(crate) fn tell_failed(&self, why: &Retry) {
        tell!(warn, self, "not examined", outcome = "retry", reason = why.to_string());
    }
}
