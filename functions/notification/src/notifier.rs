//! One notice: told to its customer, and in one line of the log.

use crate::letter::{self, Letter};
use aws_sdk_sesv2::{
    error::BuildError,
    types::{Body, Content, Destination, EmailContent, Message as Email},
};
use aws_types::SdkConfig;
use saga::NoticeMessage;
use saga_lambda::{
    Deadline, Error, Message, Tried, Variables, Verdict, aws, aws::Failure, elapsed_ms, persist, redacted,
};
use sagas::{customer::Channel, environment::EMAIL_FROM};
use std::time::Instant;

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
        match sent {
            Ok(()) => {
                let outcome = if letter.is_some() { "sent" } else { "nothing_to_tell" };
                tracing::info!(
                    notice,
                    saga,
                    saga_id,
                    channel,
                    outcome,
                    duration_ms,
                    receive_count,
                    message_id,
                    "notice told"
                );
                Verdict::Acknowledge
            }
            Err(reason) => {
                let outcome = "retry";
                tracing::warn!(
                    notice,
                    saga,
                    saga_id,
                    channel,
                    outcome,
                    reason,
                    duration_ms,
                    receive_count,
                    message_id,
                    "delivered again"
                );
                Verdict::deliver_again(reason)
            }
        }
    }

    /// Sends a letter. Errors are codes only: messages quote addresses.
    async fn send(&self, letter: &Letter, deadline: Deadline) -> Result<(), String> {
        match channel_of(letter) {
            (_, Some(phone)) => {
                let request = self.sns.publish().phone_number(phone).message(&letter.body);
                let published = persist(deadline, || async {
                    request.clone().send().await.map_or_else(|error| unsent(Failure::of(&error)), |_| sent())
                });
                published.await.and_then(|answer| answer)
            }
            (_, None) => {
                let email = email(letter).map_err(|error| error.to_string())?;
                let to = Destination::builder().to_addresses(&letter.to.email).build();
                let request =
                    self.ses.send_email().from_email_address(&self.from).destination(to).content(email);
                let mailed = persist(deadline, || async {
                    request.clone().send().await.map_or_else(|error| unsent(Failure::of(&error)), |_| sent())
                });
                mailed.await.and_then(|answer| answer)
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

fn sent() -> Tried<Result<(), String>> {
    Tried::Answered(Ok(()))
}

fn unsent(failure: Failure) -> Tried<Result<(), String>> {
    let why = failure.code.unwrap_or(failure.text);
    if failure.is_transient { Tried::Again(why) } else { Tried::Answered(Err(why)) }
}

#[cfg(test)]
mod tests;
