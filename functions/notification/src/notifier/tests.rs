use super::*;
use saga_lambda::replay::{Answer, Call, Log, Replay};
use serde_json::{Value as Json, json};
use std::time::Duration;

fn notice(name: &str, customer: &Json) -> String {
    let order = json!({
        "order_id": "o-1", "customer": customer, "lines": [{ "sku": "nw-1", "quantity": 3 }],
        "total": { "minor": 5_400, "currency": "EUR" }, "payment_token": "tok_approve",
    });
    let confirmation = json!({ "order_id": "o-1", "total": { "minor": 5_400, "currency": "EUR" } });
    let input = json!({ "order": order, "confirmation": confirmation });
    json!({ "v": 1, "type": name, "saga": "order", "id": "o-1", "input": input }).to_string()
}

async fn told(body: String, answers: Vec<Answer>) -> (Verdict, Vec<Call>) {
    let log = Log::keep();
    let replay = Replay::of(answers);
    let variables: Variables = [(EMAIL_FROM, "orders@example.com")].into_iter().collect();
    let notifier = Notifier::new(&replay.config(), &variables).unwrap();
    let message = Message { id: "m-1".into(), body, receive_count: 1 };
    let verdict = notifier.handle(&message, Deadline::after(Duration::from_secs(2))).await;
    for personal in ["maria", "ALFKI", "+4930123456", "5400"] {
        assert!(!log.text().contains(personal), "{personal} is in the log: {}", log.text());
    }
    (verdict, replay.calls())
}

fn by_mail() -> Json {
    json!({ "id": "ALFKI", "email": "maria@example.com", "phone": "+4930123456" })
}

#[tokio::test(start_paused = true)]
async fn an_e_mail_is_sent_from_the_sender_to_the_customer() {
    let sent = Answer::ok(json!({ "MessageId": "1" }));
    let (verdict, calls) = told(notice("OrderConfirmed", &by_mail()), vec![sent]).await;
    assert_eq!((verdict, calls.len()), (Verdict::Acknowledge, 1));
    assert!(calls[0].target.ends_with("/v2/email/outbound-emails"), "{}", calls[0].target);
    let body = &calls[0].body;
    assert_eq!(body["FromEmailAddress"], "orders@example.com");
    assert_eq!(body["Destination"]["ToAddresses"], json!(["maria@example.com"]));
    let email = &body["Content"]["Simple"];
    assert_eq!(email["Subject"]["Data"], "Order o-1 is confirmed");
    assert_eq!(email["Body"]["Text"]["Data"], "Your order o-1 is confirmed. We charged 54.00 EUR.");
}

#[tokio::test(start_paused = true)]
async fn who_prefers_sms_gets_one() {
    let customer =
        json!({ "id": "ALFKI", "email": "maria@example.com", "phone": "+4930123456", "prefers": "sms" });
    let published =
        "<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>";
    let (verdict, calls) =
        told(notice("OrderConfirmed", &customer), vec![Answer::Text(200, published.into())]).await;
    assert_eq!((verdict, calls.len()), (Verdict::Acknowledge, 1));
    let form = calls[0].body.as_str().unwrap();
    assert!(form.starts_with("Action=Publish&"), "{form}");
    assert!(form.contains("PhoneNumber=%2B4930123456"), "{form}");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_sent_comes_again() {
    let (verdict, calls) =
        told(notice("OrderConfirmed", &by_mail()), vec![Answer::error("MessageRejected")]).await;
    assert_eq!((verdict, calls.len()), (Verdict::deliver_again("MessageRejected"), 1));
}

#[tokio::test(start_paused = true)]
async fn what_needs_no_words_is_done_with_and_what_is_not_understood_is_kept() {
    assert_eq!(
        told(notice("CancellationAccepted", &by_mail()), vec![]).await,
        (Verdict::Acknowledge, vec![])
    );
    for (body, why) in
        [(notice("OrderShipped", &by_mail()), "unknown type"), ("{oops".to_owned(), "not a notice: ")]
    {
        let (verdict, calls) = told(body, vec![]).await;
        assert!(matches!(&verdict, Verdict::DeliverAgain { reason } if reason.contains(why)), "{verdict:?}");
        assert_eq!(calls, []);
    }
}
