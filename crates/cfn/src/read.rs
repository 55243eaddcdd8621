//! The text of a template, YAML with or without short forms (`!Ref`), or JSON, as one value.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value as Json, json};
use serde_saphyr::Tagged;

use crate::problem::LoadProblem;

/// The largest whole number whose digits a number of JSON keeps: 2^53.
const MAX_WHOLE: f64 = 9_007_199_254_740_992.0;

/// Reads the text. A key that an object has twice is refused, in either language.
pub(crate) fn parse(text: &str) -> Result<Json, LoadProblem> {
    let text = text.trim_start_matches('\u{feff}');
    // The number of an account may begin with a zero, which a number would lose.
    let options = serde_saphyr::options! { leading_zero_numbers_as_strings: true };
    let yaml = || serde_saphyr::from_str_with_options::<Node>(text, options).map(|node| node.0);
    let syntax = |reason: String| LoadProblem::Syntax { reason };
    // YAML may begin with a brace too, as in `{ Resources: {} }`; JSON has a quote next.
    let is_json =
        text.trim_start().strip_prefix('{').is_some_and(|rest| rest.trim_start().starts_with(['"', '}']));
    if !is_json {
        return yaml().map_err(|error| syntax(error.to_string()));
    }
    match serde_json::from_str::<Plain>(text) {
        Ok(node) => Ok(node.0),
        Err(error) if error.is_syntax() => yaml().map_err(|_| syntax(error.to_string())),
        Err(error) => Err(syntax(error.to_string())),
    }
}

/// A node of YAML as JSON, with the short forms of functions written out.
struct Node(Json);

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Tagged(Untagged(json), tag) = Tagged::deserialize(deserializer)?;
        Ok(Self(match tag.as_deref().and_then(|tag| tag.strip_prefix('!')) {
            Some(name) if name.starts_with(|c: char| c.is_ascii_alphabetic()) => written_out(name, &json),
            _ => json,
        }))
    }
}

impl From<Node> for Json {
    fn from(node: Node) -> Self {
        node.0
    }
}

/// `!GetAtt Queue.Arn` as `{"Fn::GetAtt": ["Queue", "Arn"]}`.
fn written_out(name: &str, json: &Json) -> Json {
    match (name, json) {
        ("Ref" | "Condition", _) => json!({ name: json }),
        ("GetAtt", Json::String(dotted)) => match dotted.split_once('.') {
            Some((id, attribute)) => json!({ "Fn::GetAtt": [id, attribute] }),
            None => json!({ "Fn::GetAtt": json }),
        },
        _ => {
            let function = format!("Fn::{name}");
            json!({ function: json })
        }
    }
}

/// A node of JSON.
struct Plain(Json);

impl<'de> Deserialize<'de> for Plain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor::<Self>(PhantomData)).map(Self)
    }
}

impl From<Plain> for Json {
    fn from(node: Plain) -> Self {
        node.0
    }
}

/// A node of YAML without its tag.
struct Untagged(Json);

impl<'de> Deserialize<'de> for Untagged {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor::<Node>(PhantomData)).map(Self)
    }
}

/// Reads a value whose parts are read as `N`.
struct NodeVisitor<N>(PhantomData<N>);

impl<'de, N: Deserialize<'de> + Into<Json>> Visitor<'de> for NodeVisitor<N> {
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
        if value.fract() == 0.0 && value.abs() > MAX_WHOLE {
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

    fn visit_none<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element::<N>()? {
            list.push(item.into());
        }
        Ok(Json::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Json, A::Error> {
        let mut map = Map::new();
        while let Some(name) = fields.next_key::<String>()? {
            if map.contains_key(&name) {
                return Err(A::Error::custom(format_args!("the key {name:?} is there twice")));
            }
            let value: N = fields.next_value()?;
            map.insert(name, value.into());
        }
        Ok(Json::Object(map))
    }
}
