//! Holds events back while participants have more to do than they get done in time.
//!
//! Step Functions starts more executions than it takes answers (300 and 500 a second at first, of which a saga needs
//! four: <https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html>), and each participant has a pace of
//! its own. What is more than that waits here, where nothing has begun and no timeout runs.

use crate::{Deadline, Error, Message, Repeatable, Variables, aws};
use aws_sdk_sqs::{
    Client,
    operation::send_message::builders::SendMessageFluentBuilder,
    types::{MessageAttributeValue, QueueAttributeName},
};
use saga::environment;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::{
    sync::Mutex,
    time::{Instant, sleep},
};

/// How long what was seen is believed. SQS counts approximately, and says of a change within a minute.
const BELIEVED: Duration = Duration::from_secs(1);
/// The longest that counting may take: a queue that does not say what it has holds up no order for longer.
const LONGEST_LOOK: Duration = Duration::from_secs(2);
/// How long an event that was held back waits at least before it comes again, and at most, in seconds.
const COMES_AGAIN_SECONDS: std::ops::RangeInclusive<i32> = 5..=15;

/// The messages that wait, and those that somebody works on.
const AT_HAND: &[QueueAttributeName] = &[
    QueueAttributeName::ApproximateNumberOfMessages,
    QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
];

/// The messages that nobody works on.
const WAITING: &[QueueAttributeName] = &[QueueAttributeName::ApproximateNumberOfMessages];

/// The messages that were sent with a delay that is not over.
const DELAYED: &[QueueAttributeName] = &[QueueAttributeName::ApproximateNumberOfMessagesDelayed];

/// For how many seconds nobody else gets a message that was delivered.
const HIDDEN_FOR: &[QueueAttributeName] = &[QueueAttributeName::VisibilityTimeout];

/// The attribute of a message that says since when its event waits for an order: in milliseconds, as SQS tells time.
const WAITS_SINCE_MS: &str = "waits_since_ms";

/// More messages than this function works on at once: ten invocations with ten each.
const LINE: u64 = 100;

/// The brake.
#[derive(Debug)]
pub(super) struct Brake {
    client: Client,
    /// The queues of those who carry sagas out.
    participants: Vec<String>,
    max_backlog: u64,
    /// The queue that orders come from.
    own_queue: String,
    seen: Mutex<Option<Seen>>,
}

#[derive(Debug, Clone, Copy)]
struct Seen {
    at: Instant,
    /// How many messages the participant has that has most of those that are known.
    backlog: u64,
    /// Every participant's is known.
    is_known: bool,
}

/// The queue did not take an event back.
#[derive(Debug, thiserror::Error)]
#[error("the queue of this intake: {0}")]
pub(super) struct NotHeld(String);

/// Since when an event waits for another: since it was delivered for the first time, as a message that was put back says.
/// Before that it lay in the queue as others did. Where nobody says it, since now.
pub(super) fn waits_since(message: &Message) -> SystemTime {
    let since_ms = message.attributes.get(WAITS_SINCE_MS).and_then(|since_ms| since_ms.parse().ok());
    let since = since_ms.and_then(|since_ms| UNIX_EPOCH.checked_add(Duration::from_millis(since_ms)));
    // Whoever publishes an event can give it attributes too: a time that has not come is none.
    [since, message.first_received_at].into_iter().flatten().fold(SystemTime::now(), SystemTime::min)
}

impl Brake {
    /// For the participants that the stack lists, as all queues but the intake's own and those of `others`.
    pub(super) fn from_variables(
        client: Client,
        variables: &Variables,
        own_queue: &str,
        others: &[&str],
    ) -> Result<Self, Error> {
        let own_queue = variables.text(&environment::queue(own_queue))?.to_owned();
        let is_participant = |url: &&str| *url != own_queue && !others.contains(url);
        let participants = variables.beginning_with(environment::QUEUES).filter(is_participant);
        let participants: Vec<_> = participants.map(str::to_owned).collect();
        if participants.is_empty() {
            return Err(Error::Missing { name: format!("{}…` of a participant", environment::QUEUES) });
        }
        let max_backlog = variables.parsed(environment::MAX_BACKLOG, "a whole number")?;
        Ok(Self { client, participants, max_backlog, own_queue, seen: Mutex::default() })
    }

    /// Waits until every participant can take more. False: when half of the time was over, one still could not.
    pub(super) async fn is_released(&self, deadline: Deadline) -> bool {
        let patience = deadline.earlier(deadline.remaining() / 2);
        loop {
            // The brake protects from a flood; an outage of counting must not be one of intake.
            if self.look(deadline).await.backlog < self.max_backlog {
                return true;
            }
            if patience.remaining() <= BELIEVED {
                return false;
            }
            sleep(BELIEVED).await;
        }
    }

    /// Whether events may stand in line here that came long ago: they are held back, some that were have not come again, or
    /// more wait than this function works on at once. Where that is not known there may be a line.
    pub(super) async fn has_line(&self, deadline: Deadline) -> bool {
        let own_is_more =
            async |than: u64, counted| match self.count(&self.own_queue, counted, deadline).await {
                Ok(count) => count > than,
                Err(reason) => {
                    tracing::warn!(reason, "whether there is a line is not known");
                    true
                }
            };
        let seen = self.look(deadline).await;
        !seen.is_known
            || seen.backlog >= self.max_backlog
            || own_is_more(0, DELAYED).await
            || own_is_more(LINE, WAITING).await
    }

    /// Puts an event back, as a new message: its deliveries are not used up by waiting.
    ///
    /// When SQS does not say that it took it, it may be there twice: then an id that was taken before is found, and
    /// nothing is done twice.
    pub(super) async fn hold_back(&self, event: &str, deadline: Deadline) -> Result<(), NotHeld> {
        let request = self.put_back(event, fastrand::i32(COMES_AGAIN_SECONDS));
        aws::send(request, deadline).await.map_err(NotHeld)
    }

    /// Puts an event back that waits for another, with all its deliveries before it, and with the time since when it
    /// waits. It comes again at once, so that it is not taken for one that is held back: two that wait for what
    /// never comes do not wait for each other.
    pub(super) async fn begin_again(
        &self,
        event: &str,
        waits_since: SystemTime,
        deadline: Deadline,
    ) -> Result<(), NotHeld> {
        let since_ms = waits_since.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let since = MessageAttributeValue::builder().data_type("Number").string_value(since_ms.to_string());
        let since = since.build().map_err(|error| NotHeld(error.to_string()))?;
        let request = self.put_back(event, 0).message_attributes(WAITS_SINCE_MS, since);
        aws::send(request, deadline).await.map_err(NotHeld)
    }

    /// How long an event may be under way here until it was delivered as often as it is. `None` when the queue does not say
    /// so.
    pub(super) async fn longest_under_way(&self, deliveries: u32, deadline: Deadline) -> Option<Duration> {
        let visibility_seconds = self.count(&self.own_queue, HIDDEN_FOR, deadline).await;
        let visibility_seconds = visibility_seconds
            .inspect_err(|reason| tracing::warn!(reason, "how long an event is under way is not known"));
        Some(Duration::from_secs(visibility_seconds.ok()?) * deliveries)
    }

    fn put_back(&self, event: &str, delay_seconds: i32) -> SendMessageFluentBuilder {
        let request = self.client.send_message().queue_url(&self.own_queue).message_body(event);
        request.delay_seconds(delay_seconds)
    }

    /// What participants have before them: the messages that wait, and those that they work on.
    async fn look(&self, deadline: Deadline) -> Seen {
        // Whoever comes while somebody looks waits for what that one sees.
        let mut last = self.seen.lock().await;
        if let Some(seen) = *last
            && seen.at.elapsed() < BELIEVED
        {
            return seen;
        }
        let (mut backlog, mut is_known) = (0, true);
        for queue in &self.participants {
            match self.count(queue, AT_HAND, deadline).await {
                Ok(count) => backlog = backlog.max(count),
                Err(reason) => {
                    tracing::warn!(reason, "a backlog is not known");
                    is_known = false;
                }
            }
        }
        let seen = Seen { at: Instant::now(), backlog, is_known };
        *last = Some(seen);
        seen
    }

    async fn count(
        &self,
        queue: &str,
        counted: &[QueueAttributeName],
        deadline: Deadline,
    ) -> Result<u64, String> {
        let request = self.client.get_queue_attributes().queue_url(queue);
        let request = request.set_attribute_names(Some(counted.to_vec()));
        let limit = deadline.earlier(deadline.remaining().saturating_sub(LONGEST_LOOK));
        let answer = aws::ask(limit, Repeatable(|| request.clone().send())).await?;
        let attributes = answer.attributes.unwrap_or_default();
        let number = |name: &QueueAttributeName| {
            let count = attributes.get(name).and_then(|count| count.parse::<u64>().ok());
            count.ok_or_else(|| format!("SQS does not say `{}`", name.as_str()))
        };
        counted.iter().map(number).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::{Answer, Log, Replay};
    use serde_json::json;

    const NOTICES: &str = "https://sqs.eu-central-1.amazonaws.com/123456789012/notification";

    fn brake(replay: &Replay) -> Brake {
        let variables: Variables = [
            ("FLYOVER_QUEUE_ORDERS", "https://sqs.eu-central-1.amazonaws.com/123456789012/orders"),
            ("FLYOVER_QUEUE_PAYMENT", "https://sqs.eu-central-1.amazonaws.com/123456789012/payment"),
            (
                "FLYOVER_QUEUE_ORDER_INTAKE",
                "https://sqs.eu-central-1.amazonaws.com/123456789012/order-intake",
            ),
            ("FLYOVER_QUEUE_NOTIFICATION", NOTICES),
            (environment::MAX_BACKLOG, "100"),
        ]
        .into_iter()
        .collect();
        Brake::from_variables(Client::new(&replay.config()), &variables, "order-intake", &[NOTICES]).unwrap()
    }

    fn has(waiting: u64, worked_on: u64) -> Answer {
        Answer::ok(json!({ "Attributes": {
            "ApproximateNumberOfMessages": waiting.to_string(),
            "ApproximateNumberOfMessagesNotVisible": worked_on.to_string(),
        }}))
    }

    fn delayed(count: u64) -> Answer {
        Answer::ok(json!({ "Attributes": { "ApproximateNumberOfMessagesDelayed": count.to_string() } }))
    }

    async fn is_released(answers: Vec<Answer>) -> (bool, usize) {
        let _log = Log::keep();
        let replay = Replay::of(answers);
        let released = brake(&replay).is_released(Deadline::after(Duration::from_secs(6))).await;
        (released, replay.calls().len())
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_held_back_while_everybody_has_less_than_the_most() {
        assert_eq!(is_released(vec![has(99, 0), has(0, 99)]).await, (true, 2));
    }

    #[tokio::test(start_paused = true)]
    async fn what_one_has_too_much_of_is_waited_for() {
        let answers = vec![has(0, 0), has(60, 40), has(0, 0), has(59, 40)];
        assert_eq!(is_released(answers).await, (true, 4));
    }

    #[tokio::test(start_paused = true)]
    async fn when_half_of_the_time_is_over_it_is_said_that_one_still_has_too_much() {
        let answers = (0..6).map(|_| has(100, 0)).collect();
        assert_eq!(is_released(answers).await, (false, 6));
    }

    #[tokio::test(start_paused = true)]
    async fn who_does_not_say_what_there_is_holds_nothing_back() {
        let denied = || Answer::error("AccessDenied");
        assert_eq!(is_released(vec![denied(), denied()]).await, (true, 2));
    }

    #[tokio::test(start_paused = true)]
    async fn there_is_a_line_where_orders_are_held_back_or_more_wait_than_are_worked_on() {
        for (answers, has_line) in [
            (vec![has(100, 0), has(0, 0)], true),
            (vec![has(0, 0), has(0, 0), delayed(1)], true),
            (vec![has(0, 0), has(0, 0), delayed(0), has(101, 0)], true),
            (vec![has(0, 0), has(0, 0), delayed(0), has(100, 99)], false),
        ] {
            let replay = Replay::of(answers);
            assert_eq!(brake(&replay).has_line(Deadline::after(Duration::from_secs(6))).await, has_line);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn where_it_is_not_known_there_may_be_a_line() {
        let denied = || Answer::error("AccessDenied");
        let silent = || Answer::ok(json!({ "Attributes": {} }));
        for answers in [
            vec![denied(), has(0, 0), delayed(0), has(0, 0)],
            vec![has(0, 0), denied(), delayed(0), has(0, 0)],
            vec![has(0, 0), has(0, 0), denied(), has(0, 0)],
            vec![has(0, 0), has(0, 0), delayed(0), denied()],
            vec![has(0, 0), has(0, 0), delayed(0), silent()],
        ] {
            let _log = Log::keep();
            let replay = Replay::of(answers.clone());
            assert!(brake(&replay).has_line(Deadline::after(Duration::from_secs(6))).await, "{answers:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn those_that_come_at_the_same_time_look_once() {
        let replay = Replay::of(vec![has(0, 0), has(0, 0)]);
        let brake = brake(&replay);
        let deadline = Deadline::after(Duration::from_secs(6));
        let released = futures::future::join_all((0..10).map(|_| brake.is_released(deadline))).await;
        assert_eq!((released, replay.calls().len()), (vec![true; 10], 2));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_held_back_comes_again_as_a_new_message() {
        let replay = Replay::of(vec![Answer::ok(json!({ "MessageId": "2" }))]);
        brake(&replay).hold_back("{}", Deadline::after(Duration::from_secs(6))).await.unwrap();
        let call = &replay.calls()[0].body;
        assert!(call["QueueUrl"].as_str().unwrap().ends_with("/order-intake"), "{call}");
        assert_eq!(call["MessageBody"], "{}");
        assert!(
            COMES_AGAIN_SECONDS.contains(&i32::try_from(call["DelaySeconds"].as_i64().unwrap()).unwrap())
        );
    }
}
