//! What is fenced off stays as it is: a step that an operator went on without, and what another run of the id did.

use crate::{
    delivery::request,
    trip::{CardNetwork, Memory, Rooms, World, trip_id},
};
use futures::executor::block_on;
use saga::{
    ABANDONED, Deployment, Entity, FENCE_GONE, HandleAll, Handled, IfAbsent, Malformed, MemoryStore,
    OTHER_RUN, Op, Outcomes, Participant, Refused, Reply, Request, Row, RowKey, RunDigest, Service, StepKey,
    Store, Transaction, Unavailable, Unserved,
    fence::{Fence, FenceState, Recorded, Standing},
    serve,
};
use serde_json::json;

fn served<H>(service: &(H, std::sync::Arc<MemoryStore>), request: &Request) -> Handled
where
    H: Service + HandleAll<<H::Participant as Participant>::Steps>,
{
    block_on(serve(&service.0, &*service.1, &Deployment::in_memory(), request)).unwrap()
}

fn fails_with(handled: &Handled) -> Option<&str> {
    match &handled.reply {
        Reply::Failure { error, .. } => Some(error),
        Reply::Success(_) => None,
    }
}

fn key(step: &str) -> StepKey {
    StepKey::at(trip_id(), &format!("trip/{step}")).unwrap()
}

fn rooms(world: &World) -> (u32, u32) {
    let row = world.hotel.1.row(&Rooms::key("ritz".to_owned())).unwrap();
    (Rooms::FREE.read(&row).unwrap(), Rooms::BOOKED.read(&row).unwrap())
}

/// That the call of a step with an outside effect may have been sent.
fn started(request: &Request) -> Transaction {
    Transaction {
        fence: key(&request.step),
        run: request.run.clone(),
        turn: 0,
        expected: None,
        next: Fence::Started,
        writes: Vec::new(),
    }
}

/// The same request of another run.
fn of_another_run(request: Request) -> Request {
    Request { run: Some(RunDigest::of(&json!("another trip"))), ..request }
}

// ---- a skip is final ----

#[test]
fn an_abandoned_step_is_neither_done_nor_undone_any_more() {
    for (before, was) in
        [(None, None), (Some(Op::Run), Some(FenceState::Done)), (Some(Op::Undo), Some(FenceState::Undone))]
    {
        let world = World::with_a_patient_network();
        if let Some(op) = before {
            served(&world.hotel, &request("book-hotel", op));
        }
        let then = rooms(&world);
        let abandoned = served(&world.hotel, &request("book-hotel", Op::Abandon));
        let was = was.map_or(json!({}), |was| json!({ "was": was }));
        assert_eq!((abandoned.outcome, abandoned.reply), (Outcomes::Abandoned, Reply::Success(was.clone())));

        // Whatever still lies in a queue, or is sent back to one.
        let late = served(&world.hotel, &request("book-hotel", Op::Run));
        assert_eq!((late.outcome, fails_with(&late)), (Outcomes::AbandonedBefore, Some(ABANDONED)));
        let redriven = served(&world.hotel, &request("book-hotel", Op::Undo));
        assert_eq!(redriven.outcome, Outcomes::AbandonedBefore);
        assert_eq!(redriven.reply, Reply::Success(json!({ "abandoned": true })), "the saga is told");
        let again = served(&world.hotel, &request("book-hotel", Op::Abandon));
        assert_eq!((again.outcome, again.reply), (Outcomes::AbandonedBefore, Reply::Success(was)));
        assert_eq!(rooms(&world), then, "{before:?}");
    }
}

#[test]
fn what_was_abandoned_outside_is_not_reversed_by_what_still_lies_somewhere() {
    let world = World::with_a_patient_network();
    served(&world.bank, &request("charge-card", Op::Run));
    served(&world.bank, &request("charge-card", Op::Abandon));
    for op in [Op::Undo, Op::Run, Op::Undo] {
        assert_eq!(served(&world.bank, &request("charge-card", op)).outcome, Outcomes::AbandonedBefore);
    }
    assert_eq!(world.network.standing(), 1, "the operator knows what became of the money");
}

/// Such an operator has nobody to ask: the handlers of the step are what is broken.
#[test]
fn a_step_is_abandoned_without_its_handler() {
    let world = World::new(CardNetwork::new(Memory::ChangesItsMind, u32::MAX));
    let abandoned = served(&world.bank, &request("charge-card", Op::Abandon));
    assert_eq!(abandoned.outcome, Outcomes::Abandoned);
    assert_eq!(world.bank.1.fence(&key("charge-card")), Some(Fence::Abandoned { was: None }));
}

#[test]
fn a_pivot_is_not_abandoned() {
    let world = World::with_a_patient_network();
    let request = request("issue-tickets", Op::Abandon);
    let unserved = block_on(serve(&world.airline.0, &*world.airline.1, &Deployment::in_memory(), &request));
    assert!(matches!(unserved, Err(Unserved::Malformed(_))), "{unserved:?}");
}

// ---- an id means one run ----

#[test]
fn another_run_is_turned_away_and_touches_nothing() {
    let world = World::with_a_patient_network();
    served(&world.hotel, &request("book-hotel", Op::Run));
    served(&world.bank, &request("charge-card", Op::Run));
    let (rows, charges) = (world.rows(), world.network.standing());
    for op in [Op::Run, Op::Undo, Op::Abandon, Op::Run] {
        for outside in [false, true] {
            let step = if outside { "charge-card" } else { "book-hotel" };
            let request = of_another_run(request(step, op));
            let handled =
                if outside { served(&world.bank, &request) } else { served(&world.hotel, &request) };
            assert_eq!(handled.outcome, Outcomes::OtherRun, "{op:?} of {step}");
            assert_eq!(fails_with(&handled), (op == Op::Run).then_some(OTHER_RUN), "{op:?} of {step}");
        }
    }
    assert_eq!((world.rows(), world.network.standing()), (rows, charges));
    // The first run goes on as if nothing had been.
    assert_eq!(served(&world.hotel, &request("book-hotel", Op::Run)).outcome, Outcomes::DoneBefore);
    assert_eq!(served(&world.hotel, &request("book-hotel", Op::Undo)).outcome, Outcomes::Undone);
}

/// A store whose fences cannot be read as a whole: somebody wrote into one by hand.
struct Unreadable<'a>(&'a MemoryStore);

impl Store for Unreadable<'_> {
    async fn read_fence(&self, _: &StepKey) -> Result<Option<Recorded>, Unavailable> {
        Err(Unavailable("what the fence records is no JSON".into()))
    }

    async fn read_standing(&self, key: &StepKey) -> Result<Option<Standing>, Unavailable> {
        self.0.read_standing(key).await
    }

    async fn read_row(&self, key: &RowKey) -> Result<Option<Row>, Unavailable> {
        self.0.read_row(key).await
    }

    async fn apply(&self, transaction: &Transaction) -> Result<(), Refused> {
        self.0.apply(transaction).await
    }
}

#[test]
fn what_a_fence_records_is_not_read_to_abandon_its_step() {
    let world = World::with_a_patient_network();
    served(&world.hotel, &request("book-hotel", Op::Run));
    let asked = |op| {
        let store = Unreadable(&world.hotel.1);
        block_on(serve(&world.hotel.0, &store, &Deployment::in_memory(), &request("book-hotel", op)))
    };
    assert!(asked(Op::Undo).is_err());
    assert_eq!(asked(Op::Abandon).unwrap().outcome, Outcomes::Abandoned);
}

/// A fence expires, and the peer's memory need not: its key is of one run too.
#[test]
fn what_a_run_did_outside_stays_when_its_fence_is_gone_and_its_id_comes_back() {
    let world = World::with_a_patient_network();
    served(&world.bank, &request("charge-card", Op::Run));
    for op in [Op::Undo, Op::Run, Op::Undo] {
        let request = of_another_run(request("charge-card", op));
        let later = MemoryStore::new();
        block_on(serve(&world.bank.0, &later, &Deployment::in_memory(), &request)).unwrap();
        assert!(world.network.standing() >= 1, "{op:?} of another run reverses what the first did");
    }
    assert_eq!(world.network.standing(), 1);
}

/// A store that refuses to write a fence, and says that none is in its way.
struct Contradicting;

impl Store for Contradicting {
    async fn read_fence(&self, _: &StepKey) -> Result<Option<Recorded>, Unavailable> {
        Ok(None)
    }

    async fn read_row(&self, _: &RowKey) -> Result<Option<Row>, Unavailable> {
        Ok(None)
    }

    async fn apply(&self, _: &Transaction) -> Result<(), Refused> {
        Err(Refused::Fence(None))
    }
}

/// Reconciliation leaves a charge alone that has no fence, so nothing would take it back.
#[test]
fn no_call_is_made_while_no_fence_says_that_it_may_have_been() {
    let world = World::with_a_patient_network();
    for v in [1, 2] {
        let request = Request { v, ..request("charge-card", Op::Run) };
        let unserved = block_on(serve(&world.bank.0, &Contradicting, &Deployment::in_memory(), &request));
        let Err(Unserved::Retry(why)) = unserved else { panic!("{unserved:?}") };
        assert!(why.0.contains("the call is not made"), "{why}");
        assert_eq!(world.network.standing(), 0);
    }
}

#[test]
fn a_message_of_version_2_says_of_which_run_it_is() {
    let mut request = json!(request("charge-card", Op::Run));
    request.as_object_mut().unwrap().remove("run");
    assert_eq!(Request::decode(&request.to_string()).unwrap_err(), Malformed::NoRun);
    request["v"] = json!(1);
    assert!(Request::decode(&request.to_string()).is_ok());
}

/// A message of version 1 knows no run, and takes none from what it finds.
#[test]
fn a_run_that_is_known_stays_known() {
    let world = World::with_a_patient_network();
    let known = request("charge-card", Op::Run);
    world.bank.1.apply_now(&started(&known)).unwrap();
    let recorded = || world.bank.1.recorded(&key("charge-card")).unwrap().run;
    for op in [Op::Run, Op::Undo, Op::Abandon] {
        served(&world.bank, &Request { v: 1, run: None, ..request("charge-card", op) });
        assert_eq!(recorded(), known.run, "{op:?}");
    }
}

/// A store that counts how often a fence is written.
struct Counting<'a>(&'a MemoryStore, std::sync::atomic::AtomicUsize);

impl Store for Counting<'_> {
    async fn read_fence(&self, key: &StepKey) -> Result<Option<Recorded>, Unavailable> {
        self.0.read_fence(key).await
    }

    async fn read_row(&self, key: &RowKey) -> Result<Option<Row>, Unavailable> {
        self.0.read_row(key).await
    }

    async fn apply(&self, transaction: &Transaction) -> Result<(), Refused> {
        self.1.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        self.0.apply(transaction).await
    }
}

/// It may expire before the last message of the other run has come back, which would then find nothing.
#[test]
fn the_fence_of_another_run_is_written_anew_where_a_tombstone_would_be() {
    let world = World::with_a_patient_network();
    served(&world.hotel, &request("book-hotel", Op::Run));
    served(&world.airline, &request("issue-tickets", Op::Run));
    let before =
        (world.hotel.1.recorded(&key("book-hotel")), world.airline.1.recorded(&key("issue-tickets")));
    let hotel = Counting(&world.hotel.1, Default::default());
    let airline = Counting(&world.airline.1, Default::default());
    let here = Deployment::in_memory();
    let undo = of_another_run(request("book-hotel", Op::Undo));
    block_on(serve(&world.hotel.0, &hotel, &here, &undo)).unwrap();
    let settle = of_another_run(request("issue-tickets", Op::Settle));
    block_on(serve(&world.airline.0, &airline, &here, &settle)).unwrap();
    // A run that is turned away leaves nothing else behind, nor does a question.
    let run = of_another_run(request("book-hotel", Op::Run));
    for run in [Request { if_absent: IfAbsent::Refuse, ..run.clone() }, run] {
        let handled = block_on(serve(&world.hotel.0, &hotel, &here, &run)).unwrap();
        assert_eq!(handled.outcome, Outcomes::OtherRun);
    }
    // A run first tries to write its own.
    assert_eq!((hotel.1.into_inner(), airline.1.into_inner()), (4, 1));
    let after = (world.hotel.1.recorded(&key("book-hotel")), world.airline.1.recorded(&key("issue-tickets")));
    assert_eq!(after, before);
}

#[test]
fn the_pivot_of_another_run_turns_the_saga_back() {
    let world = World::with_a_patient_network();
    served(&world.airline, &request("issue-tickets", Op::Run));
    for if_absent in [IfAbsent::Decide, IfAbsent::Refuse] {
        let settle = Request { if_absent, ..of_another_run(request("issue-tickets", Op::Settle)) };
        let Reply::Success(reply) = served(&world.airline, &settle).reply else { panic!("it is answered") };
        assert_eq!((&reply["direction"], &reply["error"]), (&json!("backward"), &json!(OTHER_RUN)));
    }
    let settled = served(&world.airline, &request("issue-tickets", Op::Settle));
    assert_eq!(settled.outcome, Outcomes::SettledForward, "the first run has its answer");
}

#[test]
fn a_message_of_version_1_finds_the_fence_of_any_run() {
    let world = World::with_a_patient_network();
    let old = |op| Request { v: 1, run: None, ..request("book-hotel", op) };
    assert_eq!(served(&world.hotel, &old(Op::Run)).outcome, Outcomes::Done);
    assert_eq!(served(&world.hotel, &request("book-hotel", Op::Run)).outcome, Outcomes::DoneBefore);
    assert_eq!(served(&world.hotel, &old(Op::Undo)).outcome, Outcomes::Undone);
}

// ---- a fence that is gone ----

#[test]
fn what_is_recalled_is_not_done_again_when_its_fence_is_gone() {
    let world = World::with_a_patient_network();
    let recall = Request { if_absent: IfAbsent::Refuse, ..request("book-hotel", Op::Run) };
    let refused = served(&world.hotel, &recall);
    assert_eq!((refused.outcome, fails_with(&refused)), (Outcomes::FenceGone, Some(FENCE_GONE)));
    assert_eq!((rooms(&world), world.hotel.1.fence(&key("book-hotel"))), ((1, 0), None));
    served(&world.hotel, &request("book-hotel", Op::Run));
    assert_eq!(served(&world.hotel, &recall).outcome, Outcomes::DoneBefore);
}

#[test]
fn what_is_only_begun_is_not_gone_on_with_by_asking_what_is_recorded() {
    let world = World::with_a_patient_network();
    let begun = request("charge-card", Op::Run);
    world.bank.1.apply_now(&started(&begun)).unwrap();
    let refused = served(&world.bank, &Request { if_absent: IfAbsent::Refuse, ..begun });
    assert_eq!((refused.outcome, fails_with(&refused)), (Outcomes::FenceGone, Some(FENCE_GONE)));
    assert_eq!(
        (world.network.standing(), world.bank.1.fence(&key("charge-card"))),
        (0, Some(Fence::Started))
    );
}

#[test]
fn a_later_settling_does_not_decide_by_a_fence_that_is_not_there() {
    let world = World::with_a_patient_network();
    let later = Request { if_absent: IfAbsent::Refuse, ..request("issue-tickets", Op::Settle) };
    let refused = served(&world.airline, &later);
    assert_eq!((refused.outcome, fails_with(&refused)), (Outcomes::FenceGone, Some(FENCE_GONE)));
    assert_eq!(world.airline.1.fence(&key("issue-tickets")), None, "nothing is decided");
    // The operator decides, and from then on the answer stands for every settling.
    let decided = served(&world.airline, &request("issue-tickets", Op::Settle));
    assert_eq!(decided.outcome, Outcomes::SettledBackward);
    assert_eq!(served(&world.airline, &later).outcome, Outcomes::SettledBackward);
}
