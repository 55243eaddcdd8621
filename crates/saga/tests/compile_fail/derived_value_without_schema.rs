// A value has a schema, so that a release which no longer understands it is refused before it is deployed.
#[macro_use]
mod support;
use support::*;

fn main() {}

#[derive(Debug, Clone, Serialize, Deserialize, Value)]
#[value(name = "parcel", max_bytes = 100, producer = Start)]
struct Parcel {}
