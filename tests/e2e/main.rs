//! The whole system from outside: what is published comes in at the order topic, and what is asserted is read from
//! tables, queues, executions, the payment gateway and the mailbox.
//!
//! | module | proves |
//! | --- | --- |
//! | `fulfilment` | a placed order is confirmed, paid, reserved and told |
//! | `rejections` | each business 'no' leaves nothing behind and says why |
//! | `unknown_outcomes` | a lost answer, an error or a slow peer is settled either way, never half |
//! | `ids` | an id means one run: another order under it is refused, whenever it comes |
//! | `repetition` | a duplicate, late or reordered message changes nothing |
//! | `refusals` | what cannot be served is set aside with its reasons and holds up nobody |
//! | `cancellation` | a customer can cancel before the pivot, and is told when it is too late |
//! | `contention` | concurrent orders never oversell |
//! | `rescue` | a saga whose execution was stopped is finished or undone by another |
//! | `parking` | what cannot be undone waits for an operator, and the other undos go on |
//! | `operations` | an operator sees what happened and does what makes sense |
//! | `flood` | more orders than participants get done wait before they begin, and all commit |
//! | `throttling` | an account with few functions at a time slows sagas and compensates none |
//! | `reconciliation` | a charge that no order wants is found on a schedule and refunded, an order's is kept, one without a fence is left alone, and too many refunds are withheld |
//! | `security` | with IAM enforced, each function can do what it needs and nothing else |
//! | `releases` | a saga, an entity and a participant can be taken away and put back |
//! | `hotswap` | code and state machines change without a stack update, and the next deployment straightens it |
//! | `logs` | what all functions log about a saga is one stream |
//! | `upgrade` | a release that would not understand what is in flight is not deployed |
//! | `trips` | the same of another saga: steps that run at the same time, one that is needed after the pivot, and one that is not; and that an operator sees it |
//! | `aftermath` | when all is over, units and money add up and nothing is left in any queue (runs last) |
//!
//! `world` is what they share: one deployment, and the books of what was put in. They run at the same time, each with
//! ids and products of its own. An emulator with IAM enforced is started for them on a free port, unless
//! `AWS_ENDPOINT_URL` names one.
#![forbid(unsafe_code)]

mod aftermath;
mod cancellation;
mod cases;
mod contention;
mod crafted;
mod draft;
mod endings;
mod flood;
mod fulfilment;
mod hotswap;
mod ids;
mod logs;
mod looks;
mod operations;
mod parking;
mod planned;
mod probes;
mod reconciliation;
mod refusals;
mod rejections;
mod releases;
mod repetition;
mod rescue;
mod security;
mod throttling;
mod trips;
mod unknown_outcomes;
mod upgrade;
mod world;

use crate::{cases::Case, world::Shared};
use libtest_mimic::Arguments;
use std::{process::ExitCode, sync::Arc};

/// Tests mostly wait: for redeliveries, for a slow peer, for each other's sagas.
const TESTS_AT_ONCE: usize = 32;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(TESTS_AT_ONCE);
    let shared = Arc::new(Shared::new());
    let cases = [
        fulfilment::cases(),
        rejections::cases(),
        unknown_outcomes::cases(),
        ids::cases(),
        repetition::cases(),
        refusals::cases(),
        cancellation::cases(),
        contention::cases(),
        rescue::cases(),
        parking::cases(),
        trips::cases(),
        operations::cases(),
        throttling::cases(),
        flood::cases(),
        reconciliation::cases(),
        security::cases(),
        releases::cases(),
        hotswap::cases(),
        logs::cases(),
        upgrade::cases(),
    ];
    let passed = run(&arguments, &shared, cases.concat());
    // Only when all the others are over does everything have to add up.
    let added_up = run(&arguments, &shared, aftermath::cases());
    if let Some(shared) = Arc::into_inner(shared) {
        shared.stop();
    }
    if passed && added_up { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run(arguments: &Arguments, shared: &Arc<Shared>, cases: Vec<Case>) -> bool {
    let trials = cases.into_iter().map(|case| case.trial(Arc::clone(shared))).collect();
    !libtest_mimic::run(arguments, trials).has_failed()
}
