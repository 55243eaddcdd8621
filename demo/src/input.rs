//! Reads the orders and the stock, and says where a file is wrong. Nothing is started before both are read.

use saga::SagaId;
use serde::{Deserialize, de::DeserializeOwned};
use std::{
    collections::HashMap,
    fs,
    ops::RangeInclusive,
    path::{Path, PathBuf},
};

/// One line of the orders file. Members it does not know are ignored.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Order {
    /// The order's id; no two lines have the same.
    pub(crate) order_id: String,
    /// The customer's id.
    pub(crate) customer: String,
    /// The ISO 4217 code of all prices.
    pub(crate) currency: String,
    /// What is ordered: 1 line or more.
    pub(crate) lines: Vec<Line>,
}

/// One line of an order.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Line {
    /// The product.
    pub(crate) sku: String,
    /// How many.
    pub(crate) quantity: i64,
    /// The price of one in minor units.
    pub(crate) unit_price_minor: i64,
    /// The discount in percent. Default: none.
    #[serde(default)]
    pub(crate) discount_percent: i64,
}

/// One line of the stock file. Members it does not know are ignored.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Product {
    /// The product; no two lines have the same.
    pub(crate) sku: String,
    /// How many there are.
    pub(crate) units_in_stock: u32,
}

const QUANTITY: RangeInclusive<i64> = 1..=1_000_000;
const PRICE_MINOR: RangeInclusive<i64> = 0..=1_000_000_000;
const DISCOUNT_PERCENT: RangeInclusive<i64> = 0..=100;
const NAME_MAX_CHARS: usize = 64;

const ORDER_FORMAT: &str = r#"{"order_id": "nw-1", "customer": "VINET", "currency": "USD", "lines": [{"sku": "nw-11", "quantity": 12, "unit_price_minor": 1400, "discount_percent": 0}]}"#;
const PRODUCT_FORMAT: &str = r#"{"sku": "nw-1", "units_in_stock": 39}"#;

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InputError {
    /// It cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It has no lines.
    #[error("{}: the file is empty; at least one line is needed, such as {format}", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
        /// A line that would do.
        format: &'static str,
    },
    /// A line is not what it should be.
    #[error("{}, line {line}: {what}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong and what is allowed.
        what: String,
    },
}

/// Reads the orders. `prefix` is what the demo will put before each id and each SKU.
///
/// # Errors
/// Names the file and the line, and says what is wrong and what is allowed.
pub(crate) fn orders(path: &Path, prefix: &str) -> Result<Vec<Order>, InputError> {
    let mut seen = HashMap::new();
    read(path, ORDER_FORMAT, |line, order: &Order| {
        check_order(order, prefix)?;
        once(&mut seen, "order_id", &order.order_id, line)
    })
}

/// Reads the stock. `prefix` is what the demo will put before each SKU.
///
/// # Errors
/// Names the file and the line, and says what is wrong and what is allowed.
pub(crate) fn stock(path: &Path, prefix: &str) -> Result<Vec<Product>, InputError> {
    let mut seen = HashMap::new();
    read(path, PRODUCT_FORMAT, |line, product: &Product| {
        check_name("sku", prefix, &product.sku)?;
        once(&mut seen, "sku", &product.sku, line)
    })
}

fn read<T: DeserializeOwned>(
    path: &Path,
    format: &'static str,
    mut check: impl FnMut(usize, &T) -> Result<(), String>,
) -> Result<Vec<T>, InputError> {
    let text = fs::read_to_string(path).map_err(|source| InputError::Read { path: path.into(), source })?;
    let mut values = Vec::new();
    for (place, text) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        if text.trim().is_empty() {
            continue;
        }
        let line = place + 1;
        let wrong = |what| InputError::Line { path: path.into(), line, what };
        let value = serde_json::from_str(text).map_err(|error| wrong(not_the_format(&error, format)))?;
        check(line, &value).map_err(wrong)?;
        values.push(value);
    }
    if values.is_empty() {
        return Err(InputError::Empty { path: path.into(), format });
    }
    Ok(values)
}

/// serde says 'line 1 column 7' of a text that is one line.
fn not_the_format(error: &serde_json::Error, format: &str) -> String {
    let text = error.to_string();
    let what = text.split(" at line ").next().unwrap_or_default();
    format!("{what} (column {}); a line must be like {format}", error.column())
}

fn check_order(order: &Order, prefix: &str) -> Result<(), String> {
    let id = format!("{prefix}{}", order.order_id);
    SagaId::try_from(id).map_err(|error| format!("order_id: {error}"))?;
    check_name("customer", "", &order.customer)?;
    if order.currency.len() != 3 || !order.currency.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Err(format!(
            "currency is {:?}: a code of three capital letters is needed, like USD",
            order.currency
        ));
    }
    if order.lines.is_empty() {
        return Err("lines is empty: an order has at least one line".into());
    }
    for (place, line) in order.lines.iter().enumerate() {
        check_line(line, prefix).map_err(|what| format!("lines[{place}]: {what}"))?;
    }
    Ok(())
}

fn check_line(line: &Line, prefix: &str) -> Result<(), String> {
    check_name("sku", prefix, &line.sku)?;
    within("quantity", line.quantity, &QUANTITY)?;
    within("unit_price_minor", line.unit_price_minor, &PRICE_MINOR)?;
    within("discount_percent", line.discount_percent, &DISCOUNT_PERCENT)
}

fn check_name(member: &str, prefix: &str, name: &str) -> Result<(), String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if !name.is_empty() && prefix.len() + name.len() <= NAME_MAX_CHARS && name.chars().all(allowed) {
        return Ok(());
    }
    let most = NAME_MAX_CHARS.saturating_sub(prefix.len());
    Err(format!("{member} is {name:?}: 1 to {most} letters, digits, '-', '_' and '.' are allowed"))
}

fn within(member: &str, given: i64, allowed: &RangeInclusive<i64>) -> Result<(), String> {
    if allowed.contains(&given) {
        return Ok(());
    }
    Err(format!("{member} is {given}: allowed are {} to {}", allowed.start(), allowed.end()))
}

fn once(seen: &mut HashMap<String, usize>, member: &str, value: &str, line: usize) -> Result<(), String> {
    match seen.insert(value.to_owned(), line) {
        None => Ok(()),
        Some(first) => Err(format!("{member} {value:?} is on line {first} already: each may be there once")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::Builder::new().prefix("input-").tempfile().unwrap();
        fs::write(file.path(), text).unwrap();
        file
    }

    fn order(members: &str) -> String {
        format!(r#"{{"order_id":"o-1","customer":"C","currency":"USD",{members}}}"#)
    }

    fn line(quantity: &str) -> String {
        format!(r#""lines":[{{"sku":"s","quantity":{quantity},"unit_price_minor":100}}]"#)
    }

    /// The message after the file's name.
    fn refused(text: &str) -> String {
        let file = file(text);
        let message = orders(file.path(), "").unwrap_err().to_string();
        message.strip_prefix(&*file.path().to_string_lossy()).unwrap().to_owned()
    }

    #[test]
    fn the_shipped_files_are_read_whole() {
        let northwind = Path::new(env!("CARGO_MANIFEST_DIR")).join("northwind");
        let orders = orders(&northwind.join("orders.jsonl"), "").unwrap();
        let lines: usize = orders.iter().map(|order| order.lines.len()).sum();
        let stock = stock(&northwind.join("stock.jsonl"), "").unwrap();
        assert_eq!((orders.len(), lines, stock.len()), (830, 2155, 77));
    }

    #[test]
    fn unknown_members_blank_lines_and_a_byte_order_mark_are_ignored() {
        let text = format!("\u{feff}{}\r\n\r\n", order(&format!(r#""when":"now",{}"#, line("2"))));
        let file = file(&text);
        let orders = orders(file.path(), "r2-").unwrap();
        assert_eq!((orders.len(), orders[0].lines[0].discount_percent), (1, 0));
    }

    #[test]
    fn a_wrong_line_is_named_with_what_is_allowed() {
        let good = order(&line("1"));
        let second = |line: &str| refused(&format!("{good}\n{line}\n"));
        assert!(
            second("{")
                .starts_with(", line 2: EOF while parsing an object (column 1); a line must be like {")
        );
        assert!(second(&order(r#""line":[]"#)).starts_with(", line 2: missing field `lines`"));
        assert!(
            second(&order(&line("\"x\""))).starts_with(", line 2: invalid type: string \"x\", expected i64")
        );
        let other = good.replace("o-1", "o-2");
        assert_eq!(
            second(&other.replace(":1,", ":0,")),
            ", line 2: lines[0]: quantity is 0: allowed are 1 to 1000000"
        );
        assert_eq!(
            second(&other.replace("USD", "usd")),
            ", line 2: currency is \"usd\": a code of three capital letters is needed, like USD"
        );
        assert_eq!(second(&good), ", line 2: order_id \"o-1\" is on line 1 already: each may be there once");
        assert!(second(&good.replace("o-1", "o 2")).contains("`o 2` is not a saga id: use 1 to 80"));
        assert!(second(&good.replace("\"C\"", "\"a@b\"")).contains("customer is \"a@b\": 1 to 64 letters"));
    }

    #[test]
    fn an_empty_or_missing_file_is_refused() {
        assert!(refused("\n\n").starts_with(": the file is empty; at least one line is needed, such as {"));
        let missing = orders(Path::new("no-such.jsonl"), "").unwrap_err().to_string();
        assert_eq!(missing, "cannot read no-such.jsonl");
    }

    #[test]
    fn negative_stock_is_refused() {
        let file = file(r#"{"sku":"s","units_in_stock":-1}"#);
        assert!(
            stock(file.path(), "").unwrap_err().to_string().contains("line 1: invalid value: integer `-1`")
        );
    }
}
