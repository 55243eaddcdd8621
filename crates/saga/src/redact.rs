//! Takes given values out of error texts, which end in logs, dead letters and histories.

use std::borrow::Cow;

/// The text of a JSON decoding error without the values that were given, which can be personal data or a token. Names
/// of missing members stay, and what would have been taken.
pub fn redacted(text: &str) -> Cow<'_, str> {
    let is_quote = |c: char| c == '"' || c == '`';
    let mut start = 0;
    while let Some(offset) = text[start..].find(is_quote) {
        let open = start + offset;
        let name = &text[open + 1..];
        let end = name.find(is_quote);
        let ours = text[..open].ends_with("missing field ") || name.starts_with("input.");
        match end {
            Some(end) if ours => start = open + 1 + end + 1,
            _ if text[..open].ends_with("unknown variant ") && !text.contains("there are no ") => {
                // What is expected comes last, whatever was given.
                let close = text.rfind("`, expected ").unwrap_or(open);
                return Cow::Owned(format!("{}…{}", &text[..open], &text[close + 1..]));
            }
            _ => {
                // Given text may hold quotes itself: nothing up to the last one is to be trusted.
                let close = text.rfind(is_quote).unwrap_or(open);
                return Cow::Owned(format!("{}…{}", &text[..open], &text[close + 1..]));
            }
        }
    }
    Cow::Borrowed(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_values_go_and_missing_names_stay() {
        for (text, expected) in [
            (
                "not a request: missing field `token` at line 1 column 9",
                "not a request: missing field `token` at line 1 column 9",
            ),
            (
                "invalid type: string \"nancy@example.com\", expected u8 at line 1",
                "invalid type: string …, expected u8 at line 1",
            ),
            (
                "unknown variant `Nancy `D`, expected one of `run`, `undo` at line 2",
                "unknown variant …, expected one of `run`, `undo` at line 2",
            ),
            (
                "unknown variant `Nancy`, expected D`, expected `run` at line 2",
                "unknown variant …, expected `run` at line 2",
            ),
            (
                "unknown variant `Nancy`, expected D`, there are no variants",
                "unknown variant …, there are no variants",
            ),
            (
                "`input.order` does not fit: missing field `sku`",
                "`input.order` does not fit: missing field `sku`",
            ),
            (
                "`input.order` does not fit: invalid value: string \"a\\\"b\", expected c",
                "`input.order` does not fit: invalid value: string …, expected c",
            ),
            ("`a@b` is not a saga id: use 1 to 80 letters, digits, `-` and `_`", "…"),
            ("EOF while parsing", "EOF while parsing"),
        ] {
            assert_eq!(redacted(text), expected);
        }
    }
}
