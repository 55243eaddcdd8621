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
    delivered(1, body, &Replay::of(answers)).await
}

/// What becomes of a delivery, and all that was asked so far.
async fn delivered(receive_count: u32, body: String, replay: &Replay) -> (Verdict, Vec<Call>) {
    let log = Log::keep();
    let variables: Variables = [(EMAIL_FROM, "orders@example.com")].into_iter().collect();
    let notifier = Notifier::new(&replay.config(), &variables).unwrap();
    let message = Message { id: "m-1".into(), body, receive_count };
    let verdict = notifier.handle(&message, Deadline::after(Duration::from_secs(19))).await;
    for personal in ["maria", "ALFKI", "+4930123456", "5400"] {
        assert!(!log.text().contains(personal), "{personal} is in the log: {}", log.text());
    }
    (verdict, replay.calls())
}

/// How often it was sent until the queue has it no more, given these answers, and what became of each delivery.
async fn sent_in_all(customer: &Json, answers: Vec<Answer>) -> (usize, Vec<Verdict>) {
    let replay = Replay::of(answers);
    let mut verdicts = Vec::new();
    for receive_count in 1..=5 {
        let body = notice("OrderConfirmed", customer);
        verdicts.push(delivered(receive_count, body, &replay).await.0);
        if verdicts.ends_with(&[Verdict::Acknowledge]) {
            break;
        }
    }
    (replay.calls().len(), verdicts)
}

fn mailed() -> Answer {
    Answer::ok(json!({ "MessageId": "1" }))
}

fn by_sms() -> Json {
    json!({ "id": "ALFKI", "email": "maria@example.com", "phone": "+4930123456", "prefers": "sms" })
}

fn by_mail() -> Json {
    json!({ "id": "ALFKI", "email": "maria@example.com", "phone": "+4930123456" })
}

#[tokio::test(start_paused = true)]
async fn an_e_mail_is_sent_from_the_sender_to_the_customer() {
    let (verdict, calls) = told(notice("OrderConfirmed", &by_mail()), vec![mailed()]).await;
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
    let published =
        "<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>";
    let (verdict, calls) =
        told(notice("OrderConfirmed", &by_sms()), vec![Answer::Text(200, published.into())]).await;
    assert_eq!((verdict, calls.len()), (Verdict::Acknowledge, 1));
    let form = calls[0].body.as_str().unwrap();
    assert!(form.starts_with("Action=Publish&"), "{form}");
    assert!(form.contains("PhoneNumber=%2B4930123456"), "{form}");
}

#[tokio::test(start_paused = true)]
async fn a_slow_answer_is_waited_for_and_a_letter_is_sent_once() {
    let slow = |answer| Answer::Slow(Duration::from_secs(18), Box::new(answer));
    assert_eq!(sent_in_all(&by_mail(), vec![slow(mailed())]).await, (1, vec![Verdict::Acknowledge]));
    let published =
        "<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>";
    let published = Answer::Text(200, published.into());
    assert_eq!(sent_in_all(&by_sms(), vec![slow(published)]).await, (1, vec![Verdict::Acknowledge]));
}

#[tokio::test(start_paused = true)]
async fn a_letter_that_may_have_been_sent_is_sent_once_more_at_most() {
    for customer in [by_mail(), by_sms()] {
        for unknown in [Answer::Lost, Answer::Silence, Answer::Text(200, "{oops".into())] {
            let (sent, verdicts) = sent_in_all(&customer, vec![unknown.clone(); 9]).await;
            assert_eq!((sent, verdicts.len()), (2, 2), "{unknown:?}: {verdicts:?}");
            let Verdict::DeliverAgain { reason } = &verdicts[0] else { panic!("{verdicts:?}") };
            assert!(reason.starts_with("it is not known whether it was done: "), "{reason}");
        }
    }
    let (sent, verdicts) = sent_in_all(&by_mail(), vec![Answer::Lost, mailed()]).await;
    assert_eq!((sent, verdicts.len()), (2, 2), "{verdicts:?}");
    // What is refused in between changes nothing.
    let busy = Answer::Json(503, json!({}));
    let (sent, verdicts) = sent_in_all(&by_mail(), vec![Answer::Lost, busy, Answer::Lost, mailed()]).await;
    assert_eq!((sent, verdicts.len()), (3, 2), "{verdicts:?}");
}

#[tokio::test(start_paused = true)]
async fn a_letter_that_was_not_sent_is_tried_again() {
    let not_now = [
        Answer::Json(429, json!({ "__type": "TooManyRequestsException" })),
        Answer::error("ThrottlingException"),
        Answer::Json(503, json!({})),
        Answer::Unreachable,
    ];
    let answers = not_now.into_iter().chain([mailed()]).collect();
    assert_eq!(sent_in_all(&by_mail(), answers).await, (5, vec![Verdict::Acknowledge]));
    // It is refused for all the time of the first delivery; the next one may still send.
    let busy = vec![Answer::Json(503, json!({})); 500];
    let (verdict, _) = told(notice("OrderConfirmed", &by_mail()), busy).await;
    assert!(matches!(verdict, Verdict::DeliverAgain { .. }), "{verdict:?}");
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
