//! The layout of the table of claims, in which the function that tells customers keeps how often a letter may have been
//! sent: the stacks make it, the function writes it.
//!
//! Nothing in it is of a customer: a letter is known by the digest of its notice.

/// The key: which letter.
pub const LETTER: &str = "letter";

/// The sendings that were claimed and not given back, a set of texts.
pub const SENDINGS: &str = "sendings";

/// When the item may go, in seconds since 1970.
pub const EXPIRES_AT: &str = "expires_at";
