//! The lines of an order: merged by SKU, and summed up.

use saga_lambda::intake::Problems;
use sagas::{
    events::{LinePlaced, OrderPlaced},
    order::{Line, MAX_LINES, MAX_TOTAL_MINOR},
};
use std::collections::BTreeMap;

/// The lines with equal SKUs merged, in the order in which each SKU first comes. Lines with a problem are left out.
pub(super) fn merged(problems: &mut Problems, placed: &[LinePlaced]) -> Vec<Line> {
    let mut lines: Vec<(&str, u64)> = Vec::new();
    let mut places = BTreeMap::new();
    for (index, line) in placed.iter().enumerate() {
        let field = |name: &str| format!("lines[{index}].{name}");
        problems.check_text(field("sku"), &line.sku, 64);
        let quantity = u32::try_from(line.quantity).ok().filter(|quantity| *quantity > 0);
        if quantity.is_none() {
            problems
                .add(field("quantity"), format!("it is {}: 1 to {} are allowed", line.quantity, u32::MAX));
        }
        let place = *places.entry(line.sku.as_str()).or_insert_with(|| {
            lines.push((&line.sku, 0));
            lines.len() - 1
        });
        lines[place].1 = lines[place].1.saturating_add(u64::from(quantity.unwrap_or(0)));
    }
    if !(1..=MAX_LINES).contains(&lines.len()) {
        let problem = format!("{} different SKUs: 1 to {MAX_LINES} are allowed", lines.len());
        problems.add("lines", problem);
    }
    let mut merged = Vec::new();
    for (sku, quantity) in lines {
        match u32::try_from(quantity) {
            Ok(quantity) => merged.push(Line { sku: sku.into(), quantity }),
            Err(_) => {
                let first = placed.iter().position(|line| line.sku == sku).unwrap_or_default();
                let problem =
                    format!("all lines of this SKU have {quantity}: at most {} are allowed", u32::MAX);
                problems.add(format!("lines[{first}].quantity"), problem);
            }
        }
    }
    merged
}

/// The sum of all lines in minor units, each with its own price and discount. `None` when it cannot be told.
pub(super) fn total_minor(problems: &mut Problems, placed: &OrderPlaced) -> Option<i64> {
    let mut total = Some(0_i64);
    let mut is_too_large = false;
    for (index, line) in placed.lines.iter().enumerate() {
        let field = |name: &str| format!("lines[{index}].{name}");
        if line.unit_price_minor < 0 {
            problems.add(
                field("unit_price_minor"),
                format!("it is {}: 0 or more is needed", line.unit_price_minor),
            );
            total = None;
        }
        if !(0..=100).contains(&line.discount_percent) {
            problems.add(
                field("discount_percent"),
                format!("it is {}: 0 to 100 are allowed", line.discount_percent),
            );
            total = None;
        }
        if line.currency.as_ref().is_some_and(|currency| *currency != placed.currency) {
            problems.add(field("currency"), "it is not the order's: one order has one currency");
        }
        if !(1..=i64::from(u32::MAX)).contains(&line.quantity) {
            // A problem that `merged` has told; the product of such a line says nothing.
            total = None;
        }
        if let Some(sum) = total {
            total = line_minor(line)
                .and_then(|minor| sum.checked_add(minor))
                .filter(|sum| *sum <= MAX_TOTAL_MINOR);
            is_too_large |= total.is_none();
        }
    }
    if is_too_large {
        problems.add(
            "lines",
            format!("the total is too large: at most {MAX_TOTAL_MINOR} minor units are allowed"),
        );
    }
    total
}

/// Quantity × price less the discount, rounded half up. `None` when it overflows.
fn line_minor(line: &LinePlaced) -> Option<i64> {
    let price = i128::from(line.quantity).checked_mul(i128::from(line.unit_price_minor))?;
    let hundredths = price.checked_mul(i128::from(100 - line.discount_percent))?;
    i64::try_from(hundredths.checked_add(50)?.div_euclid(100)).ok()
}
