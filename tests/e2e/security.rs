//! With IAM enforced, each function can do what it needs, and nothing else.
//!
//! A test takes the role of a function and asks for everything there is: each table, queue and state machine, the
//! answering of tasks, and the sending of texts. What it is not denied must be exactly what is listed
//! here. Nothing changes by it: what is allowed is asked for in a way that is refused for another reason, such as a
//! condition that does not hold.
//!
//! **What the emulator cannot enforce**, and what stands in the template is asserted instead, in `stacks/tests/stacks`:
//!
//! | not enforced | asserted by |
//! | --- | --- |
//! | a task token of a foreign state machine: the emulator does not know whose it is | `permissions::participants_answer_the_state_machines_that_ask_them_only` |
//! | roles of state machines: it sends in the name of the account's root, and lets nobody take these roles | `permissions::state_machines_send_to_the_queues_of_their_own_steps_only`, `permissions::only_step_functions_for_this_saga_assumes_the_role_of_a_state_machine` |
//! | who sends to a participant's queue: the statement would refuse that root user, so it is left out of the deployment; on a queue of its own it would refuse every role, because `aws:PrincipalArn` is the ARN of the session here and not, as on AWS, that of the role | `policies::participants_take_messages_from_the_state_machines_that_ask_them_only` |
//! | who publishes on a topic: without the statements that demand TLS a topic has AWS's own policy, which admits the account | `policies::each_queue_and_topic_denies_what_does_not_come_over_tls` |
//! | whose log a function writes: it compares the ARN of a log group as AWS does not, and refuses everybody | `permissions::functions_write_their_own_log_and_read_their_own_queue_only` |
//! | TLS: it speaks plain HTTP | `policies::each_queue_and_topic_denies_what_does_not_come_over_tls` |
//! | an identity of SES: it knows none | `permissions::nothing_is_on_everything_but_what_has_no_resource` |

use crate::{
    cases::{Case, cases},
    probes,
    world::World,
};
use anyhow::{Result, bail};
use stacks::Stage;
use std::collections::BTreeSet;
use system::Peer;

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
    ]
}

/// The functions that are tested here.
const TESTED: [&str; 7] =
    ["order-intake", "orders", "inventory", "payment", "notification", "reconciliation", "rescue"];

async fn order_intake_can_do_what_it_needs_and_nothing_else(world: &World) -> Result<()> {
    let more = [
        "describe an execution of cancel-order",
        "describe an execution of order",
        "send to NotificationQueue",
        "send to OrderIntakeQueue",
        "send to RefusedOrdersQueue",
        "start cancel-order",
        "start order",
    ];
    expect_allowed(world, "order-intake", consuming("OrderIntakeQueue").chain(owned(more))).await
}

async fn orders_can_do_what_it_needs_and_nothing_else(world: &World) -> Result<()> {
    expect_allowed(world, "orders", participating("OrdersQueue", "OrdersTable", "OrdersFenceTable")).await
}

async fn inventory_can_do_what_it_needs_and_nothing_else(world: &World) -> Result<()> {
    let needs = participating("InventoryQueue", "StockTable", "InventoryFenceTable");
    expect_allowed(world, "inventory", needs).await
}

async fn payment_can_do_what_it_needs_and_nothing_else(world: &World) -> Result<()> {
    expect_allowed(world, "payment", participating("PaymentQueue", "LedgerTable", "PaymentFenceTable")).await
}

/// Mails are asked for by the functional tests: they arrive, so they are allowed.
async fn notification_can_do_what_it_needs_and_nothing_else(world: &World) -> Result<()> {
    let more = ["send to NotificationQueue", "text somebody", "update ClaimsTable"];
    expect_allowed(world, "notification", consuming("NotificationQueue").chain(owned(more))).await
}

async fn reconciliation_can_do_what_it_needs_and_nothing_else(world: &World) -> Result<()> {
    let needs = ["get PaymentFenceTable", "send to ReconciliationDeadLetterQueue"];
    expect_allowed(world, "reconciliation", owned(needs)).await
}

async fn rescue_can_do_what_it_needs_and_nothing_else(world: &World) -> Result<()> {
    let more = [
        "delete ParkedTable",
        "describe an execution of cancel-order",
        "describe an execution of order",
        "list executions of cancel-order",
        "list executions of order",
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

/// What a function needs that works off a queue, and keeps what it cannot handle with the reason.
fn consuming(queue: &str) -> impl Iterator<Item = String> {
    let letters = format!("send to {}DeadLetterQueue", queue.trim_end_matches("Queue"));
    ["receive from", "delete from", "hide in"]
        .map(|what| format!("{what} {queue}"))
        .into_iter()
        .chain([letters])
}

/// What a participant needs. A fence is put whole, and never deleted.
fn participating(queue: &str, table: &str, fences: &str) -> impl Iterator<Item = String> {
    let writes = ["get", "put", "update", "delete", "check"].map(|what| format!("{what} {table}"));
    let fences = ["get", "put"].map(|what| format!("{what} {fences}"));
    consuming(queue).chain(writes).chain(fences).chain(["answer a task".to_owned()])
}

fn owned<const N: usize>(needs: [&str; N]) -> impl Iterator<Item = String> {
    needs.map(str::to_owned).into_iter()
}

/// Asks for everything with the role of a function; what is allowed must be exactly this.
async fn expect_allowed(world: &World, function: &str, expected: impl Iterator<Item = String>) -> Result<()> {
    if !enforced(world, function).await? {
        return Ok(());
    }
    let clients = world.system.clients_of(function).await?;
    let allowed = probes::allowed(world, &clients).await?;
    let expected: BTreeSet<_> = expected.collect();
    assert_eq!(allowed, expected, "what {function} may do");
    Ok(())
}

/// Whether there is anything to test. Our own MiniStack enforces IAM or the test fails; others may not.
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
    if world.system.log_file().is_some() && world.system.peer() == Peer::MiniStack {
        bail!("our own emulator does not enforce IAM: a function that may not list tables lists them");
    }
    skip("this endpoint does not enforce IAM");
    Ok(false)
}
