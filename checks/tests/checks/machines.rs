//! The state machines as they were emitted for production.

use serde_json::Value as Json;
use std::path::Path;

fn emitted(saga: &str) -> String {
    let path = format!("../stacks/templates/prod/{saga}.asl.json");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
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
