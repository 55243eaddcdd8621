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
//! | absent | nobody claimed it, and claims come before calls | fenced off as by an undo, then refunded by its key |
//! | absent, but it is in the ledger | the fence was lost, for example by restoring a backup | left alone and reported |
//!
//! Keys that do not begin with this deployment and stage, or are of another step, belong to others who use the gateway,
//! and are not looked at: deployments can share an account.
//!
//! # The brake
//!
//! When the fences *and* the ledger are restored to one point in time, every charge since then looks like one that
//! nobody claimed. So a sweep first looks at every charge of the window and changes nothing. If the orphans are more
//! than a [`Brake`] lets through, in number or as a share of what it saw, none is refunded and an alarm goes off;
//! otherwise each is judged again and refunded.
//!
//! # Why it never races a running saga
//!
//! A charge is only refunded when its fence is `rejected` or `undone`. No transition leads from these to `done`, and a
//! run that finds either, before or after its call to the gateway, reverses by the same key itself. So what is refunded
//! here is what every other path refunds too, in any order, and a refund by key happens once.
//!
//! An absent fence is the only one that a run could still claim. It is fenced off on the condition that it is absent:
//! either the run's claim comes first, then this is refused, the fence is read again and is the run's to decide; or
//! this comes first, then the run finds `undone`, is too late and makes no call. Both are conditional writes of one
//! item, so one of them is first. Should this function die after fencing off, the next one finds `undone` and refunds.
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
