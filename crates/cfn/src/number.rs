//! Numbers, durations and sizes as property values, in the unit that the property wants.

use std::time::Duration;

use serde_json::Value as Json;

use crate::kind::{Bytes, Days, Hours, Minutes, Seconds, SizeInBytes};
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
    SizeInBytes: i32 u32 u64;
}

#[diagnostic::do_not_recommend]
impl From<Bytes> for Value<SizeInBytes> {
    fn from(literal: Bytes) -> Self {
        Self::from_json(literal.count().into())
    }
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

#[diagnostic::do_not_recommend]
impl From<Duration> for Value<Seconds> {
    /// A fraction of a second counts as a whole one.
    fn from(literal: Duration) -> Self {
        Self::from_json(whole(literal, 1).into())
    }
}

#[diagnostic::do_not_recommend]
impl From<Duration> for Value<Minutes> {
    /// A fraction of a minute counts as a whole one.
    fn from(literal: Duration) -> Self {
        Self::from_json(whole(literal, 60).into())
    }
}

#[diagnostic::do_not_recommend]
impl From<Duration> for Value<Hours> {
    /// A fraction of an hour counts as a whole one.
    fn from(literal: Duration) -> Self {
        Self::from_json(whole(literal, 3_600).into())
    }
}

#[diagnostic::do_not_recommend]
impl From<Duration> for Value<Days> {
    /// A fraction of a day counts as a whole one.
    fn from(literal: Duration) -> Self {
        Self::from_json(whole(literal, 86_400).into())
    }
}

fn whole(duration: Duration, seconds_per_unit: u64) -> u64 {
    let seconds = duration.as_secs().saturating_add(u64::from(duration.subsec_nanos() > 0));
    seconds.div_ceil(seconds_per_unit)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn durations_round_up_to_the_unit_of_the_property() {
        assert_eq!(Value::<Seconds>::from(Duration::from_millis(1_500)).as_json(), &json!(2));
        assert_eq!(Value::<Minutes>::from(Duration::from_secs(61)).as_json(), &json!(2));
        assert_eq!(Value::<Days>::from(Duration::from_secs(14 * 86_400)).as_json(), &json!(14));
    }

    #[test]
    fn whole_floats_are_written_as_integers() {
        assert_eq!(Value::<f64>::from(1.0).as_json(), &json!(1));
        assert_eq!(Value::<f64>::from(0.5).as_json(), &json!(0.5));
    }

    #[test]
    fn sizes_are_bytes() {
        assert_eq!(Value::<SizeInBytes>::from(Bytes::kibibytes(64)).as_json(), &json!(65_536));
        assert_eq!(Value::<SizeInBytes>::from(1_024).as_json(), &json!(1_024));
    }
}
