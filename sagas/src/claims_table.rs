//! The layout of the table of claims, in which the function that tells customers keeps whether a letter was sent, and how often
//! it may have been: the stacks make it, the function writes it.
//!
//! Nothing in it is of a customer: a letter is known by the digest of its notice.

/// The key: which letter.
pub const LETTER: &str = "letter";

/// The sendings that were claimed and not given back, a set of texts.
pub const SENDINGS: &str = "sendings";

/// Until when whoever claimed the last one may be at it, in milliseconds since 1970.
pub const UNDER_WAY_UNTIL_MS: &str = "under_way_until_ms";

/// `true` once it is known that the letter was sent.
pub const SENT: &str = "sent";

/// When the item may go, in seconds since 1970.
pub const EXPIRES_AT: &str = "expires_at";
