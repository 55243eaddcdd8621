//! What is done when an execution is reported dead.

use super::world::{CANCELS, MACHINE, World, order, report, successor_of};
use crate::{
    Dead, Death, Execution, MAX_ATTEMPTS, Outcome, Report, Status, Unsettled, settle, settle_reported,
};
use futures::executor::block_on;
use serde_json::json;

/// What became of a report: whether the execution settles `before`, or nothing was to be done.
fn settled(world: &World, report: &Report) -> Result<Option<bool>, Unsettled> {
    Ok(match block_on(settle_reported(world, report))? {
        Outcome::Settling(settled) => Some(settled.before),
        Outcome::Alive => None,
    })
}

#[test]
fn a_dead_execution_is_settled_by_one_that_says_for_whom_it_acts() {
    let world = World::default();
    let dead = world.died(MACHINE, "o-1", order("o-1"), 100);
    assert_eq!(settled(&world, &report(&dead)), Ok(Some(false)));
    let successor = successor_of(&dead, Status::Running);
    assert_eq!(world.state().executions.get(&successor.arn), Some(&successor));
    assert!(successor.is_settling() && !dead.is_settling());
    let input = successor.start_input().unwrap();
    let (before, settling) = (dead.start_input().unwrap(), input.settle.unwrap());
    assert_eq!((input.id, input.run), (before.id, before.run));
    assert_eq!(
        (settling.execution.as_str(), settling.status.as_str(), settling.attempt),
        ("o-1", "FAILED", 1)
    );
}

#[test]
fn a_report_that_comes_twice_settles_once() {
    let world = World::default();
    let dead = world.died(MACHINE, "o-1", order("o-1"), 100);
    assert_eq!(settled(&world, &report(&dead)), Ok(Some(false)));
    assert_eq!(settled(&world, &report(&dead)), Ok(Some(true)));
    assert_eq!(world.state().executions.len(), 2);
}

#[test]
fn an_execution_that_is_said_to_run_although_nobody_redrove_it_is_not_taken_for_alive() {
    let world = World::default();
    let dead = world.died(MACHINE, "o-1", order("o-1"), 100);
    let was = Execution::new(MACHINE, "o-1", Status::Running, order("o-1"));
    world.state().stale.insert(dead.arn.clone(), [Some(was)].into());
    let why = settled(&world, &report(&dead)).unwrap_err();
    assert_eq!(why, Unsettled::NotYet { arn: dead.arn.clone() });
    assert!(why.is_passing() && world.started().is_empty());
    assert_eq!(settled(&world, &report(&dead)), Ok(Some(false)), "delivered again, it is");
}

#[test]
fn an_execution_that_was_redriven_or_ended_well_is_left_alone() {
    let world = World::default();
    let dead = world.died(MACHINE, "o-1", order("o-1"), 100);
    for (status, redrives) in [(Status::Running, 1), (Status::Succeeded, 0), (Status::Succeeded, 1)] {
        world.put(Execution { status, redrives, ..dead.clone() });
        assert_eq!(settled(&world, &report(&dead)), Ok(None), "{status:?} {redrives}");
    }
    // Redriven, and died again: of that death, too, Step Functions may not know yet.
    let redriven = world.put(Execution { status: Status::Running, redrives: 1, ..dead });
    assert!(matches!(settled(&world, &report(&redriven)), Err(Unsettled::NotYet { .. })));
    assert!(world.started().is_empty());
}

#[test]
fn an_execution_that_died_again_after_a_redrive_is_settled_by_the_same() {
    let world = World::default();
    let dead = world.died(MACHINE, "o-1", order("o-1"), 100);
    assert_eq!(settled(&world, &report(&dead)), Ok(Some(false)));
    let again = world.put(Execution { status: Status::Dead(Death::Aborted), redrives: 1, ..dead });
    world.park(&again, "undo order");
    assert_eq!(settled(&world, &report(&again)), Ok(Some(true)));
    assert_eq!(world.parked(), Vec::<String>::new());
}

#[test]
fn an_execution_that_is_not_known_is_asked_for_again() {
    let world = World::default();
    let dead = world.died(MACHINE, "o-1", order("o-1"), 100);
    world.state().stale.insert(dead.arn.clone(), [None].into());
    assert!(settled(&world, &report(&dead)).unwrap_err().is_passing());
    // It was started, and is not yet known.
    let successor = world.put(successor_of(&dead, Status::Running));
    world.state().stale.insert(successor.arn.clone(), [None].into());
    assert_eq!(settled(&world, &report(&dead)), Err(Unsettled::Unknown { arn: successor.arn }));
    assert_eq!(settled(&world, &report(&dead)), Ok(Some(true)));
}

#[test]
fn a_settling_execution_that_dies_is_settled_too_five_times() {
    let world = World::default();
    let mut dead = world.died(MACHINE, "o-1", order("o-1"), 100);
    for _ in 0..MAX_ATTEMPTS {
        assert_eq!(settled(&world, &report(&dead)), Ok(Some(false)));
        dead = world.put(successor_of(&dead, Status::Dead(Death::TimedOut)));
    }
    let too_often = Unsettled::TooOften { attempt: MAX_ATTEMPTS, allowed: MAX_ATTEMPTS };
    assert_eq!(settled(&world, &report(&dead)), Err(too_often.clone()));
    assert!(!too_often.is_passing());
    // A person may.
    let by_hand = block_on(settle(&world, Dead::of(&dead).unwrap().unwrap())).unwrap();
    assert!(!by_hand.before);
    assert_eq!(settled(&world, &report(&dead)), Ok(Some(true)), "and then it is settled");
}

#[test]
fn an_execution_that_has_the_name_of_the_settling_one_is_looked_at_before_it_is_believed() {
    let dead = World::default().died(MACHINE, "o-1", order("o-1"), 100);
    let ours = successor_of(&dead, Status::Running);
    let mut others = vec![("an order", order("o-1")), ("nothing", json!({}))];
    for (what, member, value) in [
        ("another saga", "/id", json!("o-2")),
        ("another run", "/run", json!("0".repeat(32))),
        ("another execution", "/settle/execution", json!("o-2")),
        ("another attempt", "/settle/attempt", json!(2)),
    ] {
        let mut input = ours.input.clone();
        *input.pointer_mut(member).unwrap() = value;
        others.push((what, input));
    }
    for (what, input) in others {
        let world = World::default();
        world.put(dead.clone());
        world.put(Execution { input, ..ours.clone() });
        let why = settled(&world, &report(&dead)).unwrap_err();
        let foreign = Unsettled::Foreign { name: ours.name.clone(), dead: "o-1".into() };
        assert_eq!(why, foreign, "{what}");
        assert!(!why.is_passing());
    }
}

#[test]
fn an_execution_that_only_says_that_it_settles_is_none_that_does() {
    let dead = World::default().died(MACHINE, "o-1", order("o-1"), 100);
    let ours = successor_of(&dead, Status::Running);
    let by_hand = Execution::new(MACHINE, "o-1-settle", Status::Running, ours.input);
    assert!(!by_hand.is_settling());
}

#[test]
fn records_of_the_dead_execution_are_taken_away_and_no_others() {
    let world = World::default();
    let dead = world.died(MACHINE, "o-1", order("o-1"), 100);
    let cancel = world.put(Execution::new(CANCELS, "o-1", Status::Running, order("o-1")));
    let successor = world.put(successor_of(&dead, Status::Running));
    world.park(&dead, "undo order");
    world.park(&dead, "settle confirm-order");
    world.park(&cancel, "settle cancel-pending-order");
    world.park(&successor, "undo order");
    assert_eq!(settled(&world, &report(&dead)), Ok(Some(true)));
    let kept = [
        format!("settle cancel-pending-order @ o-1 of {}", cancel.arn),
        format!("undo order @ {} of {}", successor.name, successor.arn),
    ];
    assert_eq!(world.parked(), kept);
}

/// Or a message of the redriven one that comes late could undo what its successor did.
#[test]
fn who_settles_for_an_execution_that_was_redriven_comes_after_it() {
    let world = World::default();
    let dead = world.died(MACHINE, "o-1", order("o-1"), 100);
    let turn = |redrives| {
        let dead = Dead::of(&Execution { redrives, ..dead.clone() }).unwrap().unwrap();
        let settling = dead.successor_input().settle.unwrap();
        (settling.attempt, settling.turn)
    };
    assert_eq!((turn(0), turn(1), turn(2)), ((1, None), (1, Some(1_001)), (1, Some(2_001))));
}

#[test]
fn what_a_redriven_execution_parks_is_not_taken_away_by_a_late_report() {
    let world = World::default();
    let dead = world.died(MACHINE, "o-1", order("o-1"), 100);
    let redriven = world.put(Execution { status: Status::Running, redrives: 1, ..dead.clone() });
    world.park(&redriven, "undo order");
    world.state().stale.insert(dead.arn.clone(), [Some(dead.clone())].into());
    assert_eq!(settled(&world, &report(&dead)), Ok(Some(false)), "fences make two executions safe");
    assert_eq!(world.parked(), [format!("undo order @ o-1 of {}", redriven.arn)]);
}

#[test]
fn what_is_none_of_a_saga_is_left_to_people_and_not_shown() {
    let world = World::default();
    let dead = world.died(MACHINE, "o-1", json!({ "order": "maria@example.com" }), 100);
    let why = settled(&world, &report(&dead)).unwrap_err();
    assert_eq!(why.to_string(), "the input of execution `o-1` is none of a saga");
    assert!(!why.is_passing() && !format!("{dead:?}").contains("maria"));
}

#[test]
fn whatever_call_is_lost_the_next_delivery_settles() {
    for call in ["describe", "records", "forget", "start"] {
        let world = World::default();
        let dead = world.died(MACHINE, "o-1", order("o-1"), 100);
        world.park(&dead, "undo order");
        world.state().lost = vec![call];
        let why = settled(&world, &report(&dead)).unwrap_err();
        assert!(why.is_passing(), "{call}: {why}");
        assert_eq!(why.to_string(), "Step Functions: Rate exceeded");
        assert_eq!(settled(&world, &report(&dead)), Ok(Some(false)), "{call}");
        assert_eq!(world.parked(), Vec::<String>::new(), "{call}");
    }
}
