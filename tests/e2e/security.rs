//! With IAM enforced, each function can do what it needs, and nothing else.
//!
//! A test takes the role of a function and asks for everything there is: each table, queue, topic, state machine and log
//! group, the answering of tasks, and the sending of texts. What it is not denied must be exactly what is listed
//! here. Nothing changes by it: what is allowed is asked for in a way that is refused for another reason, such as a
//! condition that does not hold.
//!
//! **What the emulator cannot enforce**, and what stands in the template is asserted instead, in `stacks/tests/stacks`:
//!
//! | not enforced | asserted by |
//! | --- | --- |
//! | a task token of a foreign state machine: the emulator does not know whose it is | `permissions::participants_answer_the_state_machines_that_ask_them_only` |
//! | roles of state machines: it sends in the name of the account's root, and lets nobody take these roles | `permissions::state_machines_send_to_the_queues_of_their_own_steps_only`, `permissions::only_step_functions_for_this_saga_assumes_the_role_of_a_state_machine` |
//! | who sends to a participant's queue: the statement would refuse that root user, so it is left out of the deployment | `policies::participants_take_messages_from_the_state_machines_that_ask_them_only`; and below it is put on a queue of its own, with roles it does enforce |
//! | TLS: it speaks plain HTTP | `policies::each_queue_and_topic_denies_what_does_not_come_over_tls` |
//! | an identity of SES: it knows none | `permissions::nothing_is_on_everything_but_what_has_no_resource` |

use crate::{
    cases::{Case, cases},
    probes,
    world::World,
};
use anyhow::{Context, Result, bail, ensure};
use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::{Value as Json, json};
use stacks::{Stage, outputs};
use std::collections::BTreeSet;

pub(crate) fn cases() -> Vec<Case> {
    cases!["security":
        order_intake_can_do_what_it_needs_and_nothing_else,
        orders_can_do_what_it_needs_and_nothing_else,
        inventory_can_do_what_it_needs_and_nothing_else,
        payment_can_do_what_it_needs_and_nothing_else,
        notification_can_do_what_it_needs_and_nothing_else,
        reconciliation_can_do_what_it_needs_and_nothing_else,
        rescue_can_do_what_it_needs_and_nothing_else,
        every_function_is_tested_here,
        a_queue_with_the_policy_of_a_participant_refuses_other_senders,
    ]
}

/// The functions that are tested here.
const TESTED: [&str; 7] =
    ["order-intake", "orders", "inventory", "payment", "notification", "reconciliation", "rescue"];

async fn order_intake_can_do_what_it_needs_and_nothing_else(world: &World) -> Result<()> {
    let more =
        ["describe an execution of order", "send to RefusedOrdersQueue", "start cancel-order", "start order"];
    expect_allowed(world, "order-intake", consuming("OrderIntakeQueue").chain(owned(more))).await
}

async fn orders_can_do_what_it_needs_and_nothing_else(world: &World) -> Result<()> {
    expect_allowed(world, "orders", participating("OrdersQueue", ["OrdersTable", "OrdersFenceTable"])).await
}

async fn inventory_can_do_what_it_needs_and_nothing_else(world: &World) -> Result<()> {
    let tables = ["StockTable", "InventoryFenceTable"];
    expect_allowed(world, "inventory", participating("InventoryQueue", tables)).await
}

async fn payment_can_do_what_it_needs_and_nothing_else(world: &World) -> Result<()> {
    let tables = ["LedgerTable", "PaymentFenceTable"];
    expect_allowed(world, "payment", participating("PaymentQueue", tables)).await
}

/// Mails are asked for by the functional tests: they arrive, so they are allowed.
async fn notification_can_do_what_it_needs_and_nothing_else(world: &World) -> Result<()> {
    expect_allowed(world, "notification", consuming("NotificationQueue").chain(owned(["text somebody"])))
        .await
}

async fn reconciliation_can_do_what_it_needs_and_nothing_else(world: &World) -> Result<()> {
    let needs = [
        "check LedgerTable",
        "get PaymentFenceTable",
        "put PaymentFenceTable",
        "send to ReconciliationDeadLetterQueue",
    ];
    expect_allowed(world, "reconciliation", owned(needs)).await
}

async fn rescue_can_do_what_it_needs_and_nothing_else(world: &World) -> Result<()> {
    let more = [
        "delete ParkedTable",
        "describe an execution of cancel-order",
        "describe an execution of order",
        "query ParkedTable",
        "start cancel-order",
        "start order",
    ];
    expect_allowed(world, "rescue", consuming("RescueQueue").chain(owned(more))).await
}

async fn every_function_is_tested_here(_: &World) -> Result<()> {
    let app = stacks::synth(Stage::Dev)?;
    let functions: BTreeSet<_> = app.functions.iter().map(|function| function.name).collect();
    assert_eq!(functions, BTreeSet::from(TESTED));
    Ok(())
}

/// What a function needs that works off a queue.
fn consuming(queue: &str) -> impl Iterator<Item = String> {
    ["receive from", "delete from", "hide in"].map(|what| format!("{what} {queue}")).into_iter()
}

/// What a participant needs.
fn participating(queue: &str, tables: [&str; 2]) -> impl Iterator<Item = String> {
    let writes = tables
        .into_iter()
        .flat_map(|table| ["get", "put", "update", "delete", "check"].map(|what| format!("{what} {table}")));
    let writes: Vec<_> = writes.chain(["answer a task".to_owned()]).collect();
    consuming(queue).chain(writes)
}

fn owned<const N: usize>(needs: [&str; N]) -> impl Iterator<Item = String> {
    needs.map(str::to_owned).into_iter()
}

/// Asks for everything with the role of a function; what is allowed beside its own log must be exactly this.
async fn expect_allowed(world: &World, function: &str, expected: impl Iterator<Item = String>) -> Result<()> {
    if !enforced(world, function).await? {
        return Ok(());
    }
    let clients = world.system.clients_of(function).await?;
    let allowed = probes::allowed(world, &clients).await?;
    let own_log = format!("write the log of {function}");
    let expected: BTreeSet<_> = expected.chain([own_log]).collect();
    assert_eq!(allowed, expected, "what {function} may do");
    Ok(())
}

/// Whether there is anything to test. Our own emulator enforces IAM or the test fails; another may not.
async fn enforced(world: &World, function: &str) -> Result<bool> {
    let skip = |why: &str| probes::skip(&format!("security of {function}: {why}"));
    if !world.system.is_emulator() {
        skip("on AWS nobody but Lambda takes the role of a function");
        return Ok(false);
    }
    let clients = world.system.clients_of("notification").await?;
    let listed = clients.dynamodb.list_tables().send().await;
    if probes::is_denied(&probes::outcome(listed)?) {
        return Ok(true);
    }
    if world.system.log_file().is_some() {
        bail!("our own emulator does not enforce IAM: a function that may not list tables lists them");
    }
    skip("this endpoint does not enforce IAM");
    Ok(false)
}

/// The statement of the template on a queue of its own, with the roles of two functions: one in the place of the state
/// machine that asks, the other in that of anyone else. Both may send by a statement that is there only for this.
async fn a_queue_with_the_policy_of_a_participant_refuses_other_senders(world: &World) -> Result<()> {
    if !enforced(world, "participants' queues").await? {
        return Ok(());
    }
    let sqs = &world.system.clients().sqs;
    let created = sqs.create_queue().queue_name(world.id("senders")).send().await?;
    let url = created.queue_url.context("a queue has a URL")?;
    let tested = refuses_other_senders(world, &url).await;
    sqs.delete_queue().queue_url(&url).send().await?;
    tested
}

async fn refuses_other_senders(world: &World, url: &str) -> Result<()> {
    let sqs = &world.system.clients().sqs;
    let asked = sqs.get_queue_attributes().queue_url(url).attribute_names(QueueAttributeName::QueueArn);
    let attributes = asked.send().await?.attributes.context("a queue has attributes")?;
    let arn = attributes.get(&QueueAttributeName::QueueArn).context("a queue has an ARN")?;
    let asking = world.system.output(&outputs::role_arn("order-intake"));
    let everyone = json!({
        "Effect": "Allow", "Principal": { "AWS": "*" }, "Action": "sqs:SendMessage", "Resource": arn,
    });
    let deny = denied_senders(arn, asking)?;
    let send = async |function: &str| -> Result<String> {
        let clients = world.system.clients_of(function).await?;
        probes::outcome(clients.sqs.send_message().queue_url(url).message_body("order me").send().await)
    };
    for (statements, others) in [(vec![everyone.clone()], "ok"), (vec![everyone, deny], "denied")] {
        let policy = json!({ "Version": "2012-10-17", "Statement": statements }).to_string();
        let set = sqs.set_queue_attributes().queue_url(url);
        set.attributes(QueueAttributeName::Policy, policy).send().await?;
        assert_eq!(send("order-intake").await?, "ok", "who asks is heard");
        for function in ["orders", "inventory", "payment", "notification", "reconciliation"] {
            let outcome = send(function).await?;
            let outcome = if probes::is_denied(&outcome) { "denied" } else { &outcome };
            assert_eq!(outcome, others, "{function} sends");
        }
    }
    Ok(())
}

/// The statement that denies everyone but state machines to send to a participant, from the template: about another
/// queue, and with another role in the place of the state machines'.
fn denied_senders(queue_arn: &str, role_arn: &str) -> Result<Json> {
    let app = stacks::synth(Stage::Dev)?;
    let stack = app.stacks.iter().find(|stack| stack.id == "app").context("the stack app")?;
    let template: Json = serde_json::from_str(stack.template.to_json())?;
    let policy = &template["Resources"]["InventoryQueuePolicy"]["Properties"]["PolicyDocument"];
    let statements = policy["Statement"].as_array().context("statements")?;
    let statement = |json: &Json| json.get("Fn::If").map_or(json.clone(), |choice| choice[1].clone());
    let mut deny = statements
        .iter()
        .map(statement)
        .find(|statement| statement["Sid"] == "DenyOtherSenders")
        .context("no statement denies other senders")?;
    deny["Resource"] = json!(queue_arn);
    let roles = &mut deny["Condition"]["ArnNotEquals"]["aws:PrincipalArn"];
    ensure!(roles.to_string().contains("OrderStateMachineRole"), "the saga that asks is not in {roles}");
    *roles = json!([role_arn]);
    Ok(deny)
}
