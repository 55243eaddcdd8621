//! Exactly once in effect, whatever becomes of the messages.

use crate::{
    delivery::{Answer, Outage, Queue, request},
    trip::{CardNetwork, Fares, Ledger, Memory, Rooms, Seats, World, put, trip_id},
};
use proptest::prelude::*;
use saga::{
    Entity, HandleAll, Handled, Op, Outcomes, Participant, Reply, Request, RowKey, Service, StepKey,
    TOO_LATE, Transaction, fence::Fence,
};

// ---- what happens to the messages ----

/// One thing that happens, to the message at this place (modulo the number of messages).
#[derive(Debug, Clone, Copy)]
enum Event {
    /// It is delivered, or its delivery goes on.
    Advance(usize),
    /// The process that handles it dies.
    Kill(usize),
    /// It is lost, if it was never delivered.
    Lose(usize),
    /// The store does not answer the next time it is asked.
    Outage(Outage),
    /// Somebody else changes what guards look at: stock comes or goes, a ledger entry appears or vanishes.
    Meddle,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        12 => (0_usize..6).prop_map(Event::Advance),
        2 => (0_usize..6).prop_map(Event::Kill),
        1 => prop_oneof![Just(Outage::Before), Just(Outage::After)].prop_map(Event::Outage),
        1 => (0_usize..6).prop_map(Event::Lose),
        1 => Just(Event::Meddle),
    ]
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    prop::collection::vec(event(), 0..90)
}

/// 1 to 3 runs, 0 to 2 undos or settles.
fn ops(other: Op) -> impl Strategy<Value = Vec<Op>> {
    (1_usize..4, 0_usize..3).prop_map(move |(runs, others)| {
        std::iter::repeat_n(Op::Run, runs).chain(std::iter::repeat_n(other, others)).collect()
    })
}

fn requests(step: &str, ops: &[Op]) -> Vec<Request> {
    ops.iter().map(|op| request(step, *op)).collect()
}

/// Lets all of it happen, then lets every message be served. `each` looks at the world after each event.
fn play<H>(
    queue: &mut Queue<'_, H>,
    count: usize,
    events: &[Event],
    mut meddle: impl FnMut(),
    mut each: impl FnMut(),
) where
    H: Service + HandleAll<<H::Participant as Participant>::Steps>,
{
    for event in events {
        match event {
            Event::Advance(message) => queue.advance(message % count),
            Event::Kill(message) => queue.kill(message % count),
            Event::Lose(message) => queue.lose(message % count),
            Event::Outage(outage) => queue.outage(*outage),
            Event::Meddle => meddle(),
        }
        each();
    }
    queue.drain();
}

// ---- what must hold for the answers ----

fn is_success(handled: &Handled) -> bool {
    matches!(handled.reply, Reply::Success(_))
}

fn is_rejection(handled: &Handled) -> bool {
    matches!(&handled.reply, Reply::Failure { error, .. } if error != TOO_LATE)
}

fn runs(answers: &[Answer]) -> impl Iterator<Item = &Handled> {
    answers.iter().filter(|answer| answer.op == Op::Run).map(|answer| &answer.handled)
}

fn undone(answers: &[Answer]) -> bool {
    answers.iter().any(|answer| answer.op == Op::Undo)
}

/// All runs give one answer; none that begins after an undo was answered is 'yes', and a 'no' is never taken back.
fn check_answers(answers: &[Answer]) {
    let (yes, no) = (runs(answers).any(is_success), runs(answers).any(is_rejection));
    assert!(!(yes && no), "both a success and a rejection: {answers:#?}");
    let done = runs(answers).filter(|handled| handled.outcome == Outcomes::Done).count();
    assert!(done <= 1, "done twice: {answers:#?}");
    let undone = answers.iter().position(|answer| answer.op == Op::Undo).unwrap_or(answers.len());
    let only_runs = answers.iter().all(|answer| answer.op == Op::Run);
    for Answer { op, began, handled } in answers {
        assert!(*op == Op::Run || is_success(handled), "an undo or a settle is refused: {answers:#?}");
        assert!(
            !(*op == Op::Run && *began > undone && is_success(handled)),
            "done after its undo: {answers:#?}"
        );
        assert!(!(only_runs && handled.outcome == Outcomes::TooLate), "too late for nothing: {answers:#?}");
    }
}

fn rooms(world: &World) -> (u32, u32) {
    let row = world.hotel.1.row(&Rooms::key("ritz".to_owned())).unwrap();
    (Rooms::FREE.read(&row).unwrap(), Rooms::BOOKED.read(&row).unwrap())
}

/// Another guest comes or goes, so that what one delivery refused another would allow.
fn another_guest(world: &World, there: &mut bool) {
    let (free, booked) = rooms(world);
    match (*there, free) {
        (true, _) => world.set_rooms(free + 1, booked - 1),
        (false, 1..) => world.set_rooms(free - 1, booked + 1),
        (false, 0) => return,
    }
    *there = !*there;
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_local_step_takes_effect_once_or_not_at_all(ops in ops(Op::Undo), events in events()) {
        let world = World::with_a_patient_network();
        let requests = requests("book-hotel", &ops);
        let mut queue = Queue::new(&world.hotel.0, &world.hotel.1, &world.network, &requests);
        let mut guest = false;
        let conserved = || assert_eq!(rooms(&world).0 + rooms(&world).1, 1, "a room is lost or made up");
        play(&mut queue, ops.len(), &events, || another_guest(&world, &mut guest), conserved);
        check_answers(&queue.answers);
        let ours = u32::from(!undone(&queue.answers) && runs(&queue.answers).any(is_success));
        prop_assert_eq!(rooms(&world).1, u32::from(guest) + ours);
    }

    #[test]
    fn a_deleted_item_comes_back_as_it_was(ops in ops(Op::Undo), events in events()) {
        let world = World::with_a_patient_network();
        let seat = Seats::key("12A".to_owned());
        let mut last = world.airline.1.row(&seat);
        let requests = requests("book-flight", &ops);
        let mut queue = Queue::new(&world.airline.0, &world.airline.1, &world.network, &requests);
        // The price of a seat that is there goes up.
        let price_goes_up = || {
            if let Some(row) = world.airline.1.row(&seat) {
                world.set_seat(Seats::PRICE.read(&row).unwrap() + 1);
                last = world.airline.1.row(&seat);
            }
        };
        play(&mut queue, ops.len(), &events, price_goes_up, || ());
        check_answers(&queue.answers);
        if undone(&queue.answers) {
            prop_assert_eq!(world.airline.1.row(&seat), last);
        } else {
            prop_assert_eq!(world.airline.1.row(&seat).is_none(), runs(&queue.answers).any(is_success));
        }
    }

    #[test]
    fn an_outside_step_takes_effect_once_or_not_at_all(
        ops in ops(Op::Undo),
        events in events(),
        memory in prop::sample::select(&[Memory::Replays, Memory::ForgetsReversals, Memory::ChangesItsMind][..]),
        declines in 0_u32..2,
        paid_before in any::<bool>(),
    ) {
        let world = World::new(CardNetwork::new(memory, declines));
        let entry = Ledger::key(trip_id().to_string());
        let mut foreign = paid_before;
        let pay_in_cash = || put(&world.bank.1, Ledger::row(trip_id().to_string()).with(Ledger::AMOUNT, 1));
        if paid_before {
            pay_in_cash();
        }
        let requests = requests("charge-card", &ops);
        let mut queue = Queue::new(&world.bank.0, &world.bank.1, &world.network, &requests);
        // The entry of somebody else can vanish, so that what one delivery refused another would allow.
        let cash_is_taken_back = || {
            if std::mem::take(&mut foreign) {
                world.bank.1.apply_now(&forget(&entry)).unwrap();
            }
        };
        let card = StepKey::at(trip_id(), "trip/charge-card").unwrap();
        // So an absent fence never means a charge that nobody wants, and nobody refunds one for that.
        let claimed = || assert!(
            world.network.standing() == 0 || world.bank.1.fence(&card).is_some(),
            "charged before the fence says so"
        );
        play(&mut queue, ops.len(), &events, cash_is_taken_back, claimed);
        check_answers(&queue.answers);
        let done = !undone(&queue.answers) && runs(&queue.answers).any(is_success);
        prop_assert_eq!(world.network.standing(), usize::from(done), "{:?}", queue.answers);
        prop_assert_eq!(world.bank.1.row(&entry).is_some(), done || foreign);
    }

    #[test]
    fn a_settled_pivot_has_one_direction_for_good(ops in ops(Op::Settle), events in events(), open in any::<bool>()) {
        let world = World::with_a_patient_network();
        world.set_fare(if open { "open" } else { "expired" });
        let requests = requests("issue-tickets", &ops);
        let mut queue = Queue::new(&world.airline.0, &world.airline.1, &world.network, &requests);
        play(&mut queue, ops.len(), &events, || (), || ());
        check_answers(&queue.answers);
        let directions: Vec<_> = queue.answers.iter().map(|answer| answer.handled.outcome).collect();
        let forward = directions.contains(&Outcomes::SettledForward);
        let backward = directions.contains(&Outcomes::SettledBackward);
        prop_assert!(!(forward && backward), "{:?}", directions);
        let fare = world.airline.1.row(&Fares::key("fl-1".to_owned())).unwrap();
        let issued = Fares::STATUS.read(&fare).as_deref() == Some("issued");
        prop_assert_eq!(issued, runs(&queue.answers).any(is_success));
        prop_assert!(!forward || issued);
        prop_assert!(!backward || !issued);
    }
}

/// Removes an item by hand, under a fence that nobody looks at.
pub(crate) fn forget(key: &RowKey) -> Transaction {
    let fence = StepKey::at(trip_id(), "trip/by-hand").unwrap();
    let write = saga::Write { key: key.clone(), change: saga::Change::Delete, guards: Vec::new() };
    Transaction { fence, run: None, turn: 0, expected: None, next: Fence::Undone, writes: vec![write] }
}
