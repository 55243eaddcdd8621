//! The Rust code of what references need across services: kinds, conversions between them, stand-ins.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::kinds::{Accepted, Source, World, feature_of, service_of, short};
use crate::names;

/// To be written after the services, which say what they need.
pub(crate) fn code(world: &World) -> String {
    let mut code = sets(world);
    code.push_str(&attributes(&world.attributes.borrow()));
    code.push_str(&absent(&world.absent.borrow()));
    code
}

/// What converts into a property that takes one of several kinds.
fn sets(world: &World) -> String {
    let mut code = String::from("mod one_of {\nuse crate::kind as k;\n");
    let mut written = BTreeSet::new();
    for set in world.sets.borrow().iter() {
        let one_of = world.one_of(set);
        // The same kinds may come from other attributes: the first in order says how handles give them.
        if !written.insert(one_of.clone()) {
            continue;
        }
        let enabled: Vec<&Accepted> = set.iter().filter(|one| world.is_enabled(&one.resource)).collect();
        let kinds: BTreeSet<String> = enabled.iter().map(|one| world.kind(&one.kind)).collect();
        let kinds: Vec<String> = kinds.into_iter().collect();
        let _ = writeln!(code, "crate::typed::references_to!({one_of}: [{}]);", kinds.join(", "));
        let mut handles: BTreeMap<&str, &Source> = BTreeMap::new();
        for one in enabled.into_iter().filter(|one| one.source != Source::None) {
            handles.entry(&one.resource).or_insert(&one.source);
        }
        for (resource, source) in handles {
            let path = world.path(resource);
            let _ = match source {
                Source::Attribute(attribute) => {
                    writeln!(code, "crate::typed::handles_of!({one_of}: {path} = {attribute:?});")
                }
                _ => writeln!(code, "crate::typed::handles_of!({one_of}: {path});"),
            };
        }
    }
    code + "}\n"
}

/// The names of attributes that are kinds of their own.
fn attributes(names: &BTreeSet<String>) -> String {
    let mut code = String::from(
        "/// The names of attributes that [`Attribute`](crate::kind::Attribute) tells apart.\npub mod attribute {\n",
    );
    for name in names {
        let rust = names::type_name(name);
        let _ = writeln!(code, "/// `{name}`.\n#[derive(Debug)]\npub enum {rust} {{}}");
        if name.ends_with("Arn") {
            let _ = writeln!(code, "crate::typed::arn_attribute!({rust});");
        }
    }
    code + "}\n"
}

/// Stand-ins for resource types of services that are not compiled, so that a reference to one keeps its kind.
fn absent(types: &BTreeSet<String>) -> String {
    let mut by_service: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for resource_type in types {
        by_service.entry(feature_of(service_of(resource_type))).or_default().push(short(resource_type));
    }
    let mut code = String::from(
        "/// Stand-ins for resource types of services whose features are not enabled.\n\
         #[doc(hidden)]\n#[allow(missing_docs)]\npub mod absent {\n",
    );
    for (feature, names) in by_service {
        let _ = writeln!(code, "pub mod {feature} {{");
        for name in names {
            let _ = writeln!(code, "#[derive(Debug)]\npub enum {} {{}}", names::type_name(name));
        }
        code.push_str("}\n");
    }
    code + "}\n"
}
