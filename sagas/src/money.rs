//! Money in integer minor units with a currency.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An amount of money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Money {
    /// The amount in the currency's minor unit (cents for USD), zero or more.
    #[schemars(range(min = -saga::MAX_EXACT, max = saga::MAX_EXACT))]
    pub minor: i64,
    /// The ISO 4217 code, for example `USD`.
    pub currency: String,
}
