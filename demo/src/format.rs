//! Numbers for people.

use iso_currency::Currency;
use std::time::Duration;

/// `51,317`
pub(crate) fn grouped<T: Copy + ToString>(number: T) -> String {
    let text = number.to_string();
    let (sign, digits) = text.strip_prefix('-').map_or(("", text.as_str()), |digits| ("-", digits));
    let mut grouped = String::from(sign);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `1,265,793.03` for 126579303 cents: an amount in the currency's major unit.
pub(crate) fn money(minor: i64, currency: &str) -> String {
    let decimals = Currency::from_code(currency).and_then(Currency::exponent).unwrap_or(0);
    let unit = 10_u64.pow(decimals.into());
    let (sign, minor) = (if minor < 0 { "-" } else { "" }, minor.unsigned_abs());
    let whole = grouped(minor / unit);
    if decimals == 0 {
        return format!("{sign}{whole}");
    }
    format!("{sign}{whole}.{:0width$}", minor % unit, width = usize::from(decimals))
}

/// `0.42 s`, `21.3 s`
pub(crate) fn seconds(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    if seconds < 10.0 { format!("{seconds:.2} s") } else { format!("{seconds:.1} s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped() {
        assert_eq!(
            [0, 999, 1_000, 51_317, -1_234_567].map(grouped),
            ["0", "999", "1,000", "51,317", "-1,234,567"]
        );
    }

    #[test]
    fn money_has_the_decimals_of_its_currency() {
        assert_eq!(money(126_579_303, "USD"), "1,265,793.03");
        assert_eq!(money(-5, "USD"), "-0.05");
        assert_eq!(money(1_500, "JPY"), "1,500");
    }

    #[test]
    fn long_durations_have_fewer_decimals() {
        assert_eq!(seconds(Duration::from_millis(421)), "0.42 s");
        assert_eq!(seconds(Duration::from_millis(21_340)), "21.3 s");
    }
}
