//! Compares the payment gateway's charges with the payment service's fences, and refunds orphans.
//!
//! The saga itself reverses every charge that must not stay, but for one gap: at a gateway that does not void a key which
//! is reversed before its charge, the request of a process that died can land after the last delivery of its message,
//! and then nobody of the saga looks any more. So on a schedule this function lists the charges of the last window and
//! asks the fence of each:
//!
//! | fence | what it means | what is done |
//! | --- | --- | --- |
//! | done | the order's charge | kept |
//! | started | the saga has not decided | left alone; reported once every saga must have decided |
//! | rejected, undone | the step has no effect, and never will have | refunded by its key |
//! | abandoned | an operator went on without the step | left alone for good; told in the log, without an alarm |
//! | absent, or of another run | its fence was lost, for example by restoring a backup | left alone and reported |
//!
//! An absent fence is never a reason to refund. A fence is written before the gateway is called, so one that is absent was
//! lost, or somebody used our key by hand, and the charge may well be that of an order that was sold. A refund cannot be
//! taken back; a charge that is left can be refunded by a person.
//!
//! Keys that do not begin with this deployment and stage, or are of another step, belong to others who use the gateway,
//! and are not looked at: deployments can share an account.
//!
//! # The brake
//!
//! A sweep first looks at every charge of the window and changes nothing. If the orphans are more than a [`Brake`] lets
//! through, in number or as a share of what it saw, none is refunded and an alarm goes off; otherwise each is judged again
//! and refunded.
//!
//! # Why it never races a running saga
//!
//! A charge is only refunded when its fence is `rejected` or `undone`, and nothing is written. No transition leads from these
//! to `done`, and a run that finds either, before or after its call to the gateway, reverses by the same key itself. So what
//! is refunded here is what every other path refunds too, in any order, and a refund by key happens once.
//!
//! What was seen of a charge when its sweep began decides nothing: [`examine`] is the whole of this, and judges anew.
//!
//! `tests.rs` plays every row, and runs, undos and reconciliations at the same time.
#![forbid(unsafe_code)]

mod brake;
mod charge;
mod examine;
mod judge;
mod sweep;

pub use brake::{Brake, FEW};
pub use examine::{Finding, examine, look};
pub use judge::{Orphan, Verdict, judge};
pub use sweep::{Incomplete, Reconciliation, Span, Tally};

#[cfg(test)]
mod tests;
