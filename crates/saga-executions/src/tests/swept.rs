//! What a sweep finds.

use super::world::{CANCELS, MACHINE, World, at, order, report, successor_of, told};
use crate::{
    CallError, Death, Execution, Finding, MAX_ATTEMPTS, Orchestrator, Page, Record, Span, Started, Status,
    Sweeping, Tally, Unsettled, settle_reported, sweep,
};
use futures::{FutureExt, executor::block_on};
use saga::{SagaId, StartInput};
use serde_json::json;
use std::time::Duration;

const GRACE: u64 = 30;
const OVERDUE: u64 = 900;
const WINDOW: u64 = 10_000;

fn span(second: u64) -> Span {
    let [grace, overdue, window] = [GRACE, OVERDUE, WINDOW].map(Duration::from_secs);
    Span { now: at(second), grace, window, overdue }
}

/// What a sweep at this second finds.
fn swept(world: &World, second: u64, sweeping: &mut Sweeping) -> Vec<Finding> {
    assert_eq!(try_sweep(world, second, sweeping), Ok(()));
    std::mem::take(&mut sweeping.findings)
}

fn try_sweep(world: &World, second: u64, sweeping: &mut Sweeping) -> Result<(), CallError> {
    let machines = [MACHINE, CANCELS].map(str::to_owned);
    block_on(sweep(world, &machines, &span(second), sweeping))
}

/// Settled before, settled, left to people, to be swept again, not looked at.
fn tally(sweeping: &Sweeping) -> [u64; 5] {
    let Tally { settled_before, settled, unsettled, failed, left } = sweeping.tally;
    [settled_before, settled, unsettled, failed, left]
}

/// Why an execution is not settled, and whether it is overdue.
fn why(finding: &Finding) -> (&Unsettled, bool) {
    match finding {
        Finding::Unsettled { why, is_overdue, .. } => (why, *is_overdue),
        Finding::Settled(settled) => panic!("{} is settled", settled.dead.name),
    }
}

#[test]
fn a_dead_execution_of_which_no_event_came_is_settled() {
    let world = World::default();
    world.state().page_size = Some(1);
    for (n, death) in Death::ALL.into_iter().enumerate() {
        let machine = [MACHINE, CANCELS][n % 2];
        for order_id in [format!("o-{n}"), format!("p-{n}")] {
            let mut dead = Execution::new(machine, &order_id, Status::Dead(death), order(&order_id));
            dead.stopped = Some(at(100));
            world.put(dead);
        }
    }
    let mut sweeping = Sweeping::default();
    let found = swept(&world, 200, &mut sweeping);
    let mut names: Vec<_> = found
        .iter()
        .map(|finding| match finding {
            Finding::Settled(settled) => told(settled),
            other => panic!("{other:?}"),
        })
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["o-0", "o-1", "o-2", "p-0", "p-1", "p-2"].map(|name| (name, false)));
    assert_eq!(swept(&world, 500, &mut sweeping), []);
    assert_eq!(tally(&sweeping), [6, 0, 0, 0, 0]);
}

#[test]
fn the_young_are_left_to_their_event_and_the_old_to_people() {
    let world = World::default();
    world.died(MACHINE, "o-1", order("o-1"), 100);
    let mut sweeping = Sweeping::default();
    for second in [90, 100, 100 + GRACE - 1, 100 + WINDOW + 1] {
        assert_eq!(swept(&world, second, &mut sweeping), [], "{second}");
        assert_eq!(tally(&sweeping), [0, 0, 0, 0, 1], "{second}");
    }
    assert_eq!(swept(&world, 100 + GRACE, &mut sweeping).len(), 1);
}

#[test]
fn what_is_settled_is_asked_about_once() {
    let world = World::default();
    let dead = world.died(MACHINE, "o-1", order("o-1"), 100);
    block_on(settle_reported(&world, &report(&dead))).unwrap();
    world.state().calls.clear();
    let mut sweeping = Sweeping::default();
    assert_eq!(swept(&world, 200, &mut sweeping), []);
    assert_eq!(tally(&sweeping), [1, 0, 0, 0, 0]);
    let asked = |world: &World| world.state().calls.iter().filter(|call| !call.starts_with("list ")).count();
    assert_eq!(asked(&world), 3, "it is read and not started again: {:?}", world.state().calls);
    assert_eq!(swept(&world, 500, &mut sweeping), []);
    assert_eq!(asked(&world), 3);
    // What died again after a redrive is another case.
    let again = world.put(Execution { redrives: 1, stopped: Some(at(500)), ..dead });
    world.park(&again, "undo order");
    assert_eq!(swept(&world, 600, &mut sweeping), []);
    assert_eq!(world.parked(), Vec::<String>::new());
}

#[test]
fn what_is_parked_after_its_execution_was_settled_is_taken_away() {
    let world = World::default();
    let dead = world.died(MACHINE, "o-1", order("o-1"), 100);
    block_on(settle_reported(&world, &report(&dead))).unwrap();
    world.died(MACHINE, "o-2", order("o-2"), 100);
    // Its write was on its way when it died.
    world.park(&dead, "undo order");
    let mut sweeping = Sweeping::default();
    world.state().lost = vec!["records o-1"];
    assert_eq!(
        swept(&world, 200, &mut sweeping).len(),
        2,
        "one cannot be looked at, and the other is settled"
    );
    assert_eq!(world.parked().len(), 1);
    assert_eq!(swept(&world, 500, &mut sweeping), []);
    assert_eq!(world.parked(), Vec::<String>::new());
}

#[test]
fn one_that_cannot_be_settled_holds_up_no_other_and_is_overdue_in_time() {
    let world = World::default();
    world.died(MACHINE, "o-1", json!({}), 100);
    let dead = world.died(MACHINE, "o-2", order("o-2"), 100);
    let taken = successor_of(&dead, Status::Succeeded);
    world.put(Execution { input: order("o-2"), ..taken.clone() });
    let mut last = order("o-3");
    last["settle"] = json!({ "execution": "o-3", "status": "FAILED", "attempt": MAX_ATTEMPTS });
    world.died(MACHINE, "o-3.settle-5", last, 100);
    world.died(MACHINE, "o-4", order("o-4"), 100);

    let mut sweeping = Sweeping::default();
    let found = swept(&world, 200, &mut sweeping);
    assert_eq!(tally(&sweeping), [0, 1, 3, 0, 0]);
    let expected = [
        Unsettled::Input { name: "o-1".into() },
        Unsettled::Foreign { name: taken.name, dead: "o-2".into() },
        Unsettled::TooOften { attempt: MAX_ATTEMPTS, allowed: MAX_ATTEMPTS },
    ];
    let unsettled = |found: &[Finding], overdue| {
        let told = found.iter().filter(|finding| matches!(finding, Finding::Unsettled { .. })).map(why);
        assert!(told.eq(expected.iter().map(|why| (why, overdue))), "{found:?}");
    };
    unsettled(&found, false);
    assert_eq!(world.started().len(), 1);
    unsettled(&swept(&world, 100 + OVERDUE - 1, &mut sweeping), false);
    unsettled(&swept(&world, 100 + OVERDUE, &mut sweeping), true);
}

#[test]
fn a_call_that_is_lost_leaves_one_to_the_next_sweep() {
    // What could not be asked may well be settled, so it is not called overdue.
    for (lost, is_known) in
        [("describe o-1", false), ("describe o-1.", false), ("records", true), ("start", true)]
    {
        let world = World::default();
        world.died(MACHINE, "o-1", order("o-1"), 100);
        world.state().lost = vec![lost];
        let mut sweeping = Sweeping::default();
        let found = swept(&world, 100 + OVERDUE, &mut sweeping);
        assert!(
            matches!(why(&found[0]), (Unsettled::Call(_), overdue) if overdue == is_known),
            "{lost}: {found:?}"
        );
        assert_eq!(tally(&sweeping), [0, 0, 0, 1, 0], "{lost}");
        assert_eq!(swept(&world, 100 + OVERDUE, &mut sweeping).len(), 1, "{lost}");
        assert_eq!(tally(&sweeping), [0, 1, 0, 0, 0], "{lost}");
    }
}

#[test]
fn a_listing_that_fails_is_told_and_holds_up_no_other() {
    let world = World::default();
    world.died(CANCELS, "c-1", order("c-1"), 100);
    world.state().lost = vec!["list order FAILED"];
    let mut sweeping = Sweeping::default();
    let failed = try_sweep(&world, 200, &mut sweeping).unwrap_err();
    assert_eq!(failed.to_string(), "Step Functions: Rate exceeded");
    assert_eq!(tally(&sweeping), [0, 1, 0, 0, 0]);
}

#[test]
fn a_redriven_execution_is_left_alone_and_a_stale_answer_is_not_believed() {
    let world = World::default();
    let dead = world.died(MACHINE, "o-1", order("o-1"), 100);
    let said = |redrives| Execution { status: Status::Running, redrives, ..dead.clone() };
    world.state().stale.insert(dead.arn.clone(), [Some(said(1)), Some(said(0))].into());
    let mut sweeping = Sweeping::default();
    assert_eq!(swept(&world, 200, &mut sweeping), [], "listed as dead, but redriven since");
    let found = swept(&world, 500, &mut sweeping);
    assert!(matches!(why(&found[0]), (Unsettled::NotYet { .. }, false)), "{found:?}");
    assert_eq!(swept(&world, 800, &mut sweeping).len(), 1);
    assert_eq!(world.started().len(), 1);
}

/// A world that falls silent at the second execution it is asked to start.
struct FallsSilent(World);

impl Orchestrator for FallsSilent {
    async fn describe(&self, arn: &str) -> Result<Option<Execution>, CallError> {
        self.0.describe(arn).await
    }

    async fn list_dead(&self, machine: &str, death: Death, page: Option<&str>) -> Result<Page, CallError> {
        self.0.list_dead(machine, death, page).await
    }

    async fn start(&self, machine: &str, name: &str, input: &StartInput) -> Result<Started, CallError> {
        if !self.0.started().is_empty() {
            std::future::pending::<()>().await;
        }
        self.0.start(machine, name, input).await
    }

    async fn records_of(&self, saga_id: &SagaId) -> Result<Vec<Record>, CallError> {
        self.0.records_of(saga_id).await
    }

    async fn forget(&self, saga_id: &SagaId, record: &Record) -> Result<(), CallError> {
        self.0.forget(saga_id, record).await
    }
}

#[test]
fn a_sweep_that_is_cut_off_keeps_what_it_found_and_what_it_knows() {
    let world = World::default();
    world.died(MACHINE, "o-1", order("o-1"), 100);
    world.died(MACHINE, "o-2", order("o-2"), 100);
    let world = FallsSilent(world);
    let mut sweeping = Sweeping::default();
    let machines = [MACHINE.to_owned()];
    assert!(sweep(&world, &machines, &span(200), &mut sweeping).now_or_never().is_none());
    assert_eq!((sweeping.findings.len(), tally(&sweeping)), (1, [0, 1, 0, 0, 0]));
    let world = world.0;
    world.state().calls.clear();
    assert_eq!(swept(&world, 300, &mut sweeping).len(), 2, "with the one of before");
    assert!(!world.state().calls.contains(&"describe o-1".to_owned()), "it is known to be settled");
}

#[test]
fn what_died_at_no_known_time_is_looked_at() {
    let world = World::default();
    let dead = world.died(MACHINE, "o-1", order("o-1"), 100);
    world.put(Execution { stopped: None, ..dead });
    assert_eq!(swept(&world, 200, &mut Sweeping::default()).len(), 1);
}
