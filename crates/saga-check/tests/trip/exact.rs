//! What is recorded is exact, whoever else writes: it holds, and each mistake of a store is found.

use crate::{
    booking::{Agency, Airline, Cars, Garage, Hotel, Rooms, Seats, Trip, quiet_saga, trip_saga},
    checks::furnished,
    handlers::{Served, handlers},
};
use saga::{
    Change, Condition, Entity, FieldChange, Guard, Refused, Row, RowKey, StepKey, Store, Transaction,
    Unavailable,
    fence::{Fence, Recorded},
};
use saga_check::{Check, Handlers, Invariant, Io, Outcome, check};

/// What is wrong with a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mistake {
    /// What is read is pinned, but not what is absent.
    AbsenceNotPinned,
    /// What takes an addition back demands that as much is there.
    AdditionDemanded,
    /// What is added may leave the range of its field.
    AdditionUnbounded,
    /// A guard that does not hold is told before the fence.
    GuardBeforeFence,
}

struct Wrong(Io, Mistake);

impl Wrong {
    fn made(&self, transaction: &Transaction) -> Transaction {
        let mut made = transaction.clone();
        if self.1 == Mistake::AbsenceNotPinned {
            for write in &mut made.writes {
                write.guards.retain(|guard| !matches!(guard.condition, Condition::Lacks(_)));
            }
        }
        if self.1 == Mistake::AdditionUnbounded {
            for write in &mut made.writes {
                let Change::Update(fields) = &mut write.change else { continue };
                for change in fields.values_mut() {
                    if let FieldChange::Add(addition) = change {
                        (addition.least, addition.most) = (i64::MIN, i64::MAX);
                    }
                }
            }
        }
        if let (Mistake::AdditionDemanded, Fence::Done { inverse, .. }) = (self.1, &mut made.next) {
            for write in inverse {
                let Change::Update(fields) = &write.change else { continue };
                let demanded = fields.iter().filter_map(|(field, change)| match change {
                    FieldChange::Add(addition) if addition.n < 0 => {
                        let condition = Condition::AtLeast(field.clone(), -addition.n);
                        Some(Guard { condition, refusal: None })
                    }
                    _ => None,
                });
                write.guards.extend(demanded.collect::<Vec<_>>());
            }
        }
        made
    }

    /// The first guard that does not hold and has no rejection.
    async fn unmet(&self, transaction: &Transaction) -> Result<Option<String>, Unavailable> {
        for write in &transaction.writes {
            let row = self.0.read_row(&write.key).await?;
            let unmet = |guard: &&Guard| guard.refusal.is_none() && !guard.condition.holds(row.as_ref());
            if write.guards.iter().any(|guard| unmet(&guard)) {
                return Ok(Some(format!("{}: a guard does not hold", write.key)));
            }
        }
        Ok(None)
    }
}

impl Store for Wrong {
    async fn read_fence(&self, key: &StepKey) -> Result<Option<Recorded>, Unavailable> {
        self.0.read_fence(key).await
    }

    async fn read_row(&self, key: &RowKey) -> Result<Option<Row>, Unavailable> {
        self.0.read_row(key).await
    }

    async fn apply(&self, transaction: &Transaction) -> Result<(), Refused> {
        let applied = self.0.apply(&self.made(transaction)).await;
        if self.1 != Mistake::GuardBeforeFence || !matches!(applied, Err(Refused::Fence(_))) {
            return applied;
        }
        match self.unmet(transaction).await.map_err(Refused::Unavailable)? {
            Some(what) => Err(Refused::Guard { what, refusal: None }),
            None => applied,
        }
    }
}

/// A seat gets a class while it is booked, and keeps it when the trip is undone.
fn seat_is_painted(handlers: Handlers) -> Check {
    furnished(check(&trip_saga(), handlers), 1)
        .put(Seats::row("12A"))
        .meanwhile(Seats::row("12A").with(Seats::CLASS, "first"))
        .with(Invariant::at_end("what somebody else wrote on a seat stays", |world| {
            let mut sagas = world.sagas().iter();
            let undone = sagas.all(|saga| matches!(saga.outcome, Outcome::Compensated(_)) && !saga.skipped);
            let class = world.row::<Seats>("12A").and_then(|row| Seats::CLASS.read(row));
            let is_lost = world.written_meanwhile() && undone && class.as_deref() != Some("first");
            if is_lost { Err(format!("the class is {class:?}")) } else { Ok(()) }
        }))
        .faults(1)
        .threads(1)
}

/// Somebody pays what a hotel is owed, while a trip is booked.
fn balance_is_paid(handlers: Handlers) -> Check {
    let paid = Rooms::row("ritz").with(Rooms::BALANCE, 0);
    furnished(check(&trip_saga(), handlers), 1).meanwhile(paid).faults(1).threads(1)
}

/// A garage with a car to rent, and no room in its count of those that are rented: no trip can commit.
fn count_is_full(handlers: Handlers) -> Check {
    check(&trip_saga(), handlers)
        .start("t-1", &Trip { id: "t-1".into(), price: 120 })
        .put(Seats::row("12A").with(Seats::CLASS, "eco"))
        .put(Rooms::row("ritz").with(Rooms::FREE, 1_u32).with(Rooms::BOOKED, 0_u32).with(Rooms::BALANCE, 0))
        .put(Cars::row("small").with(Cars::FREE, 1_u32).with(Cars::RENTED, u32::MAX))
        .with(Invariant::always("the garage can read how many cars are rented", |world| {
            let row = world.row::<Cars>("small").ok_or("the garage is gone")?;
            if Cars::RENTED.read(row).is_some() { Ok(()) } else { Err(format!("{row:?}")) }
        }))
        .faults(1)
        .threads(1)
}

fn told(check: Check) -> String {
    let report = check.run().expect("the check is set up right");
    report.counterexample().expect("the mistake is found").broken.clone()
}

#[test]
fn a_field_that_appears_between_read_and_write_is_not_lost_by_an_undo() {
    seat_is_painted(handlers()).run().unwrap().assert_holds();
    let wrong = handlers().service_on(|_| Served(Airline), |io, _| Wrong(io, Mistake::AbsenceNotPinned));
    insta::assert_snapshot!(told(seat_is_painted(wrong)), @"what somebody else wrote on a seat stays: the class is None");
}

#[test]
fn an_addition_is_taken_back_from_whatever_is_there() {
    balance_is_paid(handlers()).run().unwrap().assert_holds();
    let wrong = handlers().service_on(|_| Served(Hotel), |io, _| Wrong(io, Mistake::AdditionDemanded));
    insta::assert_snapshot!(told(balance_is_paid(wrong)), @r#"what is parked parks again when nothing fails any more and the operator says 'retry': {"book-hotel":{"cause":"rooms/ritz: AtLeast(\"balance\") does not hold","error":"Flyover.DeliveriesExhausted"}}"#);
}

#[test]
fn a_sum_that_its_field_cannot_hold_is_not_written() {
    insta::assert_snapshot!(told(count_is_full(handlers())), @"trip t-1 is compensated because of Flyover.DeliveriesExhausted, but nothing failed");
    let wrong = handlers().service_on(|_| Served(Garage), |io, _| Wrong(io, Mistake::AdditionUnbounded));
    insta::assert_snapshot!(told(count_is_full(wrong)), @r#"the garage can read how many cars are rented: {"free": Number(0), "rented": Number(4294967296)}"#);
}

#[test]
fn a_step_that_is_done_is_answered_although_its_guard_does_not_hold_any_more() {
    let of = |handlers| furnished(check(&quiet_saga(), handlers), 1).faults(1).threads(1);
    of(handlers()).run().unwrap().assert_holds();
    let wrong = handlers().service_on(|_| Served(Agency), |io, _| Wrong(io, Mistake::GuardBeforeFence));
    insta::assert_snapshot!(told(of(wrong)), @r#"what is parked parks again when nothing fails any more and the operator says 'retry': {"send-itinerary":{"cause":"mails/t-1: a guard does not hold","error":"Flyover.DeliveriesExhausted"}}"#);
}
