//! What an entity declares about itself, checked while it is compiled.

use crate::entity::FieldSpec;

/// The longest text of a mistake; a longer one is cut off.
const MAX_TEXT: usize = 400;

/// Refuses what no store could keep apart.
///
/// # Panics
/// While compiling: when two fields have one attribute, or one has that of the key, or one has none.
pub(crate) const fn check(entity: &str, key: &str, fields: &[FieldSpec]) {
    let mut place = 0;
    while place < fields.len() {
        let field = fields[place].name;
        if field.is_empty() {
            refuse(&["a field of the entity `", entity, "` has no name: give it the name of an attribute"]);
        }
        if same(field, key) {
            refuse(&[
                "the field `",
                field,
                "` of the entity `",
                entity,
                "` is named as its key: give the field an attribute of its own",
            ]);
        }
        let mut other = place + 1;
        while other < fields.len() {
            if same(field, fields[other].name) {
                refuse(&[
                    "two fields of the entity `",
                    entity,
                    "` have the attribute `",
                    field,
                    "`: give each an attribute of its own",
                ]);
            }
            other += 1;
        }
        place += 1;
    }
}

/// Nothing but this and a loop compares texts while compiling.
const fn same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    if one.len() != other.len() {
        return false;
    }
    let mut place = 0;
    while place < one.len() {
        if one[place] != other[place] {
            return false;
        }
        place += 1;
    }
    true
}

/// Puts the parts together: what is said while compiling cannot be formatted.
const fn refuse(parts: &[&str]) -> ! {
    let (mut text, mut length) = ([0; MAX_TEXT], 0);
    let mut place = 0;
    while place < parts.len() {
        let part = parts[place].as_bytes();
        let mut byte = 0;
        while byte < part.len() && length < MAX_TEXT {
            text[length] = part[byte];
            length += 1;
            byte += 1;
        }
        place += 1;
    }
    match std::str::from_utf8(text.split_at(length).0) {
        Ok(text) => panic!("{}", text),
        Err(_) => panic!("two fields of an entity have one attribute, or a field has that of the key"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entity::FieldKind;

    fn told(fields: &[&'static str]) -> Option<String> {
        let fields: Vec<_> = fields.iter().map(|&name| FieldSpec { name, kind: FieldKind::Text }).collect();
        let refused = std::panic::catch_unwind(|| check("stock", "sku", &fields)).err()?;
        let text = refused.downcast_ref::<String>().map(String::as_str);
        text.or_else(|| refused.downcast_ref::<&str>().copied()).map(str::to_owned)
    }

    #[test]
    fn what_a_store_cannot_keep_apart_is_refused() {
        assert_eq!(told(&["available", "reserved", "availabl"]), None);
        assert_eq!(told(&[]), None);
        let two =
            "two fields of the entity `stock` have the attribute `free`: give each an attribute of its own";
        assert_eq!(told(&["free", "booked", "free"]).as_deref(), Some(two));
        let key = "the field `sku` of the entity `stock` is named as its key: give the field an attribute of its own";
        assert_eq!(told(&["free", "sku"]).as_deref(), Some(key));
        let none = "a field of the entity `stock` has no name: give it the name of an attribute";
        assert_eq!(told(&[""]).as_deref(), Some(none));
    }
}
