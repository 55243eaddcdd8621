//! The text of a template, YAML or JSON, as one value.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value as Json};

use crate::problem::LoadProblem;
use crate::remark::LoadRemark;
use crate::scalar::is_too_long;
use crate::yaml;

/// What was read.
pub(crate) struct Read {
    pub(crate) json: Json,
    /// What cannot be kept.
    pub(crate) problems: Vec<LoadProblem>,
    /// What may have been meant otherwise.
    pub(crate) remarks: Vec<LoadRemark>,
}

/// Reads the text. A key that an object has twice is refused, in either language.
pub(crate) fn parse(text: &str) -> Result<Read, LoadProblem> {
    let text = text.trim_start_matches('\u{feff}');
    let syntax = |reason: String| LoadProblem::Syntax { reason };
    // YAML may begin with a brace too, as in `{ Resources: {} }`; JSON has a quote next.
    let is_json =
        text.trim_start().strip_prefix('{').is_some_and(|rest| rest.trim_start().starts_with(['"', '}']));
    if !is_json {
        return yaml::parse(text).map_err(syntax);
    }
    match serde_json::from_str::<Plain>(text) {
        Ok(node) => Ok(Read { json: node.0, problems: Vec::new(), remarks: Vec::new() }),
        Err(error) if error.is_syntax() => yaml::parse(text).map_err(|_| syntax(error.to_string())),
        Err(error) => Err(syntax(error.to_string())),
    }
}

/// A node of JSON.
struct Plain(Json);

impl<'de> Deserialize<'de> for Plain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PlainVisitor).map(Self)
    }
}

struct PlainVisitor;

impl<'de> Visitor<'de> for PlainVisitor {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value of a template")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(value.into())
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Json, E> {
        if is_too_long(value) {
            return Err(E::custom("a number has more digits than can be kept: put it in quotes"));
        }
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element::<Plain>()? {
            list.push(item.0);
        }
        Ok(Json::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Json, A::Error> {
        let mut map = Map::new();
        while let Some(name) = fields.next_key::<String>()? {
            if map.contains_key(&name) {
                return Err(A::Error::custom(format_args!("the key {name:?} is there twice")));
            }
            let value: Plain = fields.next_value()?;
            map.insert(name, value.0);
        }
        Ok(Json::Object(map))
    }
}
