//! Sagas that began under this release, settled by the machine of a newer one: it has more steps than they have run.
//!
//! The checker stops the executions at every moment and tries every failure; those that settle begin with the newer machine.

use checks::{Bank, Scenario, handlers, order_check};
use saga::{
    Commit, Compensable, Context, Definition, Entity, Fault, Field, FieldSpec, Handle, Never, Participant,
    Retriable, Saga, Service, Step, Value, asl,
    budget::Timing,
    saga as begin,
    schema::{Schemas, incompatibilities},
};
use saga_check::{Check, Handlers, Invariant, Outcome, Report};
use sagas::{
    cancel::cancel_saga,
    order::{
        ChargePayment, ConfirmOrder, Confirmation, CreateOrder, ORDER_SAGA, OrderConfirmed, OrderRejected,
        PlaceOrder, ReserveStock, order_saga,
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use std::time::Duration;

// ---- the newer releases ----

/// With a step more among those before the pivot, and one more after it.
fn in_the_middle() -> Saga<PlaceOrder> {
    begin::<PlaceOrder>(ORDER_SAGA)
        .step(CreateOrder)
        .step(ReserveStock)
        .step(EarnPoints)
        .step(ChargePayment)
        .pivot(ConfirmOrder)
        .step(SendInvoice)
        .on_commit(OrderConfirmed)
        .on_compensate(OrderRejected)
        .build()
}

/// With a step more before all others: it is the one that is asked whose the id is.
fn at_the_beginning() -> Saga<PlaceOrder> {
    begin::<PlaceOrder>(ORDER_SAGA)
        .step(EarnPoints)
        .step(CreateOrder)
        .step(ReserveStock)
        .step(ChargePayment)
        .pivot(ConfirmOrder)
        .on_commit(OrderConfirmed)
        .on_compensate(OrderRejected)
        .build()
}

/// With a step more after the pivot that needs what a new one before it puts out.
fn behind_the_pivot() -> Saga<PlaceOrder> {
    begin::<PlaceOrder>(ORDER_SAGA)
        .step(CreateOrder)
        .step(EarnPoints)
        .step(ReserveStock)
        .step(ChargePayment)
        .pivot(ConfirmOrder)
        .step(PraisePoints)
        .on_commit(OrderConfirmed)
        .on_compensate(OrderRejected)
        .build()
}

macro_rules! value {
    ($value:ident $name:literal from $producer:ty) => {
        #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
        struct $value {
            order_id: String,
        }

        impl Value for $value {
            const NAME: &'static str = $name;
            const MAX_BYTES: usize = 200;
            type Producer = $producer;
        }
    };
}

value!(Earned "earned" from EarnPoints);
value!(Invoice "invoice" from SendInvoice);
value!(Praise "praise" from PraisePoints);

macro_rules! step {
    ($step:ident $name:literal: $kind:ty, $input:ty => $output:ty) => {
        #[derive(Debug)]
        struct $step;

        impl Step for $step {
            const NAME: &'static str = $name;
            type Participant = Loyalty;
            type Kind = $kind;
            type Input = $input;
            type Output = $output;
            type Rejection = Never;
            const TIMEOUT: Duration = Duration::from_mins(15);
            const MAX_WRITES: usize = 1;
        }
    };
}

step!(EarnPoints "earn-points": Compensable, (PlaceOrder,) => Earned);
step!(SendInvoice "send-invoice": Retriable, (Confirmation,) => Invoice);
step!(PraisePoints "praise-points": Retriable, (Earned,) => Praise);

/// A participant that is new too.
#[derive(Debug)]
struct Loyalty;

impl Participant for Loyalty {
    const NAME: &'static str = "loyalty";
    type Steps = (EarnPoints, SendInvoice, PraisePoints);
    type Entities = (Points, Invoices);
}

impl Service for Loyalty {
    type Participant = Self;
}

macro_rules! entity {
    ($entity:ident $name:literal) => {
        #[derive(Debug)]
        struct $entity;

        impl Entity for $entity {
            const NAME: &'static str = $name;
            const KEY: &'static str = "order_id";
            type Key = String;
            const FIELDS: &'static [FieldSpec] = &[$entity::OF.spec()];
        }

        impl $entity {
            const OF: Field<$entity, String> = Field::new("of");
        }
    };
}

entity!(Points "points");
entity!(Invoices "invoices");

impl Handle<EarnPoints> for Loyalty {
    async fn run(&self, _: &Context, (order,): (PlaceOrder,)) -> Result<Commit<EarnPoints>, Fault<Never>> {
        let mut commit = Commit::of(Earned { order_id: order.order_id.clone() });
        commit.insert(Points::row(order.order_id).with(Points::OF, order.customer.id)).or_retry();
        Ok(commit)
    }
}

impl Handle<SendInvoice> for Loyalty {
    async fn run(
        &self,
        _: &Context,
        (confirmed,): (Confirmation,),
    ) -> Result<Commit<SendInvoice>, Fault<Never>> {
        let mut commit = Commit::of(Invoice { order_id: confirmed.order_id.clone() });
        commit.insert(Invoices::row(confirmed.order_id).with(Invoices::OF, "order")).or_retry();
        Ok(commit)
    }
}

impl Handle<PraisePoints> for Loyalty {
    async fn run(&self, _: &Context, (earned,): (Earned,)) -> Result<Commit<PraisePoints>, Fault<Never>> {
        Ok(Commit::of(Praise { order_id: earned.order_id }))
    }
}

// ---- what must hold ----

fn emitted(definition: &Definition) -> Json {
    serde_json::to_value(asl::compile(definition, Timing::scaled(1)).unwrap()).unwrap()
}

/// One order that begins under this release, and under the id of which another one may come.
fn one_order() -> Check {
    let handlers: Handlers = handlers(Bank::DECLINES).service(|_| Loyalty);
    let [order, cancel] =
        [order_saga().definition(), cancel_saga().definition()].map(|saga| emitted(saga).to_string());
    order_check(Scenario::of_orders(1), handlers, &order, &cancel)
        .with(Invariant::always("nobody earns points for an order that began without", |world| {
            match world.rows::<Points>().count() {
                0 => Ok(()),
                some => Err(format!("points were earned {some} times")),
            }
        }))
        .with(Invariant::at_end("an invoice is sent for a committed order, and for no other", |world| {
            let committed = |saga: &&_| {
                matches!(*saga, saga_check::SagaEnd { outcome: Outcome::Committed(_) | Outcome::Parked, .. })
            };
            let (sent, most) =
                (world.rows::<Invoices>().count(), world.sagas().iter().filter(committed).count());
            if sent <= most { Ok(()) } else { Err(format!("{sent} invoices for {most} committed orders")) }
        }))
}

/// That every history holds, and that they get to where these states wait.
fn assert_holds(check: Check, reached: &[&str]) {
    let report: Report = check.run().unwrap();
    report.assert_holds();
    for state in reached {
        assert!(
            report.coverage.iter().any(|covered| covered.what == *state),
            "{state} is not reached:\n{report}"
        );
    }
}

#[test]
fn a_newer_machine_settles_without_the_step_it_has_more_before_the_pivot() {
    let check = one_order().settled_by(in_the_middle().definition()).faults(2);
    assert_holds(check, &["rescue confirm-order", "send-invoice", "undo earn-points"]);
    assert_eq!(refused(in_the_middle().definition()), "");
}

#[test]
fn a_newer_machine_that_begins_with_another_step_does_not_see_whose_an_id_is() {
    let check = one_order().settled_by(at_the_beginning().definition()).faults(2).threads(1);
    let report = check.run().unwrap();
    assert_eq!(
        report.counterexample().unwrap().broken,
        "order o-1 had its id first, and is turned back because of another run"
    );
    insta::assert_snapshot!(refused(at_the_beginning().definition()), @"saga `order`: it began with `create-order` and begins with `earn-points`: who settles for an execution asks the first steps whose the saga id is, and one that is new does not know of a saga under way that has it, which is then turned back; put new steps behind the first ones, or at the same time");
}

#[test]
fn what_is_needed_behind_the_pivot_is_not_run_there_but_parks() {
    let check = one_order().settled_by(behind_the_pivot().definition()).need_not_heal().faults(1);
    assert_holds(check, &["earn-points", "park recall earn-points"]);
    insta::assert_snapshot!(refused(behind_the_pivot().definition()), @"saga `order`, step `praise-points`: it needs the value `earned` of the new step `earn-points`, which a saga that began before never runs once it is past its pivot: who settles for its execution parks it for good; deploy the new step first, and what needs it when no execution of the release before it is left");
}

/// Why this release cannot take the place of ours.
fn refused(newer: &Definition) -> String {
    let (here, participants) = (sagas::all(), sagas::participants());
    let newer: Vec<_> =
        here.iter().map(|saga| if saga.name == newer.name { newer.clone() } else { saga.clone() }).collect();
    let schemas = |sagas: &[Definition]| Schemas::of_deployment(sagas, &participants);
    let told = incompatibilities(&schemas(&here), &schemas(&newer));
    told.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// So that the tests above could fail: without the question whether it was done, the step is run.
#[test]
fn a_recall_that_does_not_ask_is_found() {
    let mut machine = emitted(behind_the_pivot().definition());
    let body = &mut machine["States"]["recall earn-points"]["Arguments"]["MessageBody"];
    body.as_object_mut().unwrap().remove("if_absent").unwrap();
    body["input"] = json!({ "order": "{% $states.context.Execution.Input.input %}" });
    let check = one_order().settled_by_machine(ORDER_SAGA, &machine.to_string()).need_not_heal().faults(1);
    let report = check.threads(1).run().unwrap();
    let broken = &report.counterexample().unwrap().broken;
    assert!(broken.contains("points were earned 1 times"), "{broken}");
}
