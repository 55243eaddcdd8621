//! Everything that the deployment has, asked for with somebody's credentials, without changing anything.
//!
//! Each question is put so that it is refused for another reason where it is allowed: by a condition that does not hold,
//! or by a parameter out of bounds. Permissions are looked at first.

use crate::world::World;
use anyhow::{Context, Result, bail};
use aws_sdk_dynamodb::types::{AttributeValue, ConditionCheck, TransactWriteItem};
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use std::{
    collections::{BTreeSet, HashMap},
    io::Write,
};
use system::Clients;

/// A key, execution or stream that nobody has.
const NOBODY: &str = "nobody-probes";

/// What these clients are not denied, in words.
pub(crate) async fn allowed(world: &World, clients: &Clients) -> Result<BTreeSet<String>> {
    let mut asked = Vec::new();
    for (table, name) in named(world, "TableName", "Table") {
        asked.extend(of_table(world, clients, &table, name).await?);
    }
    for (queue, url) in named(world, "QueueUrl", "Queue") {
        asked.extend(of_queue(clients, &queue, url).await?);
    }
    let text = clients.sns.publish().phone_number("+4900").message("").send().await;
    asked.push(("text somebody".to_owned(), outcome(text)?));
    for saga in sagas::all() {
        let machine = world.system.output(&stacks::outputs::state_machine_arn(saga.name));
        asked.extend(of_machine(clients, saga.name, machine).await?);
    }
    let answered = clients.sfn.send_task_success().task_token(NOBODY).output("{}").send().await;
    asked.push(("answer a task".to_owned(), outcome(answered)?));
    Ok(asked.into_iter().filter(|(_, outcome)| !is_denied(outcome)).map(|(what, _)| what).collect())
}

/// `ok`, or the code of the error with which a service refused.
pub(crate) fn outcome<T, E, R>(result: Result<T, SdkError<E, R>>) -> Result<String>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    match result {
        Ok(_) => Ok("ok".to_owned()),
        Err(SdkError::ServiceError(refused)) => {
            let code = refused.err().code().map(ToOwned::to_owned);
            code.with_context(|| format!("a refusal without a code: {:?}", refused.err()))
        }
        Err(error) => bail!("no answer: {error:?}"),
    }
}

/// Whether a code says that a permission is missing.
pub(crate) fn is_denied(code: &str) -> bool {
    ["AccessDenied", "AccessDeniedException", "AuthorizationError", "AuthorizationErrorException"]
        .contains(&code)
}

/// Says loudly that something was not tested, and why.
pub(crate) fn skip(why: &str) {
    // Without standard error there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "SKIPPED: {why}");
}

/// The outputs that end like this, by what they are of.
fn named<'w>(world: &'w World, suffix: &str, kind: &str) -> Vec<(String, &'w str)> {
    let outputs = world.system.outputs().iter();
    let of = outputs.filter_map(|(name, value)| Some((name.strip_suffix(suffix)?, value.as_str())));
    of.map(|(name, value)| (format!("{name}{kind}"), value)).collect()
}

type Asked = Vec<(String, String)>;

async fn of_table(world: &World, clients: &Clients, table: &str, name: &str) -> Result<Asked> {
    // Whoever looks on may read the key's name; whom it is about may not.
    let described = world.system.clients().dynamodb.describe_table().table_name(name).send().await?;
    let schema = described.table.and_then(|table| table.key_schema).context("a table has a key")?;
    let key: HashMap<_, _> =
        schema.iter().map(|key| (key.attribute_name.clone(), AttributeValue::S(NOBODY.to_owned()))).collect();
    let first = schema.first().context("a key has a part")?.attribute_name.as_str();
    let exists = format!("attribute_exists({first})");
    let db = &clients.dynamodb;
    let key = || Some(key.clone());
    let check = ConditionCheck::builder().table_name(name).set_key(key()).condition_expression(&exists);
    let check = TransactWriteItem::builder().condition_check(check.build()?).build();
    let put = db.put_item().table_name(name).set_item(key()).condition_expression(&exists).send();
    let update = db.update_item().table_name(name).set_key(key()).condition_expression(&exists).send();
    let delete = db.delete_item().table_name(name).set_key(key()).condition_expression(&exists).send();
    let query = db.query().table_name(name).key_condition_expression("#k = :k");
    let query = query
        .expression_attribute_names("#k", first)
        .expression_attribute_values(":k", AttributeValue::S(NOBODY.to_owned()));
    let checked = db.transact_write_items().transact_items(check).send();
    let outcomes = [
        ("get", outcome(db.get_item().table_name(name).set_key(key()).send().await)?),
        ("query", outcome(query.send().await)?),
        ("scan", outcome(db.scan().table_name(name).limit(1).send().await)?),
        ("put", outcome(put.await)?),
        ("update", outcome(update.await)?),
        ("delete", outcome(delete.await)?),
        ("check", outcome(checked.await)?),
    ];
    Ok(outcomes.map(|(what, outcome)| (format!("{what} {table}"), outcome)).into())
}

async fn of_queue(clients: &Clients, queue: &str, url: &str) -> Result<Asked> {
    let sqs = &clients.sqs;
    // A character that no message may have: where it is allowed to send, nothing is sent.
    let send = sqs.send_message().queue_url(url).message_body("probe\u{1}").send();
    let receive = sqs.receive_message().queue_url(url).max_number_of_messages(1_000).send();
    let delete = sqs.delete_message().queue_url(url).receipt_handle(NOBODY).send();
    let hide = sqs.change_message_visibility().queue_url(url).receipt_handle(NOBODY).visibility_timeout(1);
    let outcomes = [
        ("send to", outcome(send.await)?),
        ("receive from", outcome(receive.await)?),
        ("delete from", outcome(delete.await)?),
        ("hide in", outcome(hide.send().await)?),
    ];
    Ok(outcomes.map(|(what, outcome)| (format!("{what} {queue}"), outcome)).into())
}

async fn of_machine(clients: &Clients, saga: &str, machine: &str) -> Result<Asked> {
    let execution = format!("{}:{NOBODY}", machine.replace(":stateMachine:", ":execution:"));
    let sfn = &clients.sfn;
    let start = sfn.start_execution().state_machine_arn(machine).name("not a name").input("{}").send();
    let outcomes = [
        ("start", outcome(start.await)?),
        ("list executions of", outcome(sfn.list_executions().state_machine_arn(machine).send().await)?),
        (
            "describe an execution of",
            outcome(sfn.describe_execution().execution_arn(&execution).send().await)?,
        ),
        ("stop an execution of", outcome(sfn.stop_execution().execution_arn(&execution).send().await)?),
    ];
    Ok(outcomes.map(|(what, outcome)| (format!("{what} {saga}"), outcome)).into())
}
