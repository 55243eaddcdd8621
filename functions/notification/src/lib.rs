//! Tells customers how their orders ended: by e-mail, or by SMS when they prefer it.
//!
//! [`letter`] decides, purely, what to write to whom; [`Notifier`] sends it. A notice never holds up a saga. One that
//! cannot be sent is delivered again and at last kept in the dead-letter queue. A process that dies after sending and
//! before acknowledging sends again: twice told is better than not told, and SES and SNS have no key to prevent it.
#![forbid(unsafe_code)]

pub mod letter;
mod notifier;

pub use notifier::Notifier;
