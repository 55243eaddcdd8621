//! The attributes by which a message in a dead-letter queue tells why it is there: the functions write them, operators
//! read them.
//!
//! A message without them was moved by SQS itself: the function ended before it could say why, or never saw it.

/// Text: why the message could not be handled, without anything that was given in it.
pub const REASON: &str = "reason";

/// Text: the id that the message had in the queue it comes from, as in the function's log.
pub const MESSAGE_ID: &str = "message_id";

/// Number: how often it was delivered.
pub const DELIVERIES: &str = "deliveries";
