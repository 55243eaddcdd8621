//! Claims: before a letter is sent, that it may be sent now is written down, and taken back when it was refused for sure.
//! So it is known how often it may have been sent, whatever became of those who sent it.
//!
//! A letter is known by the digest of its notice. Thus a notice that is published again, and what was put back as a new
//! message, is the same letter.

use aws_sdk_dynamodb::{
    Client,
    types::{AttributeValue, ReturnValue},
};
use saga::RunDigest;
use saga_lambda::{Deadline, Error, Message, Repeatable, Variables, aws};
use sagas::{
    claims_table::{EXPIRES_AT, LETTER, SENDINGS},
    environment::{CLAIM_TTL_SECONDS, CLAIMS_TABLE},
};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How often a letter is sent at most while it is not known whether it was: once, and once more.
const MOST_SENT: usize = 2;

/// The code with which DynamoDB refuses a write whose condition does not hold.
const CONDITION_FAILED: &str = "ConditionalCheckFailedException";

/// The table of claims.
#[derive(Debug)]
pub(crate) struct Claims {
    client: Client,
    table: String,
    ttl: Duration,
}

/// One sending of a letter, which may be carried out once.
#[derive(Debug)]
pub(crate) struct Claim {
    letter: String,
    sending: String,
    /// Nobody may send the letter again, unless this claim is given back.
    pub(crate) is_last: bool,
}

/// It is not known whether it is claimed. Nothing may be sent on it, and it is to be given back.
#[derive(Debug, thiserror::Error)]
#[error("the table of claims: {why}")]
pub(crate) struct Unclaimed {
    pub(crate) claim: Claim,
    why: String,
}

impl Claims {
    /// The table that the stack says.
    pub(crate) fn from_variables(client: Client, variables: &Variables) -> Result<Self, Error> {
        let seconds = variables.parsed(CLAIM_TTL_SECONDS, "a whole number of seconds")?;
        let table = variables.text(CLAIMS_TABLE)?.into();
        Ok(Self { client, table, ttl: Duration::from_secs(seconds) })
    }

    /// Claims a sending of a letter for this delivery of its notice. `None`: the letter may have been sent as often as it
    /// may be.
    ///
    /// A set, because what is added to it twice is in it once: the call can be repeated. `size` of a set is the number of
    /// its members:
    /// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html>
    pub(crate) async fn claim(
        &self,
        notice: RunDigest,
        message: &Message,
        deadline: Deadline,
    ) -> Result<Option<Claim>, Unclaimed> {
        let letter = String::from(notice);
        // The count is approximate, so two deliveries can have the same.
        let sending = format!("{}.{}.{:x}", message.id, message.receive_count, fastrand::u64(..));
        let expires_at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default() + self.ttl;
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .key(LETTER, AttributeValue::S(letter.clone()))
            .update_expression("SET #expires_at = :expires_at ADD #sendings :added")
            .condition_expression(
                "attribute_not_exists(#sendings) OR size(#sendings) < :most OR contains(#sendings, :sending)",
            )
            .expression_attribute_names("#expires_at", EXPIRES_AT)
            .expression_attribute_names("#sendings", SENDINGS)
            .expression_attribute_values(":expires_at", AttributeValue::N(expires_at.as_secs().to_string()))
            .expression_attribute_values(":added", AttributeValue::Ss(vec![sending.clone()]))
            .expression_attribute_values(":most", AttributeValue::N(MOST_SENT.to_string()))
            .expression_attribute_values(":sending", AttributeValue::S(sending.clone()))
            .return_values(ReturnValue::AllNew);
        match aws::ask(deadline, Repeatable(|| request.clone().send())).await {
            Ok(claimed) => {
                let attributes = claimed.attributes.unwrap_or_default();
                let sendings = attributes.get(SENDINGS).and_then(|sendings| sendings.as_ss().ok());
                // An answer that does not say how many there are is taken for the worst.
                let is_last = sendings.is_none_or(|sendings| sendings.len() >= MOST_SENT);
                Ok(Some(Claim { letter, sending, is_last }))
            }
            Err(code) if code == CONDITION_FAILED => Ok(None),
            Err(why) => Err(Unclaimed { claim: Claim { letter, sending, is_last: false }, why }),
        }
    }

    /// Takes a claim back on which the letter was not sent. One that cannot be taken back counts as sent.
    pub(crate) async fn give_back(&self, claim: &Claim, deadline: Deadline) {
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .key(LETTER, AttributeValue::S(claim.letter.clone()))
            .update_expression("DELETE #sendings :taken")
            .condition_expression("contains(#sendings, :sending)")
            .expression_attribute_names("#sendings", SENDINGS)
            .expression_attribute_values(":taken", AttributeValue::Ss(vec![claim.sending.clone()]))
            .expression_attribute_values(":sending", AttributeValue::S(claim.sending.clone()));
        match aws::ask(deadline, Repeatable(|| request.clone().send())).await {
            Ok(_) => {}
            // It is not there, or not any more.
            Err(code) if code == CONDITION_FAILED => {}
            Err(reason) => tracing::warn!(reason, "a claim cannot be given back: the letter counts as sent"),
        }
    }
}
