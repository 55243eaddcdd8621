//! A row as an item.

use super::{Item, opaque};
use aws_sdk_dynamodb::types::AttributeValue;
use saga::{Row, RowKey, Scalar, Unavailable};

/// The key of a row.
pub(super) fn key(key: &RowKey) -> Item {
    [(key.attribute.to_string(), AttributeValue::S(key.value.clone()))].into()
}

/// The whole item of a row.
pub(super) fn item(row_key: &RowKey, row: &Row) -> Result<Item, Unavailable> {
    let mut item = key(row_key);
    for (name, scalar) in row {
        item.insert(name.to_string(), value(scalar)?);
    }
    Ok(item)
}

/// A stored value as an attribute.
pub(super) fn value(scalar: &Scalar) -> Result<AttributeValue, Unavailable> {
    Ok(match scalar {
        Scalar::Number(number) => AttributeValue::N(number.to_string()),
        Scalar::Text(text) => AttributeValue::S(text.clone()),
        Scalar::Opaque { opaque } => opaque::attribute(opaque).ok_or_else(|| {
            Unavailable("an attribute of a type that is not known cannot be written".into())
        })?,
    })
}

/// Reads a row. What no field can have is kept, so that it is not lost when the row is written back.
pub(super) fn parse(key: &RowKey, item: &Item) -> Row {
    let fields = item.iter().filter(|(name, _)| **name != *key.attribute);
    fields.map(|(name, value)| (name.clone().into(), scalar(value))).collect()
}

fn scalar(value: &AttributeValue) -> Scalar {
    let known = match value {
        AttributeValue::S(text) => Some(Scalar::Text(text.clone())),
        AttributeValue::N(number) => Scalar::number(number),
        _ => None,
    };
    known.unwrap_or_else(|| Scalar::Opaque { opaque: opaque::text(value) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_survives_its_item_with_what_somebody_else_put_on_it() {
        let key = RowKey { entity: "stock".into(), attribute: "sku".into(), value: "nw-1".into() };
        let opaque = |text: &str| Scalar::Opaque { opaque: text.into() };
        let row: Row = [
            ("available".into(), Scalar::Number(39)),
            ("name".into(), Scalar::Text("Chai".into())),
            ("organic".into(), opaque(r#"{"BOOL":true}"#)),
            ("price".into(), opaque(r#"{"N":"1.5"}"#)),
            ("sold".into(), opaque(r#"{"N":"9223372036854775808"}"#)),
        ]
        .into();
        let mut item = item(&key, &row).unwrap();
        assert_eq!(item["sku"], AttributeValue::S("nw-1".into()));
        assert_eq!(item["organic"], AttributeValue::Bool(true));
        assert_eq!(parse(&key, &item), row);
        // However a store writes its numbers.
        item.insert("available".into(), AttributeValue::N("39.0".into()));
        item.insert("price".into(), AttributeValue::N("15E-1".into()));
        assert_eq!(parse(&key, &item), row);
    }

    #[test]
    fn what_cannot_be_kept_is_not_written() {
        let unknown = Scalar::Opaque { opaque: "{}".into() };
        assert!(value(&unknown).is_err());
    }
}
