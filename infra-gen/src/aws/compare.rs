//! How the templates differ from what is deployed.

use std::collections::BTreeSet;

use aws_config::SdkConfig;
use serde_json::{Map, Value as Json};

use super::connection::Connection;
use super::error::AwsError;
use super::{Target, stack, template};

/// How a stack differs from its template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackDifference {
    /// The stack's name.
    pub stack: String,
    /// Whether it is deployed at all.
    pub deployed: bool,
    /// What a deployment would change. Parameters' values, and with them the functions' code, are not compared.
    pub differences: Vec<Difference>,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Where: the section, the id, and inside of it the path.
    pub path: String,
    /// How.
    pub side: Side,
}

/// On which side something is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Side {
    /// Only here: a deployment adds it.
    Added(String),
    /// Only deployed: a deployment removes it.
    Removed(String),
    /// On both, with another value: deployed, and here.
    Changed(String, String),
}

/// Compares every stack's template with the deployed one.
///
/// # Errors
/// When AWS refuses to show a template.
pub async fn diff(target: &Target, config: Option<&SdkConfig>) -> Result<Vec<StackDifference>, AwsError> {
    let app = stacks::synth(target.stage)?;
    let aws = Connection::open(config).await?;
    let mut all = Vec::new();
    for stack in &app.stacks {
        let name = target.stack_name(stack);
        let found = stack::describe(&aws, &name).await?;
        let there = match &found {
            Some(found) => template::deployed(&aws, &name, found).await?,
            None => Json::Object(Map::new()),
        };
        let here: Json = serde_json::from_str(stack.template.to_json())
            .map_err(|error| AwsError::Template { stack: name.clone(), reason: error.to_string() })?;
        all.push(StackDifference {
            deployed: found.is_some(),
            differences: differences(&there, &here),
            stack: name,
        });
    }
    Ok(all)
}

/// The differences between two templates: whole entries of a section where only one has them, else the values that
/// differ inside.
fn differences(there: &Json, here: &Json) -> Vec<Difference> {
    let mut all = Vec::new();
    for section in keys(there, here) {
        let (old, new) = (&there[section], &here[section]);
        if !(old.is_object() || new.is_object()) {
            compare(section, old, new, &mut all);
            continue;
        }
        for id in keys(old, new) {
            compare(&format!("{section}.{id}"), &old[id], &new[id], &mut all);
        }
    }
    all
}

fn compare(path: &str, old: &Json, new: &Json, all: &mut Vec<Difference>) {
    let side = match (old, new) {
        _ if old == new => return,
        (Json::Null, _) => Side::Added(summary(new)),
        (_, Json::Null) => Side::Removed(summary(old)),
        (Json::Object(_), Json::Object(_)) => {
            for key in keys(old, new) {
                compare(&format!("{path}.{key}"), &old[key], &new[key], all);
            }
            return;
        }
        (Json::Array(olds), Json::Array(news)) if olds.len() == news.len() => {
            for (index, (old, new)) in olds.iter().zip(news).enumerate() {
                compare(&format!("{path}[{index}]"), old, new, all);
            }
            return;
        }
        _ => Side::Changed(summary(old), summary(new)),
    };
    all.push(Difference { path: path.to_owned(), side });
}

fn keys<'a>(a: &'a Json, b: &'a Json) -> BTreeSet<&'a str> {
    [a, b].into_iter().filter_map(Json::as_object).flat_map(Map::keys).map(String::as_str).collect()
}

/// A resource's type, or the value.
fn summary(value: &Json) -> String {
    match value["Type"].as_str() {
        Some(resource_type) if value.get("Properties").is_some() || resource_type.contains("::") => {
            resource_type.to_owned()
        }
        _ => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn differences_name_the_resource_and_the_property() {
        let there = json!({
            "Description": "old",
            "Resources": {
                "Gone": {"Type": "AWS::SQS::Queue"},
                "Same": {"Type": "AWS::SNS::Topic"},
                "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": 30, "Tags": [{"Key": "a", "Value": "b"}]}},
            },
        });
        let here = json!({
            "Description": "new",
            "Resources": {
                "New": {"Type": "AWS::DynamoDB::Table", "Properties": {}},
                "Same": {"Type": "AWS::SNS::Topic"},
                "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": 60, "Tags": [{"Key": "a", "Value": "c"}]}},
            },
        });
        let said: Vec<_> = differences(&there, &here).into_iter().map(|d| (d.path, d.side)).collect();
        let changed = |old: &str, new: &str| Side::Changed(old.to_owned(), new.to_owned());
        assert_eq!(
            said,
            [
                ("Description".to_owned(), changed("\"old\"", "\"new\"")),
                ("Resources.Gone".to_owned(), Side::Removed("AWS::SQS::Queue".to_owned())),
                ("Resources.New".to_owned(), Side::Added("AWS::DynamoDB::Table".to_owned())),
                ("Resources.Queue.Properties.Tags[0].Value".to_owned(), changed("\"b\"", "\"c\"")),
                ("Resources.Queue.Properties.VisibilityTimeout".to_owned(), changed("30", "60")),
            ]
        );
        assert_eq!(differences(&here, &here), []);
    }
}
