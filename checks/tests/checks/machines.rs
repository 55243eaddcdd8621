//! The state machines as production has them.

use serde_json::Value as Json;
use stacks::Stage;

fn emitted(saga: &str) -> String {
    let app = stacks::synth(Stage::Prod).expect("the stacks can be synthesised");
    let machine = app.machines.iter().find(|machine| machine.saga == saga).expect("a saga of the deployment");
    serde_json::to_string(&machine.machine).expect("a state machine is JSON")
}

pub(crate) fn order() -> String {
    emitted("order")
}

pub(crate) fn cancel() -> String {
    emitted("cancel-order")
}

/// The order machine with a mistake in it.
pub(crate) fn order_with(mistake: impl FnOnce(&mut Json)) -> String {
    with(&order(), mistake)
}

/// The machine of the cancel saga with a mistake in it.
pub(crate) fn cancel_with(mistake: impl FnOnce(&mut Json)) -> String {
    with(&cancel(), mistake)
}

fn with(machine: &str, mistake: impl FnOnce(&mut Json)) -> String {
    let mut machine: Json = serde_json::from_str(machine).expect("the emitted machine is JSON");
    mistake(&mut machine["States"]);
    machine.to_string()
}
