//! What of a release is more than code and state machines.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json};

use crate::aws::difference::differences;
use crate::aws::executions::STATE_MACHINE;

/// Where two templates differ in what only a stack update can change: in anything but the definitions of state machines, and
/// metadata, which makes nothing.
pub(super) fn beyond(deployed: &Json, wanted: &Json) -> Vec<String> {
    let found = differences(&without_what_is_swapped(deployed), &without_what_is_swapped(wanted));
    found.into_iter().map(|difference| difference.path).collect()
}

/// The parameters that are given another value than the stack has, unless they are among these.
pub(super) fn given_anew(
    given: &BTreeMap<String, String>,
    deployed: &BTreeMap<String, String>,
    except: &BTreeSet<String>,
) -> Vec<String> {
    let other = |name: &String, value: &String| deployed.get(name).is_some_and(|before| before != value);
    let found = given.iter().filter(|(name, value)| !except.contains(*name) && other(name, value));
    found.map(|(name, _)| format!("parameter {name}")).collect()
}

fn without_what_is_swapped(template: &Json) -> Json {
    let mut template = template.clone();
    if let Some(sections) = template.as_object_mut() {
        sections.remove("Metadata");
        sections.remove("Description");
    }
    let resources = template.get_mut("Resources").and_then(Json::as_object_mut);
    for resource in resources.into_iter().flat_map(Map::values_mut).filter_map(Json::as_object_mut) {
        resource.remove("Metadata");
        if resource.get("Type").is_some_and(|kind| kind == STATE_MACHINE)
            && let Some(properties) = resource.get_mut("Properties").and_then(Json::as_object_mut)
        {
            properties.remove("Definition");
        }
    }
    template
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn template(definition: &str, timeout: u32, metadata: &str) -> Json {
        json!({
            "Description": metadata,
            "Metadata": { "schemas": metadata },
            "Resources": {
                "Machine": {
                    "Type": STATE_MACHINE,
                    "Metadata": { "why": metadata },
                    "Properties": { "Definition": { "StartAt": definition }, "RoleArn": "r" },
                },
                "Function": { "Type": "AWS::Lambda::Function", "Properties": { "Timeout": timeout } },
            },
        })
    }

    #[test]
    fn definitions_and_metadata_are_swapped_and_nothing_else() {
        let deployed = template("a", 3, "one");
        assert_eq!(beyond(&deployed, &template("b", 3, "two")), Vec::<String>::new());
        assert_eq!(beyond(&deployed, &template("b", 4, "two")), ["Resources.Function.Properties.Timeout"]);
        let mut other_queue = template("b", 3, "two");
        other_queue["Resources"]["Machine"]["Properties"]["DefinitionSubstitutions"] =
            json!({ "Queue": "q" });
        assert_eq!(beyond(&deployed, &other_queue), ["Resources.Machine.Properties.DefinitionSubstitutions"]);
        let mut gone = template("b", 3, "two");
        gone["Resources"].as_object_mut().unwrap().remove("Function");
        assert_eq!(beyond(&deployed, &gone), ["Resources.Function"]);
    }

    #[test]
    fn another_value_of_a_parameter_needs_a_stack_update_unless_it_says_where_code_is() {
        let values = |list: &[(&str, &str)]| {
            list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let deployed = values(&[("GatewayUrl", "http://a"), ("OrdersCodeKey", "orders-1.zip")]);
        let given =
            values(&[("GatewayUrl", "http://b"), ("OrdersCodeKey", "orders-2.zip"), ("OfAnother", "x")]);
        let packaged = ["OrdersCodeKey".to_owned()].into();
        assert_eq!(given_anew(&given, &deployed, &packaged), ["parameter GatewayUrl"]);
    }
}
