//! A line of a log for people.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};
use infra_gen::logs::LogLine;
use serde_json::Value as Json;

/// The colours of sagas: those that are neither hard to see nor taken for a warning or an error.
const OF_SAGAS: [AnsiColor; 6] = [
    AnsiColor::Cyan,
    AnsiColor::Green,
    AnsiColor::Magenta,
    AnsiColor::Blue,
    AnsiColor::BrightCyan,
    AnsiColor::BrightMagenta,
];

/// What stands at a place of its own, or says nothing to a person.
const NOT_AT_THE_END: [&str; 10] =
    ["timestamp", "level", "message", "saga", "saga_id", "execution", "step", "item", "op", "message_id"];

/// How wide the column of functions is.
const FUNCTION_WIDTH: usize = 15;

/// One line: when, which function, which saga, which step, and what. Each saga has a colour.
pub(super) fn painted(line: &LogLine) -> String {
    let mut text = format!("{}  {:<FUNCTION_WIDTH$}", clock(line.at_ms), line.function);
    let Some(members) = line.members() else {
        // As it is written by what knows of no format: a panic, a limit that ran out.
        return format!("{text}  {}", in_style(&line.text, AnsiColor::Red.on_default()));
    };
    let style = line.saga_id().map_or_else(Style::new, |id| colour_of(id).on_default());
    if let Some(id) = line.saga_id() {
        push(&mut text, &in_style(id, style.bold()));
    }
    let what = ["step", "item", "op"].into_iter().filter_map(|member| line.text_of(member));
    let what: Vec<&str> = what.collect();
    if !what.is_empty() {
        push(&mut text, &in_style(&what.join(" "), style));
    }
    let level = line.text_of("level").unwrap_or_default();
    let alarming = match level {
        "ERROR" => AnsiColor::Red.on_default().bold(),
        "WARN" => AnsiColor::Yellow.on_default(),
        _ => Style::new(),
    };
    if matches!(level, "ERROR" | "WARN") {
        push(&mut text, &in_style(level, alarming));
    }
    push(&mut text, &in_style(line.text_of("message").unwrap_or_default(), alarming));
    let dimmed = Style::new().dimmed();
    for (name, value) in members.iter().filter(|(name, _)| !NOT_AT_THE_END.contains(&name.as_str())) {
        // A first delivery is what is expected.
        if value.is_null() || name == "receive_count" && *value == 1 {
            continue;
        }
        push(&mut text, &format!("{}{}", in_style(&format!("{name}="), dimmed), shown(value)));
    }
    text
}

fn push(text: &mut String, word: &str) {
    if !word.is_empty() {
        text.push_str("  ");
        text.push_str(word);
    }
}

fn in_style(text: &str, style: Style) -> String {
    let mut painted = String::new();
    // Writing to a string cannot fail.
    let _ = write!(painted, "{style}{text}{style:#}");
    painted
}

fn shown(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}

/// The same colour for the same saga, whenever.
fn colour_of(saga_id: &str) -> AnsiColor {
    let sum = saga_id.bytes().fold(7_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(usize::from(byte)));
    OF_SAGAS[sum % OF_SAGAS.len()]
}

/// The time of day, in UTC.
fn clock(at_ms: i64) -> String {
    let of_the_day = at_ms.rem_euclid(86_400_000);
    let (seconds, ms) = (of_the_day / 1_000, of_the_day % 1_000);
    format!("{:02}:{:02}:{:02}.{ms:03}Z", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_day_is_that_of_utc() {
        assert_eq!(clock(1_764_342_543_007), "15:09:03.007Z");
        assert_eq!(clock(0), "00:00:00.000Z");
    }

    #[test]
    fn a_saga_keeps_its_colour() {
        assert_eq!(colour_of("o-1"), colour_of("o-1"));
        let colours: std::collections::HashSet<_> =
            (0..40).map(|n| format!("{:?}", colour_of(&format!("o-{n}")))).collect();
        assert_eq!(colours.len(), OF_SAGAS.len());
    }
}
