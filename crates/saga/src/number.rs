//! Whole numbers on their way through a state machine, which has no others than 64-bit floating point: its expressions are
//! in [JSONata](https://docs.jsonata.org/simple), whose numbers those of JSON are read as.

use serde_json::{Number, Value as Json};

/// The largest whole number below which every one keeps its digits on its way through a state machine: 2^53 − 1. For
/// `#[schemars(range(min = 0, max = saga::MAX_EXACT))]` at a whole number of a value.
pub const MAX_EXACT: i64 = (1 << 53) - 1;

/// The first whole number that may lose digits.
pub(crate) fn inexact(json: &Json) -> Option<&Number> {
    match json {
        Json::Number(number) => is_inexact(number).then_some(number),
        Json::Array(items) => items.iter().find_map(inexact),
        Json::Object(members) => members.values().find_map(inexact),
        _ => None,
    }
}

/// What comes out of a state machine when this goes in.
pub(crate) fn rounded(json: Json) -> Json {
    match json {
        Json::Number(number) if is_inexact(&number) => {
            round(&number).map_or(Json::Number(number), Json::Number)
        }
        Json::Array(items) => items.into_iter().map(rounded).collect(),
        Json::Object(members) => members.into_iter().map(|(name, member)| (name, rounded(member))).collect(),
        other => other,
    }
}

fn is_inexact(number: &Number) -> bool {
    number.as_i64().map_or_else(|| number.is_u64(), |whole| whole.unsigned_abs() > MAX_EXACT.unsigned_abs())
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the nearest number that both kinds have is meant"
)]
fn round(number: &Number) -> Option<Number> {
    let near = number.as_f64()?;
    Some(if near < 0.0 { Number::from(near as i64) } else { Number::from(near as u64) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_beyond_is_found_and_rounded() {
        let beyond = json!({ "a": [1, { "b": 9_007_199_254_740_993_i64 }], "c": -9_007_199_254_740_993_i64 });
        assert_eq!(inexact(&beyond), Some(&Number::from(9_007_199_254_740_993_i64)));
        let expected =
            json!({ "a": [1, { "b": 9_007_199_254_740_992_i64 }], "c": -9_007_199_254_740_992_i64 });
        assert_eq!(rounded(beyond), expected);
        assert_eq!(
            rounded(json!(u64::MAX)),
            json!(u64::MAX),
            "2^64 is out of range, and nearest to it is this"
        );
        assert_eq!(rounded(json!(i64::MIN)), json!(i64::MIN));
    }

    #[test]
    fn what_is_within_stays_as_it_is() {
        let within = json!([MAX_EXACT, -MAX_EXACT, 0, 1.5, 1e300, "9007199254740993", null, true]);
        assert_eq!(inexact(&within), None);
        assert_eq!(rounded(within.clone()), within);
    }
}
