//! One message of a participant's queue: carried out, answered, and told in one line of the log.

use crate::{
    DynamoStore,
    batch::{Message, Verdict},
    deadline::Deadline,
    log::elapsed_ms,
    panicked::caught,
    reply::{self, Sent},
};
use saga::{
    DELIVERIES_EXHAUSTED, Deployment, HandleAll, Handled, Malformed, Participant, Reply, Request, Retry,
    Service, Store, Unserved, serve, serve_again,
};
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// What is kept of the time for the reply.
pub(crate) const REPLY_TIME: Duration = Duration::from_millis(700);

/// How messages are answered.
#[derive(Debug)]
pub(crate) struct Answering {
    /// Step Functions.
    pub(crate) client: aws_sdk_sfn::Client,
    /// The deployment that the function belongs to.
    pub(crate) deployment: Deployment,
    /// How often the queue delivers a message.
    pub(crate) max_receive_count: u32,
}

impl Answering {
    /// Carries out a message against DynamoDB and answers it.
    pub(crate) async fn carry_out<H>(
        &self,
        service: &H,
        store: &DynamoStore,
        message: &Message,
        deadline: Deadline,
    ) -> Verdict
    where
        H: Service + HandleAll<<H::Participant as Participant>::Steps>,
    {
        let work = deadline.earlier(REPLY_TIME);
        self.answer(service, &store.until(work), message, work, deadline).await
    }

    async fn answer<H>(
        &self,
        service: &H,
        store: &impl Store,
        message: &Message,
        work: Deadline,
        deadline: Deadline,
    ) -> Verdict
    where
        H: Service + HandleAll<<H::Participant as Participant>::Steps>,
    {
        let started = Instant::now();
        let request = match Request::decode(&message.body) {
            Ok(request) => request,
            Err(malformed) => {
                let reason = without_values(&malformed);
                tracing::error!(
                    outcome = "malformed",
                    %reason,
                    message_id = message.id,
                    receive_count = message.receive_count,
                    "left to the dead-letter queue"
                );
                return Verdict::deliver_again(reason);
            }
        };
        // A panic may pass, with the next release at the latest, and fences make another try safe: so it is one more
        // failure after which the message is delivered again.
        let serving = caught(async {
            if message.receive_count > 1 {
                serve_again(service, store, &self.deployment, &request).await
            } else {
                serve(service, store, &self.deployment, &request).await
            }
        });
        let served = match timeout(work.remaining(), serving).await {
            Ok(served) => served.unwrap_or_else(|panicked| Err(Retry(panicked.to_string()).into())),
            Err(_) => Err(Retry("the time of the function is used up".into()).into()),
        };
        let line = Line { request: &request, message, started };
        match served {
            Ok(handled) => {
                let sent = reply::send(&self.client, &request.token, &handled.reply, deadline).await;
                line.served(&handled, &sent);
                match sent {
                    Sent::InTime | Sent::Late => Verdict::Acknowledge,
                    Sent::Failed(why) => Verdict::deliver_again(format!("served, not answered: {why}")),
                }
            }
            Err(unserved) => {
                let reason = reason_of(&unserved);
                let sent = if message.receive_count >= self.max_receive_count {
                    Some(self.give_up(&request, &reason, deadline).await)
                } else {
                    None
                };
                line.unserved(&unserved, &reason, sent.as_ref());
                Verdict::deliver_again(reason)
            }
        }
    }

    /// Tells the saga at once what it would otherwise find out when the step times out. The message itself still goes
    /// to the dead-letter queue.
    async fn give_up(&self, request: &Request, reason: &str, deadline: Deadline) -> Sent {
        let reply = Reply::Failure { error: DELIVERIES_EXHAUSTED.into(), cause: reason.into() };
        reply::send(&self.client, &request.token, &reply, deadline).await
    }
}

/// The log line of a message. Never the token, and never the input: it holds personal data.
struct Line<'a> {
    request: &'a Request,
    message: &'a Message,
    started: Instant,
}

/// One log line with the members that every line about a request has.
macro_rules! line {
    ($level:ident, $line:ident, $text:literal, $($member:tt)*) => {
        tracing::$level!(
            saga = $line.request.saga.as_str(),
            execution = $line.request.execution,
            saga_id = $line.request.id.as_str(),
            step = $line.request.step,
            item = $line.request.item.as_ref().map(saga::ItemId::as_str),
            op = $line.request.op.as_str(),
            $($member)*,
            duration_ms = elapsed_ms($line.started),
            receive_count = $line.message.receive_count,
            message_id = $line.message.id,
            $text
        )
    };
}

impl Line<'_> {
    fn served(&self, handled: &Handled, sent: &Sent) {
        let error = match &handled.reply {
            Reply::Success(_) => None,
            Reply::Failure { error, .. } => Some(error.as_str()),
        };
        let (outcome, reply) = (handled.outcome.as_str(), reply_name(sent));
        match sent {
            Sent::InTime | Sent::Late => line!(info, self, "served", outcome, error, reply),
            Sent::Failed(why) => {
                line!(warn, self, "served, not answered", outcome, error, reply, reason = why.as_str());
            }
        }
    }

    fn unserved(&self, unserved: &Unserved, reason: &str, sent: Option<&Sent>) {
        let outcome = match unserved {
            Unserved::Malformed(_) => "malformed",
            Unserved::Retry(_) => "retry",
        };
        match sent {
            None => line!(warn, self, "delivered again", outcome, reason),
            Some(sent) => {
                line!(
                    error,
                    self,
                    "left to the dead-letter queue",
                    outcome,
                    reason,
                    reply = reply_name(sent)
                );
            }
        }
    }
}

fn reply_name(sent: &Sent) -> &'static str {
    match sent {
        Sent::InTime => "sent",
        Sent::Late => "late_reply",
        Sent::Failed(_) => "unsent",
    }
}

fn reason_of(unserved: &Unserved) -> String {
    match unserved {
        Unserved::Malformed(malformed) => without_values(malformed),
        Unserved::Retry(retry) => retry.to_string(),
    }
}

/// What is wrong with a message, without what was given.
fn without_values(malformed: &Malformed) -> String {
    match malformed {
        Malformed::Step { owned, .. } => {
            format!("the step is not served here: this participant owns {owned:?}")
        }
        Malformed::Json(_)
        | Malformed::Input { .. }
        | Malformed::Version { .. }
        | Malformed::NoRun
        | Malformed::Op { .. } => malformed.to_string(),
    }
}

#[cfg(test)]
mod tests;
