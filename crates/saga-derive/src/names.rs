//! Names made from those of types, variants and fields. A word begins at each capital letter, as in serde.

use syn::{Ident, LitStr, ext::IdentExt};

/// The name as it is.
pub(crate) fn same(name: &Ident) -> LitStr {
    LitStr::new(&name.unraw().to_string(), name.span())
}

/// `BookFlight` as `book-flight`.
pub(crate) fn kebab(name: &Ident) -> LitStr {
    LitStr::new(&words(&name.unraw().to_string(), '-').to_lowercase(), name.span())
}

/// `OnHold` as `ON_HOLD`.
pub(crate) fn screaming(name: &Ident) -> LitStr {
    LitStr::new(&constant(name).to_string(), name.span())
}

/// The constant that stands for a variant, `OnHold` as `ON_HOLD`, or for a field, `on_hold` as `ON_HOLD`.
pub(crate) fn constant(name: &Ident) -> Ident {
    Ident::new(&words(&name.unraw().to_string(), '_').to_uppercase(), name.span())
}

fn words(name: &str, between: char) -> String {
    let mut words = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !words.is_empty() {
            words.push(between);
        }
        words.push(letter);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use proc_macro2::Span;

    #[test]
    fn a_word_begins_at_each_capital_letter() {
        let ident = |name: &str| Ident::new(name, Span::call_site());
        for (name, in_kebab, in_capitals) in [
            ("Book", "book", "BOOK"),
            ("BookFlight2", "book-flight2", "BOOK_FLIGHT2"),
            ("SendSMS", "send-s-m-s", "SEND_S_M_S"),
            ("charge_id", "charge_id", "CHARGE_ID"),
        ] {
            let name = ident(name);
            assert_eq!(
                (kebab(&name).value(), screaming(&name).value()),
                (in_kebab.into(), in_capitals.into())
            );
            assert_eq!(constant(&name).to_string(), in_capitals);
        }
        let raw = Ident::new_raw("type", Span::call_site());
        assert_eq!((same(&raw).value(), constant(&raw).to_string()), ("type".into(), "TYPE".into()));
    }
}
