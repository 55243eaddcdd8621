//! Puts a notice back whose letter was refused for sure, as a new message: so a refusal uses up no delivery, and can last
//! longer than all deliveries do.

use aws_sdk_sqs::{Client, types::MessageAttributeValue};
use saga::environment;
use saga_lambda::{Deadline, Error, Message, Variables, aws};
use sagas::environment::NOTIFICATION;

/// The attribute of a message that says how often its letter was refused before.
const REFUSALS: &str = "refusals";

/// How often a notice is put back before it is left to its deliveries and then to the dead-letter queue: for about an hour.
/// SES asks to wait for up to ten minutes when a quota is used up:
/// <https://docs.aws.amazon.com/ses/latest/dg/manage-sending-quotas-errors.html>
const MOST_PUT_BACK: u32 = 20;

/// The longest that a notice waits after the first refusal, in seconds; it doubles with each.
const FIRST_DELAY_SECONDS: i32 = 5;

/// The longest that it waits of all. SQS delays a message by 900 seconds at most.
const LONGEST_DELAY_SECONDS: i32 = 300;

/// The queue that notices come from.
#[derive(Debug)]
pub(crate) struct OwnQueue {
    client: Client,
    url: String,
}

/// It stays where it is.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotPutBack {
    /// It was put back as often as it may be.
    #[error("it was put back {0} times")]
    TooOften(u32),
    /// The queue did not take it, or did not say so.
    #[error("the queue of notices: {0}")]
    Refused(String),
}

impl OwnQueue {
    /// The queue that the stack says.
    pub(crate) fn from_variables(client: Client, variables: &Variables) -> Result<Self, Error> {
        Ok(Self { client, url: variables.text(&environment::queue(NOTIFICATION))?.into() })
    }

    /// Puts a notice back, to come again after a while.
    ///
    /// When SQS does not say that it took it, it may be there twice: then both have the same claims.
    pub(crate) async fn put_back(&self, message: &Message, deadline: Deadline) -> Result<(), NotPutBack> {
        let refusals = refusals(message);
        if refusals >= MOST_PUT_BACK {
            return Err(NotPutBack::TooOften(refusals));
        }
        let count =
            MessageAttributeValue::builder().data_type("Number").string_value((refusals + 1).to_string());
        let count = count.build().map_err(|error| NotPutBack::Refused(error.to_string()))?;
        let request = self.client.send_message().queue_url(&self.url).message_body(&message.body);
        let request = request.message_attributes(REFUSALS, count).delay_seconds(delay_seconds(refusals));
        aws::send(request, deadline).await.map_err(NotPutBack::Refused)
    }
}

/// How often the letter of a notice was refused before. Only this function sends the attribute.
fn refusals(message: &Message) -> u32 {
    message.attributes.get(REFUSALS).and_then(|count| count.parse().ok()).unwrap_or(0)
}

/// Exponential backoff with jitter: half of it at least, so that it does wait.
fn delay_seconds(refusals: u32) -> i32 {
    let longest = FIRST_DELAY_SECONDS.saturating_mul(2_i32.saturating_pow(refusals));
    let longest = longest.min(LONGEST_DELAY_SECONDS);
    fastrand::i32(longest / 2..=longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_borne_for_about_an_hour() {
        let most: i32 = (0..MOST_PUT_BACK).map(delay_seconds).sum();
        assert!((2_200..=4_600).contains(&most), "{most}");
        for refusals in [0, 5, 6, MOST_PUT_BACK, u32::MAX] {
            assert!((2..=LONGEST_DELAY_SECONDS).contains(&delay_seconds(refusals)), "{refusals}");
        }
    }
}
