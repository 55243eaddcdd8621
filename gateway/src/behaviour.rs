//! How the gateway behaves, chosen by the payment token of the request.

use std::time::Duration;

/// What the gateway does with a charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behaviour {
    /// Charges and says so.
    Approve,
    /// Declines for insufficient funds, and remembers that.
    Decline,
    /// Charges after a delay. The charge lands even when the caller has hung up by then.
    Slow(Duration),
    /// Answers 500 and charges nothing, every time.
    Error,
    /// Answers 500 to the first call of a key, then charges.
    ErrorOnce,
    /// Charges and closes the connection without an answer, every time.
    Lossy,
    /// Charges and closes the connection without an answer on the first call of a key, then answers.
    LossyOnce,
}

/// One row of the table of payment tokens.
#[derive(Debug, Clone, Copy)]
pub struct Token {
    /// A payment token that starts with this has the behaviour; the longest prefix wins.
    pub prefix: &'static str,
    /// What the gateway does.
    pub behaviour: Behaviour,
    /// The same for a person.
    pub meaning: &'static str,
}

/// The delay of `tok_slow` when the token names none.
const SLOW_DEFAULT: Duration = Duration::from_secs(2);
/// The longest delay that a token may ask for.
const SLOW_MAX: Duration = Duration::from_secs(60);

/// Every payment token that the gateway knows.
pub const TOKENS: [Token; 7] = [
    Token { prefix: "tok_approve", behaviour: Behaviour::Approve, meaning: "approved" },
    Token {
        prefix: "tok_decline",
        behaviour: Behaviour::Decline,
        meaning: "declined: insufficient_funds; remembered by key",
    },
    Token {
        prefix: "tok_slow",
        behaviour: Behaviour::Slow(SLOW_DEFAULT),
        meaning: "approved after 2 s, tok_slow_5000 after 5000 ms (at most 60000), even if the caller hangs up",
    },
    Token { prefix: "tok_error", behaviour: Behaviour::Error, meaning: "500 every time, never charged" },
    Token {
        prefix: "tok_error_once",
        behaviour: Behaviour::ErrorOnce,
        meaning: "500 on a key's first call, then approved",
    },
    Token {
        prefix: "tok_lossy",
        behaviour: Behaviour::Lossy,
        meaning: "charged, and the connection closed without an answer, every time",
    },
    Token {
        prefix: "tok_lossy_once",
        behaviour: Behaviour::LossyOnce,
        meaning: "the same on a key's first call only, then answered",
    },
];

/// A payment token that chooses no behaviour.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// No row of the table fits.
    #[error("payment_token {given:?} is unknown: it must start with one of {}", prefixes())]
    Unknown {
        /// The token given.
        given: String,
    },
    /// A slow token asks for too long a delay.
    #[error("payment_token {given:?} asks for too long a delay: at most {} ms", SLOW_MAX.as_millis())]
    TooSlow {
        /// The token given.
        given: String,
    },
}

impl Behaviour {
    /// The behaviour that a payment token chooses.
    ///
    /// # Errors
    /// When no row of [`TOKENS`] fits, or the delay it asks for is out of bounds.
    pub fn of_token(token: &str) -> Result<Self, TokenError> {
        let row = TOKENS
            .iter()
            .filter(|row| token.starts_with(row.prefix))
            .max_by_key(|row| row.prefix.len())
            .ok_or_else(|| TokenError::Unknown { given: token.to_owned() })?;
        match row.behaviour {
            Behaviour::Slow(default) => Ok(Behaviour::Slow(delay_of(token, row.prefix, default)?)),
            behaviour => Ok(behaviour),
        }
    }

    /// What to do with the nth call of a key, counted from 1.
    pub(crate) fn on_call(self, nth: u64) -> Conduct {
        let calm = Conduct { delay: Duration::ZERO, verdict: Verdict::Approve, answers: true };
        match self {
            Behaviour::Approve => calm,
            Behaviour::Decline => Conduct { verdict: Verdict::Decline, ..calm },
            Behaviour::Slow(delay) => Conduct { delay, ..calm },
            Behaviour::Error => Conduct { verdict: Verdict::Fail, ..calm },
            Behaviour::ErrorOnce if nth == 1 => Conduct { verdict: Verdict::Fail, ..calm },
            Behaviour::Lossy => Conduct { answers: false, ..calm },
            Behaviour::LossyOnce if nth == 1 => Conduct { answers: false, ..calm },
            Behaviour::ErrorOnce | Behaviour::LossyOnce => calm,
        }
    }
}

/// What to do with one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Conduct {
    /// How long to wait before deciding.
    pub(crate) delay: Duration,
    /// What to decide.
    pub(crate) verdict: Verdict,
    /// Whether the caller hears of it.
    pub(crate) answers: bool,
}

/// What the gateway decides on a charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Approve,
    Decline,
    Fail,
}

/// `tok_slow_5000` and `tok_slow_5000_anything` name their delay; any other suffix leaves the default.
fn delay_of(token: &str, prefix: &str, default: Duration) -> Result<Duration, TokenError> {
    let suffix = token.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('_'));
    let digits = suffix.map_or("", |suffix| suffix.split('_').next().unwrap_or_default());
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(default);
    }
    digits
        .parse()
        .map(Duration::from_millis)
        .ok()
        .filter(|delay| *delay <= SLOW_MAX)
        .ok_or_else(|| TokenError::TooSlow { given: token.to_owned() })
}

fn prefixes() -> String {
    TOKENS.map(|row| row.prefix).join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_prefix_chooses_the_behaviour() {
        assert_eq!(Behaviour::of_token("tok_error_once_7"), Ok(Behaviour::ErrorOnce));
        assert_eq!(Behaviour::of_token("tok_error_7"), Ok(Behaviour::Error));
        assert_eq!(Behaviour::of_token("tok_lossy_once"), Ok(Behaviour::LossyOnce));
        for row in TOKENS {
            assert_eq!(Behaviour::of_token(row.prefix), Ok(row.behaviour));
        }
    }

    #[test]
    fn a_slow_token_may_name_its_delay_within_bounds() {
        let slow = |ms| Ok(Behaviour::Slow(Duration::from_millis(ms)));
        assert_eq!(Behaviour::of_token("tok_slow_50"), slow(50));
        assert_eq!(Behaviour::of_token("tok_slow_50_a"), slow(50));
        assert_eq!(Behaviour::of_token("tok_slow_card"), slow(2000));
        for given in ["tok_slow_60001", "tok_slow_99999999999999999999999"] {
            assert_eq!(Behaviour::of_token(given), Err(TokenError::TooSlow { given: given.to_owned() }));
        }
    }

    #[test]
    fn an_unknown_token_is_told_the_known_ones() {
        let message = Behaviour::of_token("visa").unwrap_err().to_string();
        assert!(message.contains("\"visa\"") && message.contains("tok_lossy_once"), "{message}");
    }
}
