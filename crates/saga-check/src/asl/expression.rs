//! A JSONata expression, evaluated by the crate `jsonata-rs`.

use crate::intern::Memo;
use bumpalo::Bump;
use jsonata_rs::JsonAta;
use serde_json::Value as Json;
use std::{
    collections::HashMap,
    fmt::{self, Debug, Formatter},
};

/// What the names of an expression stand for.
pub(super) type Bindings<'a> = HashMap<&'a str, &'a Json>;

/// An expression, and what it came to for what it read. To evaluate one takes 50 microseconds and, because `jsonata-rs` never
/// frees the names of its functions, two kilobytes for good; and an execution evaluates the same ones over and over.
pub(super) struct Expression {
    source: String,
    reads: Vec<Read>,
    known: Memo<Vec<Seen>, Result<Json, String>>,
}

/// A variable and the members below it, as in `$states.context.Execution.Name`.
type Read = Vec<String>;

/// What stands there, as far down as there are members, and how far that is; nothing where there is no such variable.
type Seen = Option<(usize, Json)>;

impl Expression {
    /// # Errors
    /// When it is no JSONata.
    pub(super) fn parse(source: &str) -> Result<Self, String> {
        let arena = Bump::new();
        match JsonAta::new(source, &arena) {
            Ok(_) => Ok(Self { source: source.to_owned(), reads: reads_of(source), known: Memo::default() }),
            Err(error) => Err(format!("`{source}` is no JSONata: {error}")),
        }
    }

    /// Its value.
    ///
    /// # Errors
    /// When it fails, or has no value.
    pub(super) fn evaluate(&self, bindings: &Bindings<'_>) -> Result<Json, String> {
        let seen = self.reads.iter().map(|read| seen(read, bindings)).collect();
        self.known.get(seen, || evaluate(&self.source, bindings))
    }
}

impl Debug for Expression {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Expression").field(&self.source).finish()
    }
}

/// Everything that an expression can depend on: each name in it that a `$` stands before, with the members that follow.
fn reads_of(source: &str) -> Vec<Read> {
    // `%` is also the parent of a value.
    let with_members = !source.contains('%');
    let mut reads: Vec<Read> = Vec::new();
    for after in source.split('$').skip(1) {
        let (name, mut rest) = name(after);
        if name.is_empty() {
            continue;
        }
        let mut read = vec![name.to_owned()];
        while let Some((member, after)) = rest.strip_prefix('.').map(self::name).filter(|_| with_members) {
            if member.is_empty() {
                break;
            }
            read.push(member.to_owned());
            rest = after;
        }
        reads.push(read);
    }
    reads.sort_unstable();
    reads.dedup();
    reads
}

/// The name that a text begins with, and the rest.
fn name(text: &str) -> (&str, &str) {
    let end = text.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(text.len());
    text.split_at(end)
}

fn seen(read: &[String], bindings: &Bindings<'_>) -> Seen {
    let (variable, members) = read.split_first()?;
    let mut at = *bindings.get(variable.as_str())?;
    for (depth, member) in members.iter().enumerate() {
        match at.get(member) {
            Some(below) => at = below,
            None => return Some((depth, at.clone())),
        }
    }
    Some((members.len(), at.clone()))
}

fn evaluate(source: &str, bindings: &Bindings<'_>) -> Result<Json, String> {
    let arena = Bump::new();
    let failed = |error: jsonata_rs::Error| format!("`{source}`: {error}");
    let program = JsonAta::new(source, &arena).map_err(failed)?;
    let value = program.evaluate(None, Some(bindings)).map_err(failed)?;
    if value.is_undefined() {
        return Err(format!("`{source}` has no value"));
    }
    let json =
        serde_json::from_str(&value.serialize(false)).map_err(|error| format!("`{source}`: {error}"))?;
    Ok(if source.contains("$string(") { in_order(json) } else { json })
}

/// `jsonata-rs` keeps no order of members, so the text that `$string` makes of an object differs from run to run.
fn in_order(json: Json) -> Json {
    match &json {
        Json::String(text) => match serde_json::from_str::<Json>(text) {
            Ok(object @ Json::Object(_)) => Json::String(object.to_string()),
            _ => json,
        },
        _ => json,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_expression_is_known_by_everything_that_it_reads() {
        let reads = |source: &str| {
            let reads = reads_of(source);
            reads.iter().map(|read| read.join(".")).collect::<Vec<_>>().join(", ")
        };
        assert_eq!(reads("$states.context.Execution.Name & $a & $a"), "a, states.context.Execution.Name");
        assert_eq!(reads("$a.b[c > $d.e].f"), "a.b, d.e");
        assert_eq!(reads("$merge([$a.(b), {'x': $$.y}])"), "a, merge");
        assert_eq!(reads("$a.b.%.c"), "a");
        assert_eq!(reads("$a.`b`"), "a");
        assert_eq!(reads("$a.$string()"), "a, string");
    }

    #[test]
    fn what_is_remembered_is_told_apart_by_what_was_read() {
        let expression = Expression::parse("$a.b.c").unwrap();
        let value = |a: Json| expression.evaluate(&Bindings::from([("a", &a)]));
        assert_eq!(value(json!({ "b": { "c": 1 } })), Ok(json!(1)));
        assert_eq!(value(json!({ "b": { "c": 2 } })), Ok(json!(2)));
        // A path goes through a list.
        assert_eq!(value(json!({ "b": [{ "c": 1 }, { "c": 2 }] })), Ok(json!([1, 2])));
        assert_eq!(
            value(json!({ "b": { "c": [{ "c": 1 }, { "c": 2 }] } })),
            Ok(json!([{ "c": 1 }, { "c": 2 }]))
        );
        assert_eq!(value(json!({ "b": 1 })), Err("`$a.b.c` has no value".into()));
        assert_eq!(expression.evaluate(&Bindings::new()), Err("`$a.b.c` has no value".into()));
        assert_eq!(value(json!({ "b": { "c": 1 } })), Ok(json!(1)));
    }
}
