//! Claims: before a letter is sent, that it may be sent now is written down; after it, that it was, or the claim is taken back
//! when it was refused for sure. So it is known whether it was sent and how often it may have been, whatever became of those
//! who sent it; and two who have its notice at the same time do not both send it.
//!
//! A letter is known by the digest of its notice. Thus a notice that is published again, and what was put back as a new
//! message, is the same letter.

use aws_sdk_dynamodb::{
    Client,
    error::SdkError,
    operation::update_item::{UpdateItemError, builders::UpdateItemFluentBuilder},
    types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure},
};
use saga::RunDigest;
use saga_lambda::{
    Deadline, Error, Message, Repeatable, Tried, Variables,
    aws::{self, Failure},
    persist,
};
use sagas::{
    claims_table::{EXPIRES_AT, LETTER, SENDINGS, SENT, UNDER_WAY_UNTIL_MS},
    environment::{CLAIM_TTL_SECONDS, CLAIMS_TABLE},
};
use std::{
    collections::HashMap,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

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

/// What came of claiming a sending.
#[derive(Debug)]
pub(crate) enum Claimed {
    /// It may be carried out.
    Ours(Claim),
    /// The letter was sent.
    SentBefore,
    /// Somebody else may be sending it at this moment.
    UnderWay,
    /// It may have been sent as often as it may be.
    TooOften,
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

    /// Claims a sending of a letter for this delivery of its notice, to be carried out until then.
    ///
    /// A set, because what is added to it twice is in it once: the call can be repeated. `size` of a set is the number of
    /// its members:
    /// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html>
    pub(crate) async fn claim(
        &self,
        notice: RunDigest,
        message: &Message,
        until: Deadline,
    ) -> Result<Claimed, Unclaimed> {
        let letter = String::from(notice);
        // The count is approximate, so two deliveries can have the same.
        let sending = format!("{}.{}.{:x}", message.id, message.receive_count, fastrand::u64(..));
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let number = |number: u128| AttributeValue::N(number.to_string());
        let request = self
            .update(&letter)
            .update_expression("SET #expires_at = :expires_at, #until = :until ADD #sendings :added")
            .condition_expression(
                "attribute_not_exists(#sent) AND (contains(#sendings, :sending) OR \
                 (attribute_not_exists(#until) OR #until < :now) AND \
                 (attribute_not_exists(#sendings) OR size(#sendings) < :most))",
            )
            .expression_attribute_names("#expires_at", EXPIRES_AT)
            .expression_attribute_names("#until", UNDER_WAY_UNTIL_MS)
            .expression_attribute_names("#sendings", SENDINGS)
            .expression_attribute_names("#sent", SENT)
            .expression_attribute_values(":expires_at", number((now + self.ttl).as_secs().into()))
            .expression_attribute_values(":until", number((now + until.remaining()).as_millis()))
            .expression_attribute_values(":now", number(now.as_millis()))
            .expression_attribute_values(":added", AttributeValue::Ss(vec![sending.clone()]))
            .expression_attribute_values(":most", AttributeValue::N(MOST_SENT.to_string()))
            .expression_attribute_values(":sending", AttributeValue::S(sending.clone()))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let claimed = persist(
            until,
            Repeatable(|| async {
                match request.clone().send().await {
                    Ok(claimed) => Tried::Answered(Ok(Ok(claimed.attributes.unwrap_or_default()))),
                    Err(error) => match standing(&error) {
                        Some(standing) => Tried::Answered(Ok(Err(standing))),
                        None => {
                            Failure::of(&error).tried(|failure| Err(failure.code.unwrap_or(failure.text)))
                        }
                    },
                }
            }),
        );
        match claimed.await.and_then(|answer| answer) {
            // An answer that does not say how many there are is taken for the worst.
            Ok(Ok(item)) => {
                let is_last = sendings(&item).is_none_or(|sendings| sendings >= MOST_SENT);
                Ok(Claimed::Ours(Claim { letter, sending, is_last }))
            }
            Ok(Err(item)) if item.contains_key(SENT) => Ok(Claimed::SentBefore),
            // One that is not told is taken for one that is under way: it is looked at again.
            Ok(Err(item)) if item.is_empty() || is_under_way(&item, now) => Ok(Claimed::UnderWay),
            Ok(Err(_)) => Ok(Claimed::TooOften),
            Err(why) => Err(Unclaimed { claim: Claim { letter, sending, is_last: false }, why }),
        }
    }

    /// Writes down that the letter was sent. When that is not known to be written, it may be sent once more.
    pub(crate) async fn note_sent(&self, claim: &Claim, deadline: Deadline) {
        let request = self
            .update(&claim.letter)
            .update_expression("SET #sent = :true")
            .expression_attribute_names("#sent", SENT)
            .expression_attribute_values(":true", AttributeValue::Bool(true));
        if let Err(reason) = aws::ask(deadline, Repeatable(|| request.clone().send())).await {
            tracing::warn!(reason, "it is not written down that a letter was sent: it may be sent again");
        }
    }

    /// Takes a claim back on which the letter was not sent. One that cannot be taken back counts as sent.
    pub(crate) async fn give_back(&self, claim: &Claim, deadline: Deadline) {
        let request = self
            .update(&claim.letter)
            .update_expression("DELETE #sendings :taken REMOVE #until")
            .condition_expression("contains(#sendings, :sending)")
            .expression_attribute_names("#sendings", SENDINGS)
            .expression_attribute_names("#until", UNDER_WAY_UNTIL_MS)
            .expression_attribute_values(":taken", AttributeValue::Ss(vec![claim.sending.clone()]))
            .expression_attribute_values(":sending", AttributeValue::S(claim.sending.clone()));
        match aws::ask(deadline, Repeatable(|| request.clone().send())).await {
            Ok(_) => {}
            // It is not there, or not any more.
            Err(code) if code == CONDITION_FAILED => {}
            Err(reason) => tracing::warn!(reason, "a claim cannot be given back: the letter counts as sent"),
        }
    }

    /// A write to the item of a letter.
    fn update(&self, letter: &str) -> UpdateItemFluentBuilder {
        let request = self.client.update_item().table_name(&self.table);
        request.key(LETTER, AttributeValue::S(letter.into()))
    }
}

type Item = HashMap<String, AttributeValue>;

/// The item whose state forbids a claim.
fn standing<R>(error: &SdkError<UpdateItemError, R>) -> Option<Item> {
    match error.as_service_error()? {
        UpdateItemError::ConditionalCheckFailedException(failed) => {
            Some(failed.item.clone().unwrap_or_default())
        }
        _ => None,
    }
}

fn sendings(item: &Item) -> Option<usize> {
    item.get(SENDINGS)?.as_ss().ok().map(Vec::len)
}

fn is_under_way(item: &Item, now: Duration) -> bool {
    let until_ms = item.get(UNDER_WAY_UNTIL_MS).and_then(|until| until.as_n().ok()?.parse().ok());
    until_ms.is_some_and(|until_ms: u128| until_ms >= now.as_millis())
}
