//! Functions on Lambda.

use crate::{
    DynamoStore, Error, Tables, Variables, aws,
    batch::{Message, Verdict, each_message},
    dead_letters::DeadLetters,
    deadline::Deadline,
    log,
    panicked::caught,
    participant::{Answering, REPLY_TIME},
};
use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use lambda_runtime::{LambdaEvent, service_fn};
use saga::{Entities, HandleAll, Participant, Service, budget::MIN_FUNCTION_TIMEOUT, environment};
use serde::de::IgnoredAny;
use std::time::Duration;

/// Serves a participant: takes the messages of its queue, carries each out exactly once in effect, and answers the
/// state machine. Returns when Lambda ends the process.
///
/// # Errors
/// When a variable that the stack sets is missing or invalid, or when the Lambda runtime stops.
///
/// # Panics
/// When it is called within an asynchronous runtime: it is the last thing that `main` does.
pub fn run<H>(service: H) -> Result<(), Error>
where
    H: Service + HandleAll<<H::Participant as Participant>::Steps>,
{
    on_this_thread(serve(service))
}

/// Serves a queue: gives each message to `handle`, with the time by which it must be done, and reports those that are
/// to be delivered again; after its last delivery a message is kept in the dead-letter queue with the reason. Logs are
/// set up first. Returns when Lambda ends the process.
///
/// # Errors
/// As [`run`].
///
/// # Panics
/// As [`run`].
pub fn serve_queue(handle: impl AsyncFn(&Message, Deadline) -> Verdict) -> Result<(), Error> {
    on_this_thread(take_messages(handle))
}

/// Serves a schedule: calls `handle` at each of its times, with the time by which it must be done. What the event says
/// beside that is not looked at. A failed call is tried again by Lambda and then goes to the function's on-failure
/// destination. Logs are set up first. Returns when Lambda ends the process.
///
/// # Errors
/// As [`run`].
///
/// # Panics
/// As [`run`].
pub fn serve_schedule<E>(handle: impl AsyncFn(Deadline) -> Result<(), E>) -> Result<(), Error>
where
    E: std::error::Error + Send + Sync + 'static,
{
    let handle = &handle;
    on_this_thread(async {
        log::start();
        let serve = service_fn(async |event: LambdaEvent<IgnoredAny>| {
            let deadline = Deadline::of_invocation(&event.context).earlier(MARGIN);
            call(handle, deadline).await
        });
        lambda_runtime::run(serve).await.map_err(Error::Runtime)
    })
}

/// An execution environment of Lambda has one invocation at a time, so one thread is enough.
fn on_this_thread(serving: impl Future<Output = Result<(), Error>>) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Error::Runtime(error.into()))?.block_on(serving)
}

async fn serve<H>(service: H) -> Result<(), Error>
where
    H: Service + HandleAll<<H::Participant as Participant>::Steps>,
{
    let variables = Variables::of_process();
    let entities = <H::Participant as Participant>::Entities::SPECS;
    let tables = Tables::from_variables(&variables, entities)?;
    let config = aws::config(&variables)?;
    let store =
        DynamoStore::new(aws_sdk_dynamodb::Client::new(&config), tables, Deadline::after(Duration::ZERO));
    let answering = Answering {
        client: aws_sdk_sfn::Client::new(&config),
        deployment: variables.deployment()?,
        max_receive_count: variables.parsed(environment::MAX_RECEIVE_COUNT, "a whole number")?,
    };
    let (service, store, answering) = (&service, &store, &answering);
    take_messages(async |message: &Message, deadline| {
        answering.carry_out(service, store, message, deadline).await
    })
    .await
}

async fn take_messages(handle: impl AsyncFn(&Message, Deadline) -> Verdict) -> Result<(), Error> {
    log::start();
    let variables = Variables::of_process();
    let dead_letters = DeadLetters::from_variables(&aws::config(&variables)?, &variables)?;
    let (handle, dead_letters) = (&handle, &dead_letters);
    let serve = service_fn(async |event: LambdaEvent<SqsEvent>| {
        let deadline = Deadline::of_invocation(&event.context).earlier(MARGIN);
        Ok::<_, lambda_runtime::Error>(serve_batch(event.payload, deadline, handle, dead_letters).await)
    });
    lambda_runtime::run(serve).await.map_err(Error::Runtime)
}

/// Serves a batch. A message whose handler panics is delivered again, as one that failed in any other way.
async fn serve_batch(
    batch: SqsEvent,
    deadline: Deadline,
    handle: &impl AsyncFn(&Message, Deadline) -> Verdict,
    dead_letters: &DeadLetters,
) -> SqsBatchResponse {
    each_message(batch, deadline, async |message| {
        let handled = caught(handle(&message, deadline.earlier(KEEP_TIME))).await;
        let verdict = handled.unwrap_or_else(|panicked| {
            let (message_id, receive_count) = (message.id.as_str(), message.receive_count);
            let reason = panicked.to_string();
            tracing::error!(outcome = "panicked", reason, receive_count, message_id, "delivered again");
            Verdict::deliver_again(reason)
        });
        dead_letters.conclude(&message, verdict, deadline).await
    })
    .await
}

/// Calls what is due. A panic is a failed call, and what is told of it is its place: Lambda keeps the words of an error.
async fn call<E>(
    handle: &impl AsyncFn(Deadline) -> Result<(), E>,
    deadline: Deadline,
) -> Result<(), lambda_runtime::Error>
where
    E: std::error::Error + Send + Sync + 'static,
{
    match caught(handle(deadline)).await {
        Ok(done) => done.map_err(lambda_runtime::Error::from),
        Err(panicked) => {
            let reason = panicked.to_string();
            tracing::error!(outcome = "panicked", reason, "called again");
            Err(panicked.into())
        }
    }
}

/// What is kept of the time to keep a message in the dead-letter queue.
const KEEP_TIME: Duration = Duration::from_millis(500);

/// What is left of the function's time for its response to reach Lambda.
const MARGIN: Duration = Duration::from_millis(150);

// Whatever a stage makes of the function's timeout, a second is left to carry a message out.
const _: () = assert!(
    MIN_FUNCTION_TIMEOUT.as_millis()
        >= MARGIN.as_millis() + KEEP_TIME.as_millis() + REPLY_TIME.as_millis() + 1_000,
    "raise saga::budget::MIN_FUNCTION_TIMEOUT"
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::{Answer, Log, Replay};
    use serde_json::json;
    use std::cell::RefCell;

    #[tokio::test(start_paused = true)]
    async fn one_poison_in_a_batch_of_ten_fails_alone() {
        for last in [false, true] {
            let log = Log::keep();
            let replay = Replay::of([Answer::ok(json!({ "MessageId": "m" }))]);
            let variables: Variables = [
                (environment::DEAD_LETTER_QUEUE, "https://sqs.eu-central-1.amazonaws.com/123456789012/dead"),
                (environment::MAX_RECEIVE_COUNT, "3"),
            ]
            .into_iter()
            .collect();
            let dead_letters = DeadLetters::from_variables(&replay.config(), &variables).unwrap();
            let records: Vec<_> = (0..10)
                .map(|n| {
                    let body = if n == 4 { "nancy@example.com".to_owned() } else { n.to_string() };
                    let count = if last { "3" } else { "1" };
                    json!({ "messageId": n.to_string(), "body": body,
                            "attributes": { "ApproximateReceiveCount": count } })
                })
                .collect();
            let batch = serde_json::from_value(json!({ "Records": records })).unwrap();
            let done = RefCell::new(Vec::new());
            let handle = async |message: &Message, _: Deadline| {
                tokio::task::yield_now().await;
                let number: u32 = message.body.parse().unwrap_or_else(|_| panic!("{}", message.body));
                done.borrow_mut().push(number);
                Verdict::Acknowledge
            };
            let deadline = Deadline::after(Duration::from_secs(3));
            let response = serve_batch(batch, deadline, &handle, &dead_letters).await;
            let mut done = done.into_inner();
            done.sort_unstable();
            assert_eq!(done, [0, 1, 2, 3, 5, 6, 7, 8, 9]);
            let failed: Vec<_> =
                response.batch_item_failures.iter().map(|item| item.item_identifier.as_str()).collect();
            let (text, calls) = (log.text(), replay.calls());
            assert!(text.contains("the handler panicked at "), "{text}");
            assert!(!text.contains("nancy"), "{text}");
            if last {
                assert_eq!((failed, calls.len()), (vec![], 1));
                let reason = calls[0].body["MessageAttributes"]["reason"]["StringValue"].as_str().unwrap();
                assert!(reason.starts_with(&format!("the handler panicked at {}:", file!())), "{reason}");
            } else {
                assert_eq!((failed, calls.len()), (vec!["4"], 0));
            }
        }
    }

    #[tokio::test]
    async fn a_schedule_that_panics_is_a_failed_call_told_by_its_place() {
        let log = Log::keep();
        let handle = async |_: Deadline| -> Result<(), std::io::Error> { panic!("nancy@example.com") };
        let told = call(&handle, Deadline::after(Duration::from_secs(3))).await.unwrap_err().to_string();
        assert!(told.starts_with(&format!("the handler panicked at {}:", file!())), "{told}");
        assert!(!told.contains("nancy"), "{told}");
        assert!(log.text().contains(&told) && !log.text().contains("nancy"), "{}", log.text());
    }
}
