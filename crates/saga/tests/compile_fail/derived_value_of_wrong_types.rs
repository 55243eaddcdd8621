// What a derive is given is checked where it stands.
#[macro_use]
mod support;
use support::*;

fn main() {}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Value)]
#[value(name = 3, max_bytes = "100", producer = Nobody)]
struct Parcel {}
