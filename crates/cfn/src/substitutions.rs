//! Checks that every `${Name}` in the definition of a state machine becomes something.
//!
//! CloudFormation leaves a `${Name}` without a substitution as it is, and the state machine fails when it runs.

use serde_json::Value as Json;

use crate::check::Findings;
use crate::declaration::Resource;
use crate::document::Document;
use crate::error::TemplateError;
use crate::stepfunctions::StateMachine;

pub(crate) fn check(document: &Document, findings: &mut Findings) {
    for (id, entry) in &document.resources {
        let Some(definition) =
            entry.properties.get("Definition").filter(|_| entry.r#type == StateMachine::TYPE)
        else {
            continue;
        };
        let given = entry.properties.get("DefinitionSubstitutions");
        let known = |name: &str| given.is_some_and(|given| given.get(name).is_some());
        let mut wanted = Vec::new();
        names(definition, &mut wanted);
        for name in wanted.into_iter().filter(|name| !known(name)) {
            let error = TemplateError::Unsubstituted { machine: id.clone(), name: name.to_owned() };
            findings.add(&format!("Resources.{id}.Properties.Definition"), error);
        }
    }
}

/// Shows the names that the state machine is to be given.
///
/// CloudFormation replaces the text of an `Fn::Sub` before, so what is left of that is its literals: `${!Name}`.
fn names<'a>(json: &'a Json, found: &mut Vec<&'a str>) {
    match json {
        Json::String(text) => found.extend(text.split("${").skip(1).filter_map(name)),
        Json::Array(items) => items.iter().for_each(|item| names(item, found)),
        Json::Object(fields) => match (fields.len(), fields.get("Fn::Sub")) {
            (1, Some(Json::String(text))) => found.extend(literals(text)),
            (1, Some(Json::Array(arguments))) => {
                found.extend(arguments.first().and_then(Json::as_str).into_iter().flat_map(literals));
                arguments.iter().skip(1).for_each(|variables| names(variables, found));
            }
            _ => fields.values().for_each(|value| names(value, found)),
        },
        _ => {}
    }
}

fn literals(text: &str) -> impl Iterator<Item = &str> {
    text.split("${").skip(1).filter_map(|after| name(after.trim_start().strip_prefix('!')?))
}

/// The name before the closing brace; other text between braces is not a substitution.
fn name(after: &str) -> Option<&str> {
    let (name, _) = after.split_once('}')?;
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    is_name.then_some(name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_are_found_in_text_of_any_depth() {
        let definition = json!({ "a": ["x ${Queue} y ${Topic_2}", { "b": "${ $.x }" }], "c": "${}" });
        let mut found = Vec::new();
        names(&definition, &mut found);
        assert_eq!(found, ["Queue", "Topic_2"]);
    }

    #[test]
    fn of_a_substitution_of_the_template_only_literals_and_variables_are_left() {
        let definition = json!([
            { "Fn::Sub": "${Queue} ${!Later}" },
            { "Fn::Sub": ["${Queue} ${Own} ${!Last}", { "Own": "a ${Table}" }] },
            { "Fn::Sub": "${Topic}", "Comment": "no function" },
        ]);
        let mut found = Vec::new();
        names(&definition, &mut found);
        assert_eq!(found, ["Later", "Last", "Table", "Topic"]);
    }
}
