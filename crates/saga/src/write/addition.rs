//! Additions: to numbers only, and within the range of their type.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;

/// Adds to a number that is in a range and stays in it. Anything else refuses the write, so that an addition can always
/// be taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(from = "Recorded")]
pub struct Addition {
    /// What is added; it may be negative.
    pub n: i64,
    /// The least number that the field may hold.
    pub least: i64,
    /// The largest number that the field may hold.
    pub most: i64,
}

impl Addition {
    /// The numbers that this can be added to, whole or not. Its ends can be beyond 64 bits; no number is in it then.
    pub fn fits(&self) -> RangeInclusive<i128> {
        let (n, least, most) = (i128::from(self.n), i128::from(self.least), i128::from(self.most));
        if self.n == i64::MIN {
            // It has no opposite that could take it back.
            return RangeInclusive::new(most, most - 1);
        }
        least.max(least - n)..=most.min(most - n)
    }

    /// What takes it back.
    #[must_use]
    pub fn reversed(self) -> Self {
        Self { n: self.n.saturating_neg(), ..self }
    }
}

/// What is read: the first release recorded the number alone, whatever its field could hold.
#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
enum Recorded {
    Within { n: i64, least: i64, most: i64 },
    Anywhere(i64),
}

impl From<Recorded> for Addition {
    fn from(recorded: Recorded) -> Self {
        match recorded {
            Recorded::Within { n, least, most } => Self { n, least, most },
            Recorded::Anywhere(n) => Self { n, least: i64::MIN, most: i64::MAX },
        }
    }
}
