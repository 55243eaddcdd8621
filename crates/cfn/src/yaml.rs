//! A template in YAML as JSON, with the short forms of functions (`!Ref`) written out.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value as Json, json};
use serde_saphyr::options::NonFiniteFloatPolicy;
use serde_saphyr::{Location, Spanned, Tagged};

use crate::error::TemplateError;
use crate::path::At;
use crate::problem::LoadProblem;
use crate::read::Read;
use crate::remark::{LoadRemark, Reading};
use crate::scalar::{self, Plain};

/// Reads the text, or says why it is no YAML. A key that an object has twice is refused.
pub(crate) fn parse(text: &str) -> Result<Read, String> {
    // With a line feed at the end, the source of a block always has one: so it is not mistaken for a plain scalar.
    let text = format!("{}\n", text.trim_end_matches('\n'));
    // What a plain scalar is, is decided here and by its source.
    let options = serde_saphyr::options! { non_finite_float_policy: NonFiniteFloatPolicy::AsString };
    let node: Node =
        serde_saphyr::from_str_with_options(&text, options).map_err(|error| error.to_string())?;
    let mut reader = Reader { text: &text, problems: Vec::new(), remarks: Vec::new() };
    let json = match node {
        Node { tag: None, value: Value::Object(sections), .. } => reader.object(None, sections),
        other => reader.node(&At::root("the template"), other),
    };
    Ok(Read { json, problems: reader.problems, remarks: reader.remarks })
}

/// A node as it was parsed.
struct Node {
    tag: Option<String>,
    value: Value,
    /// Where its text is.
    location: Location,
}

enum Value {
    Scalar(Json),
    List(Vec<Node>),
    Object(Vec<(Spanned<String>, Node)>),
}

impl Node {
    /// The function that its tag is the short form of.
    fn short_form(&self) -> Option<&str> {
        let name = self.tag.as_deref()?.strip_prefix('!')?;
        name.starts_with(|c: char| c.is_ascii_alphabetic()).then_some(name)
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Spanned { value: Tagged(value, tag), defined, .. } = Spanned::deserialize(deserializer)?;
        Ok(Self { tag, value, location: defined })
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value of a template")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Scalar(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Scalar(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Scalar(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Scalar(value.into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Scalar(value.into()))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Scalar(Json::Null))
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Scalar(Json::Null))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut object: Vec<(Spanned<String>, Node)> = Vec::new();
        while let Some(field) = fields.next_entry()? {
            object.push(field);
        }
        Ok(Value::Object(object))
    }
}

/// Makes JSON of nodes, and notes what is to be said of them.
struct Reader<'a> {
    text: &'a str,
    problems: Vec<LoadProblem>,
    remarks: Vec<LoadRemark>,
}

impl<'a> Reader<'a> {
    fn node(&mut self, at: &At<'_>, node: Node) -> Json {
        let Some(name) = node.short_form() else {
            return match node.value {
                Value::Scalar(json) if node.tag.is_none() => self.scalar(at, json, node.location),
                Value::Scalar(json) => json,
                Value::List(items) => self.list(at, items),
                Value::Object(fields) => self.object(Some(at), fields),
            };
        };
        let function = if is_bare(name) { name.to_owned() } else { format!("Fn::{name}") };
        let inner = at.name(&function);
        let argument = match node.value {
            Value::Scalar(json) => self.argument(json, node.location),
            Value::List(items) => self.list(&inner, items),
            Value::Object(fields) => {
                self.short_forms_within(at, &function, &fields);
                self.object(Some(&inner), fields)
            }
        };
        written_out(function, argument)
    }

    fn list(&mut self, at: &At<'_>, items: Vec<Node>) -> Json {
        items.into_iter().enumerate().map(|(index, item)| self.node(&at.index(index), item)).collect()
    }

    /// The object at this path: the template itself when there is none.
    fn object(&mut self, at: Option<&At<'_>>, fields: Vec<(Spanned<String>, Node)>) -> Json {
        let mut map = Map::new();
        for (key, value) in fields {
            let path = match at {
                Some(at) => at.name(&key.value),
                None => At::root(&key.value),
            };
            self.key(&path, key.defined);
            let json = self.node(&path, value);
            map.insert(key.value.clone(), json);
        }
        Json::Object(map)
    }

    /// CloudFormation: `map keys must be strings; received numeric [123456789012] instead`.
    ///
    /// <https://github.com/aws-cloudformation/cfn-lint/issues/292>
    fn key(&mut self, at: &At<'_>, location: Location) {
        let Some(text) = self.plain(location) else { return };
        let read = match scalar::resolve(text) {
            Plain::Text if !scalar::looks_numeric(text) => return,
            Plain::Null => "null",
            Plain::Flag(_) => "true or false",
            _ => "a number",
        };
        self.problems.push(LoadProblem::Key { at: at.to_string(), given: text.to_owned(), read });
    }

    fn scalar(&mut self, at: &At<'_>, parsed: Json, location: Location) -> Json {
        let Some(text) = self.plain(location) else { return parsed };
        let json = match scalar::resolve(text) {
            Plain::Null => return Json::Null,
            Plain::Text => {
                if scalar::looks_numeric(text) {
                    self.remarks.push(LoadRemark::new(at.to_string(), text, Reading::Text));
                }
                return text.into();
            }
            Plain::Flag(flag) => Json::Bool(flag),
            Plain::Number(number) => Json::Number(number),
            Plain::TooLong => return self.unkept(at, text, "has more digits than can be kept"),
            Plain::NotFinite => return self.unkept(at, text, "is a number that a template cannot hold"),
        };
        if !is_written_so(&json, text) {
            self.remarks.push(LoadRemark::new(at.to_string(), text, Reading::Scalar(json.clone())));
        }
        json
    }

    fn unkept(&mut self, at: &At<'_>, text: &str, why: &'static str) -> Json {
        self.problems.push(LoadProblem::Unkept { at: at.to_string(), given: text.to_owned(), why });
        text.into()
    }

    /// The argument of a short form is text, and the empty text when there is none. A null written out stays one.
    fn argument(&self, parsed: Json, location: Location) -> Json {
        match (self.plain(location), parsed) {
            (None, Json::Null) => "".into(),
            (Some(text), parsed) if !parsed.is_null() => text.into(),
            (_, parsed) => parsed,
        }
    }

    /// CloudFormation does not take `!GetStackOutput` with short forms as its members.
    ///
    /// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-getstackoutput.html>
    fn short_forms_within(&mut self, at: &At<'_>, function: &str, fields: &[(Spanned<String>, Node)]) {
        let within = fields.iter().find_map(|(key, value)| Some((&key.value, value.short_form()?)));
        let Some((member, short)) = within.filter(|_| function == "Fn::GetStackOutput") else { return };
        let at = at.to_string();
        let reason = format!(
            "its short form has the short form !{short} as its {member}: allowed are texts and functions written out; \
             write `{function}:` instead of `!GetStackOutput`"
        );
        let error = TemplateError::BadFunction { at: at.clone(), function: function.to_owned(), reason };
        self.problems.push(LoadProblem::Refused { at, error: Box::new(error) });
    }

    /// The source of a scalar in one line and without quotes, if it is that.
    fn plain(&self, location: Location) -> Option<&'a str> {
        let span = location.span();
        let start = usize::try_from(span.byte_offset()?).ok()?;
        let end = start.checked_add(usize::try_from(span.byte_len()?).ok()?)?;
        let source = self.text.get(start..end)?;
        (!source.is_empty() && !source.starts_with(['"', '\'']) && !source.contains('\n')).then_some(source)
    }
}

/// Whether a number, or true or false, is written as this text.
fn is_written_so(json: &Json, text: &str) -> bool {
    serde_saphyr::to_string(json).is_ok_and(|written| written.trim_end() == text)
}

/// Whether the long form of this function has no `Fn::` either.
fn is_bare(name: &str) -> bool {
    matches!(name, "Ref" | "Condition")
}

/// `!GetAtt Queue.Arn` as `{"Fn::GetAtt": ["Queue", "Arn"]}`.
fn written_out(function: String, argument: Json) -> Json {
    let parts =
        argument.as_str().filter(|_| function == "Fn::GetAtt").and_then(|dotted| dotted.split_once('.'));
    let argument = match parts {
        Some((id, attribute)) => json!([id, attribute]),
        None => argument,
    };
    Json::Object(Map::from_iter([(function, argument)]))
}
