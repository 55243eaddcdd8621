//! An operator sees what happened and does what makes sense; neither tokens nor personal data are shown.

use crate::{
    cases::{Case, cases},
    endings::expect_compensated,
    world::World,
};
use anyhow::{Context, Result};
use infra_gen::ops::{
    Action, Answer, Attempt, ErrorKind, ListOptions, Operations, OpsError, SagaRow, SagaStory, State, Story,
    text,
};
use saga::RESCUED;
use sagas::{cancel, events::OrderPlaced};
use serde_json::json;
use system::eventually;

pub(crate) fn cases() -> Vec<Case> {
    let calm = cases!["operations":
        a_committed_order_is_found_page_by_page_and_its_story_told,
        the_story_of_a_rejected_order_has_its_undos,
        an_order_is_cancelled_for_its_customer_once,
        a_dead_letter_is_listed_with_its_reason_and_sent_back,
        a_refused_order_is_told_by_the_fields_that_are_wrong,
        what_makes_no_sense_is_refused,
    ];
    let incidents = cases!["operations" in Incidents:
        an_order_whose_execution_was_stopped_is_settled_by_hand,
    ];
    [calm, incidents].concat()
}

async fn a_committed_order_is_found_page_by_page_and_its_story_told(world: &World) -> Result<()> {
    let tea = world.product("told-tea", 2).await?;
    let order = world.draft("told").line(&tea, 2, 300).order();
    world.carry_out(&order).await?;
    let operations = world.system.operations().await?;
    let row = listed(&operations, &order, vec![State::Committed]).await?;
    assert_eq!((row.state, row.outcome.as_deref()), (State::Committed, Some("committed")), "{row:?}");
    assert!(row.started.is_some() && row.ended.is_some(), "{row:?}");

    let story = story(&operations, &order).await?;
    let expected = [
        "Run create-order 1 Done",
        "Run reserve-stock 1 Done",
        "Run charge-payment 1 Done",
        "Run confirm-order 1 Done",
        "Notice OrderConfirmed 1 Done",
    ];
    assert_eq!(timeline(only_saga(&story)?), expected);
    let fences: Vec<_> = story
        .fences
        .iter()
        .map(|fence| format!("{} {} {}", fence.participant, fence.step, fence.state))
        .collect();
    let expected = [
        "orders confirm-order done",
        "orders create-order done",
        "inventory reserve-stock done",
        "payment charge-payment done",
    ];
    assert_eq!(fences, expected);
    assert_eq!((story.parked.len(), story.decisions.len(), story.dead_letters.len()), (0, 0, 0), "{story:?}");
    Ok(())
}

async fn the_story_of_a_rejected_order_has_its_undos(world: &World) -> Result<()> {
    let tea = world.product("told-no-tea", 2).await?;
    let order = world.draft("told-no").line(&tea, 2, 300).pays_with("tok_decline").order();
    world.carry_out(&order).await?;
    let operations = world.system.operations().await?;
    let row = listed(&operations, &order, vec![State::Compensated, State::Parked]).await?;
    assert_eq!((row.state, row.error.as_deref()), (State::Compensated, Some("PaymentDeclined")), "{row:?}");
    let story = story(&operations, &order).await?;
    let expected = [
        "Run create-order 1 Done",
        "Run reserve-stock 1 Done",
        "Run charge-payment 1 Rejected PaymentDeclined",
        "Undo reserve-stock 1 Done",
        "Undo create-order 1 Done",
        "Notice OrderRejected 1 Done",
    ];
    assert_eq!(timeline(only_saga(&story)?), expected);
    Ok(())
}

async fn an_order_is_cancelled_for_its_customer_once(world: &World) -> Result<()> {
    let tea = world.product("recalled-tea", 3).await?;
    let order = world.draft("recalled").line(&tea, 3, 400).pays_in_a_while().order();
    world.place(&order).await?;
    world.gateway_is_called(&order).await?;
    let operations = world.system.operations().await?;
    let id = order.order_id.as_str();
    let row = listed(&operations, &order, vec![State::Running]).await?;
    assert_eq!((row.state, row.ended), (State::Running, None));
    operations.cancel(id).await?;
    let cancel = cancel::saga_id(id, &order.customer.id);
    let cancel = world.system.end_of("cancel-order", &cancel, world.soon()).await?;
    assert_eq!(cancel.outcome(), Some("committed"), "{cancel:?}");
    let error = operations.cancel(id).await.expect_err("it is cancelled");
    assert_eq!(error.kind(), ErrorKind::Refused, "{error}");

    let execution = world.end_within(&order, world.all_deliveries()).await?;
    expect_compensated(world, &order, &execution, "OrderCancelled").await?;
    world.mail(&order, &format!("Order {id} is cancelled")).await?;
    let error = operations.cancel(id).await.expect_err("it has ended").to_string();
    assert_eq!(error, format!("refused: order {id} is compensated: it has ended: too late to cancel"));
    let sagas: Vec<_> =
        story(&operations, &order).await?.sagas.into_iter().map(|saga| saga.row.saga).collect();
    assert_eq!(sagas, ["order", "cancel-order"]);
    Ok(())
}

async fn a_dead_letter_is_listed_with_its_reason_and_sent_back(world: &World) -> Result<()> {
    // A notice without what it is about: the function can never tell it.
    let id = world.id("untellable");
    let notice = json!({ "v": 1, "type": "OrderConfirmed", "saga": "order", "id": id, "input": {} });
    world.expect_dead(&id);
    world.system.send_to_participant("notification", &notice.to_string()).await?;
    let operations = world.system.operations().await?;
    let letter = eventually("the dead letter is listed", world.all_deliveries(), || async {
        let found = operations.dead_letters(Some("notification"), 100).await?;
        let letter = found.letters.iter().find(|letter| letter.id.as_deref() == Some(&id)).cloned();
        Ok(letter.ok_or_else(|| format!("{found:?}")))
    })
    .await?;
    assert_eq!((letter.saga.as_deref(), letter.event.as_deref()), (Some("order"), Some("OrderConfirmed")));
    let reason = letter.reason.clone().context("it has its reason")?;
    assert!(reason.contains("its `input.order` does not fit"), "{reason}");
    assert_eq!(letter.deliveries, Some(world.system.timing().max_receive_count().into()));
    let members = [("outcome", "malformed"), ("message_id", letter.logged_as.as_str())];
    world.log_lines("notification", &letter.logged_as, &members, 1).await?;
    // Looking leaves it where it is. Who else looks at this moment hides it.
    eventually("the dead letter is shown", world.soon(), || async {
        let shown = match operations.show(&id).await {
            Ok(story) => story.dead_letters,
            Err(error @ OpsError::NotFound(_)) => return Ok(Err(error.to_string())),
            Err(error) => return Err(error.into()),
        };
        Ok(if shown == std::slice::from_ref(&letter) { Ok(()) } else { Err(format!("{shown:?}")) })
    })
    .await?;

    let redriven = operations.redrive(Some("notification")).await?;
    assert_eq!(redriven.len(), 1, "{redriven:?}");
    assert!(redriven[0].messages >= 1 && redriven[0].queue == "notification", "{redriven:?}");
    // It is served again, and dies again.
    eventually("the letter comes back", world.all_deliveries(), || async {
        let found = operations.dead_letters(Some("notification"), 100).await?;
        let back = found
            .letters
            .iter()
            .any(|found| found.id.as_deref() == Some(&id) && found.logged_as != letter.logged_as);
        Ok(if back { Ok(()) } else { Err(format!("{found:?}")) })
    })
    .await
}

async fn a_refused_order_is_told_by_the_fields_that_are_wrong(world: &World) -> Result<()> {
    let mut order = world.draft("refused-told").line("", 0, 100).order();
    order.customer.email = format!("{}-nobody", order.order_id);
    world.place(&order).await?;
    let operations = world.system.operations().await?;
    let story = eventually("the refusal is told", world.soon(), || async {
        match operations.show(&order.order_id).await {
            Ok(story) => Ok(Ok(story)),
            Err(error @ OpsError::NotFound(_)) => Ok(Err(error.to_string())),
            Err(error) => Err(error.into()),
        }
    })
    .await?;
    expect_nothing_personal(&story, &order)?;
    let letter = story.dead_letters.first().context("it is a letter")?;
    assert_eq!(letter.queue, "refused-orders");
    let expected = "refused: customer.email, lines[0].sku, lines[0].quantity";
    assert_eq!(letter.reason.as_deref(), Some(expected));
    assert!(story.sagas.is_empty(), "{story:?}");
    Ok(())
}

async fn what_makes_no_sense_is_refused(world: &World) -> Result<()> {
    let tea = world.product("senseless-tea", 1).await?;
    let order = world.draft("senseless").line(&tea, 1, 100).order();
    world.carry_out(&order).await?;
    let operations = world.system.operations().await?;
    let (id, unknown) = (order.order_id.as_str(), world.id("never-heard-of"));
    let answer = |id: &str| Answer {
        id: id.to_owned(),
        action: Action::Retry,
        what: None,
        steps: Vec::new(),
        reason: "because".to_owned(),
        by: None,
    };
    let list = ListOptions { saga: Some("odyssey".to_owned()), ..ListOptions::default() };
    let errors = [
        (ErrorKind::Refused, operations.answer(&answer(id)).await.err()),
        (ErrorKind::NotFound, operations.answer(&answer(&unknown)).await.err()),
        (ErrorKind::Refused, operations.settle(id, None).await.err()),
        (ErrorKind::NotFound, operations.settle(&unknown, None).await.err()),
        (ErrorKind::Refused, operations.cancel(id).await.err()),
        (ErrorKind::NotFound, operations.cancel(&unknown).await.err()),
        (ErrorKind::NotFound, operations.show(&unknown).await.err()),
        (ErrorKind::Usage, operations.dead_letters(Some("odyssey"), 10).await.err()),
        (ErrorKind::Refused, operations.redrive(Some("refused-orders")).await.err()),
        (ErrorKind::Usage, operations.list(&list).await.err()),
    ];
    for (n, (kind, error)) in errors.into_iter().enumerate() {
        let error = error.with_context(|| format!("number {n} was done"))?;
        assert_eq!(error.kind(), kind, "number {n}: {error}");
    }
    Ok(())
}

async fn an_order_whose_execution_was_stopped_is_settled_by_hand(world: &World) -> Result<()> {
    let tea = world.product("by-hand-tea", 4).await?;
    let order = world.draft("by-hand").line(&tea, 3, 400).pays_with("tok_slow_2500").order();
    world.place(&order).await?;
    world.gateway_is_called(&order).await?;
    let operations = world.system.operations().await?;
    let id = order.order_id.as_str();
    let arn = world.system.stop_execution("order", id).await?;
    match operations.settle(id, None).await {
        Ok(settling) => assert_eq!((settling.dead.as_str(), settling.status.as_str()), (id, "ABORTED")),
        // The rescue function was faster.
        Err(error) => assert_eq!(error.kind(), ErrorKind::Refused, "{error}"),
    }
    let error = operations.settle(id, None).await.expect_err("it is settled");
    assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
    let settling = world.settled(&order, &arn).await?;
    expect_compensated(world, &order, &settling, RESCUED).await?;

    let row = listed(&operations, &order, vec![State::Settled]).await?;
    let seen = (row.state, row.outcome.as_deref(), row.error.as_deref(), row.settlements);
    assert_eq!(seen, (State::Settled, Some("compensated"), Some(RESCUED), 1));
    let story = story(&operations, &order).await?;
    let saga = only_saga(&story)?;
    let statuses: Vec<_> = saga.executions.iter().map(|execution| execution.status.as_str()).collect();
    assert_eq!(statuses, ["ABORTED", "SUCCEEDED"]);
    let told = timeline(saga);
    // Nobody waits for its answer, which may have come all the same, too late.
    assert!(told.iter().any(|attempt| attempt.starts_with("Run charge-payment 1 ")), "{told:?}");
    for expected in [
        "Settle confirm-order 1 Done",
        "Undo charge-payment 1 Done",
        "Undo reserve-stock 1 Done",
        "Undo create-order 1 Done",
    ] {
        assert!(told.contains(&expected.to_owned()), "{expected:?} is not in {told:?}");
    }
    Ok(())
}

/// The row of an order among the sagas in these states, however many pages it takes.
async fn listed(operations: &Operations, order: &OrderPlaced, states: Vec<State>) -> Result<SagaRow> {
    let mut options = ListOptions { states, saga: Some("order".to_owned()), limit: 5, next: None };
    loop {
        let page = operations.list(&options).await?;
        assert!(page.sagas.len() <= options.limit, "{page:?}");
        let wanted = page.sagas.iter().all(|row| options.states.contains(&row.state));
        assert!(wanted, "only sagas in these states: {page:?}");
        if let Some(row) = page.sagas.into_iter().find(|row| row.id == order.order_id) {
            return Ok(row);
        }
        options.next = Some(page.next.with_context(|| format!("{} is not listed", order.order_id))?);
    }
}

/// Everything about an order.
async fn story(operations: &Operations, order: &OrderPlaced) -> Result<Story> {
    let story = operations.show(&order.order_id).await?;
    expect_nothing_personal(&story, order)?;
    Ok(story)
}

/// Neither the data nor the table of a story has anything of the customer in it.
fn expect_nothing_personal(story: &Story, order: &OrderPlaced) -> Result<()> {
    for shown in [serde_json::to_string(story)?, text::story(story)] {
        for secret in [&order.customer.email, &order.customer.id, &order.payment_token] {
            assert!(!shown.contains(secret.as_str()), "{secret} is shown: {shown}");
        }
        assert!(!shown.contains("token"), "{shown}");
    }
    Ok(())
}

fn only_saga(story: &Story) -> Result<&SagaStory> {
    assert_eq!(story.sagas.len(), 1, "{story:?}");
    story.sagas.first().context("there is one")
}

fn timeline(saga: &SagaStory) -> Vec<String> {
    let told = |Attempt { kind, what, attempt, result, error, .. }: &Attempt| {
        let error = error.as_ref().map(|error| format!(" {error}")).unwrap_or_default();
        format!("{kind:?} {what} {attempt} {result:?}{error}")
    };
    saga.timeline.iter().map(told).collect()
}
