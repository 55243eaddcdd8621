//! A dead execution is always settled, and once.

use super::{found, found_in};
use crate::{
    edges::{Edge, Edged, Haste, Hasty},
    machines::{cancel, cancel_with, order, order_with},
};
use checks::{Bank, Scenario, customer, handlers, order_check, place_order};
use orders::Orders;
use saga::{Entity, Settling};
use saga_check::{Check, Handlers, check_machine};
use sagas::{
    cancel::CancelOrder,
    entities::{Order, OrderStatus},
};
use serde_json::{Value as Json, json};

fn hasty(haste: Haste) -> Handlers {
    handlers(Bank::FORGETS).rescue_on(Hasty::with(haste))
}

/// Undoes of orders fail as often as they are tried, so that sagas park without a fault, and for good.
fn parks(machine: &str, haste: Option<Haste>) -> Check {
    let mut handlers = handlers(Bank::FORGETS).service_on(|_| Orders, Edged::with(Edge::UndoNeverWritten));
    if let Some(haste) = haste {
        handlers = handlers.rescue_on(Hasty::with(haste));
    }
    order_check(Scenario::of_orders(1), handlers, machine, &cancel()).need_not_heal()
}

fn found_parked(machine: &str) -> String {
    found_in(|| parks(machine, None), 2)
}

/// Every record says how often its execution was redriven, or none does.
fn records_tell_redrives(states: &mut Json, tell: bool) {
    let redrives = json!({ "N": "{% $string($states.context.Execution.RedriveCount) %}" });
    for (_, state) in
        states.as_object_mut().expect("states").iter_mut().filter(|(name, _)| name.starts_with("park "))
    {
        let item = state["Arguments"]["Item"].as_object_mut().expect("an item");
        if tell {
            item.insert("redrives".into(), redrives.clone());
        } else {
            item.remove("redrives");
        }
    }
}

#[test]
fn rescue_that_believes_what_describe_said_some_time_ago() {
    insta::assert_snapshot!(found(Scenario::of_orders(1), &hasty(Haste::RunningIsBelieved), &order()));
}

#[test]
fn sweep_that_does_not_see_the_dead() {
    insta::assert_snapshot!(found(Scenario::of_orders(1), &hasty(Haste::SweepIsBlind), &order()));
}

#[test]
fn settling_name_that_a_customer_has_taken() {
    let arn = "arn:aws:states:us-east-1:000000000000:execution:m0:o-1";
    let name = Settling::execution_name(&"o-1".parse().unwrap(), arn).replace('.', "-");
    let check = || {
        let handlers = hasty(Haste::NameIsBelieved);
        let scenario = Scenario { stock: 2, ..Scenario::of_orders(1) };
        order_check(scenario, handlers, &order(), &cancel()).start(&name, &place_order(&name))
    };
    insta::assert_snapshot!(found_in(check, 2));
}

#[test]
fn sweep_that_takes_away_nothing_that_is_parked() {
    insta::assert_snapshot!(found_in(|| parks(&order(), Some(Haste::SweepLeavesRecords)), 2));
}

#[test]
fn two_executions_that_park_under_one_key() {
    let machine = order_with(|states| {
        records_tell_redrives(states, true);
        states["park undo"]["Arguments"]["Item"]["what"]["S"] = json!("undo order");
        states["unpark undo"]["Arguments"]["Key"]["what"]["S"] = json!("undo order");
    });
    insta::assert_snapshot!(found_parked(&machine));
}

#[test]
fn record_of_a_redriven_execution_that_is_taken_for_one_of_the_dead() {
    let machine = order_with(|states| records_tell_redrives(states, false));
    insta::assert_snapshot!(found_parked(&machine));
}

/// A customer cancels an order, and nothing else happens.
fn cancels(machine: &str) -> Check {
    let input = CancelOrder { order_id: "o-1".into(), customer: customer() };
    let row = <Order as Entity>::row("o-1")
        .with(Order::STATUS, OrderStatus::Pending)
        .with(Order::CUSTOMER_ID, customer().id);
    check_machine("cancel-order", machine, handlers(Bank::FORGETS)).start("o-1", &input).put(row)
}

#[test]
fn fences_that_expire_do_not_turn_a_saga_back() {
    let machine = cancel_with(|states| records_tell_redrives(states, true));
    let report = cancels(&machine).faults(4).run().expect("the check is set up right");
    report.assert_holds();
    let expired = |covered: &saga_check::Covered| covered.faults.contains_key("expired");
    assert!(report.coverage.iter().any(expired), "{report}");
}

#[test]
fn absent_fence_that_decides_when_it_is_asked_again() {
    let machine = cancel_with(|states| {
        let ask = &mut states["rescue cancel-pending-order"]["Arguments"]["MessageBody"];
        ask["if_absent"] = json!("decide");
    });
    insta::assert_snapshot!(found_in(|| cancels(&machine), 3));
}

#[test]
fn pivot_that_is_guessed_when_its_execution_has_died() {
    let machine = order_with(|states| {
        states["rescued?"]["Choices"][0]["Condition"] = json!("{% false %}");
    });
    insta::assert_snapshot!(found(Scenario::of_orders(1), &handlers(Bank::FORGETS), &machine));
}

#[test]
fn notice_that_is_left_out() {
    let machine = order_with(|states| states["rescued?"]["Choices"][0]["Next"] = json!("committed"));
    insta::assert_snapshot!(found(Scenario::of_orders(1), &handlers(Bank::FORGETS), &machine));
}

#[test]
fn notice_that_comes_before_its_end() {
    let machine = order_with(|states| {
        // Whoever is parked has been told already.
        states["all undone?"]["Choices"][0]["Next"] = json!("publish early");
        states["publish early"] = states["publish OrderRejected"].clone();
        states["publish early"]["Next"] = json!("park undo");
        states["publish early"]["Catch"][0]["Next"] = json!("park undo");
    });
    insta::assert_snapshot!(found(Scenario::of_orders(1), &handlers(Bank::FORGETS), &machine));
}

#[test]
fn settling_execution_that_dies_whenever_it_begins() {
    let machine = order_with(|states| {
        states["settling?"]["Choices"][0]["Next"] = json!("give up");
        states["give up"] = json!({ "Type": "Fail", "Error": "GaveUp", "Cause": "no reason" });
    });
    insta::assert_snapshot!(found(Scenario::of_orders(1), &handlers(Bank::FORGETS), &machine));
}
