//! What public samples of sagas on AWS get wrong, at every step of the order saga: see `docs/failures.md`.
//!
//! What needs real processes, queues and accounts is tried end to end: `tests/e2e`, modules `throttling`, `repetition`,
//! `rejections` and `parking`, and by the chaos test, which kills functions for real.

use crate::{
    failures::{TIMEOUT, ended, failure},
    shop::{Books, reason},
};
use saga::{
    FailureKind::{Duplicated, Late, Lost, ReplyLost},
    Op, Outcome,
};

const COMPENSABLE: [&str; 3] = ["create-order", "reserve-stock", "charge-payment"];

const STEPS: [&str; 4] = ["create-order", "reserve-stock", "charge-payment", "confirm-order"];

/// What is left of an order that was given up at a step that had no effect.
fn given_up(step: &str) -> Books {
    match step {
        "create-order" => Books::untouched(),
        "confirm-order" => Books { ledger: Some("refunded".into()), ..Books::rejected(TIMEOUT) },
        _ => Books::rejected(TIMEOUT),
    }
}

#[tokio::test]
async fn killed_before_its_write_for_good_leaves_nothing() {
    for step in STEPS {
        let (outcome, books) = ended(&[failure(step, Op::Run, Lost)]).await;
        assert_eq!(reason(&outcome), (step, TIMEOUT));
        assert_eq!(books, given_up(step), "{step}");
    }
}

#[tokio::test]
async fn killed_after_its_write_and_before_its_reply_writes_once() {
    for step in STEPS {
        // Its message comes back, and is answered.
        let (outcome, books) = ended(&[failure(step, Op::Run, Duplicated)]).await;
        assert!(matches!(outcome, Outcome::Committed { .. }), "{step}: {outcome:?}");
        assert_eq!(books, Books::sold(3), "{step}");
        // No reply ever comes: a step before the pivot is undone, the pivot has decided.
        let (_, books) = ended(&[failure(step, Op::Run, ReplyLost)]).await;
        let (kept, stock) = (books.kept_minor, books.stock);
        let sold = Books::sold(3);
        let expected = if step == "confirm-order" {
            (sold.kept_minor, sold.stock)
        } else {
            (0, Books::untouched().stock)
        };
        assert_eq!((kept, stock), expected, "{step}");
    }
}

#[tokio::test]
async fn a_reply_after_the_timeout_and_a_write_after_the_undo_change_nothing() {
    for step in STEPS {
        let (outcome, books) = ended(&[failure(step, Op::Run, Late)]).await;
        assert_eq!(reason(&outcome), (step, TIMEOUT));
        assert_eq!(books, given_up(step), "{step}");
    }
}

#[tokio::test]
async fn a_cold_start_that_outlasts_every_timeout_ends_clean_or_waits_for_an_operator() {
    // The first message times out, and so does every attempt to undo it; all of them are carried out in the end.
    for step in COMPENSABLE {
        let cold = [failure(step, Op::Run, Late), failure(step, Op::Undo, Late)];
        let (outcome, books) = ended(&cold).await;
        assert_eq!(outcome, Outcome::Parked { unresolved: vec![format!("undo {step}")] });
        // Whichever comes first, run or undo: nobody is charged, and no unit is kept.
        assert_eq!((books.kept_minor, books.stock), (0, Books::untouched().stock), "{step}");
    }
}

#[tokio::test]
async fn an_undo_that_fails_as_often_as_it_is_tried_stops_no_other_undo() {
    for stuck in COMPENSABLE {
        let failures = [failure("confirm-order", Op::Run, Lost), failure(stuck, Op::Undo, Lost)];
        let (outcome, books) = ended(&failures).await;
        assert_eq!(outcome, Outcome::Parked { unresolved: vec![format!("undo {stuck}")] });
        assert_eq!(books.order.is_some_and(|(status, _)| status == "REJECTED"), stuck != "create-order");
        assert_eq!(books.stock == Books::untouched().stock, stuck != "reserve-stock");
        assert_eq!(books.kept_minor == 0, stuck != "charge-payment");
    }
}
