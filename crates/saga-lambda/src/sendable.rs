//! What a queue takes.

use std::{borrow::Cow, fmt::Write};

/// Whether a message may have this character: `#x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF`.
///
/// With any other one in it SQS refuses a message each time it is sent; some releases of its documentation say that it puts
/// U+FFFD in its place instead, which is another text.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html>
pub const fn is_sendable(character: char) -> bool {
    matches!(
        character,
        '\t' | '\n' | '\r' | '\u{20}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..='\u{10FFFF}'
    )
}

/// JSON text that means the same and that a queue takes: what it does not take is escaped. In JSON such a character can only
/// stand inside of a string, and it is U+FFFE or U+FFFF: others are escaped already.
pub fn sendable_json(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_sendable) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if is_sendable(character) {
            escaped.push(character);
        } else {
            // None is beyond U+FFFF. To write to a `String` cannot fail.
            let _ = write!(escaped, "\\u{:04x}", u32::from(character));
        }
    }
    Cow::Owned(escaped)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value as Json, json};

    #[test]
    fn every_character_comes_through_as_what_it_is() {
        let all: Vec<char> = ('\0'..=char::MAX).collect();
        for characters in all.chunks(1_000) {
            let json = json!({ "note": characters.iter().collect::<String>() });
            let text = json.to_string();
            let sendable = sendable_json(&text);
            assert!(sendable.chars().all(is_sendable), "from {:?}", characters[0]);
            assert_eq!(serde_json::from_str::<Json>(&sendable).unwrap(), json, "from {:?}", characters[0]);
        }
        assert_eq!(sendable_json("{\"\u{fffe}\":\"a\u{ffff}\"}"), r#"{"\ufffe":"a\uffff"}"#);
        assert!(matches!(sendable_json("{}"), Cow::Borrowed("{}")));
    }

    #[test]
    fn what_xml_does_not_have_is_not_sent() {
        for character in ['\0', '\u{8}', '\u{b}', '\u{1f}', '\u{fffe}', '\u{ffff}'] {
            assert!(!is_sendable(character), "{character:?}");
        }
        for character in ['\t', '\r', '\n', ' ', '\u{7f}', '\u{85}', 'é', '\u{fffd}', '\u{1fffe}', char::MAX]
        {
            assert!(is_sendable(character), "{character:?}");
        }
    }
}
