use super::*;
use serde_json::{Value as Json, json};

fn notice(name: &str, reason: Option<&str>) -> NoticeMessage {
    let customer = json!({ "id": "ALFKI", "email": "maria@example.com" });
    let order = json!({
        "order_id": "o-1", "customer": customer, "lines": [{ "sku": "nw-1", "quantity": 3 }],
        "total": { "minor": 5_400, "currency": "EUR" }, "payment_token": "tok_approve",
    });
    let mut notice: Json = json!({
        "v": 1, "type": name, "saga": "order", "id": "o-1",
        "input": {
            "order": order, "cancel": { "order_id": "o-1", "customer": customer },
            "confirmation": { "order_id": "o-1", "total": { "minor": 5_400, "currency": "EUR" } },
        },
    });
    if let Some(error) = reason {
        notice["reason"] = json!({ "step": "reserve-stock", "error": error, "cause": "{}" });
    }
    serde_json::from_value(notice).unwrap()
}

fn letter(name: &str, reason: Option<&str>) -> (String, String) {
    let letter = about(&notice(name, reason)).unwrap().unwrap();
    assert_eq!(letter.to.email, "maria@example.com");
    (letter.subject, letter.body)
}

#[test]
fn a_confirmed_order_says_what_was_charged() {
    let (subject, body) = letter("OrderConfirmed", None);
    assert_eq!(subject, "Order o-1 is confirmed");
    assert_eq!(body, "Your order o-1 is confirmed. We charged 54.00 EUR.");
}

#[test]
fn a_rejected_order_says_why_and_what_became_of_the_money() {
    let back = "If you were charged, you have your money back.";
    for (error, end, why) in [
        ("OutOfStock", "could not be completed", "A product is out of stock. You have not been charged."),
        (
            "DuplicateOrder",
            "could not be completed",
            "Another order has this number, and stays as it is. You have not been charged for this one.",
        ),
        (
            "PaymentDeclined",
            "could not be completed",
            "Your payment was declined. You have not been charged.",
        ),
        ("OrderCancelled", "is cancelled", &format!("You cancelled it. {back}")),
        ("States.Timeout", "could not be completed", &format!("Something went wrong on our side. {back}")),
    ] {
        let (subject, body) = letter("OrderRejected", Some(error));
        assert_eq!(subject, format!("Order o-1 {end}"));
        assert_eq!(body, format!("Your order o-1 {end}. {why}"));
    }
}

#[test]
fn a_refused_cancel_is_told_and_an_accepted_one_is_left_to_the_order() {
    let (subject, body) = letter("CancellationRefused", Some("TooLateToCancel"));
    assert_eq!(subject, "Order o-1 was not cancelled");
    assert_eq!(body, "We could not cancel the order o-1: it was completed before you asked.");
    let (_, body) = letter("CancellationRefused", Some("NotYourOrder"));
    assert_eq!(body, "We could not cancel the order o-1: you have placed no order of this name.");
    for error in ["Flyover.DeliveriesExhausted", "States.Timeout"] {
        let (subject, body) = letter("CancellationRefused", Some(error));
        assert_eq!(subject, "Order o-1 was not cancelled");
        assert_eq!(
            body,
            "We could not cancel the order o-1 now: something went wrong on our side. Another message tells you how \
             the order itself ends."
        );
    }
    assert_eq!(about(&notice("CancellationAccepted", None)), Ok(None));
}

#[test]
fn every_notice_that_is_declared_as_handled_is_understood() {
    for name in sagas::notices::NOTIFICATION.handles {
        assert!(about(&notice(name, Some("States.Timeout"))).is_ok(), "{name}");
    }
}

#[test]
fn what_is_not_understood_says_so_without_quoting() {
    assert_eq!(about(&notice("OrderShipped", None)), Err(Untellable::Unknown));
    let newer = NoticeMessage { v: 3, ..notice("OrderConfirmed", None) };
    assert_eq!(about(&newer).unwrap_err().to_string(), "version 3 is not told: this release tells 1 to 2");
    let mut unfit = notice("OrderConfirmed", None);
    unfit.input["order"]["lines"] = json!("maria@example.com");
    let error = about(&unfit).unwrap_err().to_string();
    assert_eq!(error, "its `input.order` does not fit: invalid type: string …, expected a sequence");
    unfit.input.remove("order");
    assert_eq!(about(&unfit).unwrap_err().to_string(), "its `input.order` does not fit: it is missing");
}

#[test]
fn money_has_the_decimals_of_its_currency() {
    for (minor, currency, text) in [
        (5_400, "EUR", "54.00 EUR"),
        (5, "USD", "0.05 USD"),
        (0, "EUR", "0.00 EUR"),
        (5_400, "JPY", "5400 JPY"),
        (1_234, "KWD", "1.234 KWD"),
        (7, "???", "7 ???"),
    ] {
        assert_eq!(shown(&Money { minor, currency: currency.into() }), text);
    }
}
