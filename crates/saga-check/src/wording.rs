//! Questions and answers in words.

use crate::process::{Answer, Ask};
use saga::{Refused, Reply, Transaction, fence::Recorded};
use saga_executions::Started;

pub(crate) fn asks(ask: &Ask) -> String {
    match ask {
        Ask::ReadFence(key) => format!("reads the fence of `{}`", key.step),
        Ask::ReadRow(key) => format!("reads {}/{}", key.entity, key.value),
        Ask::Apply(transaction) => applies(transaction),
        Ask::Outside(request) => format!("asks {request}"),
        Ask::Reply(reply) => replies(reply),
        Ask::Describe(arn) => format!("asks what became of {}", name_of(arn)),
        Ask::ListDead { death, .. } => format!("lists executions that are {}", death.as_str()),
        Ask::Start { name, .. } => format!("starts {name}"),
        Ask::RecordsOf(id) => format!("reads what is parked of {id}"),
        Ask::Forget(_, record) => format!("takes the record `{}` away", record.sort_key),
    }
}

fn name_of(arn: &str) -> &str {
    arn.rsplit(':').next().unwrap_or(arn)
}

pub(crate) fn applies(transaction: &Transaction) -> String {
    let Transaction { fence, next, writes, .. } = transaction;
    let items: Vec<String> =
        writes.iter().map(|write| format!("{}/{}", write.key.entity, write.key.value)).collect();
    let items = if items.is_empty() { "nothing else".to_owned() } else { items.join(", ") };
    format!("writes the fence of `{}` as {} and {items}", fence.step, next.state().as_str())
}

pub(crate) fn answered(answer: &Answer) -> String {
    match answer {
        Answer::Fence(Ok(fence)) => {
            format!(": {}", fence.as_ref().map_or("absent", state_of))
        }
        Answer::Row(Ok(row)) => if row.is_some() { ": it is there" } else { ": it is not there" }.into(),
        Answer::Applied(Ok(())) => String::new(),
        Answer::Applied(Err(Refused::Fence(fence))) => {
            format!(": refused, the fence is {}", fence.as_ref().map_or("absent", state_of))
        }
        Answer::Applied(Err(Refused::Guard { what, .. })) => format!(": refused, {what}"),
        Answer::Applied(Err(Refused::Unavailable(_))) | Answer::Fence(Err(_)) | Answer::Row(Err(_)) => {
            ": no answer".into()
        }
        Answer::Outside(Some(answer)) => format!(": {answer}"),
        Answer::Outside(None) => ": no answer".into(),
        Answer::Replied | Answer::Forgotten(Ok(())) | Answer::Started(Ok(Started::Now)) => String::new(),
        Answer::Described(Ok(Some(known))) => format!(": {}", known.status.as_str()),
        Answer::Described(Ok(None)) => ": not known".into(),
        Answer::Listed(Ok(page)) => format!(": {}", page.executions.len()),
        Answer::Started(Ok(Started::NameTaken)) => ": there has been one of this name".into(),
        Answer::Records(Ok(records)) => format!(": {}", records.len()),
        Answer::Described(Err(_))
        | Answer::Listed(Err(_))
        | Answer::Started(Err(_))
        | Answer::Records(Err(_))
        | Answer::Forgotten(Err(_)) => ": no answer".into(),
    }
}

fn state_of(recorded: &Recorded) -> &'static str {
    recorded.fence.state().as_str()
}

pub(crate) fn replies(reply: &Reply) -> String {
    match reply {
        Reply::Success(_) => "success".into(),
        Reply::Failure { error, .. } => error.clone(),
    }
}
