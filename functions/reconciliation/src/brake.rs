//! How much one sweep may refund.

use crate::{charge::OurCharge, judge::Orphan};
use saga_lambda::{Error, Variables};
use sagas::environment::{MAX_REFUND_PERCENT, MAX_REFUNDS, REFUND_BRAKE_EVENT};
use std::str::FromStr;

/// So few refunds are never too large a share: of few charges, one is many of a hundred.
pub const FEW: u64 = 5;

/// Of how many charges the log names the saga when none is refunded.
const EXAMPLES: usize = 10;

/// How much one sweep may refund. Would it be more, it refunds nothing, and people are told.
///
/// Orphans are rare, and a refund cannot be taken back. What makes many of them at once, an outage of the gateway or a
/// mistake of ours, is for people to look at first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Brake {
    /// At most so many charges; 0 refunds nothing.
    pub charges: u32,
    /// At most so many of a hundred charges of this deployment that the sweep judged, once they are more than [`FEW`].
    pub percent: u32,
}

impl Brake {
    /// The limits that the stack says.
    ///
    /// # Errors
    /// When a variable is missing, no whole number, or out of bounds.
    pub fn from_variables(variables: &Variables) -> Result<Self, Error> {
        let charges: UpTo<100_000> = variables.parsed(MAX_REFUNDS, "a whole number from 0 to 100000")?;
        let percent: UpTo<100> = variables.parsed(MAX_REFUND_PERCENT, "a whole number from 0 to 100")?;
        Ok(Self { charges: charges.0, percent: percent.0 })
    }

    /// Whether this many orphans, or charges that may be, of this many charges are too many.
    pub fn holds(self, orphans: u64, charges: u64) -> bool {
        let too_large_a_share = orphans.saturating_mul(100) > charges.saturating_mul(u64::from(self.percent));
        orphans > u64::from(self.charges) || (orphans > FEW && too_large_a_share)
    }

    /// Tells that nothing is refunded, and why. `unseen`: charges that could not be looked at, and may be orphans too.
    pub(crate) fn tell(self, orphans: &Orphans, unseen: u64, charges: u64) {
        let Self { charges: max_refunds, percent: max_percent } = self;
        let Orphans { rejected, undone, .. } = *orphans;
        tracing::error!(
            event = REFUND_BRAKE_EVENT,
            orphans = orphans.count(),
            unseen,
            charges,
            max_refunds,
            max_percent,
            rejected,
            undone,
            examples = orphans.examples(),
            "these would be too many refunds: none is made"
        );
    }
}

/// A whole number with an upper bound.
struct UpTo<const MAX: u32>(u32);

impl<const MAX: u32> FromStr for UpTo<MAX> {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        text.parse().ok().filter(|number| *number <= MAX).map(Self).ok_or(())
    }
}

/// The orphans of one sweep. All are counted, and no more are kept than may be refunded and shown, so that it has
/// bounds however many there are.
#[derive(Debug, Default)]
pub(crate) struct Orphans {
    kept: Vec<OurCharge>,
    keeps: usize,
    rejected: u64,
    undone: u64,
}

impl Orphans {
    pub(crate) fn within(brake: Brake) -> Self {
        let keeps = usize::try_from(brake.charges).unwrap_or(usize::MAX).max(EXAMPLES);
        Self { keeps, ..Self::default() }
    }

    pub(crate) fn add(&mut self, why: Orphan, charge: OurCharge) {
        let counter = match why {
            Orphan::Rejected => &mut self.rejected,
            Orphan::Undone => &mut self.undone,
        };
        *counter += 1;
        if self.kept.len() < self.keeps {
            self.kept.push(charge);
        }
    }

    pub(crate) fn count(&self) -> u64 {
        self.rejected + self.undone
    }

    /// All of them, if the brake does not hold.
    pub(crate) fn charges(&self) -> &[OurCharge] {
        &self.kept
    }

    fn examples(&self) -> String {
        let ids = self.kept.iter().take(EXAMPLES).map(|charge| charge.step.key.saga_id.as_str());
        ids.collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use saga::{StepKey, StepOfRun};
    use std::time::Duration;

    #[test]
    fn it_holds_beyond_the_number_and_beyond_the_share() {
        let brake = Brake { charges: 50, percent: 10 };
        for (orphans, charges, holds) in [
            (0, 0, false),
            (5, 5, false),
            (6, 6, true),
            (6, 59, true),
            (6, 60, false),
            (50, 500, false),
            (51, 1_000_000, true),
            (u64::MAX, u64::MAX, true),
        ] {
            assert_eq!(brake.holds(orphans, charges), holds, "{orphans} of {charges}");
        }
        let shut = Brake { charges: 0, percent: 100 };
        assert!(shut.holds(1, 1_000) && !shut.holds(0, 1_000));
        let open = Brake { charges: 100_000, percent: 100 };
        assert!(!open.holds(100_000, 100_000));
    }

    #[test]
    fn limits_that_are_none_are_refused_with_what_is_needed() {
        let limits = |charges: &str, percent: &str| {
            let variables = [(MAX_REFUNDS, charges), (MAX_REFUND_PERCENT, percent)].into_iter().collect();
            Brake::from_variables(&variables).map_err(|error| error.to_string())
        };
        assert_eq!(limits("50", "10"), Ok(Brake { charges: 50, percent: 10 }));
        assert_eq!(limits("0", "0"), Ok(Brake { charges: 0, percent: 0 }));
        assert_eq!(limits("100000", "100"), Ok(Brake { charges: 100_000, percent: 100 }));
        for (charges, percent, told) in [
            ("many", "10", "the environment variable `FLYOVER_MAX_REFUNDS` is `many`, but a whole number"),
            ("-1", "10", "the environment variable `FLYOVER_MAX_REFUNDS` is `-1`, but a whole number"),
            (
                "100001",
                "10",
                "`100001`, but a whole number from 0 to 100000 is needed: correct it in the stack",
            ),
            (
                "50",
                "101",
                "`FLYOVER_MAX_REFUND_PERCENT` is `101`, but a whole number from 0 to 100 is needed",
            ),
            (
                "50",
                "0.5",
                "`FLYOVER_MAX_REFUND_PERCENT` is `0.5`, but a whole number from 0 to 100 is needed",
            ),
            ("50", "", "the environment variable `FLYOVER_MAX_REFUND_PERCENT` is not set"),
        ] {
            let refused = limits(charges, percent).unwrap_err();
            assert!(refused.contains(told), "{refused}");
        }
    }

    #[test]
    fn however_many_orphans_there_are_no_more_are_kept_than_may_be_refunded_or_shown() {
        for (most, kept) in [(0, EXAMPLES), (12, 12), (2_000, 1_000)] {
            let mut orphans = Orphans::within(Brake { charges: most, percent: 100 });
            for n in 0..1_000 {
                orphans.add(Orphan::Undone, charge(n));
            }
            assert_eq!((orphans.count(), orphans.charges().len()), (1_000, kept));
            assert_eq!(orphans.examples(), "o-0 o-1 o-2 o-3 o-4 o-5 o-6 o-7 o-8 o-9");
        }
    }

    fn charge(n: u32) -> OurCharge {
        let saga_id = format!("o-{n}").parse().unwrap();
        OurCharge {
            step: StepOfRun { key: StepKey::at(saga_id, "order/charge-payment").unwrap(), run: None },
            charge_id: "ch".into(),
            amount_minor: 1,
            currency: "EUR".into(),
            age: Duration::ZERO,
        }
    }
}
