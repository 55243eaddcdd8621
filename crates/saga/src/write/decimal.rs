//! Numbers that no field can hold, because they are not whole or beyond 64 bits. Somebody else can put them where a field
//! is; DynamoDB compares them and adds to them all the same, exactly, so every store does.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html#HowItWorks.DataTypes.Number>

use super::Scalar;
use serde::Deserialize;
use serde_json::json;
use std::ops::RangeInclusive;

/// The most digits of a number of DynamoDB.
const MAX_DIGITS: usize = 38;

/// How far from the first digit the point can be in a text that is a number: DynamoDB has none beyond 10^126.
const MAX_EXPONENT: i64 = 200;

/// Any number as the next whole one below and what is added to that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Decimal {
    /// Numbers that are as large as this or larger are this.
    floor: i128,
    /// The digits behind the point, without zeros at the end.
    fraction: String,
}

/// A number that no field can hold, in the form of DynamoDB's JSON.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    #[serde(rename = "N")]
    number: String,
}

impl Decimal {
    /// The number that is stored, if it is one.
    pub(super) fn of(scalar: &Scalar) -> Option<Self> {
        match scalar {
            Scalar::Number(number) => Some(Self { floor: i128::from(*number), fraction: String::new() }),
            Scalar::Text(_) => None,
            Scalar::Opaque { opaque } => {
                let form: Form = serde_json::from_str(opaque).ok()?;
                Digits::read(&form.number).map(Digits::into_decimal)
            }
        }
    }

    pub(super) fn at_least(&self, n: impl Into<i128>) -> bool {
        self.floor >= n.into()
    }

    pub(super) fn at_most(&self, n: impl Into<i128>) -> bool {
        let n = n.into();
        self.floor < n || (self.floor == n && self.fraction.is_empty())
    }

    pub(super) fn is_within(&self, range: &RangeInclusive<i128>) -> bool {
        self.at_least(*range.start()) && self.at_most(*range.end())
    }

    /// The sum, unless it has more digits than DynamoDB keeps.
    pub(super) fn plus(&self, n: i64) -> Option<Scalar> {
        let floor = self.floor.checked_add(i128::from(n))?;
        let negative = floor < 0;
        let (whole, fraction) = if negative && !self.fraction.is_empty() {
            (-(floor + 1), complement(&self.fraction))
        } else {
            (floor.checked_abs()?, self.fraction.clone())
        };
        let digits = Digits { negative, whole: whole.to_string(), fraction };
        (digits.count() <= MAX_DIGITS).then(|| digits.into_scalar())
    }
}

impl Scalar {
    /// The number that is written so in decimal, as DynamoDB does. `None` when it is none.
    ///
    /// One that no field can hold is [`Scalar::Opaque`], in one form whatever it is written as.
    pub fn number(text: &str) -> Option<Self> {
        match text.parse() {
            Ok(number) => Some(Self::Number(number)),
            Err(_) => Digits::read(text).map(Digits::into_scalar),
        }
    }
}

/// A number as it is written: without zeros at its ends, but for the last before the point.
struct Digits {
    negative: bool,
    whole: String,
    fraction: String,
}

impl Digits {
    fn read(text: &str) -> Option<Self> {
        let (negative, text) = match text.strip_prefix('-') {
            Some(text) => (true, text),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
            None => (text, 0),
        };
        let (before, after) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{before}{after}");
        let are_digits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        if !are_digits || exponent.abs() > MAX_EXPONENT {
            return None;
        }
        let (whole, fraction) = split(&digits, i64::try_from(before.len()).ok()?.checked_add(exponent)?);
        let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
        let is_zero = whole.is_empty() && fraction.is_empty();
        let whole = if whole.is_empty() { "0" } else { whole };
        Some(Self { negative: negative && !is_zero, whole: whole.to_owned(), fraction: fraction.to_owned() })
    }

    /// How many digits DynamoDB counts.
    fn count(&self) -> usize {
        let digits = format!("{}{}", self.whole, self.fraction);
        digits.trim_matches('0').len()
    }

    fn into_decimal(self) -> Decimal {
        let largest = if self.negative { i128::MIN } else { i128::MAX };
        let Ok(whole) = self.whole.parse::<i128>() else {
            return Decimal { floor: largest, fraction: String::new() };
        };
        match (self.negative, self.fraction.is_empty()) {
            (false, _) => Decimal { floor: whole, fraction: self.fraction },
            (true, true) => Decimal { floor: -whole, fraction: self.fraction },
            (true, false) => Decimal { floor: -whole - 1, fraction: complement(&self.fraction) },
        }
    }

    fn into_scalar(self) -> Scalar {
        let Self { negative, whole, fraction } = self;
        let sign = if negative { "-" } else { "" };
        let point = if fraction.is_empty() { "" } else { "." };
        let text = format!("{sign}{whole}{point}{fraction}");
        match text.parse() {
            Ok(number) => Scalar::Number(number),
            Err(_) => Scalar::Opaque { opaque: json!({ "N": text }).to_string() },
        }
    }
}

/// Splits digits at a point, which can lie beyond either end of them.
fn split(digits: &str, point: i64) -> (String, String) {
    let zeros = |count: i64| "0".repeat(usize::try_from(count).unwrap_or(0));
    match usize::try_from(point) {
        Err(_) => (String::new(), zeros(-point) + digits),
        Ok(point) if point <= digits.len() => {
            let (whole, fraction) = digits.split_at(point);
            (whole.to_owned(), fraction.to_owned())
        }
        Ok(point) => (format!("{digits}{}", "0".repeat(point - digits.len())), String::new()),
    }
}

/// What is missing to one: `25` for `75`. Neither ends with a zero.
fn complement(fraction: &str) -> String {
    let last = fraction.len().saturating_sub(1);
    let digit = |(place, byte): (usize, u8)| {
        char::from(if place == last { b'0' + (b':' - byte) } else { b'0' + (b'9' - byte) })
    };
    fraction.bytes().enumerate().map(digit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opaque(text: &str) -> Scalar {
        Scalar::Opaque { opaque: format!(r#"{{"N":"{text}"}}"#) }
    }

    fn decimal(text: &str) -> Decimal {
        Decimal::of(&Scalar::number(text).unwrap()).unwrap()
    }

    #[test]
    fn a_number_has_one_form_however_it_is_written() {
        for (text, number) in [("7", 7), ("-7.0", -7), ("12E3", 12_000), ("-0.0", 0), ("1.5e1", 15)] {
            assert_eq!(Scalar::number(text), Some(Scalar::Number(number)), "{text}");
        }
        let long = format!("1{}", "0".repeat(30));
        for (text, form) in [
            ("1.50", "1.5"),
            ("-2.5", "-2.5"),
            ("+.5", "0.5"),
            ("1E-3", "0.001"),
            ("125e-2", "1.25"),
            ("1E30", long.as_str()),
            ("9223372036854775808", "9223372036854775808"),
        ] {
            assert_eq!(Scalar::number(text), Some(opaque(form)), "{text}");
        }
        for text in ["", ".", "-", "1.2.3", "1e", "1e999", "NaN", "0x1", " 1", "--1"] {
            assert_eq!(Scalar::number(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_not_whole_lies_between_whole_numbers() {
        for (text, below) in [("1.5", 1), ("-1.5", -2), ("0.001", 0), ("-0.001", -1)] {
            let number = decimal(text);
            assert!(number.at_least(below) && !number.at_least(below + 1), "{text}");
            assert!(number.at_most(below + 1) && !number.at_most(below), "{text}");
        }
        let (huge, tiny) = (decimal("1E125"), decimal("-1E125"));
        assert!(huge.at_least(i64::MAX) && !huge.at_most(i64::MAX));
        assert!(tiny.at_most(i64::MIN) && !tiny.at_least(i64::MIN));
    }

    #[test]
    fn sums_are_exact_up_to_the_digits_of_dynamodb() {
        let sum = |text: &str, n: i64| decimal(text).plus(n);
        for (text, n, expected) in [
            ("1.5", 3, "4.5"),
            ("-1.5", 1, "-0.5"),
            ("-1.25", 2, "0.75"),
            ("0.5", -1, "-0.5"),
            ("0.5", -3, "-2.5"),
        ] {
            assert_eq!(sum(text, n), Some(opaque(expected)), "{text} + {n}");
        }
        assert_eq!(sum("9223372036854775808", -1), Some(Scalar::Number(i64::MAX)));
        let ones = "1".repeat(37);
        assert_eq!(sum(&format!("0.{ones}"), 3), Some(opaque(&format!("3.{ones}"))));
        assert_eq!(sum(&format!("0.{ones}"), 30), None);
    }

    #[test]
    fn what_is_no_number_is_none() {
        for scalar in [Scalar::Text("1".into()), Scalar::Opaque { opaque: r#"{"BOOL":true}"#.into() }] {
            assert_eq!(Decimal::of(&scalar), None, "{scalar:?}");
        }
    }
}
