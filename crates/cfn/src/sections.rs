//! Checks the sections of an existing template, each with its path.
//!
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-anatomy.html>

use serde_json::{Map, Value as Json};

use crate::fit::{self, list, object, unknown, wrong};
use crate::gives::{self, Gives};
use crate::origin::{self, Origin};
use crate::path::At;
use crate::problem::LoadProblem;
use crate::shape::{self, Kind, Member, is_scalar};

/// The sections that a template can have.
const SECTIONS: [Member; 9] = [
    ("AWSTemplateFormatVersion", Kind::Word(&["2010-09-09"]), false),
    ("Conditions", Kind::Any, false),
    ("Description", Kind::Text, false),
    ("Mappings", Kind::Any, false),
    ("Metadata", Kind::Object, false),
    ("Outputs", Kind::Any, false),
    ("Parameters", Kind::Any, false),
    ("Resources", Kind::Any, true),
    ("Rules", Kind::Any, false),
];

/// The sections that CloudFormation knows and that are refused, and why.
const UNSUPPORTED: [(&str, &str); 2] = [
    (
        "Hooks",
        "hooks are for the macro AWS::CodeDeployBlueGreen, which rewrites the template before CloudFormation reads it; \
         declare the deployment as resources of AWS::CodeDeploy instead",
    ),
    (
        "Transform",
        "a macro rewrites the template before CloudFormation reads it, so what it will say cannot be checked; load what \
         it became (`aws cloudformation get-template --template-stage Processed`)",
    ),
];

/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html>
const PARAMETER: [Member; 11] = [
    ("AllowedPattern", Kind::Text, false),
    ("AllowedValues", Kind::Scalars, false),
    ("ConstraintDescription", Kind::Text, false),
    ("Default", Kind::Scalar, false),
    ("Description", Kind::Text, false),
    ("MaxLength", Kind::Number, false),
    ("MaxValue", Kind::Number, false),
    ("MinLength", Kind::Number, false),
    ("MinValue", Kind::Number, false),
    ("NoEcho", Kind::Flag, false),
    ("Type", Kind::Text, true),
];

/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/outputs-section-structure.html>
const OUTPUT: [Member; 4] = [
    ("Condition", Kind::Text, false),
    ("Description", Kind::Text, false),
    ("Export", Kind::Any, false),
    ("Value", Kind::Computed, true),
];

/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/rules-section-structure.html>
const RULE: [Member; 2] = [("Assertions", Kind::Any, true), ("RuleCondition", Kind::Any, false)];

const ASSERTION: [Member; 2] = [("Assert", Kind::Any, true), ("AssertDescription", Kind::Text, false)];

/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-product-attribute-reference.html>
const RESOURCE: [Member; 10] = [
    ("Condition", Kind::Text, false),
    ("CreationPolicy", Kind::Object, false),
    ("DeletionPolicy", Kind::Word(&["Delete", "Retain", "RetainExceptOnCreate", "Snapshot"]), false),
    ("DependsOn", Kind::Names, false),
    ("Metadata", Kind::Object, false),
    ("Properties", Kind::Any, false),
    ("Type", Kind::Text, true),
    ("UpdatePolicy", Kind::Object, false),
    ("UpdateReplacePolicy", Kind::Word(&["Delete", "Retain", "Snapshot"]), false),
    ("Version", Kind::Scalar, false),
];

/// What the CDK notes of itself.
const CDK: [Member; 2] = [("Analytics", Kind::Computed, false), ("Modules", Kind::Computed, false)];

/// Checks all sections.
pub(crate) fn check(template: &Map<String, Json>, problems: &mut Vec<LoadProblem>) {
    let root = At::root("the template");
    for (name, json) in template {
        let known = SECTIONS.iter().find(|(section, ..)| section == name);
        let unsupported = UNSUPPORTED.iter().find(|(section, _)| section == name);
        match (known, unsupported) {
            (Some((section, kind, _)), _) => shape::member(&At::root(section), json, *kind, problems),
            (_, Some((at, reason))) => {
                problems
                    .push(LoadProblem::Unsupported { at: (*at).to_owned(), reason: (*reason).to_owned() });
            }
            _ => problems.push(unknown(&root, name, SECTIONS.iter().map(|(section, ..)| *section))),
        }
    }
    each("Parameters", template, problems, parameter);
    each("Mappings", template, problems, mapping);
    each("Conditions", template, problems, test);
    each("Rules", template, problems, rule);
    // A template without the section has no parameters.
    let none = Map::new();
    let parameters = Some(template.get("Parameters").and_then(Json::as_object).unwrap_or(&none));
    each("Outputs", template, problems, |at, json, problems| output(at, json, parameters, problems));
    each("Resources", template, problems, |at, json, problems| resource(at, json, parameters, problems));
}

/// Checks each entry of a section with its path.
fn each(
    section: &str,
    template: &Map<String, Json>,
    problems: &mut Vec<LoadProblem>,
    check: impl Fn(&At<'_>, &Json, &mut Vec<LoadProblem>),
) {
    let at = At::root(section);
    let Some(entries) = template.get(section).and_then(|json| object(&at, json, problems)) else { return };
    for (name, json) in entries {
        check(&at.name(name), json, problems);
    }
}

fn parameter(at: &At<'_>, json: &Json, problems: &mut Vec<LoadProblem>) {
    let Some(fields) = shape::check(at, json, &PARAMETER, problems) else { return };
    let Some(name) = fields.get("Type").and_then(Json::as_str) else { return };
    // The types of AWS's own resources are not listed: AWS adds to them.
    let item = name.strip_prefix("List<").and_then(|rest| rest.strip_suffix('>'));
    let known = match item {
        Some(item) => item == "Number" || item == "String" || item.starts_with("AWS::"),
        None => ["String", "Number", "CommaDelimitedList"].contains(&name) || name.starts_with("AWS::"),
    };
    if !known {
        problems.push(LoadProblem::NotAllowed {
            at: at.name("Type").to_string(),
            given: format!("{name:?}"),
            allowed: "String, Number, CommaDelimitedList, List<Number>, and types of AWS such as \
                      AWS::EC2::VPC::Id, List<AWS::EC2::VPC::Id>, AWS::SSM::Parameter::Value<String>"
                .to_owned(),
        });
    }
}

fn mapping(at: &At<'_>, json: &Json, problems: &mut Vec<LoadProblem>) {
    for (top, row) in object(at, json, problems).into_iter().flatten() {
        let at = at.name(top);
        for (second, value) in object(&at, row, problems).into_iter().flatten() {
            let scalars = value.as_array().is_some_and(|items| items.iter().all(is_scalar));
            if !is_scalar(value) && !scalars {
                let expected = "text, a number, or a list of them; mappings hold no functions";
                problems.push(wrong(&at.name(second), expected, value));
            }
        }
    }
}

/// A test: one function of conditions. Which there are, and what they take, is checked with all functions.
fn test(at: &At<'_>, json: &Json, problems: &mut Vec<LoadProblem>) {
    let function =
        json.as_object().filter(|fields| fields.len() == 1).and_then(|fields| fields.keys().next());
    if !function.is_some_and(|name| name == "Condition" || name.starts_with("Fn::")) {
        let expected = "a test: one of Fn::And, Fn::Equals, Fn::Not, Fn::Or, Condition";
        problems.push(wrong(at, expected, json));
    }
}

fn rule(at: &At<'_>, json: &Json, problems: &mut Vec<LoadProblem>) {
    let Some(fields) = shape::check(at, json, &RULE, problems) else { return };
    if let Some(json) = fields.get("RuleCondition") {
        test(&at.name("RuleCondition"), json, problems);
    }
    let at = at.name("Assertions");
    let assertions = fields.get("Assertions").and_then(|json| list(&at, json, problems));
    for (index, json) in assertions.into_iter().flatten().enumerate() {
        let at = at.index(index);
        let fields = shape::check(&at, json, &ASSERTION, problems);
        if let Some(json) = fields.and_then(|fields| fields.get("Assert")) {
            test(&at.name("Assert"), json, problems);
        }
    }
}

fn output(at: &At<'_>, json: &Json, parameters: Option<&Map<String, Json>>, problems: &mut Vec<LoadProblem>) {
    let fields = shape::check(at, json, &OUTPUT, problems);
    let value = fields.and_then(|fields| fields.get("Value"));
    if value.and_then(|value| gives::of(value, parameters)) == Some(Gives::List) {
        let (expected, given) = ("text".to_owned(), "a function that gives a list".to_owned());
        problems.push(LoadProblem::WrongType { at: at.name("Value").to_string(), expected, given });
    }
    if let Some(export) = fields.and_then(|fields| fields.get("Export")) {
        shape::check(&at.name("Export"), export, &[("Name", Kind::Computed, true)], problems);
    }
}

fn resource(
    at: &At<'_>,
    json: &Json,
    parameters: Option<&Map<String, Json>>,
    problems: &mut Vec<LoadProblem>,
) {
    let Some(fields) = shape::check(at, json, &RESOURCE, problems) else { return };
    let Some(resource_type) = fields.get("Type").and_then(Json::as_str) else { return };
    let none = Json::Object(Map::new());
    let properties = fields.get("Properties").unwrap_or(&none);
    let at_properties = at.name("Properties");
    let origin = origin::of(resource_type);
    if let Some(version) = fields.get("Version").filter(|_| origin != Origin::Custom) {
        problems.push(LoadProblem::NotAllowed {
            at: at.name("Version").to_string(),
            given: version.to_string(),
            allowed: "versions of custom resources only (Custom::Type, AWS::CloudFormation::CustomResource); remove it"
                .to_owned(),
        });
    }
    match origin {
        Origin::Custom => {
            // What it takes besides the token is known to its provider only.
            let token = object(&at_properties, properties, problems).map(|fields| fields.get("ServiceToken"));
            if token == Some(None) {
                problems.push(fit::missing(&at_properties, "ServiceToken"));
            }
        }
        // What they take is known in the account that they are registered in only.
        Origin::Registry | Origin::Module => {
            object(&at_properties, properties, problems);
        }
        Origin::Cdk => {
            shape::check(&at_properties, properties, &CDK, problems);
        }
        Origin::Aws => {
            let known = fit::properties(resource_type, &at_properties, properties, parameters, problems);
            if known.is_none() {
                let (at, name) = (at.to_string(), resource_type.to_owned());
                problems.push(LoadProblem::UnknownType { at, name });
            }
        }
    }
}
