//! The sagas of this deployment. Start here to add one: write `sagas/src/<name>.rs` and list it in [`all`].
//!
//! [`order`] is the worked example. Functions and stacks never see each other; they meet in this crate.
#![forbid(unsafe_code)]

pub mod cancel;
pub mod claims_table;
pub mod customer;
pub mod entities;
pub mod environment;
pub mod events;
pub mod intakes;
pub mod money;
pub mod notices;
pub mod order;
pub mod participants;

use saga::{Definition, ParticipantSpec};

/// Every saga of the deployment.
pub fn all() -> Vec<Definition> {
    vec![order::order_saga().definition().clone(), cancel::cancel_saga().definition().clone()]
}

/// Every participant of the deployment.
pub fn participants() -> Vec<ParticipantSpec> {
    vec![
        ParticipantSpec::of::<participants::Orders>(),
        ParticipantSpec::of::<participants::Inventory>(),
        ParticipantSpec::of::<participants::Payment>(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use saga::{asl, budget::Timing};
    use std::fmt::Write;

    #[test]
    fn the_sagas_can_live_in_one_deployment() {
        assert_eq!(saga::check_together(&all()), Ok(()));
    }

    #[test]
    fn the_sagas_fit_at_every_scale() {
        for saga in all() {
            for scale in 1..=60 {
                let compiled = asl::compile(&saga, Timing::scaled(scale));
                assert!(compiled.is_ok(), "{} at scale {scale}: {compiled:?}", saga.name);
            }
        }
    }

    /// What executions in flight rely on.
    #[test]
    fn wire_names_stand_still() {
        let mut names = String::new();
        for saga in all() {
            let _ = writeln!(names, "{}: {}", saga.name, saga.input);
            for step in saga.steps() {
                let _ = writeln!(
                    names,
                    "  {} {:?} -> {}, or {:?}",
                    step.name, step.inputs, step.output, step.rejections
                );
            }
            for notice in saga.on_commit.iter().chain(&saga.on_compensate) {
                let _ = writeln!(names, "  {} {:?}", notice.name, notice.inputs);
            }
        }
        insta::assert_snapshot!(names, @r#"
order: order
  create-order ["order"] -> created, or ["DuplicateOrder"]
  reserve-stock ["order"] -> reservation, or ["OutOfStock"]
  charge-payment ["order"] -> charge, or ["PaymentDeclined"]
  confirm-order ["order", "reservation", "charge"] -> confirmation, or ["OrderCancelled"]
  OrderConfirmed ["order", "confirmation"]
  OrderRejected ["order"]
cancel-order: cancel
  cancel-pending-order ["cancel"] -> cancellation, or ["TooLateToCancel", "NotYourOrder"]
  CancellationAccepted ["cancel"]
  CancellationRefused ["cancel"]
"#);
    }

    #[test]
    fn every_step_belongs_to_a_listed_participant() {
        let listed: Vec<_> = participants().iter().map(|participant| participant.name).collect();
        for saga in all() {
            for step in saga.steps() {
                assert!(
                    listed.contains(&step.participant),
                    "{} of {} is not listed",
                    step.participant,
                    step.name
                );
            }
        }
    }
}
