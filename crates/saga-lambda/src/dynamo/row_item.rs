//! A row as an item.

use super::Item;
use aws_sdk_dynamodb::types::AttributeValue;
use saga::{Row, RowKey, Scalar, Unavailable};

/// The key of a row.
pub(super) fn key(key: &RowKey) -> Item {
    [(key.attribute.to_string(), AttributeValue::S(key.value.clone()))].into()
}

/// The whole item of a row.
pub(super) fn item(row_key: &RowKey, row: &Row) -> Item {
    let mut item = key(row_key);
    item.extend(row.iter().map(|(name, scalar)| (name.to_string(), value(scalar))));
    item
}

/// A stored value as an attribute.
pub(super) fn value(scalar: &Scalar) -> AttributeValue {
    match scalar {
        Scalar::Number(number) => AttributeValue::N(number.to_string()),
        Scalar::Text(text) => AttributeValue::S(text.clone()),
    }
}

/// Reads a row. An attribute that no field can have is refused rather than lost when the row is written back.
pub(super) fn parse(key: &RowKey, item: &Item) -> Result<Row, Unavailable> {
    let fields = item.iter().filter(|(name, _)| **name != *key.attribute);
    fields
        .map(|(name, value)| {
            let scalar = match value {
                AttributeValue::S(text) => Some(Scalar::Text(text.clone())),
                AttributeValue::N(number) => number.parse().ok().map(Scalar::Number),
                _ => None,
            };
            let unreadable = || {
                let RowKey { entity, value, .. } = key;
                Unavailable(format!(
                    "`{name}` of {entity}/{value} is neither text nor a whole number of 64 bits"
                ))
            };
            Ok((name.clone().into(), scalar.ok_or_else(unreadable)?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_survives_its_item_and_a_foreign_attribute_is_refused() {
        let key = RowKey { entity: "stock".into(), attribute: "sku".into(), value: "nw-1".into() };
        let row: Row =
            [("available".into(), Scalar::Number(39)), ("name".into(), Scalar::Text("Chai".into()))].into();
        let mut item = item(&key, &row);
        assert_eq!(item["sku"], AttributeValue::S("nw-1".into()));
        assert_eq!(parse(&key, &item), Ok(row));
        item.insert("price".into(), AttributeValue::N("1.5".into()));
        let error = parse(&key, &item).unwrap_err().to_string();
        assert!(
            error.ends_with("`price` of stock/nw-1 is neither text nor a whole number of 64 bits"),
            "{error}"
        );
    }
}
