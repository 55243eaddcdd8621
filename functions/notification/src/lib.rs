//! Tells customers how their orders ended: by e-mail, or by SMS when they prefer it.
//!
//! [`letter`] decides, purely, what to write to whom; [`Notifier`] sends it. A notice never holds up a saga. One that
//! is refused is tried again, put back for about an hour, then delivered again and at last kept in the dead-letter queue.
//!
//! SES and SNS have no key by which they would know a letter again. So each sending is claimed before (`claims`), and the
//! claim is given back when the letter was refused for sure. A letter has two claims: what may have been sent is sent once
//! more at most, whoever died, was slow or got no answer on the way, and however often its notice was published. From then
//! on it is logged as `unknown`. A slow answer is waited for as long as the function has.
//!
//! Deliveries are not counted for it: one that never came to sending, because Lambda had no function free, say, must not
//! cost a letter.
#![forbid(unsafe_code)]

mod claims;
pub mod letter;
mod notifier;
mod own_queue;

pub use notifier::Notifier;
