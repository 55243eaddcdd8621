//! A template from text: YAML with or without short forms (`!Ref`), or JSON.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value as Json, json};
use serde_saphyr::Tagged;

use crate::declaration::{Handle, Removal, Resource};
use crate::document::{Document, ResourceEntry};
use crate::load::{FromTemplate, LoadError, check, object, unknown, wrong};
use crate::template::Template;

/// The sections that a template can have.
const SECTIONS: [&str; 9] = [
    "AWSTemplateFormatVersion",
    "Conditions",
    "Description",
    "Mappings",
    "Metadata",
    "Outputs",
    "Parameters",
    "Resources",
    "Rules",
];

/// What a resource can have.
const OPTIONS: [&str; 9] = [
    "Condition",
    "CreationPolicy",
    "DeletionPolicy",
    "DependsOn",
    "Metadata",
    "Properties",
    "Type",
    "UpdatePolicy",
    "UpdateReplacePolicy",
];

impl Template {
    /// Reads a template, YAML or JSON, and checks the properties of each resource against the facts of its type.
    ///
    /// What is found wrong only when the template is built, as a reference to nothing, is found by
    /// [`Template::build`].
    ///
    /// # Errors
    ///
    /// When the text cannot be read, or when something in it does not fit: the error says at which path.
    pub fn load(text: &str) -> Result<Self, LoadError> {
        let mut sections = object("the template", parse(text)?)?;
        known("the template", &sections, &SECTIONS)?;
        let description = match sections.remove("Description") {
            Some(Json::String(text)) => text,
            Some(other) => return Err(wrong("Description", "text", &other)),
            None => String::new(),
        };
        let mut document = Document::new(description);
        let mut section = |name: &str| -> Result<BTreeMap<String, Json>, LoadError> {
            let json = sections.remove(name).unwrap_or_else(|| json!({}));
            object(name, json).map(|fields| fields.into_iter().collect())
        };
        document.metadata = section("Metadata")?;
        document.parameters = section("Parameters")?;
        document.rules = section("Rules")?;
        document.mappings = section("Mappings")?;
        document.conditions = section("Conditions")?;
        document.outputs = section("Outputs")?;
        for (id, json) in section("Resources")? {
            let entry = resource(&format!("Resources.{id}"), json)?;
            document.resources.insert(id, entry);
        }
        Ok(Self::from_document(document))
    }

    /// The handle of a resource of this type that is in the template, if there is one of this name.
    #[must_use]
    pub fn handle<R: Resource>(&self, logical_id: &str) -> Option<Handle<R>> {
        let entry = self.entry(logical_id)?;
        (entry.r#type == R::TYPE).then(|| Handle::new(logical_id))
    }

    /// The properties of a resource that is in the template, typed.
    ///
    /// # Errors
    ///
    /// When there is no resource of this name and type, or when its properties do not fit.
    pub fn read<R: FromTemplate>(&self, logical_id: &str) -> Result<R, LoadError> {
        let at = format!("Resources.{logical_id}");
        let Some(entry) = self.entry(logical_id) else {
            return Err(LoadError::Missing { at: "Resources".to_owned(), name: logical_id.to_owned() });
        };
        if entry.r#type != R::TYPE {
            return Err(wrong(&format!("{at}.Type"), R::TYPE, &json!(entry.r#type)));
        }
        R::from_json(entry.properties.clone())
    }
}

fn resource(at: &str, json: Json) -> Result<ResourceEntry, LoadError> {
    let mut fields = object(at, json)?;
    known(at, &fields, &OPTIONS)?;
    let Some(resource_type) = text(at, &mut fields, "Type")? else {
        return Err(LoadError::Missing { at: at.to_owned(), name: "Type".to_owned() });
    };
    let properties = fields.remove("Properties").unwrap_or_else(|| json!({}));
    // What a custom resource takes is known to its provider only.
    if !resource_type.starts_with("Custom::") && resource_type != "AWS::CloudFormation::CustomResource" {
        check(&resource_type, &format!("{at}.Properties"), &properties).map_err(|error| match error {
            LoadError::UnknownType { name, .. } => LoadError::UnknownType { at: at.to_owned(), name },
            other => other,
        })?;
    }
    let depends_on = match fields.remove("DependsOn") {
        None => Vec::new(),
        Some(Json::String(one)) => vec![one],
        Some(other) => serde_json::from_value(other.clone())
            .map_err(|_| wrong(&format!("{at}.DependsOn"), "a name or a list of names", &other))?,
    };
    Ok(ResourceEntry {
        r#type: resource_type,
        condition: text(at, &mut fields, "Condition")?,
        depends_on,
        creation_policy: fields.remove("CreationPolicy"),
        deletion_policy: text(at, &mut fields, "DeletionPolicy")?.map(Removal::of),
        update_policy: fields.remove("UpdatePolicy"),
        update_replace_policy: text(at, &mut fields, "UpdateReplacePolicy")?.map(Removal::of),
        metadata: fields.remove("Metadata"),
        properties,
    })
}

fn text(at: &str, fields: &mut Map<String, Json>, name: &str) -> Result<Option<String>, LoadError> {
    match fields.remove(name) {
        None => Ok(None),
        Some(Json::String(text)) => Ok(Some(text)),
        Some(other) => Err(wrong(&format!("{at}.{name}"), "text", &other)),
    }
}

fn known(at: &str, fields: &Map<String, Json>, names: &[&str]) -> Result<(), LoadError> {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    match fields.keys().find(|name| !names.contains(name)) {
        Some(name) => Err(unknown(at, name, names.iter())),
        None => Ok(()),
    }
}

fn parse(text: &str) -> Result<Json, LoadError> {
    let syntax = |reason: String| LoadError::Syntax { reason };
    if text.trim_start().starts_with('{') {
        return serde_json::from_str(text).map_err(|error| syntax(error.to_string()));
    }
    serde_saphyr::from_str::<Node>(text).map(|node| node.0).map_err(|error| syntax(error.to_string()))
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

/// A node without its tag.
struct Untagged(Json);

impl<'de> Deserialize<'de> for Untagged {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor).map(Self)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
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

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
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
        while let Some(Node(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Json::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Json, A::Error> {
        let mut map = Map::new();
        while let Some((name, Node(value))) = fields.next_entry::<String, Node>()? {
            map.insert(name, value);
        }
        Ok(Json::Object(map))
    }
}
