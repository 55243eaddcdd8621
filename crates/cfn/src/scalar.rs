//! What a scalar without quotes means to CloudFormation: what YAML 1.1 makes of it, except that single letters (`N`, `Y`)
//! and dates are text.
//!
//! What was seen of templates that were deployed: <https://github.com/ASFHyP3/hyp3/pull/2061> (words),
//! <https://github.com/go-to-k/cdk-real-drift/issues/850> (letters and dates),
//! <https://www.skyarch.net/blog/?p=20495> (octal numbers, and what only looks like one).
//!
//! <https://yaml.org/type/>

use serde_json::Number;

/// The largest whole number whose digits a number of JSON keeps: 2^53.
const MAX_WHOLE: f64 = 9_007_199_254_740_992.0;

/// The meaning of a scalar without quotes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Plain {
    Null,
    Flag(bool),
    Number(Number),
    /// The text, as it stands.
    Text,
    /// A whole number that has more digits than JSON keeps.
    TooLong,
    /// Infinity, or what is no number, neither of which JSON has.
    NotFinite,
}

/// What the scalar means.
pub(crate) fn resolve(text: &str) -> Plain {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Plain::Null,
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => return Plain::Flag(true),
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => {
            return Plain::Flag(false);
        }
        ".nan" | ".NaN" | ".NAN" => return Plain::NotFinite,
        _ => {}
    }
    let (negative, magnitude) = match text.strip_prefix(['-', '+']) {
        Some(magnitude) => (text.starts_with('-'), magnitude),
        None => (false, text),
    };
    if matches!(magnitude, ".inf" | ".Inf" | ".INF") {
        return Plain::NotFinite;
    }
    whole(magnitude)
        .map(|digits| digits.map_or(Plain::TooLong, |number| signed(negative, number)))
        .or_else(|| fraction(magnitude, text).map(|number| float(negative, number)))
        .unwrap_or(Plain::Text)
}

/// Whether text looks like a number to a reader that is less strict than YAML 1.1, as CloudFormation has been seen to be
/// with `08` and `012345678901`.
pub(crate) fn looks_numeric(text: &str) -> bool {
    let starts = text.trim_start_matches(['-', '+']).starts_with(|c: char| c.is_ascii_digit() || c == '.');
    starts && text.replace('_', "").parse::<f64>().is_ok()
}

/// A whole number without its sign: nothing when it is none, `None` within when it is too long.
fn whole(text: &str) -> Option<Option<i128>> {
    let digits = |digits: &str, radix: u32| {
        let known = !digits.is_empty() && digits.chars().all(|c| c == '_' || c.is_digit(radix));
        known.then(|| digits.replace('_', "")).filter(|bare| !bare.is_empty())
    };
    let in_radix =
        |text: &str, radix: u32| digits(text, radix).map(|bare| i128::from_str_radix(&bare, radix).ok());
    if let Some(rest) = text.strip_prefix("0b") {
        return in_radix(rest, 2);
    }
    if let Some(rest) = text.strip_prefix("0x") {
        return in_radix(rest, 16);
    }
    if text.starts_with('0') {
        return in_radix(text, 8);
    }
    if !text.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    match text.split_once(':') {
        Some((first, rest)) => sixties(&digits(first, 10)?, rest),
        None => in_radix(text, 10),
    }
}

/// `12:30:45`: each part counts sixty of the next.
fn sixties(first: &str, rest: &str) -> Option<Option<i128>> {
    let parts: Option<Vec<i128>> = rest.split(':').map(sixtieth).collect();
    let parts = parts?;
    let Ok(first) = first.parse::<i128>() else { return Some(None) };
    let total = |sum: i128, part: &i128| sum.checked_mul(60)?.checked_add(*part);
    Some(parts.iter().try_fold(first, total))
}

/// One or two digits, up to 59.
fn sixtieth(part: &str) -> Option<i128> {
    let is_digits = matches!(part.len(), 1 | 2) && part.bytes().all(|b| b.is_ascii_digit());
    is_digits.then(|| part.parse().ok()).flatten().filter(|value| *value < 60)
}

/// A number with a point, without its sign. A point at the start takes no sign.
fn fraction(magnitude: &str, text: &str) -> Option<f64> {
    let digits = |text: &str| text.chars().all(|c| c == '_' || c.is_ascii_digit());
    let (mantissa, exponent) = match magnitude.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (magnitude, None),
    };
    if let Some(exponent) = exponent {
        let bare = exponent.strip_prefix(['-', '+'])?;
        if bare.is_empty() || !bare.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
    }
    let (before, after) = mantissa.split_once('.')?;
    if !digits(after) {
        return None;
    }
    let bare = |text: &str| text.replace('_', "");
    if before.is_empty() {
        let is_number = after.starts_with(|c: char| c.is_ascii_digit()) && magnitude.len() == text.len();
        return if is_number { bare(magnitude).parse().ok() } else { None };
    }
    if !before.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    if let Some((first, rest)) = before.split_once(':') {
        let sum =
            if digits(first) && exponent.is_none() { sixties(&bare(first), rest)?? } else { return None };
        return format!("{sum}.{}", bare(after)).parse().ok();
    }
    if digits(before) { bare(magnitude).parse().ok() } else { None }
}

fn signed(negative: bool, magnitude: i128) -> Plain {
    let number = if negative { -magnitude } else { magnitude };
    let small = i64::try_from(number).map(Number::from);
    small.or_else(|_| u64::try_from(number).map(Number::from)).map_or(Plain::TooLong, Plain::Number)
}

fn float(negative: bool, magnitude: f64) -> Plain {
    let number = if negative { -magnitude } else { magnitude };
    match Number::from_f64(number) {
        Some(_) if is_too_long(number) => Plain::TooLong,
        Some(number) => Plain::Number(number),
        None => Plain::NotFinite,
    }
}

/// Whether this is a whole number some of whose digits may be lost already.
pub(crate) fn is_too_long(number: f64) -> bool {
    number.fract() == 0.0 && number.abs() > MAX_WHOLE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_read_in_every_notation() {
        for (text, expected) in [
            ("0", 0),
            ("7", 7),
            ("-7", -7),
            ("+5", 5),
            ("1_000", 1000),
            ("0x1F", 31),
            ("0b101", 5),
            ("010", 8),
            ("0_", 0),
            ("-011", -9),
            ("12:30:45", 45_045),
            ("-1:30", -90),
        ] {
            assert_eq!(resolve(text), Plain::Number(expected.into()), "{text}");
        }
        assert_eq!(resolve("18446744073709551615"), Plain::Number(u64::MAX.into()));
    }

    #[test]
    fn numbers_with_a_point_are_read() {
        for (text, expected) in [
            ("1.30", 1.3),
            ("-1.5", -1.5),
            ("1.", 1.0),
            (".5", 0.5),
            ("1.5e+3", 1500.0),
            ("1.0E-2", 0.01),
            ("1_0.2_5", 10.25),
            ("01.5", 1.5),
            ("1:30.5", 90.5),
        ] {
            assert_eq!(resolve(text), Plain::Number(Number::from_f64(expected).expect("finite")), "{text}");
        }
    }

    #[test]
    fn what_yaml_knows_no_other_meaning_of_is_text() {
        for text in [
            "N",
            "Y",
            "n",
            "y",
            "tRUE",
            "oN",
            "08",
            "012345678901",
            "1e5",
            "1.5e3",
            "0o17",
            "0x",
            "0x_",
            "0b2",
            "1:60",
            "1:2:",
            "2026-11-27",
            "2001-12-14 21:59:43.10 -5",
            "-.5",
            "._5",
            "+",
            "-",
            ".",
            "1.2.3",
            "1a",
            "1.a",
            "1 000",
            "infinity",
            "nan",
            "=",
            "<<",
            "10.0.0.0/16",
            "0:30",
        ] {
            assert_eq!(resolve(text), Plain::Text, "{text}");
        }
    }

    #[test]
    fn what_json_has_no_number_for_is_said() {
        for text in ["18446744073709551616", "-9223372036854775809", "1.0e+20", &"9".repeat(60)] {
            assert_eq!(resolve(text), Plain::TooLong, "{text}");
        }
        for text in [".inf", "-.INF", ".NaN", "1.0e+999"] {
            assert_eq!(resolve(text), Plain::NotFinite, "{text}");
        }
    }

    #[test]
    fn what_a_less_strict_reader_takes_for_a_number_is_known() {
        for text in ["08", "012345678901", "1e5", "-.5", "1234e5"] {
            assert!(looks_numeric(text), "{text}");
        }
        for text in ["", "N", "nan", "inf", "infinity", "1.2.3", "2026-11-27", "-", ".inf", "0o17", "1:60"] {
            assert!(!looks_numeric(text), "{text}");
        }
    }
}
