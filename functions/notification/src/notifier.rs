//! One notice: told to its customer, and in one line of the log.

use crate::{
    claims::{Claim, Claimed, Claims},
    letter::{self, Letter, Untellable},
    own_queue::OwnQueue,
};
use aws_sdk_sesv2::{
    error::BuildError,
    types::{Body, Content, Destination, EmailContent, Message as Email},
};
use aws_types::SdkConfig;
use saga::{NoticeMessage, RunDigest};
use saga_lambda::{Deadline, Error, Message, Unanswered, Variables, Verdict, aws, elapsed_ms, redacted};
use sagas::{
    customer::Channel,
    environment::EMAIL_FROM,
    notices::{FOR_OTHERS, NOTIFICATION},
};
use serde_json::Value as Json;
use std::time::{Duration, Instant};

/// What is kept of the time to give a claim back and to put the notice back.
const AFTER_A_REFUSAL: Duration = Duration::from_millis(600);

/// Why a letter was not sent.
enum Unsent {
    /// It was refused, for now or for good.
    Refused(String),
    /// It was sent, or it was not.
    Unknown(String),
}

impl From<Unanswered> for Unsent {
    fn from(unanswered: Unanswered) -> Self {
        match unanswered {
            Unanswered::NotNow(why) => Self::Refused(why),
            Unanswered::Unknown(_) => Self::Unknown(unanswered.to_string()),
        }
    }
}

/// What a notice asks of this function.
enum About {
    /// To send this.
    Letter(Letter),
    /// Nothing.
    Nothing,
    /// Nothing: it is for others.
    Others,
}

/// What became of a notice.
enum Outcome {
    /// It is not for this function.
    ForOthers,
    /// There is nothing to tell.
    NothingToTell,
    /// It was told before.
    SentBefore,
    /// It is told.
    Sent,
    /// It was not sent, and comes again as a new message.
    PutBack(String),
    /// It was not sent, or may have been sent for the first time: it is delivered again.
    Again(String),
    /// It may have been sent as often as it may be.
    NotAgain(String),
}

/// Tells customers.
#[derive(Debug)]
pub struct Notifier {
    ses: aws_sdk_sesv2::Client,
    sns: aws_sdk_sns::Client,
    claims: Claims,
    own_queue: OwnQueue,
    from: String,
    for_others: &'static [&'static str],
}

impl Notifier {
    /// Sends as the stack says.
    ///
    /// # Errors
    /// When a variable is missing or invalid.
    pub fn from_variables(variables: &Variables) -> Result<Self, Error> {
        Self::new(&aws::config(variables)?, variables, FOR_OTHERS)
    }

    fn new(
        config: &SdkConfig,
        variables: &Variables,
        for_others: &'static [&'static str],
    ) -> Result<Self, Error> {
        Ok(Self {
            ses: aws_sdk_sesv2::Client::new(config),
            sns: aws_sdk_sns::Client::new(config),
            claims: Claims::from_variables(aws_sdk_dynamodb::Client::new(config), variables)?,
            own_queue: OwnQueue::from_variables(aws_sdk_sqs::Client::new(config), variables)?,
            from: variables.text(EMAIL_FROM)?.into(),
            for_others,
        })
    }

    /// Handles one message. The log line has neither the customer nor the text in it.
    pub async fn handle(&self, message: &Message, deadline: Deadline) -> Verdict {
        let began = Instant::now();
        let (notice, digest, about) = match self.read(&message.body) {
            Ok(read) => read,
            Err(reason) => {
                let (message_id, receive_count) = (message.id.as_str(), message.receive_count);
                let reason = reason.as_str();
                tracing::error!(
                    outcome = "malformed",
                    reason,
                    receive_count,
                    message_id,
                    "left to the dead-letter queue"
                );
                return Verdict::deliver_again(reason);
            }
        };
        let (outcome, channel) = match &about {
            About::Letter(letter) => {
                (self.tell(letter, digest, message, deadline).await, Some(channel_of(letter).0))
            }
            About::Nothing => (Outcome::NothingToTell, None),
            About::Others => (Outcome::ForOthers, None),
        };
        conclude(outcome, &notice, channel, message, elapsed_ms(began))
    }

    /// A notice, its digest, and what it asks of this function; or why it cannot be told.
    fn read(&self, body: &str) -> Result<(NoticeMessage, RunDigest, About), String> {
        let no_notice = |error: serde_json::Error| format!("not a notice: {}", redacted(&error.to_string()));
        let json: Json = serde_json::from_str(body).map_err(no_notice)?;
        let digest = RunDigest::of(&json);
        let notice: NoticeMessage = serde_json::from_value(json).map_err(no_notice)?;
        let about = self.about(&notice).map_err(|untellable| untellable.to_string())?;
        Ok((notice, digest, about))
    }

    /// What is for others is told apart by its name alone, whatever it carries.
    fn about(&self, notice: &NoticeMessage) -> Result<About, Untellable> {
        let name = notice.notice.as_str();
        match NOTIFICATION.handles(name) {
            true => Ok(letter::about(notice)?.map_or(About::Nothing, About::Letter)),
            false if self.for_others.contains(&name) => Ok(About::Others),
            false => Err(Untellable::Unknown),
        }
    }

    /// Sends a letter that is claimed. A refusal gives the claim back; whatever else happens leaves it there.
    async fn tell(
        &self,
        letter: &Letter,
        digest: RunDigest,
        message: &Message,
        deadline: Deadline,
    ) -> Outcome {
        let sending = deadline.earlier(AFTER_A_REFUSAL);
        let claim = match self.claims.claim(digest, message, sending).await {
            Ok(Claimed::Ours(claim)) => claim,
            Ok(Claimed::SentBefore) => return Outcome::SentBefore,
            Ok(Claimed::UnderWay) => {
                return self.put_back("it may be under way".into(), message, deadline).await;
            }
            Ok(Claimed::TooOften) => {
                return Outcome::NotAgain("it may have been sent as often as it may be".into());
            }
            Err(unclaimed) => {
                let reason = unclaimed.to_string();
                return self.refused(&unclaimed.claim, reason, message, deadline).await;
            }
        };
        match self.send(letter, sending).await {
            Ok(()) => {
                self.claims.note_sent(&claim, deadline).await;
                Outcome::Sent
            }
            Err(Unsent::Refused(reason)) => self.refused(&claim, reason, message, deadline).await,
            Err(Unsent::Unknown(reason)) if claim.is_last => Outcome::NotAgain(reason),
            Err(Unsent::Unknown(reason)) => Outcome::Again(reason),
        }
    }

    /// Nothing was sent on a claim: it is given back, and the notice put back.
    async fn refused(&self, claim: &Claim, reason: String, message: &Message, deadline: Deadline) -> Outcome {
        self.claims.give_back(claim, deadline.earlier(deadline.remaining() / 2)).await;
        self.put_back(reason, message, deadline).await
    }

    /// Puts a notice back. When that cannot be done, or was done often enough, the message is delivered again, and kept as a
    /// dead letter at last.
    async fn put_back(&self, reason: String, message: &Message, deadline: Deadline) -> Outcome {
        match self.own_queue.put_back(message, deadline).await {
            Ok(()) => Outcome::PutBack(reason),
            Err(why) => Outcome::Again(format!("{reason}; {why}")),
        }
    }

    /// Sends a letter. Errors are codes only: messages quote addresses.
    async fn send(&self, letter: &Letter, deadline: Deadline) -> Result<(), Unsent> {
        match channel_of(letter) {
            (_, Some(phone)) => {
                let request = self.sns.publish().phone_number(phone).message(&letter.body);
                let published = aws::ask_once(deadline, || request.clone().send()).await?;
                published.map(drop).map_err(Unsent::Refused)
            }
            (_, None) => {
                let email = email(letter).map_err(|error| Unsent::Refused(error.to_string()))?;
                let to = Destination::builder().to_addresses(&letter.to.email).build();
                let request =
                    self.ses.send_email().from_email_address(&self.from).destination(to).content(email);
                let mailed = aws::ask_once(deadline, || request.clone().send()).await?;
                mailed.map(drop).map_err(Unsent::Refused)
            }
        }
    }
}

/// The verdict on a notice, and its line in the log.
fn conclude(
    outcome: Outcome,
    notice: &NoticeMessage,
    channel: Option<&str>,
    message: &Message,
    duration_ms: f64,
) -> Verdict {
    let NoticeMessage { notice, saga, id, .. } = notice;
    let (saga, saga_id) = (saga.as_str(), id.as_str());
    /// One log line with the members that every line about a notice has.
    macro_rules! line {
        ($level:ident, $text:literal, $outcome:literal, $reason:expr) => {
            tracing::$level!(
                notice,
                saga,
                saga_id,
                channel,
                outcome = $outcome,
                reason = $reason,
                duration_ms,
                receive_count = message.receive_count,
                message_id = message.id.as_str(),
                $text
            )
        };
    }
    match outcome {
        Outcome::ForOthers => line!(info, "left to others", "for_others", None::<&str>),
        Outcome::NothingToTell => line!(info, "notice told", "nothing_to_tell", None::<&str>),
        Outcome::SentBefore => line!(info, "notice told before", "sent_before", None::<&str>),
        Outcome::Sent => line!(info, "notice told", "sent", None::<&str>),
        Outcome::PutBack(reason) => {
            line!(warn, "put back: it was not sent, and comes again", "put_back", reason);
        }
        Outcome::NotAgain(reason) => {
            line!(error, "not sent again: it may have been told", "unknown", reason);
        }
        Outcome::Again(reason) => {
            line!(warn, "delivered again", "retry", reason.as_str());
            return Verdict::deliver_again(reason);
        }
    }
    Verdict::Acknowledge
}

/// How to reach the customer: the channel's name, and the number for an SMS.
fn channel_of(letter: &Letter) -> (&'static str, Option<&str>) {
    match (letter.to.prefers, &letter.to.phone) {
        (Channel::Sms, Some(phone)) => ("sms", Some(phone)),
        (Channel::Sms | Channel::Email, _) => ("email", None),
    }
}

fn email(letter: &Letter) -> Result<EmailContent, BuildError> {
    let text = |data: &str| Content::builder().data(data).charset("UTF-8").build();
    let body = Body::builder().text(text(&letter.body)?).build();
    let email = Email::builder().subject(text(&letter.subject)?).body(body).build();
    Ok(EmailContent::builder().simple(email).build())
}

#[cfg(test)]
mod tests;
