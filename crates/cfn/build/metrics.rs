//! The Rust code of metrics: those of a handle, and those of a resource that another template holds.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::docs;
use crate::facts::{Metric, Property, Resource};
use crate::kinds::{kind_of, ref_kind};
use crate::names::{Unique, identifier, snake, type_name};
use crate::types::{Types, write_enum};

/// The code of metrics: methods of the handle, and functions of the resource type.
#[derive(Default)]
pub(crate) struct Code {
    pub(crate) methods: String,
    pub(crate) functions: String,
}

pub(crate) fn metrics(types: &mut Types<'_>, name: &str, methods: &mut Unique) -> Code {
    let facts = types.resource;
    let enums = enums(types);
    let mut code = Code::default();
    let mut functions = Unique::default();
    let first = facts.metrics.values().find_map(|metric| Some((metric, of_handle(types, metric)?)));
    if let Some((metric, value)) = first {
        let _ = writeln!(
            code.methods,
            "/// A metric of the resource in `{0}`, summed up as a sum over a minute.\n#[must_use]\n\
             pub fn metric(&self, name: &str) -> crate::metric::Metric {{\n\
             crate::metric::Metric::new({0:?}, name).dimension({1:?}, {value})\n}}",
            metric.namespace, metric.dimension
        );
    }
    for (aws, metric) in &facts.metrics {
        let Some(arguments) = arguments(metric, &enums) else { continue };
        let base = format!("metric_{}", snake(aws));
        let function = functions.name(format!("{base}_of"));
        let doc = metric.doc.as_deref().map(docs::clean).unwrap_or_else(|| format!("The metric `{aws}`."));
        function_of(types, (&function, &doc), (aws, metric), &arguments, &mut code.functions);
        let Some(value) = of_handle(types, metric) else { continue };
        let method = methods.name(base);
        let (declared, passed) = (list(&arguments, true), list(&arguments, false));
        let _ = writeln!(
            code.methods,
            "/// {doc}\n#[must_use]\npub fn {method}(&self{declared}) -> crate::metric::Metric {{\n\
             {name}::{function}({value}{passed})\n}}"
        );
    }
    code
}

/// The metric of a resource that is named by its dimension, as where another stack exports the name.
fn function_of(
    types: &Types<'_>,
    (function, doc): (&str, &str),
    (aws, metric): (&str, &Metric),
    arguments: &[(String, String, String)],
    code: &mut String,
) {
    let (dimension, kind) = (&metric.dimension, kind(types, metric));
    let argument = identifier(&snake(dimension));
    let mut dimensions = format!(".dimension({dimension:?}, {argument}.into())");
    for (other, values) in metric.others() {
        if let [only] = values.as_slice() {
            let _ = write!(dimensions, ".dimension({other:?}, {only:?})");
        }
    }
    for (other, _, value) in arguments {
        let _ = write!(dimensions, ".dimension({other:?}, {value})");
    }
    let _ = writeln!(
        code,
        "/// {doc} Of the resource with this `{dimension}`.\n#[must_use]\n\
         pub fn {function}({argument}: impl Into<p::Value<{kind}>>{}) -> crate::metric::Metric {{\n\
         crate::metric::Metric::new({:?}, {:?}){dimensions}\n\
         .statistic(crate::cloudwatch::Statistic::of({:?}))\n}}",
        list(arguments, true),
        metric.namespace,
        metric.name.as_deref().unwrap_or(aws),
        metric.statistic
    );
}

fn list(arguments: &[(String, String, String)], declared: bool) -> String {
    let one = |(name, rust, _): &(String, String, String)| {
        let argument = identifier(&snake(name));
        if declared { format!(", {argument}: {rust}") } else { format!(", {argument}") }
    };
    arguments.iter().map(one).collect()
}

/// The dimensions besides that of the resource whose values the caller knows: name, type and value; nothing when there
/// are so many that one could be mistaken for another.
fn arguments(metric: &Metric, enums: &BTreeMap<&str, String>) -> Option<Vec<(String, String, String)>> {
    let others: Vec<_> = metric.others().filter(|(_, values)| values.len() != 1).collect();
    if others.len() > 1 {
        return None;
    }
    let one = |name: &str| {
        let argument = identifier(&snake(name));
        let name = name.to_owned();
        match enums.get(name.as_str()) {
            Some(rust) => {
                (name, rust.clone(), format!("p::Value::<{rust}>::from({argument}).retype::<String>()"))
            }
            None => (name, "impl Into<p::Value<String>>".to_owned(), format!("{argument}.into()")),
        }
    };
    Some(others.into_iter().map(|(name, _)| one(name)).collect())
}

/// An enum for each dimension whose values are known, by the name of the dimension.
fn enums<'a>(types: &mut Types<'a>) -> BTreeMap<&'a str, String> {
    let mut values: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, listed) in types.resource.metrics.values().flat_map(Metric::others) {
        if listed.len() > 1 {
            values.entry(name).or_default().extend(listed);
        }
    }
    let mut enums = BTreeMap::new();
    for (name, values) in values {
        let rust = types.taken.name(format!("{}Dimension", type_name(name)));
        let property =
            Property { values: values.into_iter().map(Into::into).collect(), ..Property::default() };
        let doc = format!("The values of the dimension `{name}` of metrics.");
        write_enum(&mut types.enum_code, &rust, &doc, &property);
        enums.insert(name, format!("{}::{rust}", types.module()));
    }
    enums
}

fn is_ref(facts: &Resource, metric: &Metric) -> bool {
    metric.of == "Ref" || [metric.of.as_str()] == *facts.reference
}

/// The kind of value of the dimension.
fn kind(types: &Types<'_>, metric: &Metric) -> String {
    let kind = if is_ref(types.resource, metric) {
        ref_kind(types.resource_type, types.resource)
    } else {
        kind_of(types.resource_type, types.resource, &metric.of)
    };
    types.world.kind(&kind)
}

/// How a handle gives the dimension; nothing when it is a property.
fn of_handle(types: &Types<'_>, metric: &Metric) -> Option<String> {
    let kind = kind(types, metric);
    if is_ref(types.resource, metric) {
        return Some(format!("p::Value::<{kind}>::reference_to(self.logical_id())"));
    }
    let is_attribute = types.resource.attributes.contains_key(&metric.of);
    is_attribute.then(|| format!("p::Value::<{kind}>::attribute_of(self.logical_id(), {:?})", metric.of))
}
