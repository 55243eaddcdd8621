//! Every message of the order saga is lost, loses its reply, or is delivered twice.

use crate::shop::{Books, Shop, reason};
use saga::{
    Failure,
    FailureKind::{Duplicated, Lost, ReplyLost},
    Op, Outcome,
};

pub(crate) const TIMEOUT: &str = "States.Timeout";

pub(crate) fn failure(step: &'static str, op: Op, kind: saga::FailureKind) -> Failure {
    Failure { step, op, kind }
}

/// The outcome of an order for three units that is good but for these failures, and the books after it.
pub(crate) async fn ended(failures: &[Failure]) -> (Outcome, Books) {
    let shop = Shop::open().await;
    let outcome = shop.run(&shop.order("tok_approve", 3), failures).await;
    (outcome, shop.books().await)
}

#[tokio::test]
async fn a_run_whose_outcome_is_unknown_is_undone() {
    let rejected = Books::rejected(TIMEOUT);
    let refunded = Books { ledger: Some("refunded".into()), ..rejected.clone() };
    for (step, kind, left) in [
        ("create-order", Lost, Books::untouched()),
        ("create-order", ReplyLost, rejected.clone()),
        ("reserve-stock", Lost, rejected.clone()),
        ("reserve-stock", ReplyLost, rejected.clone()),
        ("charge-payment", Lost, rejected.clone()),
        ("charge-payment", ReplyLost, refunded.clone()),
    ] {
        let (outcome, books) = ended(&[failure(step, Op::Run, kind)]).await;
        assert_eq!(reason(&outcome), (step, TIMEOUT), "{step} {kind:?}");
        assert_eq!(books, left, "{step} {kind:?}");
    }
}

#[tokio::test]
async fn a_pivot_whose_outcome_is_unknown_is_settled() {
    let (outcome, books) = ended(&[failure("confirm-order", Op::Run, Lost)]).await;
    assert_eq!(reason(&outcome), ("confirm-order", TIMEOUT));
    assert_eq!(books, Books { ledger: Some("refunded".into()), ..Books::rejected(TIMEOUT) });

    let (outcome, books) = ended(&[failure("confirm-order", Op::Run, ReplyLost)]).await;
    assert!(matches!(outcome, Outcome::Committed { .. }), "{outcome:?}");
    assert_eq!(books, Books::sold(3));
}

#[tokio::test]
async fn what_is_delivered_twice_is_done_once() {
    for step in ["create-order", "reserve-stock", "charge-payment", "confirm-order"] {
        let (outcome, books) = ended(&[failure(step, Op::Run, Duplicated)]).await;
        assert!(matches!(outcome, Outcome::Committed { .. }), "{step}: {outcome:?}");
        assert_eq!(books, Books::sold(3), "{step}");
    }
    let unknown = failure("confirm-order", Op::Run, ReplyLost);
    let (outcome, books) = ended(&[unknown, failure("confirm-order", Op::Settle, Duplicated)]).await;
    assert!(matches!(outcome, Outcome::Committed { .. }), "{outcome:?}");
    assert_eq!(books, Books::sold(3));

    let lost = failure("confirm-order", Op::Run, Lost);
    for step in ["create-order", "reserve-stock", "charge-payment"] {
        let (outcome, books) = ended(&[lost, failure(step, Op::Undo, Duplicated)]).await;
        assert_eq!(reason(&outcome), ("confirm-order", TIMEOUT), "{step}");
        assert_eq!(books, Books { ledger: Some("refunded".into()), ..Books::rejected(TIMEOUT) }, "{step}");
    }
}

/// What one step could not undo waits for an operator, and everything else is undone.
#[tokio::test]
async fn an_undo_that_is_not_answered_parks_the_saga() {
    let lost = failure("confirm-order", Op::Run, Lost);
    let undone = Books { ledger: Some("refunded".into()), ..Books::rejected(TIMEOUT) };
    let not_undone = |step: &str| match step {
        "create-order" => Books { order: Some(("PENDING".into(), None)), ..undone.clone() },
        "reserve-stock" => Books { stock: Books::sold(3).stock, ..undone.clone() },
        _ => {
            Books { ledger: Some("charged".into()), kept_minor: Books::sold(3).kept_minor, ..undone.clone() }
        }
    };
    for step in ["create-order", "reserve-stock", "charge-payment"] {
        for (kind, left) in [(Lost, not_undone(step)), (ReplyLost, undone.clone())] {
            let (outcome, books) = ended(&[lost, failure(step, Op::Undo, kind)]).await;
            assert_eq!(outcome, Outcome::Parked { unresolved: vec![format!("undo {step}")] }, "{kind:?}");
            assert_eq!(books, left, "{step} {kind:?}");
        }
    }
}

#[tokio::test]
async fn a_settle_that_is_not_answered_parks_the_saga_and_undoes_nothing() {
    let unknown = failure("confirm-order", Op::Run, ReplyLost);
    for kind in [Lost, ReplyLost] {
        let (outcome, books) = ended(&[unknown, failure("confirm-order", Op::Settle, kind)]).await;
        assert_eq!(outcome, Outcome::Parked { unresolved: vec!["settle confirm-order".into()] }, "{kind:?}");
        assert_eq!(books, Books::sold(3), "{kind:?}");
    }
}
