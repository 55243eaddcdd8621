//! Reads the synthesised templates.

use serde_json::Value as Json;
use stacks::{App, Stage, synth};

pub(crate) fn app(stage: Stage) -> App {
    synth(stage).expect("the deployment is sound")
}

/// A stack's template as JSON.
pub(crate) fn template(app: &App, stack: &str) -> Json {
    let stack = app.stacks.iter().find(|candidate| candidate.id == stack).expect("a stack of this id");
    serde_json::from_str(stack.template.to_json()).expect("JSON")
}

/// Every resource of every stack: its logical id and its entry.
pub(crate) fn resources(app: &App) -> Vec<(String, Json)> {
    let entries = |stack: &str| match template(app, stack)["Resources"].take() {
        Json::Object(entries) => entries.into_iter().collect::<Vec<_>>(),
        other => panic!("not resources: {other}"),
    };
    app.stacks.iter().flat_map(|stack| entries(stack.id)).collect()
}

/// Every resource of a type.
pub(crate) fn of_type(app: &App, kind: &str) -> Vec<(String, Json)> {
    resources(app).into_iter().filter(|(_, entry)| entry["Type"] == kind).collect()
}

/// The logical id of the queue of which this output tells the URL.
pub(crate) fn queue_id(url_output: &str) -> String {
    url_output.trim_end_matches("Url").to_owned()
}

/// The statements of a policy document, those under a condition too.
pub(crate) fn statements(document: &Json) -> Vec<&Json> {
    list(&document["Statement"])
        .into_iter()
        .map(|statement| statement.get("Fn::If").map_or(statement, |choice| &choice[1]))
        .collect()
}

/// The statements of a role's inline policies.
pub(crate) fn role_statements(role: &Json) -> Vec<&Json> {
    list(&role["Properties"]["Policies"])
        .into_iter()
        .flat_map(|policy| statements(&policy["PolicyDocument"]))
        .collect()
}

/// One or many, as a list.
pub(crate) fn list(json: &Json) -> Vec<&Json> {
    match json {
        Json::Array(items) => items.iter().collect(),
        Json::Null => Vec::new(),
        one => vec![one],
    }
}

/// What `Ref` and `Fn::GetAtt` in a value name: logical ids.
pub(crate) fn referred(json: &Json, found: &mut Vec<String>) {
    match json {
        Json::Object(fields) => {
            if let Some(Json::String(id)) = fields.get("Ref") {
                found.push(id.clone());
            }
            if let Some(Json::String(id)) = fields.get("Fn::GetAtt").map(|path| &path[0]) {
                found.push(id.clone());
            }
            fields.values().for_each(|value| referred(value, found));
        }
        Json::Array(items) => items.iter().for_each(|item| referred(item, found)),
        _ => {}
    }
}
