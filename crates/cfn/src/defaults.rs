//! Checks that the default of a parameter keeps the parameter's own constraints.
//!
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html>

use serde_json::Value as Json;

use crate::check::Findings;
use crate::document::Document;
use crate::error::TemplateError;

pub(crate) fn check(document: &Document, findings: &mut Findings) {
    for (name, parameter) in &document.parameters {
        let Some(default) = parameter.get("Default").and_then(text) else { continue };
        let kind = parameter.get("Type").and_then(Json::as_str).unwrap_or_default();
        // The default names a parameter of the Systems Manager: the value is known there only.
        if kind.starts_with("AWS::SSM::Parameter::Value<") {
            continue;
        }
        if let Some(allowed) = refusal(parameter, kind, &default) {
            let error = TemplateError::BadDefault { parameter: name.clone(), given: default, allowed };
            findings.add(&format!("Parameters.{name}.Default"), error);
        }
    }
}

/// What is allowed instead of this default, unless it is allowed.
fn refusal(parameter: &Json, kind: &str, default: &str) -> Option<String> {
    let is_list = kind == "CommaDelimitedList" || kind.starts_with("List<");
    let is_number = matches!(kind, "Number" | "List<Number>");
    let items: Vec<&str> = match is_list {
        true if default.is_empty() => Vec::new(),
        true => default.split(',').map(str::trim).collect(),
        false => vec![default],
    };
    if is_number && items.iter().any(|item| item.parse::<f64>().is_err()) {
        return Some("numbers".to_owned());
    }
    if let Some(allowed) = parameter.get("AllowedValues").and_then(Json::as_array) {
        let allowed: Vec<String> = allowed.iter().filter_map(text).collect();
        let same = |one: &str, other: &str| match (is_number, one.parse::<f64>(), other.parse::<f64>()) {
            (true, Ok(one), Ok(other)) => one == other,
            _ => one == other,
        };
        if items.iter().any(|item| !allowed.iter().any(|value| same(value, item))) {
            return Some(allowed.join(", "));
        }
    }
    let bound = |name: &str| parameter.get(name).and_then(text).and_then(|text| text.parse::<f64>().ok());
    let length = |item: &str| u32::try_from(item.chars().count()).map_or(f64::INFINITY, f64::from);
    let size = |item: &&str| if is_number { item.parse().unwrap_or_default() } else { length(item) };
    let (min, max, unit) = if is_number {
        (bound("MinValue"), bound("MaxValue"), "")
    } else {
        (bound("MinLength"), bound("MaxLength"), " characters")
    };
    let outside = |size: f64| min.is_some_and(|min| size < min) || max.is_some_and(|max| size > max);
    let range = |min: Option<f64>, max: Option<f64>| match (min, max) {
        (Some(min), Some(max)) => format!("{min} to {max}{unit}"),
        (Some(min), None) => format!("{min} and more{unit}"),
        (_, max) => format!("up to {}{unit}", max.unwrap_or_default()),
    };
    items.iter().map(size).any(outside).then(|| range(min, max))
}

/// A string, number or boolean as CloudFormation sees it: as text.
fn text(json: &Json) -> Option<String> {
    match json {
        Json::String(text) => Some(text.clone()),
        Json::Number(_) | Json::Bool(_) => Some(json.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_default_within_its_constraints_is_accepted() {
        for (kind, parameter, default) in [
            ("String", json!({ "AllowedValues": ["a", "b"] }), "b"),
            ("String", json!({ "MinLength": 1, "MaxLength": "3" }), "123"),
            ("Number", json!({ "AllowedValues": [1, 2] }), "2.0"),
            ("Number", json!({ "MinValue": 1, "MaxValue": 10 }), "10"),
            ("CommaDelimitedList", json!({ "AllowedValues": ["a", "b"] }), "b, a"),
            ("CommaDelimitedList", json!({ "AllowedValues": ["a"] }), ""),
            ("List<Number>", json!({}), "1,2.5"),
        ] {
            assert_eq!(refusal(&parameter, kind, default), None, "{kind} {parameter} {default}");
        }
    }

    #[test]
    fn a_default_outside_is_refused_with_what_is_allowed() {
        for (kind, parameter, default, allowed) in [
            ("String", json!({ "AllowedValues": ["a", "b"] }), "c", "a, b"),
            ("String", json!({ "MinLength": 2, "MaxLength": 3 }), "1", "2 to 3 characters"),
            ("String", json!({ "MaxLength": 3 }), "1234", "up to 3 characters"),
            ("Number", json!({}), "many", "numbers"),
            ("Number", json!({ "MinValue": 1 }), "0", "1 and more"),
            ("CommaDelimitedList", json!({ "AllowedValues": ["a", "b"] }), "a,c", "a, b"),
            ("List<Number>", json!({}), "1,x", "numbers"),
        ] {
            let refused = refusal(&parameter, kind, default);
            assert_eq!(refused.as_deref(), Some(allowed), "{kind} {parameter} {default}");
        }
    }
}
