//! Numbers, durations and sizes as property values, in the unit that the property wants.

use std::time::Duration;

use serde_json::{Map, Value as Json, json};

use crate::kind::{
    Bytes, Days, Gibibytes, Hours, Kibibytes, Mebibytes, Milliseconds, Minutes, Seconds, SizeInBytes,
};
use crate::value::Value;

/// Whole numbers of several types are integers, so that neither a literal nor a variable needs a cast.
macro_rules! integers {
    ($($Kind:ty: $($Literal:ty)*;)*) => {$($(
        #[diagnostic::do_not_recommend]
        impl From<$Literal> for Value<$Kind> {
            fn from(literal: $Literal) -> Self {
                Self::from_json(literal.into())
            }
        }
    )*)*};
}

integers! {
    i64: i32 i64 u16 u32 u64 usize;
    f64: i32 i64 u32 u64;
}

#[diagnostic::do_not_recommend]
impl From<f64> for Value<f64> {
    /// A whole number is written without its `.0`.
    fn from(literal: f64) -> Self {
        let exact = literal.fract() == 0.0 && literal.abs() < 9_007_199_254_740_992.0;
        let json = if exact { Json::from(literal as i64) } else { Json::from(literal) };
        Self::from_json(json)
    }
}

/// Durations and sizes as numbers of the unit that the property wants. AWS takes whole numbers only, so what is none is
/// refused when the template is built.
macro_rules! units {
    ($($Quantity:ty: $($Kind:ty = $size:literal $unit:literal)*;)*) => {$($(
        #[diagnostic::do_not_recommend]
        impl From<$Quantity> for Value<$Kind> {
            fn from(literal: $Quantity) -> Self {
                Self::from_json(literal.in_units($size, $unit))
            }
        }
    )*)*};
}

units! {
    Duration:
        Milliseconds = 1_000_000 "milliseconds"
        Seconds = 1_000_000_000 "seconds"
        Minutes = 60_000_000_000 "minutes"
        Hours = 3_600_000_000_000 "hours"
        Days = 86_400_000_000_000 "days";
    Bytes:
        SizeInBytes = 1 "bytes"
        Kibibytes = 1_024 "kibibytes"
        Mebibytes = 1_048_576 "mebibytes"
        Gibibytes = 1_073_741_824 "gibibytes";
}

/// A quantity that is counted in units.
trait Quantity {
    /// The number of units of this size, or a note of what is no whole number of them.
    fn in_units(self, size: u64, unit: &'static str) -> Json;
}

impl Quantity for Duration {
    fn in_units(self, nanoseconds: u64, unit: &'static str) -> Json {
        whole(self.as_nanos(), nanoseconds, unit, || format!("{self:?}"))
    }
}

impl Quantity for Bytes {
    fn in_units(self, bytes: u64, unit: &'static str) -> Json {
        whole(u128::from(self.count()), bytes, unit, || format!("{} bytes", self.count()))
    }
}

fn whole(count: u128, size: u64, unit: &'static str, given: impl Fn() -> String) -> Json {
    let (units, rest) = (count / u128::from(size), count % u128::from(size));
    match u64::try_from(units) {
        Ok(units) if rest == 0 => units.into(),
        _ => json!({ FRACTION: { "given": given(), "unit": unit } }),
    }
}

/// The key of a note in a value that it is no whole number. CloudFormation has no such function, so a template with
/// one is refused: by us, or at last by it.
const FRACTION: &str = "Fn::Fraction";

/// A quantity that is no whole number of the unit of its property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fraction {
    /// As in `1.5s`.
    pub(crate) given: String,
    /// As in `seconds`.
    pub(crate) unit: String,
}

/// The quantity that a value notes, if it does.
pub(crate) fn fraction(fields: &Map<String, Json>) -> Option<Fraction> {
    let note = fields.get(FRACTION).filter(|_| fields.len() == 1)?;
    let text = |name: &str| note[name].as_str().unwrap_or_default().to_owned();
    Some(Fraction { given: text("given"), unit: text("unit") })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn durations_are_in_the_unit_of_the_property() {
        assert_eq!(Value::<Milliseconds>::from(Duration::from_secs(2)).as_json(), &json!(2_000));
        assert_eq!(Value::<Seconds>::from(Duration::from_secs(2)).as_json(), &json!(2));
        assert_eq!(Value::<Minutes>::from(Duration::from_secs(120)).as_json(), &json!(2));
        assert_eq!(Value::<Hours>::from(Duration::from_secs(7_200)).as_json(), &json!(2));
        assert_eq!(Value::<Days>::from(Duration::from_secs(14 * 86_400)).as_json(), &json!(14));
    }

    #[test]
    fn sizes_are_in_the_unit_of_the_property() {
        assert_eq!(Value::<SizeInBytes>::from(Bytes::kibibytes(64)).as_json(), &json!(65_536));
        assert_eq!(Value::<Kibibytes>::from(Bytes::mebibytes(1)).as_json(), &json!(1_024));
        assert_eq!(Value::<Mebibytes>::from(Bytes::gibibytes(2)).as_json(), &json!(2_048));
        assert_eq!(Value::<Gibibytes>::from(Bytes::gibibytes(2)).as_json(), &json!(2));
    }

    #[test]
    fn what_is_no_whole_number_of_the_unit_is_noted_and_not_rounded() {
        let noted = |json: &Json| {
            let found = fraction(json.as_object()?)?;
            Some((found.given, found.unit))
        };
        let duration = Value::<Seconds>::from(Duration::from_millis(1_500));
        assert_eq!(noted(duration.as_json()), Some(("1.5s".to_owned(), "seconds".to_owned())));
        let size = Value::<Mebibytes>::from(Bytes::kibibytes(1_500));
        assert_eq!(noted(size.as_json()), Some(("1536000 bytes".to_owned(), "mebibytes".to_owned())));
        assert_eq!(noted(Value::<Seconds>::from(Duration::from_secs(1)).as_json()), None);
    }

    #[test]
    fn whole_floats_are_written_as_integers() {
        assert_eq!(Value::<f64>::from(1.0).as_json(), &json!(1));
        assert_eq!(Value::<f64>::from(0.5).as_json(), &json!(0.5));
    }
}
