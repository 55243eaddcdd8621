//! Every statement of every template against the service authorization reference: each action exists, acts on the
//! resource it is allowed on, and is on everything only where no resource can be named.

use crate::templates::{app, list, template};
use cfn::{
    authorization::{AuthorizationError, check},
    facts, grants,
};
use serde_json::{Value as Json, json};
use stacks::{App, Stage};
use std::collections::{BTreeMap, BTreeSet};

/// Actions on everything although the reference names a resource type for them. Why, and what confines them instead, is
/// in the list of `permissions.rs`.
const NAMED_ALL_THE_SAME: [&str; 2] = ["ses:SendEmail", "sns:Publish"];

#[test]
fn every_statement_allows_what_it_says() {
    for stage in [Stage::Dev, Stage::Prod] {
        let deployment = Deployment::of(&app(stage));
        let (mut checked, mut problems) = (0, Vec::new());
        for (stack, template) in &deployment.templates {
            let mut statements = Vec::new();
            collect(template, &mut statements);
            for statement in statements {
                problems.extend(deployment.problems(stack, statement));
                checked += 1;
            }
        }
        assert_eq!(problems, Vec::<String>::new());
        assert!(checked > 50, "only {checked} statements");
    }
}

#[test]
fn a_statement_that_allows_too_much_or_nothing_is_found() {
    let deployment = Deployment::of(&app(Stage::Prod));
    let problems = |action: &str, resource: Json| {
        let statement = json!({ "Effect": "Allow", "Action": action, "Resource": resource });
        deployment.problems("app", &statement)
    };
    let queue = json!({ "Fn::GetAtt": ["InventoryQueue", "Arn"] });
    let table = json!({ "Ref": "StockTableArn" });
    assert_eq!(problems("sqs:SendMessage", queue.clone()), Vec::<String>::new());
    assert_eq!(problems("dynamodb:GetItem", table.clone()), Vec::<String>::new());
    for (action, resource) in [
        ("sqs:SendMessage", json!("*")),
        ("sqs:SendMessage", json!([queue, "*"])),
        ("sqs:SendMessage", table),
        ("sqs:Send", queue.clone()),
        ("sqs:*", queue.clone()),
        ("xray:PutTraceSegments", queue),
    ] {
        assert_eq!(problems(action, resource.clone()).len(), 1, "{action} on {resource}");
    }
}

/// All statements below, those under conditions too.
fn collect<'a>(json: &'a Json, found: &mut Vec<&'a Json>) {
    match json {
        Json::Object(fields) if fields.contains_key("Effect") => found.push(json),
        Json::Object(fields) => fields.values().for_each(|value| collect(value, found)),
        Json::Array(items) => items.iter().for_each(|item| collect(item, found)),
        _ => {}
    }
}

/// The templates of a stage, which take what earlier ones put out.
struct Deployment {
    templates: BTreeMap<&'static str, Json>,
    /// By stack, the parameters that are outputs of an earlier one, and of which.
    handed: BTreeMap<&'static str, BTreeMap<String, &'static str>>,
    /// By resource type, the form of the ARN.
    arns: BTreeMap<&'static str, &'static str>,
}

impl Deployment {
    fn of(app: &App) -> Self {
        let templates: BTreeMap<_, _> =
            app.stacks.iter().map(|stack| (stack.id, template(app, stack.id))).collect();
        let handed = app.stacks.iter().map(|stack| (stack.id, stack.handed.clone())).collect();
        let arns = grants::tables().into_iter().map(|table| (table.resource, table.arn)).collect();
        Self { templates, handed, arns }
    }

    /// What is wrong with a statement.
    fn problems(&self, stack: &str, statement: &Json) -> Vec<String> {
        let allows = statement["Effect"] == "Allow";
        let resources: BTreeSet<String> =
            list(&statement["Resource"]).into_iter().map(|resource| self.arn(stack, resource)).collect();
        let mut problems = Vec::new();
        for action in list(&statement["Action"]).into_iter().filter_map(Json::as_str) {
            // A deny may be of everything that a service does.
            if !allows && action.ends_with(":*") {
                continue;
            }
            if resources.is_empty() {
                // Of a trust policy the resource is the role itself, and not written.
                let unknown = check(action, "*").err();
                let unknown = unknown.filter(|error| matches!(error, AuthorizationError::UnknownAction(_)));
                problems.extend(unknown.map(|error| format!("{stack}: {error}")));
            }
            let excused = |error: &AuthorizationError| {
                matches!(error, AuthorizationError::OnEverything { .. })
                    && NAMED_ALL_THE_SAME.contains(&action)
            };
            let refused = resources.iter().filter_map(|resource| check(action, resource).err());
            let refused = refused.filter(|error| !excused(error));
            problems.extend(refused.map(|error| format!("{stack}: {error}")));
        }
        problems
    }

    /// The ARN as text, with `${…}` for what is not known before it is deployed.
    fn arn(&self, stack: &str, value: &Json) -> String {
        if let Some(text) = value.as_str() {
            return text.to_owned();
        }
        let (function, argument) = value
            .as_object()
            .and_then(|fields| fields.iter().next())
            .unwrap_or_else(|| panic!("not an ARN: {value}"));
        match function.as_str() {
            "Fn::Sub" => argument.as_str().or_else(|| argument[0].as_str()).expect("text").to_owned(),
            "Fn::GetAtt" => self.arn_of(stack, &argument[0]),
            "Ref" => match argument.as_str().and_then(|name| self.handed[stack].get_key_value(name)) {
                Some((output, from)) => self.arn(from, &self.templates[from]["Outputs"][output]["Value"]),
                None => self.arn_of(stack, argument),
            },
            "Fn::Join" => list(&argument[1]).into_iter().map(|part| self.arn(stack, part)).collect(),
            _ => panic!("not an ARN: {value}"),
        }
    }

    fn arn_of(&self, stack: &str, logical_id: &Json) -> String {
        let id = logical_id.as_str().expect("a logical id");
        let kind = self.templates[stack]["Resources"][id]["Type"].as_str().expect("a resource");
        let arn = self.arns.get(kind).copied().or_else(|| facts::arn_template(kind));
        arn.unwrap_or_else(|| panic!("{kind} has no ARN")).to_owned()
    }
}
