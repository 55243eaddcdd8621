//! The definition of a state machine as CloudFormation would hand it to Step Functions.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use crate::aws::connection::Connection;
use crate::aws::executions::STATE_MACHINE;
use crate::aws::stack::{Deployment, Resource};

/// What names in a template stand for, in one deployed stack.
#[derive(Debug, Default)]
pub(super) struct Names<'a> {
    /// The values of parameters, and of pseudo parameters.
    values: BTreeMap<&'a str, &'a str>,
    resources: BTreeMap<&'a str, &'a Resource>,
}

impl<'a> Names<'a> {
    pub(super) fn of(aws: &'a Connection, stack: &'a Deployment, resources: &'a [Resource]) -> Self {
        let pseudo = [
            ("AWS::AccountId", aws.account.as_str()),
            ("AWS::Partition", aws.partition()),
            ("AWS::Region", aws.region.as_str()),
        ];
        let parameters = stack.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        Self {
            values: parameters.chain(pseudo).collect(),
            resources: resources.iter().map(|resource| (resource.logical_id.as_str(), resource)).collect(),
        }
    }

    /// The name of a resource in its service.
    pub(super) fn physical_id(&self, logical_id: &str) -> Option<&'a str> {
        self.resources.get(logical_id).map(|resource| resource.physical_id.as_str())
    }

    /// What a `Ref` stands for, or an attribute that is also the name of its resource.
    fn value(&self, of: &Json) -> Option<&'a str> {
        if let Some(name) = of.get("Ref").and_then(Json::as_str) {
            return self.values.get(name).copied().or_else(|| self.physical_id(name));
        }
        let path = of.get("Fn::GetAtt")?;
        let (id, attribute) = (path.get(0)?.as_str()?, path.get(1)?.as_str()?);
        let resource = self.resources.get(id)?;
        let is_its_name = matches!(
            (resource.resource_type.as_str(), attribute),
            ("AWS::SQS::Queue", "QueueUrl") | ("AWS::SNS::Topic", "TopicArn")
        );
        is_its_name.then_some(resource.physical_id.as_str())
    }
}

/// The state machines of a template, by logical id.
pub(super) fn machines(template: &Json) -> BTreeMap<&str, &Json> {
    let resources = template.get("Resources").and_then(Json::as_object).into_iter().flatten();
    let machines = resources.filter(|(_, resource)| resource["Type"] == STATE_MACHINE);
    machines.map(|(id, resource)| (id.as_str(), resource)).collect()
}

/// The definition of a state machine with its substitutions made.
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-stepfunctions-statemachine.html>
pub(super) fn definition(machine: &Json, names: &Names<'_>) -> Result<Json, String> {
    let properties = &machine["Properties"];
    let mut substitutions = BTreeMap::new();
    for (name, value) in properties["DefinitionSubstitutions"].as_object().into_iter().flatten() {
        let text = value.as_str().or_else(|| names.value(value));
        let text = text.ok_or_else(|| format!("what `{name}` stands for is not known here: {value}"))?;
        substitutions.insert(format!("${{{name}}}"), text);
    }
    let mut definition = properties["Definition"].clone();
    substitute(&mut definition, &substitutions);
    Ok(definition)
}

/// Whether two definitions are the same. On its way through a template a number or a truth value may have become text.
pub(super) fn are_same(one: &Json, other: &Json) -> bool {
    match (one, other) {
        (Json::Object(one), Json::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(key, value)| other.get(key).is_some_and(|other| are_same(value, other)))
        }
        (Json::Array(one), Json::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| are_same(one, other))
        }
        (Json::String(text), Json::Number(number)) | (Json::Number(number), Json::String(text)) => {
            number.to_string() == *text
        }
        (Json::String(text), Json::Bool(truth)) | (Json::Bool(truth), Json::String(text)) => {
            text == if *truth { "true" } else { "false" }
        }
        _ => one == other,
    }
}

fn substitute(value: &mut Json, substitutions: &BTreeMap<String, &str>) {
    match value {
        Json::String(text) => {
            for (name, value) in substitutions {
                if text.contains(name) {
                    *text = text.replace(name, value);
                }
            }
        }
        Json::Array(values) => values.iter_mut().for_each(|value| substitute(value, substitutions)),
        Json::Object(members) => members_of(members, substitutions),
        _ => {}
    }
}

fn members_of(members: &mut Map<String, Json>, substitutions: &BTreeMap<String, &str>) {
    members.values_mut().for_each(|value| substitute(value, substitutions));
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use stacks::Stage;

    fn resource(logical_id: &str, resource_type: &str, physical_id: &str) -> Resource {
        let [logical_id, resource_type, physical_id] =
            [logical_id, resource_type, physical_id].map(ToOwned::to_owned);
        Resource { logical_id, resource_type, physical_id }
    }

    #[test]
    fn what_stands_for_names_is_put_in() {
        let resources = [
            resource("Queue", "AWS::SQS::Queue", "https://sqs/q"),
            resource("Topic", "AWS::SNS::Topic", "arn:aws:sns:t"),
        ];
        let names = Names {
            values: [("Table", "parked"), ("AWS::Partition", "aws")].into(),
            resources: resources.iter().map(|one| (one.logical_id.as_str(), one)).collect(),
        };
        let machine = json!({ "Properties": {
            "Definition": { "A": { "To": "${Queue}", "N": 1, "List": ["arn:${P}:x", "${Table}${Topic}", "${other}"] } },
            "DefinitionSubstitutions": {
                "Queue": { "Fn::GetAtt": ["Queue", "QueueUrl"] },
                "Topic": { "Fn::GetAtt": ["Topic", "TopicArn"] },
                "Table": { "Ref": "Table" },
                "P": { "Ref": "AWS::Partition" },
            },
        } });
        assert_eq!(
            definition(&machine, &names),
            Ok(json!({ "A": {
                "To": "https://sqs/q", "N": 1, "List": ["arn:aws:x", "parkedarn:aws:sns:t", "${other}"],
            } }))
        );
        let mut odd = machine;
        odd["Properties"]["DefinitionSubstitutions"]["Table"] = json!({ "Fn::GetAtt": ["Queue", "Arn"] });
        let refused = definition(&odd, &names).unwrap_err();
        assert!(refused.starts_with("what `Table` stands for is not known here: "), "{refused}");
    }

    /// Another way to name something in a definition must be known here as well.
    #[test]
    fn every_emitted_state_machine_can_be_swapped() {
        let mut seen = 0;
        for stage in Stage::ALL {
            for stack in stacks::synth(stage).unwrap().stacks {
                let template: Json = serde_json::from_str(stack.template.to_json()).unwrap();
                let all = template["Resources"].as_object().unwrap().iter();
                let resources: Vec<Resource> = all
                    .map(|(id, one)| resource(id, one["Type"].as_str().unwrap(), &format!("name-of-{id}")))
                    .collect();
                let parameters: Vec<&str> =
                    stack.template.parameters().map(|(name, _)| name).chain(["AWS::Partition"]).collect();
                let names = Names {
                    values: parameters.into_iter().map(|name| (name, "value")).collect(),
                    resources: resources.iter().map(|one| (one.logical_id.as_str(), one)).collect(),
                };
                for (id, machine) in machines(&template) {
                    let text = definition(machine, &names).unwrap().to_string();
                    assert!(text.contains("name-of-") && !text.contains("${"), "{id}: {text}");
                    seen += 1;
                }
            }
        }
        assert!(seen >= 2 * Stage::ALL.len(), "{seen}");
    }

    #[test]
    fn a_number_that_became_text_is_no_difference() {
        let here = json!({ "Seconds": 60, "End": true, "Next": ["a", null] });
        assert!(are_same(&here, &json!({ "Seconds": "60", "End": "true", "Next": ["a", null] })));
        for other in [
            json!({ "Seconds": 61, "End": true, "Next": ["a", null] }),
            json!({ "Seconds": 60, "End": true, "Next": ["a"] }),
            json!({ "Seconds": 60, "End": true, "Next": ["a", "null"] }),
            json!({ "Seconds": 60, "End": true }),
        ] {
            assert!(!are_same(&here, &other) && !are_same(&other, &here), "{other}");
        }
    }
}
