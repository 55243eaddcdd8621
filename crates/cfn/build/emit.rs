//! The Rust code of a service.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::docs;
use crate::events;
use crate::facts::{Property, Resource, Service};
use crate::kinds::{Kind, World, arn_name, kind_of, ref_kind, short};
use crate::metrics;
use crate::names::{Unique, identifier, module, snake, type_name};
use crate::types::{Types, has_enum};

/// Everything of a service.
pub(crate) fn service(world: &World, service: &Service) -> String {
    let mut code = String::from("#[allow(unused_imports)]\nuse crate::{kind as k, property as p};\n");
    for (resource_type, facts) in &service.resources {
        resource(world, resource_type, facts, &mut code);
    }
    code.push_str(&events::patterns(world, service));
    code
}

fn resource(world: &World, resource_type: &str, facts: &Resource, code: &mut String) {
    let mut types = Types::new(world, resource_type, facts);
    let name = type_name(short(resource_type));
    let page = docs::resource_link(resource_type);
    let _ = writeln!(
        code,
        "/// `{resource_type}`: {}\n///\n/// <{page}>",
        docs::clean(facts.doc.as_deref().unwrap_or("a resource."))
    );
    if facts.stateful {
        code.push_str("///\n/// It holds data: removing or replacing it loses them.\n");
    }
    let constructor = facts.constructor.as_deref();
    structure(&mut types, ("", &name, &page), &facts.properties, constructor, code);
    let reference = world.kind(&ref_kind(resource_type, facts));
    let _ = writeln!(code, "crate::typed::resource_struct!({name}: {resource_type:?}, Ref = {reference});");
    attributes(&mut types, &name, code);
    let mut inner = String::new();
    for (nested, nested_facts) in &facts.types {
        let rust = types.nested[nested].clone();
        let page = docs::type_link(resource_type, nested);
        let doc = nested_facts.doc.as_deref().unwrap_or("A part of the resource.");
        let _ = writeln!(inner, "/// {}\n///\n/// <{page}>", docs::clean(doc));
        let constructor = nested_facts.constructor.as_deref();
        structure(&mut types, (nested, &rust, &page), &nested_facts.properties, constructor, &mut inner);
        let _ = writeln!(inner, "crate::typed::property_struct!({rust});");
    }
    if inner.is_empty() && types.enum_code.is_empty() {
        return;
    }
    let _ = writeln!(
        code,
        "/// What [`{name}`] is made of.\npub mod {} {{\n#[allow(unused_imports)]\nuse crate::{{kind as k, property as p}};\n{inner}{}}}",
        module(short(resource_type)),
        types.enum_code
    );
}

/// A struct of properties: the constructor with those that are required, a setter for each of the others.
fn structure(
    types: &mut Types<'_>,
    (owner, name, page): (&str, &str, &str),
    properties: &BTreeMap<String, Property>,
    constructor: Option<&[String]>,
    code: &mut String,
) {
    let arguments = arguments(properties, constructor);
    let mut setters = Unique::default();
    let mut body = String::new();
    let mut fields = Vec::new();
    for (aws, property) in properties {
        let rust = types.of(owner, aws, property);
        let setter = setters.name(setter_name(types, owner, aws, property, properties));
        let doc = docs::property(aws, property, page);
        if arguments.contains(&aws.as_str()) {
            fields.push((aws.as_str(), setter, rust, doc));
            continue;
        }
        let setter = identifier(&setter);
        let _ = writeln!(
            body,
            "{doc}#[must_use]\npub fn {setter}(self, value: impl Into<{rust}>) -> Self {{\nSelf(self.0.with({aws:?}, value.into()))\n}}"
        );
    }
    fields.sort_by_key(|(aws, ..)| arguments.iter().position(|argument| argument == aws));
    let _ = writeln!(code, "#[derive(Debug, Clone, PartialEq)]\npub struct {name}(p::Properties);");
    if fields.len() >= 3 {
        required_struct(types, name, &fields, code);
    } else {
        let arguments: Vec<String> =
            fields.iter().map(|(_, n, rust, _)| format!("{}: impl Into<{rust}>", identifier(n))).collect();
        let _ = writeln!(
            code,
            "impl {name} {{\n/// `{name}` with {}.\n#[must_use]\n#[allow(clippy::new_without_default)]\n\
             pub fn new({}) -> Self {{\nSelf(p::Properties::new(){})\n}}",
            if fields.is_empty() { "nothing set" } else { "what it needs" },
            arguments.join(", "),
            sets(&fields, "", ".into()")
        );
    }
    code.push_str(&body);
    code.push_str("}\n");
}

fn required_struct(
    types: &mut Types<'_>,
    name: &str,
    fields: &[(&str, String, String, String)],
    code: &mut String,
) {
    let required = types.taken.name(format!("{name}Required"));
    // A property that takes several kinds names them all: that is what a mistake is told.
    if fields.iter().any(|(_, _, rust, _)| rust.contains("OneOf")) {
        code.push_str("#[allow(clippy::type_complexity)]\n");
    }
    let _ = writeln!(
        code,
        "/// What [`{name}`] needs.\n#[derive(Debug, Clone, PartialEq)]\npub struct {required} {{"
    );
    for (_, field, rust, doc) in fields {
        let _ = writeln!(code, "{doc}pub {}: {rust},", identifier(field));
    }
    let _ = writeln!(
        code,
        "}}\nimpl {name} {{\n/// `{name}` with what it needs.\n#[must_use]\npub fn new(required: {required}) -> Self {{\n\
         Self(p::Properties::new(){})\n}}",
        sets(fields, "required.", "")
    );
}

fn sets(fields: &[(&str, String, String, String)], before: &str, after: &str) -> String {
    fields.iter().map(|(aws, n, ..)| format!("\n.with({aws:?}, {before}{}{after})", identifier(n))).collect()
}

/// The properties that the constructor takes: names first, then the others, each in alphabetical order.
fn arguments<'a>(
    properties: &'a BTreeMap<String, Property>,
    constructor: Option<&'a [String]>,
) -> Vec<&'a str> {
    if let Some(names) = constructor {
        let unknown = names.iter().find(|name| !properties.contains_key(*name));
        assert!(
            unknown.is_none(),
            "spec/overrides.txt: a constructor takes {unknown:?}, which is no property"
        );
        return names.iter().map(String::as_str).collect();
    }
    let mut required: Vec<&str> =
        properties.iter().filter(|(_, p)| p.required).map(|(n, _)| n.as_str()).collect();
    required.sort_by_key(|name| (!(*name == "Id" || name.ends_with("Name")), *name));
    required
}

/// The AWS name in snake case, without a unit that the type says already; `tags` whatever AWS calls them.
fn setter_name(
    types: &Types<'_>,
    owner: &str,
    aws: &str,
    property: &Property,
    all: &BTreeMap<String, Property>,
) -> String {
    if let Some(name) = &property.setter {
        return name.clone();
    }
    if owner.is_empty()
        && types.resource.tags.as_deref() == Some(aws)
        && (aws == "Tags" || !all.contains_key("Tags"))
    {
        return "tags".to_owned();
    }
    let full = snake(aws);
    let Some(unit) = property.unit.as_deref().filter(|_| !has_enum(property)) else { return full };
    let short = spellings(unit).iter().find_map(|spelling| {
        full.strip_suffix(&format!("_in_{spelling}"))
            .or_else(|| full.strip_suffix(&format!("_{spelling}")).filter(|rest| rest.contains('_')))
    });
    match short {
        Some(short) if !all.keys().any(|other| snake(other) == short) => short.to_owned(),
        _ => full,
    }
}

/// How names of properties spell a unit, in snake case.
fn spellings(unit: &str) -> &'static [&'static str] {
    match unit {
        "milliseconds" => &["milliseconds", "millis", "msec", "ms"],
        "seconds" => &["seconds", "secs", "sec"],
        "minutes" => &["minutes"],
        "hours" => &["hours"],
        "days" => &["days"],
        "bytes" => &["bytes"],
        "kibibytes" => &["kilobytes", "kibibytes", "ki_b", "kb"],
        "mebibytes" => &["mega_bytes", "megabytes", "mebibytes", "mi_b", "mb", "mbs", "m_bs"],
        "gibibytes" => &["gigabytes", "gibibytes", "gi_b", "gb", "gbs", "g_bs"],
        other => panic!("no spellings of the unit {other:?}: add them"),
    }
}

/// The methods of a handle: attributes, the name or id that `Ref` gives, metrics.
fn attributes(types: &mut Types<'_>, name: &str, code: &mut String) {
    let (world, resource_type, facts) = (types.world, types.resource_type, types.resource);
    let mut methods = Unique::default();
    for taken in ["logical_id", "reference", "attribute", "metric", "clone"] {
        methods.name(taken.to_owned());
    }
    let mut body = String::new();
    for (aws, attribute) in &facts.attributes {
        let kind = match attribute.notation.as_str() {
            "string" => world.kind(&kind_of(resource_type, facts, aws)),
            "integer" => "i64".to_owned(),
            "number" => "f64".to_owned(),
            "boolean" => "bool".to_owned(),
            "list(string)" => "Vec<String>".to_owned(),
            _ => "p::Json".to_owned(),
        };
        let rest =
            aws.strip_prefix(short(resource_type)).filter(|rest| matches!(*rest, "Arn" | "Name" | "Url"));
        let method = methods.name(snake(rest.unwrap_or(aws)));
        let doc = attribute.doc.as_deref().map(docs::clean).unwrap_or_default();
        let _ = writeln!(
            body,
            "/// `{aws}`: {doc}\n#[must_use]\npub fn {}(&self) -> p::Value<{kind}> {{\np::Value::attribute_of(self.logical_id(), {aws:?})\n}}",
            identifier(&method)
        );
    }
    if let Kind::Of(kind, _) = ref_kind(resource_type, facts) {
        let method = snake(kind);
        if methods.name(method.clone()) == method {
            let kind = world.kind(&ref_kind(resource_type, facts));
            let _ = writeln!(
                body,
                "/// What `Ref` gives.\n#[must_use]\npub fn {method}(&self) -> p::Value<{kind}> {{\nself.reference()\n}}"
            );
        }
    }
    if world.enabled.contains("AWS::CloudWatch") {
        let metrics = metrics::metrics(types, name, &mut methods);
        body.push_str(&metrics.methods);
        if !metrics.functions.is_empty() {
            let _ = writeln!(code, "impl {name} {{\n{}}}", metrics.functions);
        }
    }
    if !body.is_empty() {
        let _ = writeln!(code, "impl crate::declaration::Handle<{name}> {{\n{body}}}");
    }
    conversions(resource_type, facts, name, code);
}

/// What `&handle` converts into: the ARN, and what `Ref` gives.
fn conversions(resource_type: &str, facts: &Resource, name: &str, code: &mut String) {
    if let Some(arn) = arn_name(resource_type, facts) {
        let value = if facts.attributes.contains_key(arn) {
            format!("p::Value::attribute_of(handle.logical_id(), {arn:?})")
        } else {
            "p::Value::reference_to(handle.logical_id())".to_owned()
        };
        let _ = writeln!(
            code,
            "impl crate::declaration::HasArn for {name} {{\n\
             fn arn_of(handle: &crate::declaration::Handle<Self>) -> p::Value<k::Arn<Self>> {{\n{value}\n}}\n}}"
        );
    }
    if let Kind::Of(kind @ ("Name" | "Url" | "Id"), _) = ref_kind(resource_type, facts) {
        // A URL is an attribute where there is one: that reads better in a template than a bare `Ref`.
        let url = facts.attributes.keys().find(|name| kind == "Url" && facts.reference.contains(name));
        let value = match url {
            Some(url) => format!("p::Value::attribute_of(handle.logical_id(), {url:?})"),
            None => "handle.reference()".to_owned(),
        };
        let _ = writeln!(
            code,
            "#[diagnostic::do_not_recommend]\nimpl From<&crate::declaration::Handle<{name}>> for p::Value<k::{kind}<{name}>> {{\n\
             fn from(handle: &crate::declaration::Handle<{name}>) -> Self {{\n{value}\n}}\n}}"
        );
    }
}
