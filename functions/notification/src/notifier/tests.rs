use super::*;
use saga_lambda::replay::{Answer, Call, Log, Replay};
use sagas::environment::{CLAIM_TTL_SECONDS, CLAIMS_TABLE};
use serde_json::{Value as Json, json};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Arc, Mutex},
    time::Duration,
};

fn notice(name: &str, customer: &Json) -> String {
    let order = json!({
        "order_id": "o-1", "customer": customer, "lines": [{ "sku": "nw-1", "quantity": 3 }],
        "total": { "minor": 5_400, "currency": "EUR" }, "payment_token": "tok_approve",
    });
    let confirmation = json!({ "order_id": "o-1", "total": { "minor": 5_400, "currency": "EUR" } });
    let input = json!({ "order": order, "confirmation": confirmation });
    json!({ "v": 1, "type": name, "saga": "order", "id": "o-1", "input": input }).to_string()
}

/// The table of claims, SES, SNS and the queue, as they are on AWS.
#[derive(Default)]
struct World {
    /// By letter, the sendings that are claimed.
    claims: BTreeMap<String, BTreeSet<String>>,
    /// The letters that may be under way since the last message: whoever sent one is done when the next is delivered.
    under_way: BTreeSet<String>,
    /// The next message comes at the same time as the last.
    comes_at_once: bool,
    /// The letters that were sent, as the table says.
    sent: BTreeSet<String>,
    /// Whoever sends a letter dies before it is written down.
    dies_after_sending: bool,
    /// What SES and SNS answer; after the last one, that it is sent.
    answers: VecDeque<Answer>,
    /// What the table of claims answers instead of what it should, for as long as there is something.
    of_claims: VecDeque<Answer>,
    /// What the queue answers instead.
    of_queue: VecDeque<Answer>,
    /// The letters that SES and SNS were asked to send.
    letters: Vec<Call>,
    /// The messages that were put back.
    put_back: Vec<Json>,
    /// What was logged about the last message.
    logged: String,
}

impl World {
    fn answer(&mut self, call: &Call) -> Answer {
        match call.target.as_str() {
            "DynamoDB_20120810.UpdateItem" => {
                let answer = self.claimed(&call.body);
                self.of_claims.pop_front().unwrap_or(answer)
            }
            "AmazonSQS.SendMessage" => {
                self.put_back.push(call.body.clone());
                self.of_queue.pop_front().unwrap_or_else(mailed)
            }
            _ => {
                self.letters.push(call.clone());
                let is_mail = call.target.ends_with("/v2/email/outbound-emails");
                self.answers.pop_front().unwrap_or_else(if is_mail { mailed } else { published })
            }
        }
    }

    /// What DynamoDB does: the three updates of the function are known by their conditions.
    fn claimed(&mut self, update: &Json) -> Answer {
        assert_eq!(update["TableName"], "claims");
        let letter = update["Key"]["letter"]["S"].as_str().unwrap().to_owned();
        let Some(condition) = update["ConditionExpression"].as_str() else {
            assert_eq!(update["UpdateExpression"], "SET #sent = :true");
            if !self.dies_after_sending {
                self.sent.insert(letter);
            }
            return Answer::ok(json!({}));
        };
        assert_eq!(update["ExpressionAttributeNames"]["#sendings"], "sendings");
        let values = &update["ExpressionAttributeValues"];
        let sending = values[":sending"]["S"].as_str().unwrap().to_owned();
        let sendings = self.claims.entry(letter.clone()).or_default();
        let holds = match condition {
            "attribute_not_exists(#sent) AND (contains(#sendings, :sending) OR \
             (attribute_not_exists(#until) OR #until < :now) AND \
             (attribute_not_exists(#sendings) OR size(#sendings) < :most))" => {
                let claims = "SET #expires_at = :expires_at, #until = :until ADD #sendings :added";
                assert_eq!(update["UpdateExpression"], claims);
                assert_eq!(
                    (&values[":added"]["SS"], &values[":most"]["N"]),
                    (&json!([sending]), &json!("2"))
                );
                let is_free = !self.under_way.contains(&letter) && sendings.len() < 2;
                let holds = !self.sent.contains(&letter) && (sendings.contains(&sending) || is_free);
                if holds {
                    sendings.insert(sending);
                    self.under_way.insert(letter.clone());
                }
                holds
            }
            "contains(#sendings, :sending)" => {
                assert_eq!(update["UpdateExpression"], "DELETE #sendings :taken REMOVE #until");
                assert_eq!(values[":taken"]["SS"], json!([sending]));
                let holds = sendings.remove(&sending);
                if holds {
                    self.under_way.remove(&letter);
                }
                holds
            }
            other => panic!("{other}"),
        };
        let mut item = json!({ "sendings": { "SS": sendings.iter().collect::<Vec<_>>() } });
        if self.sent.contains(&letter) {
            item["sent"] = json!({ "BOOL": true });
        }
        if self.under_way.contains(&letter) {
            item["under_way_until_ms"] = json!({ "N": "99999999999999" });
        }
        if holds {
            return Answer::ok(json!({ "Attributes": item }));
        }
        Answer::Json(400, json!({ "__type": "ConditionalCheckFailedException", "Item": item }))
    }
}

/// What becomes of the only delivery of a notice, and the letters that SES and SNS were asked to send.
async fn told(body: String, answers: Vec<Answer>) -> (Verdict, Vec<Call>) {
    let world = World { answers: answers.into(), ..World::default() };
    let (verdict, world) = delivered(1, &body, world).await;
    (verdict, world.letters)
}

async fn delivered(receive_count: u32, body: &str, world: World) -> (Verdict, World) {
    let message = Message {
        id: "m-1".into(),
        body: body.into(),
        receive_count,
        sent_at: None,
        first_received_at: None,
        attributes: BTreeMap::new(),
    };
    handled(message, world).await
}

/// What becomes of a message.
async fn handled(message: Message, world: World) -> (Verdict, World) {
    let log = Log::keep();
    let mut world = world;
    if !world.comes_at_once {
        world.under_way.clear();
    }
    let world = Arc::new(Mutex::new(world));
    let asked = world.clone();
    let replay = Replay::answering(move |call| asked.lock().unwrap().answer(call));
    let variables: Variables = [
        (EMAIL_FROM, "orders@example.com"),
        (CLAIMS_TABLE, "claims"),
        (CLAIM_TTL_SECONDS, "60"),
        ("FLYOVER_QUEUE_NOTIFICATION", "https://sqs.eu-central-1.amazonaws.com/123456789012/notification"),
    ]
    .into_iter()
    .collect();
    let notifier = Notifier::new(&replay.config(), &variables, &["TripBooked"]).unwrap();
    let verdict = notifier.handle(&message, Deadline::after(Duration::from_secs(19))).await;
    let logged = without_times(&log.text());
    for personal in ["maria", "ALFKI", "+4930123456", "5400"] {
        assert!(!logged.contains(personal), "{personal} is in the log: {logged}");
    }
    let mut world = std::mem::take(&mut *world.lock().unwrap());
    world.logged = logged;
    (verdict, world)
}

/// Log lines without their times, whose digits can be any.
fn without_times(lines: &str) -> String {
    let timeless = lines.lines().map(|line| {
        let mut members: Json = serde_json::from_str(line).unwrap();
        for time in ["timestamp", "duration_ms"] {
            members.as_object_mut().unwrap().remove(time);
        }
        members.to_string()
    });
    timeless.collect::<Vec<_>>().join("\n")
}

/// How often it was sent until the queue has it no more, given these answers, and what became of each delivery.
async fn sent_in_all(customer: &Json, answers: Vec<Answer>) -> (usize, Vec<Verdict>) {
    let mut world = World { answers: answers.into(), ..World::default() };
    let mut verdicts = Vec::new();
    for receive_count in 1..=5 {
        let verdict;
        (verdict, world) = delivered(receive_count, &notice("OrderConfirmed", customer), world).await;
        verdicts.push(verdict);
        if verdicts.ends_with(&[Verdict::Acknowledge]) {
            break;
        }
    }
    (world.letters.len(), verdicts)
}

/// What becomes of a notice that is put back again and again, as its queue delivers it: the deliveries, how it ended, and
/// the world.
async fn until_the_end(mut world: World) -> (usize, Verdict, World) {
    let body = notice("OrderConfirmed", &by_mail());
    let mut message = Message {
        id: "m-0".into(),
        body,
        receive_count: 1,
        sent_at: None,
        first_received_at: None,
        attributes: BTreeMap::new(),
    };
    for deliveries in 1.. {
        let (verdict, after) = handled(message.clone(), world).await;
        world = after;
        match (&verdict, world.put_back.pop()) {
            (Verdict::Acknowledge, Some(sent)) => {
                assert!(sent["QueueUrl"].as_str().unwrap().ends_with("/notification"), "{sent}");
                assert_eq!(sent["MessageBody"], message.body);
                assert!((1..=900).contains(&sent["DelaySeconds"].as_i64().unwrap()), "{sent}");
                let refusals = &sent["MessageAttributes"]["refusals"];
                assert_eq!(refusals["DataType"], "Number");
                let refusals = refusals["StringValue"].as_str().unwrap().to_owned();
                message.attributes.insert("refusals".into(), refusals);
                (message.id, message.receive_count) = (format!("m-{deliveries}"), 1);
            }
            (Verdict::DeliverAgain { .. }, None) if message.receive_count < 5 => message.receive_count += 1,
            (_, None) => return (deliveries, verdict, world),
            other => panic!("{other:?}"),
        }
    }
    unreachable!("there is no last delivery")
}

fn mailed() -> Answer {
    Answer::ok(json!({ "MessageId": "1" }))
}

fn published() -> Answer {
    let published =
        "<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>";
    Answer::Text(200, published.into())
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
    let (verdict, calls) = told(notice("OrderConfirmed", &by_sms()), vec![published()]).await;
    assert_eq!((verdict, calls.len()), (Verdict::Acknowledge, 1));
    let form = calls[0].body.as_str().unwrap();
    assert!(form.starts_with("Action=Publish&"), "{form}");
    assert!(form.contains("PhoneNumber=%2B4930123456"), "{form}");
}

#[tokio::test(start_paused = true)]
async fn a_slow_answer_is_waited_for_and_a_letter_is_sent_once() {
    let slow = |answer| Answer::Slow(Duration::from_secs(18), Box::new(answer));
    assert_eq!(sent_in_all(&by_mail(), vec![slow(mailed())]).await, (1, vec![Verdict::Acknowledge]));
    assert_eq!(sent_in_all(&by_sms(), vec![slow(published())]).await, (1, vec![Verdict::Acknowledge]));
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

/// Whoever sent it died then, so it comes again each time.
#[tokio::test(start_paused = true)]
async fn a_letter_that_is_sent_and_never_acknowledged_is_sent_once_more_at_most() {
    for (customer, dies_after_sending) in
        [(by_mail(), true), (by_sms(), true), (by_mail(), false), (by_sms(), false)]
    {
        let mut verdicts = Vec::new();
        let mut world = World { dies_after_sending, ..World::default() };
        for receive_count in 1..=5 {
            let verdict;
            (verdict, world) = delivered(receive_count, &notice("OrderConfirmed", &customer), world).await;
            verdicts.push(verdict);
        }
        let sent = if dies_after_sending { 2 } else { 1 };
        assert_eq!((world.letters.len(), world.put_back.len()), (sent, 0));
        assert_eq!(verdicts, vec![Verdict::Acknowledge; 5]);
    }
}

/// Intake, a state machine or an operator published it again: other messages with the same body.
#[tokio::test(start_paused = true)]
async fn a_notice_that_is_published_five_times_is_told_once() {
    let mut world = World::default();
    for n in 0..5 {
        let body = notice("OrderRejected", &by_mail());
        let attributes = BTreeMap::new();
        (_, world) = handled(
            Message {
                id: format!("m-{n}"),
                body,
                receive_count: 1,
                sent_at: None,
                first_received_at: None,
                attributes,
            },
            world,
        )
        .await;
    }
    assert_eq!(world.letters.len(), 1);
    assert!(world.logged.contains("sent_before"), "{}", world.logged);
    // Another notice is another letter.
    (_, world) = delivered(1, &notice("OrderConfirmed", &by_mail()), world).await;
    assert_eq!(world.letters.len(), 2);
}

/// While one is being sent the other is put back, and is told or not when it is known what became of the first.
#[tokio::test(start_paused = true)]
async fn of_two_notices_that_come_at_the_same_time_one_waits_for_the_other() {
    for (first, is_known) in [(mailed(), true), (Answer::Lost, false)] {
        let body = notice("OrderRejected", &by_mail());
        let world = World { answers: [first].into(), dies_after_sending: true, ..World::default() };
        let (_, mut world) = delivered(1, &body, world).await;
        assert_eq!(world.letters.len(), 1);
        world.comes_at_once = true;
        let (verdict, mut world) = delivered(1, &body, world).await;
        assert_eq!((verdict, world.letters.len(), world.put_back.len()), (Verdict::Acknowledge, 1, 1));
        world.comes_at_once = false;
        if is_known {
            // By then whoever sent it has written it down.
            world.sent = world.claims.keys().cloned().collect();
        }
        let (verdict, world) = delivered(1, &body, world).await;
        assert_eq!((verdict, world.letters.len()), (Verdict::Acknowledge, if is_known { 1 } else { 2 }));
    }
}

/// Lambda had no function free for the first four.
#[tokio::test(start_paused = true)]
async fn deliveries_that_never_came_to_sending_cost_no_letter() {
    let (verdict, world) = delivered(5, &notice("OrderConfirmed", &by_mail()), World::default()).await;
    assert_eq!((verdict, world.letters.len()), (Verdict::Acknowledge, 1));
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
}

/// One refusal for good each time, or 'not now' for all the time of the function.
#[tokio::test(start_paused = true)]
async fn a_refusal_uses_up_no_delivery_and_ends_in_one_letter() {
    let answers = vec![Answer::error("MessageRejected"); 20].into();
    let (deliveries, verdict, world) = until_the_end(World { answers, ..World::default() }).await;
    assert_eq!((deliveries, verdict, world.letters.len()), (21, Verdict::Acknowledge, 21));
    assert!(world.claims.values().all(|sendings| sendings.len() == 1), "{:?}", world.claims);

    let busy = vec![Answer::Json(503, json!({})); 100].into();
    let (deliveries, verdict, world) = until_the_end(World { answers: busy, ..World::default() }).await;
    assert!((2..20).contains(&deliveries), "{deliveries}");
    assert_eq!((verdict, world.letters.len()), (Verdict::Acknowledge, 101));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_for_good_ends_in_the_dead_letter_queue_with_its_reason() {
    let answers = vec![Answer::error("MessageRejected"); 99].into();
    let (deliveries, verdict, world) = until_the_end(World { answers, ..World::default() }).await;
    // What is delivered again after the last delivery is kept there by `saga_lambda`.
    assert_eq!(
        (deliveries, verdict),
        (25, Verdict::deliver_again("MessageRejected; it was put back 20 times"))
    );
    assert!(world.claims.values().all(BTreeSet::is_empty), "{:?}", world.claims);
}

/// Each was refused after one that may have been sent, and is a new message since then.
#[tokio::test(start_paused = true)]
async fn what_may_have_been_sent_is_remembered_when_a_notice_is_put_back() {
    let refused = || Answer::error("MessageRejected");
    let answers = vec![Answer::Lost, refused(), Answer::Silence, refused(), mailed()].into();
    let (_, verdict, world) = until_the_end(World { answers, ..World::default() }).await;
    assert_eq!((verdict, world.letters.len()), (Verdict::Acknowledge, 3));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_claimed_is_not_sent_and_comes_again() {
    let denied = || Answer::error("AccessDeniedException");
    let of_claims = [denied(), denied()].into();
    let body = notice("OrderConfirmed", &by_mail());
    let (verdict, world) = delivered(1, &body, World { of_claims, ..World::default() }).await;
    assert_eq!((verdict, world.letters.len(), world.put_back.len()), (Verdict::Acknowledge, 0, 1));
    // The answer of a claim that is there was lost: it is claimed again, and counts once.
    let of_claims = [Answer::Lost, Answer::Lost].into();
    let (verdict, world) = delivered(1, &body, World { of_claims, ..World::default() }).await;
    assert_eq!((verdict, world.letters.len(), world.put_back.len()), (Verdict::Acknowledge, 1, 0));
    assert!(world.claims.values().all(|sendings| sendings.len() == 1), "{:?}", world.claims);
    // All of them are lost: given back, for nothing was sent.
    let of_claims = vec![Answer::Silence; 40].into();
    let (verdict, world) = delivered(1, &body, World { of_claims, ..World::default() }).await;
    assert_eq!((verdict, world.letters.len(), world.put_back.len()), (Verdict::Acknowledge, 0, 1));
    assert!(world.claims.values().all(BTreeSet::is_empty), "{:?}", world.claims);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_put_back_is_delivered_again() {
    let (answers, of_queue) =
        ([Answer::error("MessageRejected")].into(), [Answer::error("AccessDenied")].into());
    let world = World { answers, of_queue, ..World::default() };
    let (verdict, world) = delivered(1, &notice("OrderConfirmed", &by_mail()), world).await;
    assert_eq!(verdict, Verdict::deliver_again("MessageRejected; the queue of notices: AccessDenied"));
    assert!(world.claims.values().all(BTreeSet::is_empty), "{:?}", world.claims);
}

/// It is neither tried again nor kept as a dead letter, whatever it carries, and can be counted.
#[tokio::test(start_paused = true)]
async fn a_notice_for_others_is_acknowledged_and_counted() {
    for v in [1, 3] {
        let input = json!({ "trip": { "traveller": "maria" } });
        let body = json!({ "v": v, "type": "TripBooked", "saga": "trip", "id": "t-1", "input": input });
        let (verdict, world) = delivered(1, &body.to_string(), World::default()).await;
        assert_eq!((verdict, world.letters.len(), world.claims.len()), (Verdict::Acknowledge, 0, 0));
        let line: Json = serde_json::from_str(&world.logged).unwrap();
        let told = ["level", "outcome", "notice", "saga", "saga_id"].map(|name| line[name].as_str());
        assert_eq!(told, ["INFO", "for_others", "TripBooked", "trip", "t-1"].map(Some), "{line}");
    }
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
