//! The Rust types of properties, and the enums that have to be made for them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::docs;
use crate::facts::{Property, Resource};
use crate::kinds::{World, feature_of, kind_of, service_of, short};
use crate::names::{self, Unique, module, type_name};

/// Names that say too little without the type they belong to.
const VAGUE: &[&str] = &[
    "Action", "Format", "Key", "Kind", "Level", "Mode", "Name", "Operator", "Scope", "State", "Status",
    "Type", "Unit", "Value",
];

/// What is made for one resource type, in the module of its nested types.
pub(crate) struct Types<'a> {
    pub(crate) world: &'a World,
    pub(crate) resource_type: &'a str,
    pub(crate) resource: &'a Resource,
    /// The names of nested types, by AWS name.
    pub(crate) nested: BTreeMap<String, String>,
    /// The enums, by owner and property.
    enums: BTreeMap<(String, String), String>,
    /// The Rust code of the enums.
    pub(crate) enum_code: String,
    pub(crate) taken: Unique,
}

impl<'a> Types<'a> {
    pub(crate) fn new(world: &'a World, resource_type: &'a str, resource: &'a Resource) -> Self {
        let mut types = Self {
            world,
            resource_type,
            resource,
            nested: BTreeMap::new(),
            enums: BTreeMap::new(),
            enum_code: String::new(),
            taken: Unique::default(),
        };
        for name in resource.types.keys() {
            let rust = types.taken.name(type_name(name));
            types.nested.insert(name.clone(), rust);
        }
        types.name_enums();
        types
    }

    /// The path of the module with the nested types.
    pub(crate) fn module(&self) -> String {
        format!(
            "crate::{}::{}",
            feature_of(service_of(self.resource_type)),
            module(short(self.resource_type))
        )
    }

    fn name_enums(&mut self) {
        let own = ("", &self.resource.properties);
        let nested = self.resource.types.iter().map(|(name, nested)| (name.as_str(), &nested.properties));
        let mut by_name: BTreeMap<String, Vec<(String, String, &Property)>> = BTreeMap::new();
        for (owner, properties) in std::iter::once(own).chain(nested) {
            for (name, property) in properties {
                if property.rust.is_none() && has_enum(property) {
                    let base = type_name(&singular(name, &property.notation));
                    by_name.entry(base).or_default().push((owner.to_owned(), name.clone(), property));
                }
            }
        }
        for (base, uses) in by_name {
            let same = uses.iter().all(|(_, _, property)| property.values == uses[0].2.values);
            let vague = VAGUE.contains(&base.as_str());
            let free = !self.nested.values().any(|taken| *taken == base);
            if same && free && !vague {
                let name = self.taken.name(base);
                write_enum(&mut self.enum_code, &name, doc_of(uses[0].2), uses[0].2);
                for (owner, property, _) in uses {
                    self.enums.insert((owner, property), name.clone());
                }
                continue;
            }
            for (owner, property_name, property) in uses {
                let prefix = if owner.is_empty() { short(self.resource_type) } else { &owner };
                let name = self.taken.name(format!("{}{base}", type_name(prefix)));
                write_enum(&mut self.enum_code, &name, doc_of(property), property);
                self.enums.insert((owner, property_name), name);
            }
        }
    }

    /// The Rust type of a property; `owner` is the nested type it belongs to, or nothing.
    pub(crate) fn of(&mut self, owner: &str, name: &str, property: &Property) -> String {
        if let Some(rust) = &property.rust {
            return rust.clone();
        }
        if self.is_tags(owner, name, &property.notation) {
            return if property.notation.starts_with("list") {
                "p::List<p::Tag>".to_owned()
            } else {
                "p::Map<p::Value<String>>".to_owned()
            };
        }
        let is_json = matches!(property.notation.as_str(), "json" | "any(json|string)");
        if is_json && (name.ends_with("PolicyDocument") || name == "KeyPolicy") {
            return "crate::policy::PolicyDocument".to_owned();
        }
        if let (true, Some(numbers)) = (property.notation == "integer", self.enum_of(owner, name)) {
            return format!("p::Value<{}::{numbers}>", self.module());
        }
        let text = match self.enum_of(owner, name) {
            Some(enumeration) => format!("{}::{enumeration}", self.module()),
            None => self.text_kind(owner, name, property),
        };
        self.notation(&property.notation, &text, property.unit.as_deref())
    }

    fn enum_of(&self, owner: &str, name: &str) -> Option<&String> {
        self.enums.get(&(owner.to_owned(), name.to_owned()))
    }

    fn is_tags(&self, owner: &str, name: &str, notation: &str) -> bool {
        if !owner.is_empty() || self.resource.tags.as_deref() != Some(name) {
            return false;
        }
        let pair = |nested: &str| {
            self.resource
                .types
                .get(nested)
                .is_some_and(|nested| nested.properties.keys().map(String::as_str).eq(["Key", "Value"]))
        };
        let nested = notation.strip_prefix("list(#").and_then(|rest| rest.strip_suffix(')'));
        matches!(notation, "list(tag)" | "map(string)" | "json") || nested.is_some_and(pair)
    }

    fn text_kind(&self, owner: &str, name: &str, property: &Property) -> String {
        if owner.is_empty() && property.refs.is_empty() && name.ends_with("Name") {
            return self.world.kind(&kind_of(self.resource_type, self.resource, name));
        }
        self.world.kind_taken(&property.refs)
    }

    fn notation(&self, notation: &str, text: &str, unit: Option<&str>) -> String {
        if let Some(inner) = within(notation, "list(") {
            return format!("p::List<{}>", self.notation(inner, text, unit));
        }
        if let Some(inner) = within(notation, "map(") {
            return format!("p::Map<{}>", self.notation(inner, text, unit));
        }
        if let Some(parts) = within(notation, "any(") {
            // JSON or a structure that AWS describes: the structure.
            return match split(parts).as_slice() {
                [described, "json"] | ["json", described] if described.contains('#') => {
                    self.notation(described, text, unit)
                }
                _ => "p::Json".to_owned(),
            };
        }
        if let Some(nested) = notation.strip_prefix('#') {
            let name = self.nested.get(nested).map_or(nested, String::as_str);
            return format!("{}::{name}", self.module());
        }
        match (notation, unit) {
            ("integer" | "number", Some(unit)) => format!("p::Value<k::{}>", unit_kind(unit)),
            ("integer", None) => "p::Value<i64>".to_owned(),
            ("number", None) => "p::Value<f64>".to_owned(),
            ("boolean", _) => "p::Value<bool>".to_owned(),
            ("tag", _) => "p::Tag".to_owned(),
            ("json", _) => "p::Json".to_owned(),
            _ => format!("p::Value<{text}>"),
        }
    }
}

fn doc_of(property: &Property) -> &str {
    property.doc.as_deref().unwrap_or("The values that AWS allows.")
}

/// Whether the values are known and are text or whole numbers.
pub(crate) fn has_enum(property: &Property) -> bool {
    let numbers = property.notation == "integer";
    property.values.iter().any(|value| value.is_string() || (numbers && value.is_i64()))
}

/// An enum of the values that a property or a field allows.
pub(crate) fn write_enum(code: &mut String, name: &str, doc: &str, property: &Property) {
    let numbers = property.values.iter().all(serde_json::Value::is_i64);
    let which = if numbers { "allowed_numbers" } else { "allowed_values" };
    let _ = writeln!(code, "crate::typed::{which}! {{\n/// {}\npub enum {name} {{", docs::clean(doc));
    let mut variants = Unique::default();
    for value in &property.values {
        let (text, variant) = match (value.as_str(), value.as_i64()) {
            (Some(text), _) if !numbers => {
                let variant = property.variants.get(text).cloned().unwrap_or_else(|| names::variant(text));
                (text.to_owned(), variant)
            }
            (_, Some(number)) if numbers => {
                let unit = property.unit.as_deref().map_or_else(|| "V".to_owned(), type_name);
                (number.to_string(), format!("{unit}{number}"))
            }
            _ => continue,
        };
        let variant = variants.name(variant).replace('_', "X");
        let _ = writeln!(code, "/// `{text}`\n{variant} = {value},");
    }
    code.push_str("}\n}\n");
}

fn unit_kind(unit: &str) -> &'static str {
    match unit {
        "milliseconds" => "Milliseconds",
        "seconds" => "Seconds",
        "minutes" => "Minutes",
        "hours" => "Hours",
        "days" => "Days",
        "bytes" => "SizeInBytes",
        "kibibytes" => "Kibibytes",
        "mebibytes" => "Mebibytes",
        "gibibytes" => "Gibibytes",
        other => panic!("no kind of value for the unit {other:?}: add one to src/kind.rs"),
    }
}

fn within<'a>(notation: &'a str, start: &str) -> Option<&'a str> {
    notation.strip_prefix(start)?.strip_suffix(')')
}

/// The parts of a union, separated by `|` outside parentheses.
fn split(parts: &str) -> Vec<&str> {
    let (mut found, mut depth, mut start) = (Vec::new(), 0, 0);
    for (i, c) in parts.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            '|' if depth == 0 => {
                found.push(&parts[start..i]);
                start = i + 1;
            }
            _ => {}
        }
    }
    found.push(&parts[start..]);
    found
}

fn singular(name: &str, notation: &str) -> String {
    match name.strip_suffix("ies").filter(|_| notation.starts_with("list")) {
        Some(stem) => format!("{stem}y"),
        None if notation.starts_with("list") && name.ends_with('s') && !name.ends_with("ss") => {
            name[..name.len() - 1].to_owned()
        }
        None => name.to_owned(),
    }
}
