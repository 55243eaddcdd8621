//! The limits that a schema puts on numbers and lengths.

use super::alternatives::{Alternative, type_name};
use serde_json::Value as Json;

/// The lowest and the highest whole number; none where there is no bound.
pub(super) fn integers(schema: &Alternative) -> (Option<i128>, Option<i128>) {
    if let Some(value) = schema.get("const").and_then(integer) {
        return (Some(value), Some(value));
    }
    let bound = |keyword: &str| schema.get(keyword).and_then(integer);
    let (low, high) = schema.get("format").and_then(Json::as_str).map_or((None, None), range_of_format);
    let above = bound("exclusiveMinimum").map(|bound| bound + 1);
    let below = bound("exclusiveMaximum").map(|bound| bound - 1);
    let tightest = |bounds: [Option<i128>; 3]| bounds.into_iter().flatten();
    (tightest([low, bound("minimum"), above]).max(), tightest([high, bound("maximum"), below]).min())
}

/// schemars tells the range of most integers by their format alone.
fn range_of_format(format: &str) -> (Option<i128>, Option<i128>) {
    macro_rules! range {
        ($integer:ty) => {
            (Some(<$integer>::MIN.into()), Some(<$integer>::MAX.into()))
        };
    }
    match format {
        "int8" => range!(i8),
        "int16" => range!(i16),
        "int32" => range!(i32),
        "int64" | "int" => range!(i64),
        "uint8" => range!(u8),
        "uint16" => range!(u16),
        "uint32" => range!(u32),
        "uint64" | "uint" => range!(u64),
        "uint128" => (Some(0), None),
        _ => (None, None),
    }
}

#[allow(clippy::cast_possible_truncation, reason = "a bound beyond 128 bits is taken for the last of them")]
fn integer(value: &Json) -> Option<i128> {
    let whole = value.as_i64().map(i128::from).or_else(|| value.as_u64().map(i128::from));
    whole.or_else(|| value.as_f64().filter(|number| number.fract() == 0.0).map(|number| number as i128))
}

/// Whether the schema is of numbers.
pub(super) fn is_number(schema: &Alternative) -> bool {
    matches!(type_name(schema), Some("integer" | "number"))
}

/// Whether every number that can be written keeps to what this keyword says of what is read.
pub(super) fn numbers_fit(written: &Alternative, read: &Alternative, keyword: &str) -> bool {
    if type_name(read) == Some("integer") {
        let ((low, high), (least, most)) = (integers(written), integers(read));
        return least.is_none_or(|least| low.is_some_and(|low| low >= least))
            && most.is_none_or(|most| high.is_some_and(|high| high <= most));
    }
    let end = match keyword {
        "minimum" | "exclusiveMinimum" => lower_end,
        "maximum" | "exclusiveMaximum" => upper_end,
        _ => return format_fits(written, read),
    };
    match (end(written), end(read)) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(inner), Some(outer)) => {
            inner.at > outer.at || (inner.at == outer.at && (inner.open || !outer.open))
        }
    }
}

/// One end of an interval.
struct End {
    /// How far in it is: for the upper end with the sign turned.
    at: f64,
    /// Without the end itself.
    open: bool,
}

fn lower_end(schema: &Alternative) -> Option<End> {
    end(schema, "minimum", "exclusiveMinimum", 1.0)
}

fn upper_end(schema: &Alternative) -> Option<End> {
    end(schema, "maximum", "exclusiveMaximum", -1.0)
}

fn end(schema: &Alternative, inclusive: &str, exclusive: &str, sign: f64) -> Option<End> {
    let bound = |keyword: &str| schema.get(keyword).and_then(Json::as_f64).map(|at| at * sign);
    match (bound("const").or(bound(inclusive)), bound(exclusive)) {
        (Some(at), Some(open)) if open >= at => Some(End { at: open, open: true }),
        (Some(at), _) => Some(End { at, open: false }),
        (None, open) => open.map(|at| End { at, open: true }),
    }
}

/// Whether numbers keep their precision.
fn format_fits(written: &Alternative, read: &Alternative) -> bool {
    read.get("format").is_some_and(|format| format == "double") || written.get("format") == read.get("format")
}

/// The lower limit of a length; of a constant, its length.
pub(super) fn least(schema: &Alternative, keyword: &str) -> u64 {
    length_of_constant(schema).or_else(|| schema.get(keyword).and_then(Json::as_u64)).unwrap_or(0)
}

/// The upper limit of a length; of a constant, its length.
pub(super) fn most(schema: &Alternative, keyword: &str) -> u64 {
    length_of_constant(schema).or_else(|| schema.get(keyword).and_then(Json::as_u64)).unwrap_or(u64::MAX)
}

fn length_of_constant(schema: &Alternative) -> Option<u64> {
    schema.get("const").and_then(Json::as_str).map(|text| text.chars().count() as u64)
}
