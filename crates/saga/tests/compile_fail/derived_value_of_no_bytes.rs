// No JSON has no bytes, so nothing could ever be sent.
use saga::{Start, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

fn main() {}

const NONE: usize = 5 - 5;

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Value)]
#[value(name = "order", max_bytes = 0, producer = Start)]
struct Order {}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Value)]
#[value(name = "parcel", max_bytes = NONE, producer = Start)]
struct Parcel {}
