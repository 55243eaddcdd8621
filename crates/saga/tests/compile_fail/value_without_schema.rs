// A value has a schema, so that a release which no longer understands it is refused before it is deployed.
#[macro_use]
mod support;
use support::*;

fn main() {}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Parcel {}

impl Value for Parcel {
    const NAME: &'static str = "parcel";
    const MAX_BYTES: usize = 100;
    type Producer = Start;
}
