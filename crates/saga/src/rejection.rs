//! Rejections: a participant's business 'no'.

use crate::budget::CAUSE_CHARS;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::fmt::Debug;

/// Why a step says no. The step then had no effect, and that decision is recorded. What the derive of this name writes:
///
/// ```
/// use schemars::JsonSchema;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
/// struct OutOfStock {
///     sku: String,
/// }
/// impl saga::Rejection for OutOfStock {
///     const NAMES: &'static [&'static str] = &["OutOfStock"];
///     fn name(&self) -> &'static str {
///         "OutOfStock"
///     }
/// }
/// ```
pub trait Rejection:
    Serialize + DeserializeOwned + JsonSchema + Clone + Debug + Send + Sync + 'static
{
    /// Every name [`name`](Self::name) can return. The state machine catches exactly these; they are a wire format, and
    /// stay what they are when a type is renamed.
    const NAMES: &'static [&'static str];

    /// The stable wire name of this rejection.
    fn name(&self) -> &'static str;
}

/// The rejection of a step that cannot be rejected.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
pub enum Never {}

impl Rejection for Never {
    const NAMES: &'static [&'static str] = &[];

    fn name(&self) -> &'static str {
        match *self {}
    }
}

/// A rejection as it is recorded in a fence and sent to the state machine.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Refusal {
    /// The wire name, for example `OutOfStock`.
    pub error: String,
    /// The rejection itself as JSON text, for example `{"sku":"nw-1"}`: at most 4,000 characters of it, so that whatever
    /// carries it stays within its limits.
    pub cause: String,
}

impl Refusal {
    /// The recorded form of a rejection.
    pub fn of<R: Rejection>(rejection: &R) -> Self {
        // A rejection is plain data; one whose `Serialize` fails still has a name to be known by.
        let mut cause = serde_json::to_string(rejection).unwrap_or_else(|_| "{}".into());
        if let Some((end, _)) = cause.char_indices().nth(CAUSE_CHARS) {
            cause.truncate(end);
        }
        Self { error: rejection.name().into(), cause }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
    struct Talkative(String);

    impl Rejection for Talkative {
        const NAMES: &'static [&'static str] = &["Talkative"];

        fn name(&self) -> &'static str {
            "Talkative"
        }
    }

    #[test]
    fn a_long_rejection_is_clipped_between_characters() {
        let cause = |chars| Refusal::of(&Talkative("é".repeat(chars))).cause;
        assert_eq!(cause(3_998), format!("\"{}\"", "é".repeat(3_998)));
        assert_eq!(cause(5_000), format!("\"{}", "é".repeat(3_999)));
    }
}
