//! Writes the Rust code of the services whose features are enabled, from the facts in `spec/`.

// Standard output is how a build script speaks to cargo.
#![allow(clippy::print_stdout)]

mod docs;
mod emit;
mod events;
mod facts;
mod kinds;
mod metrics;
mod names;
mod overrides;
mod references;
mod types;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use facts::Service;
use kinds::{World, feature_of, service_of};

/// The services with a hand-written file in `src/`, which includes the generated code.
const EXTENDED: &[&str] = &[
    "cloudwatch",
    "dynamodb",
    "events",
    "iam",
    "kms",
    "lambda",
    "logs",
    "s3",
    "ses",
    "sns",
    "sqs",
    "stepfunctions",
];

fn main() {
    let spec = PathBuf::from(variable("CARGO_MANIFEST_DIR")).join("spec");
    let out = PathBuf::from(variable("OUT_DIR"));
    for input in ["services", "overrides.txt"] {
        println!("cargo::rerun-if-changed={}", spec.join(input).display());
    }
    println!("cargo::rerun-if-changed=build");
    let overrides = read(&spec.join("overrides.txt"));
    let world = world(&spec, &overrides);
    let mut modules = String::new();
    let mut tables = String::from("pub(crate) static TABLES: &[(&str, &str)] = &[\n");
    let mut types = String::from("pub(crate) static RESOURCE_TYPES: &[&str] = &[\n");
    for name in &world.enabled {
        let service = &world.services[name];
        let feature = feature_of(name);
        write(&out.join(format!("{feature}.rs")), &emit::service(&world, service));
        let table =
            serde_json::to_string(service).unwrap_or_else(|error| panic!("the facts of {name}: {error}"));
        write(&out.join(format!("{feature}.json")), &table);
        let _ = writeln!(tables, "({name:?}, include_str!(\"{feature}.json\")),");
        for resource_type in service.resources.keys() {
            let path = world.path(resource_type);
            let _ = writeln!(types, "<{path} as crate::declaration::Resource>::TYPE,");
        }
        if !EXTENDED.contains(&feature.as_str()) {
            let _ = writeln!(modules, "/// `{name}`.\npub mod {feature} {{\ninclude!(\"{feature}.rs\");\n}}");
        }
    }
    modules.push_str(&references::code(&world));
    write(&out.join("services.rs"), &modules);
    write(&out.join("tables.rs"), &(tables + "];\n" + &types + "];\n"));
}

/// The services that are enabled, and those they refer to.
fn world(spec: &Path, overrides: &str) -> World {
    let mut services = BTreeMap::new();
    let mut enabled = BTreeSet::new();
    let folder = spec.join("services");
    let files = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut features = BTreeSet::new();
    for file in files.flatten() {
        features.extend(file.path().file_stem().map(|stem| stem.to_string_lossy().into_owned()));
    }
    let mut wanted = BTreeSet::new();
    for feature in &features {
        if env::var_os(format!("CARGO_FEATURE_{}", feature.to_uppercase())).is_some() {
            let service = load(&folder, feature, overrides);
            enabled.insert(service.service.clone());
            wanted.extend(references(&service));
            services.insert(service.service.clone(), service);
        }
    }
    for name in wanted {
        let feature = feature_of(&name);
        if !services.contains_key(&name) && features.contains(&feature) {
            services.insert(name, load(&folder, &feature, overrides));
        }
    }
    World {
        services,
        enabled,
        absent: RefCell::default(),
        attributes: RefCell::default(),
        sets: RefCell::default(),
    }
}

/// The services that the properties and events of a service refer to.
fn references(service: &Service) -> BTreeSet<String> {
    let resources = service.resources.values();
    let events = service.events.values().flat_map(|event| {
        std::iter::once(&event.properties).chain(event.types.values().map(|nested| &nested.properties))
    });
    let nested =
        resources.clone().flat_map(|resource| resource.types.values().map(|nested| &nested.properties));
    resources
        .map(|resource| &resource.properties)
        .chain(nested)
        .chain(events)
        .flat_map(|properties| properties.values())
        .flat_map(|property| &property.refs)
        .filter_map(|reference| reference.split_once('.'))
        .map(|(resource_type, _)| service_of(resource_type).to_owned())
        .collect()
}

fn load(folder: &Path, feature: &str, overrides: &str) -> Service {
    let path = folder.join(format!("{feature}.json"));
    let mut service: Service =
        serde_json::from_str(&read(&path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    overrides::apply(&mut service, overrides);
    service
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|error| panic!("{name}: {error}; this program is run by cargo"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path)
        .unwrap_or_else(|error| panic!("{}: {error}; run `make cfn-spec`", path.display()))
}

fn write(path: &Path, text: &str) {
    fs::write(path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}
