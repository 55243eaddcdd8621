//! What the gateway remembers. Pure: no clock, no network.

use std::collections::{BTreeMap, HashMap};

use crate::wire::{
    Charge, ChargePage, ChargeQuery, ChargeRequest, ChargeStatus, CurrencyTotals, DeclineReason, KeyCalls,
    Summary,
};

/// The memory of the gateway, by idempotency key.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    entries: HashMap<String, Entry>,
    /// The keys of the charges by sequence number: the charge at index `i` has sequence `i + 1`.
    sequence: Vec<String>,
    calls: HashMap<String, KeyCalls>,
    totals: BTreeMap<String, CurrencyTotals>,
}

#[derive(Debug)]
enum Entry {
    Decided {
        request: Box<ChargeRequest>,
        decision: Decision,
    },
    /// Reversed before anything was decided: whatever is still on its way under this key comes too late.
    Voided,
}

/// What was decided under a key, for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Decision {
    Charged(Charge),
    Declined(DeclineReason),
}

/// Why the ledger refuses a charge.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LedgerError {
    #[error(
        "idempotency key {key:?} already stands for a charge of {amount_minor} {currency} (reference \
         {reference:?}) and cannot be used for another: send the same body again, or a new key"
    )]
    KeyReused { key: String, amount_minor: i64, currency: String, reference: String },
    #[error("idempotency key {key:?} was reversed: nothing is charged under it any more, use a new key")]
    Voided { key: String },
    #[error("amount_minor {amount_minor} would take the {currency} charged in total past {}", i64::MAX)]
    TotalTooLarge { amount_minor: i64, currency: String },
}

impl Ledger {
    /// Counts a call to charge and answers how many there have been with this key.
    pub(crate) fn count_charge_call(&mut self, key: &str) -> u64 {
        let calls = self.calls_of(key);
        calls.charge_calls = calls.charge_calls.saturating_add(1);
        calls.charge_calls
    }

    /// What was decided under a key, if anything; the same key with another body is refused, and so is a voided one.
    pub(crate) fn recall(
        &mut self,
        key: &str,
        request: &ChargeRequest,
    ) -> Result<Option<Decision>, LedgerError> {
        let (decided, decision) = match self.entries.get(key) {
            None => return Ok(None),
            Some(Entry::Voided) => return Err(LedgerError::Voided { key: key.to_owned() }),
            Some(Entry::Decided { request, decision }) => (request.as_ref(), decision),
        };
        if decided != request {
            return Err(LedgerError::KeyReused {
                key: key.to_owned(),
                amount_minor: decided.amount_minor,
                currency: decided.currency.clone(),
                reference: decided.reference.clone(),
            });
        }
        if matches!(decision, Decision::Charged(_)) {
            let totals = self.totals.entry(request.currency.clone()).or_default();
            totals.duplicates_answered = totals.duplicates_answered.saturating_add(1);
        }
        Ok(Some(decision.clone()))
    }

    /// Takes the money of a key on which nothing is decided yet. `now_ms`: the time, in milliseconds since 1970.
    pub(crate) fn charge(
        &mut self,
        key: &str,
        request: ChargeRequest,
        now_ms: u64,
    ) -> Result<Charge, LedgerError> {
        let totals = self.totals.entry(request.currency.clone()).or_default();
        totals.charged_minor = totals.charged_minor.checked_add(request.amount_minor).ok_or_else(|| {
            LedgerError::TotalTooLarge {
                amount_minor: request.amount_minor,
                currency: request.currency.clone(),
            }
        })?;
        totals.charges = totals.charges.saturating_add(1);
        self.sequence.push(key.to_owned());
        let sequence = self.sequence.len() as u64;
        let charge = Charge {
            charge_id: format!("ch_{sequence:08}"),
            idempotency_key: key.to_owned(),
            sequence,
            amount_minor: request.amount_minor,
            currency: request.currency.clone(),
            reference: request.reference.clone(),
            created_at_ms: now_ms,
            status: ChargeStatus::Charged,
        };
        self.remember(key, request, Decision::Charged(charge.clone()));
        Ok(charge)
    }

    /// Refuses the money of a key on which nothing is decided yet.
    pub(crate) fn decline(&mut self, key: &str, request: ChargeRequest) -> DeclineReason {
        let reason = DeclineReason::InsufficientFunds;
        self.remember(key, request, Decision::Declined(reason));
        reason
    }

    /// Gives back the money of a key, once. `None` when there is no charge: when nothing is decided under the key yet,
    /// it is voided, so that a charge on its way cannot land after its reversal.
    pub(crate) fn reverse(&mut self, key: &str) -> Option<Charge> {
        let calls = self.calls_of(key);
        calls.reversal_calls = calls.reversal_calls.saturating_add(1);
        let entry = self.entries.entry(key.to_owned()).or_insert(Entry::Voided);
        let Entry::Decided { decision: Decision::Charged(charge), .. } = entry else { return None };
        if charge.status == ChargeStatus::Charged {
            charge.status = ChargeStatus::Refunded;
            let totals = self.totals.entry(charge.currency.clone()).or_default();
            // Cannot saturate: a charge is refunded once, so this never passes charged_minor.
            totals.refunded_minor = totals.refunded_minor.saturating_add(charge.amount_minor);
            totals.refunds = totals.refunds.saturating_add(1);
        }
        Some(charge.clone())
    }

    /// The charge of a key.
    pub(crate) fn find(&self, key: &str) -> Option<Charge> {
        match self.entries.get(key)? {
            Entry::Decided { decision: Decision::Charged(charge), .. } => Some(charge.clone()),
            Entry::Decided { decision: Decision::Declined(_), .. } | Entry::Voided => None,
        }
    }

    /// The charges that a query asks for, at most `limit`.
    pub(crate) fn page(&self, query: &ChargeQuery, limit: usize) -> ChargePage {
        let skipped = usize::try_from(query.since).unwrap_or(usize::MAX);
        let asked_for = |charge: &Charge| {
            query.created_from_ms.is_none_or(|from| charge.created_at_ms >= from)
                && query.created_before_ms.is_none_or(|before| charge.created_at_ms < before)
                && query.status.is_none_or(|status| charge.status == status)
        };
        let after = self.sequence.iter().skip(skipped).filter_map(|key| self.find(key));
        let charges: Vec<Charge> = after.filter(asked_for).take(limit).collect();
        let next_since = charges.last().map_or(query.since, |charge| charge.sequence);
        ChargePage { charges, next_since }
    }

    /// How often a key was used.
    pub(crate) fn calls(&self, key: &str) -> KeyCalls {
        self.calls.get(key).cloned().unwrap_or_else(|| no_calls(key))
    }

    /// Totals by currency.
    pub(crate) fn summary(&self) -> Summary {
        let mut currencies = self.totals.clone();
        for totals in currencies.values_mut() {
            // Cannot saturate: both are at least zero.
            totals.net_minor = totals.charged_minor.saturating_sub(totals.refunded_minor);
        }
        Summary { currencies }
    }

    fn calls_of(&mut self, key: &str) -> &mut KeyCalls {
        self.calls.entry(key.to_owned()).or_insert_with(|| no_calls(key))
    }

    fn remember(&mut self, key: &str, request: ChargeRequest, decision: Decision) {
        self.entries.insert(key.to_owned(), Entry::Decided { request: Box::new(request), decision });
    }
}

fn no_calls(key: &str) -> KeyCalls {
    KeyCalls { idempotency_key: key.to_owned(), charge_calls: 0, reversal_calls: 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(amount_minor: i64) -> ChargeRequest {
        ChargeRequest {
            amount_minor,
            currency: "EUR".to_owned(),
            payment_token: "tok_approve".to_owned(),
            reference: "r".to_owned(),
        }
    }

    #[test]
    fn a_total_that_does_not_fit_is_refused_and_changes_nothing() {
        let mut ledger = Ledger::default();
        ledger.charge("a", request(i64::MAX), 0).unwrap();
        let before = ledger.summary();
        let refused = ledger.charge("b", request(1), 0).unwrap_err();
        assert_eq!(refused, LedgerError::TotalTooLarge { amount_minor: 1, currency: "EUR".to_owned() });
        assert_eq!(ledger.summary(), before);
        assert_eq!(ledger.find("b"), None);
    }

    #[test]
    fn reversing_twice_refunds_once() {
        let mut ledger = Ledger::default();
        ledger.charge("a", request(5), 0).unwrap();
        let first = ledger.reverse("a").unwrap();
        assert_eq!(ledger.reverse("a"), Some(first));
        let totals = &ledger.summary().currencies["EUR"];
        assert_eq!((totals.net_minor, totals.refunds), (0, 1));
    }
}
