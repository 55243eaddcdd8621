//! What is wrong with something that is nearly an event: every member that is missing or of another kind. Never quotes a
//! value: it can be personal. Pure.

use super::Problem;
use serde_json::Value as Json;

/// The members of an object, and what is wrong with them.
#[derive(saga::Redacted)]
pub struct Members<'p, 'j> {
    #[redact]
    problems: &'p mut Vec<Problem>,
    #[redact]
    json: &'j Json,
    /// Where the object is, with a dot behind it.
    path: String,
}

impl<'p, 'j> Members<'p, 'j> {
    /// What is said where there is no text.
    pub const TEXT: &'static str = "a text is needed";

    /// The members of a whole event.
    pub fn of(problems: &'p mut Vec<Problem>, json: &'j Json) -> Self {
        Self { problems, json, path: String::new() }
    }

    /// Those of an object in it, which is at `name`.
    pub fn within<'k>(&mut self, json: &'k Json, name: &str) -> Members<'_, 'k> {
        let path = format!("{}{name}.", self.path);
        Members { problems: self.problems, json, path }
    }

    /// Says that the member or element `name` is not what is needed.
    pub fn refuse(&mut self, name: &str, needed: &str) {
        self.problems.push(Problem::new(format!("{}{name}", self.path), needed));
    }

    /// A member that must be there, as `read` reads it; where it cannot be, `needed` says what is.
    pub fn required<T>(
        &mut self,
        name: &str,
        needed: &str,
        read: impl Fn(&'j Json) -> Option<T>,
    ) -> Option<T> {
        if self.json.get(name).is_none() {
            self.refuse(name, &format!("it is missing: {needed}"));
        }
        self.optional(name, needed, read)
    }

    /// A member that may be missing.
    pub fn optional<T>(
        &mut self,
        name: &str,
        needed: &str,
        read: impl Fn(&'j Json) -> Option<T>,
    ) -> Option<T> {
        let json = self.json.get(name)?;
        let value = read(json);
        if value.is_none() {
            self.refuse(name, &format!("it is {}: {needed}", kind(json)));
        }
        value
    }

    /// A text that must be there; when it is not, it is filled in with this one.
    pub fn text(&mut self, name: &str, filled_in: &str) -> String {
        self.required(name, Self::TEXT, Json::as_str).unwrap_or(filled_in).to_owned()
    }

    /// A text that may be missing or null.
    pub fn nullable_text(&mut self, name: &str) -> Option<String> {
        let given = self.json.get(name).filter(|json| !json.is_null())?;
        given.as_str().map(str::to_owned).or_else(|| self.optional(name, Self::TEXT, |_| None))
    }
}

fn kind(json: &Json) -> &'static str {
    match json {
        Json::Null => "null",
        Json::Bool(_) => "true or false",
        Json::Number(number) if number.is_i64() => "a whole number",
        Json::Number(_) => "a number",
        Json::String(_) => "a text that does not fit",
        Json::Array(_) => "a list",
        Json::Object(_) => "an object",
    }
}
