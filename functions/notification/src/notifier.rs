//! One notice: told to its customer, and in one line of the log.

use crate::letter::{self, Letter};
use aws_sdk_sesv2::{
    error::BuildError,
    types::{Body, Content, Destination, EmailContent, Message as Email},
};
use aws_types::SdkConfig;
use saga::NoticeMessage;
use saga_lambda::{Deadline, Error, Message, Unanswered, Variables, Verdict, aws, elapsed_ms, redacted};
use sagas::{customer::Channel, environment::EMAIL_FROM};
use std::time::Instant;

/// How often a notice is sent at most when it is not known whether it was. Each delivery ends with the first such
/// sending, and the queue counts deliveries, so from this delivery on the sending is the last.
const MOST_SENT: u32 = 2;

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

/// Tells customers.
#[derive(Debug)]
pub struct Notifier {
    ses: aws_sdk_sesv2::Client,
    sns: aws_sdk_sns::Client,
    from: String,
}

impl Notifier {
    /// Sends as the stack says.
    ///
    /// # Errors
    /// When a variable is missing.
    pub fn from_variables(variables: &Variables) -> Result<Self, Error> {
        Self::new(&aws::config(variables)?, variables)
    }

    fn new(config: &SdkConfig, variables: &Variables) -> Result<Self, Error> {
        let (ses, sns) = (aws_sdk_sesv2::Client::new(config), aws_sdk_sns::Client::new(config));
        Ok(Self { ses, sns, from: variables.text(EMAIL_FROM)?.into() })
    }

    /// Handles one message. The log line has neither the customer nor the text in it.
    pub async fn handle(&self, message: &Message, deadline: Deadline) -> Verdict {
        let began = Instant::now();
        let (message_id, receive_count) = (message.id.as_str(), message.receive_count);
        let malformed = |reason: &str| {
            tracing::error!(
                outcome = "malformed",
                reason,
                receive_count,
                message_id,
                "left to the dead-letter queue"
            );
            Verdict::deliver_again(reason)
        };
        let notice: NoticeMessage = match serde_json::from_str(&message.body) {
            Ok(notice) => notice,
            Err(error) => return malformed(&format!("not a notice: {}", redacted(&error.to_string()))),
        };
        let letter = match letter::about(&notice) {
            Ok(letter) => letter,
            Err(untellable) => return malformed(&untellable.to_string()),
        };
        let channel = letter.as_ref().map(|letter| channel_of(letter).0);
        let sent = match &letter {
            Some(letter) => self.send(letter, deadline).await,
            None => Ok(()),
        };
        let NoticeMessage { notice, saga, id, .. } = &notice;
        let (saga, saga_id, duration_ms) = (saga.as_str(), id.as_str(), elapsed_ms(began));
        /// One log line with the members that every line about a notice has.
        macro_rules! line {
            ($level:ident, $text:literal, $outcome:expr, $reason:expr) => {
                tracing::$level!(
                    notice,
                    saga,
                    saga_id,
                    channel,
                    outcome = $outcome,
                    reason = $reason,
                    duration_ms,
                    receive_count,
                    message_id,
                    $text
                )
            };
        }
        match sent {
            Ok(()) => {
                let outcome = if letter.is_some() { "sent" } else { "nothing_to_tell" };
                line!(info, "notice told", outcome, None::<&str>);
                Verdict::Acknowledge
            }
            Err(Unsent::Unknown(reason)) if receive_count >= MOST_SENT => {
                line!(error, "not sent again: it may have been told", "unknown", reason);
                Verdict::Acknowledge
            }
            Err(Unsent::Refused(reason) | Unsent::Unknown(reason)) => {
                line!(warn, "delivered again", "retry", reason);
                Verdict::deliver_again(reason)
            }
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
