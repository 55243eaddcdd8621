//! Tells customers how their orders ended: by e-mail, or by SMS when they prefer it.
//!
//! [`letter`] decides, purely, what to write to whom; [`Notifier`] sends it. A notice never holds up a saga. One that
//! is refused is tried again, delivered again and at last kept in the dead-letter queue.
//!
//! SES and SNS have no key by which they would know a letter again. So a slow answer is waited for as long as the
//! function has, and when it stays unknown whether a letter was sent (no answer came, or the connection broke) the
//! delivery ends. What was unknown at the first delivery is sent once more, at the next; what is unknown at any later
//! one is not sent again but logged as `unknown`. The count of deliveries is all that is remembered: a delivery that
//! never came to sending counts too, so what is unknown at the second may have been sent only once.
//!
//! Told twice is still possible, at three places: the letter whose outcome was unknown had been sent; a process died
//! after sending and before acknowledging, which the queue lets happen once a delivery; or the notice itself was
//! published twice, because a state machine or intake lost the answer of SNS or SQS. Notices are not deduplicated.
#![forbid(unsafe_code)]

pub mod letter;
mod notifier;

pub use notifier::Notifier;
