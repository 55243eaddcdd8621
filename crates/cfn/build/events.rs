//! The Rust code of patterns of the events that a service publishes.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::docs;
use crate::facts::{Event, Property, Service};
use crate::kinds::World;
use crate::names::{Unique, identifier, module, snake, type_name};
use crate::types::write_enum;

/// A module with a struct per event; nothing where the service has none.
pub(crate) fn patterns(world: &World, service: &Service) -> String {
    if service.events.is_empty() || !world.enabled.contains("AWS::Events") {
        return String::new();
    }
    let mut code = format!(
        "/// Patterns of the events that `{}` publishes, for rules of EventBridge.\npub mod event_patterns {{\n{USE}",
        service.service
    );
    let mut taken = Unique::default();
    for (name, facts) in &service.events {
        event(world, &taken.name(type_name(name)), facts, &mut code);
    }
    code + "}\n"
}

const USE: &str = "#[allow(unused_imports)]\nuse crate::{event_pattern as e, kind as k, property as p};\n";

fn event(world: &World, name: &str, facts: &Event, code: &mut String) {
    let mut fields = Fields { world, module: module(name), enums: String::new(), names: Unique::default() };
    let nested: BTreeMap<&str, String> =
        facts.types.keys().map(|nested| (nested.as_str(), fields.names.name(type_name(nested)))).collect();
    let (source, detail_type) = (&facts.source, docs::clean(&facts.detail_type));
    let _ = writeln!(
        code,
        "/// Matches `{detail_type}` of `{source}`; without more, any.\n\
         #[derive(Debug, Clone, PartialEq)]\npub struct {name}(e::Event);\n\
         crate::event_pattern::event!({name}: {source:?}, {:?});\nimpl {name} {{",
        facts.detail_type
    );
    fields.setters("", &facts.properties, &nested, code);
    code.push_str("}\n");
    let mut inner = String::new();
    for (aws, nested_facts) in &facts.types {
        let rust = &nested[aws.as_str()];
        let _ = writeln!(
            inner,
            "/// What `{aws}` must be like.\n#[derive(Debug, Clone, PartialEq, Default)]\npub struct {rust}(e::Detail);\n\
             crate::event_pattern::part!({rust});\nimpl {rust} {{"
        );
        fields.setters(&type_name(aws), &nested_facts.properties, &nested, &mut inner);
        inner.push_str("}\n");
    }
    if !inner.is_empty() || !fields.enums.is_empty() {
        let _ = writeln!(
            code,
            "/// What the detail of [`{name}`] is made of.\npub mod {} {{\n{USE}{inner}{}}}",
            fields.module, fields.enums
        );
    }
}

struct Fields<'a> {
    world: &'a World,
    /// The module of what the detail is made of.
    module: String,
    enums: String,
    names: Unique,
}

impl Fields<'_> {
    fn setters(
        &mut self,
        owner: &str,
        fields: &BTreeMap<String, Property>,
        nested: &BTreeMap<&str, String>,
        code: &mut String,
    ) {
        let mut methods = Unique::default();
        for taken in ["new", "from_account", "in_region", "about_resources"] {
            methods.name(taken.to_owned());
        }
        for (aws, field) in fields {
            let method = identifier(&methods.name(field.setter.clone().unwrap_or_else(|| snake(aws))));
            let rust = self.of(owner, aws, field, nested);
            let _ = writeln!(
                code,
                "/// Only events whose `{aws}` is like this.\n#[must_use]\n\
                 pub fn {method}(self, like: impl Into<{rust}>) -> Self {{\nSelf(self.0.with({aws:?}, like.into()))\n}}"
            );
        }
    }

    /// What a field takes. A list is matched by any of its items, so it takes what an item takes.
    fn of(&mut self, owner: &str, aws: &str, field: &Property, nested: &BTreeMap<&str, String>) -> String {
        let mut notation = field.notation.as_str();
        while let Some(item) = notation.strip_prefix("list(").and_then(|rest| rest.strip_suffix(')')) {
            notation = item;
        }
        if let Some(part) = notation.strip_prefix('#') {
            let path = if owner.is_empty() { format!("{}::", self.module) } else { String::new() };
            return format!("{path}{}", nested[part]);
        }
        let kind = match notation {
            "string" if !field.values.is_empty() => {
                let name = self.names.name(format!("{owner}{}", type_name(aws)));
                write_enum(&mut self.enums, &name, &format!("The values of `{aws}`."), field);
                if owner.is_empty() { format!("{}::{name}", self.module) } else { name }
            }
            "string" => self.world.kind_taken(&field.refs),
            "integer" | "number" => "f64".to_owned(),
            "boolean" => "bool".to_owned(),
            "map(string)" => return "p::Map<p::List<e::Match<String>>>".to_owned(),
            _ => return "p::Json".to_owned(),
        };
        format!("p::List<e::Match<{kind}>>")
    }
}
