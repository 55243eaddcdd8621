//! From JSON text to a machine. What is not understood is refused by name.

use super::{
    definition::{Catcher, Handlers, Machine, Next, Parallel, Resource, Retrier, Rule, Scope, State, Task},
    template::Template,
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value as Json};
use std::collections::{BTreeMap, BTreeSet};

/// A definition that cannot be interpreted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// It is not JSON.
    #[error("the state machine is not JSON: {0}")]
    Json(String),
    /// The machine itself has something that is not interpreted.
    #[error("the state machine: {0}")]
    Machine(String),
    /// A state has something that is not interpreted.
    #[error("the state `{state}`: {why}")]
    State {
        /// The state.
        state: String,
        /// What is not interpreted.
        why: String,
    },
}

impl Machine {
    /// Reads a state machine from its Amazon States Language, with the `${…}` placeholders of its stack still in it.
    ///
    /// # Errors
    /// Names what is wrong with it, or what is not interpreted.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let json: Json = serde_json::from_str(text).map_err(|error| ParseError::Json(error.to_string()))?;
        let raw: RawMachine = read(json).map_err(ParseError::Machine)?;
        if raw.query_language != "JSONata" {
            let given = raw.query_language;
            return Err(ParseError::Machine(format!(
                "its language is `{given}`: only JSONata is interpreted"
            )));
        }
        let mut sent = Sent::default();
        let scope = scope(RawBranch { start_at: raw.start_at, states: raw.states }, 0, &mut sent)?;
        let Sent { steps, queues, notices } = sent;
        Ok(Self { scope, steps, queues, notices, settles: text.contains("Execution.Input.settle") })
    }
}

/// What its tasks send, and where to.
#[derive(Debug, Default)]
struct Sent {
    steps: BTreeSet<String>,
    queues: BTreeSet<String>,
    /// Whether each says that the saga was compensated: it has a reason then.
    notices: BTreeMap<String, bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct RawMachine {
    #[serde(rename = "Comment")]
    _comment: Option<String>,
    query_language: String,
    start_at: String,
    states: Map<String, Json>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct RawBranch {
    start_at: String,
    states: Map<String, Json>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct RawTask {
    #[serde(rename = "Comment")]
    _comment: Option<String>,
    resource: String,
    arguments: Json,
    timeout_seconds: Option<u64>,
    #[serde(default)]
    retry: Vec<RawRetrier>,
    #[serde(default)]
    catch: Vec<RawCatcher>,
    output: Option<Json>,
    #[serde(default)]
    assign: Map<String, Json>,
    next: Option<String>,
    end: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct RawRetrier {
    error_equals: Vec<String>,
    #[serde(default = "three")]
    max_attempts: u32,
    // Waits are not modelled: a timer fires at any moment it could.
    #[serde(rename = "IntervalSeconds")]
    _interval: Option<u64>,
    #[serde(rename = "BackoffRate")]
    _rate: Option<f64>,
    #[serde(rename = "MaxDelaySeconds")]
    _most: Option<u64>,
    #[serde(rename = "JitterStrategy")]
    _jitter: Option<String>,
}

/// The default of AWS.
fn three() -> u32 {
    3
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct RawCatcher {
    error_equals: Vec<String>,
    #[serde(default)]
    assign: Map<String, Json>,
    next: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct RawChoice {
    #[serde(rename = "Comment")]
    _comment: Option<String>,
    choices: Vec<RawRule>,
    #[serde(default)]
    assign: Map<String, Json>,
    default: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct RawRule {
    condition: Json,
    #[serde(default)]
    assign: Map<String, Json>,
    next: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct RawPass {
    #[serde(rename = "Comment")]
    _comment: Option<String>,
    output: Option<Json>,
    #[serde(default)]
    assign: Map<String, Json>,
    next: Option<String>,
    end: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct RawWait {
    #[serde(rename = "Comment")]
    _comment: Option<String>,
    #[serde(rename = "Seconds")]
    _seconds: Option<Json>,
    #[serde(rename = "Timestamp")]
    _timestamp: Option<Json>,
    next: Option<String>,
    end: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct RawParallel {
    #[serde(rename = "Comment")]
    _comment: Option<String>,
    branches: Vec<RawBranch>,
    #[serde(default)]
    retry: Vec<RawRetrier>,
    #[serde(default)]
    catch: Vec<RawCatcher>,
    output: Option<Json>,
    #[serde(default)]
    assign: Map<String, Json>,
    next: Option<String>,
    end: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct RawSucceed {
    #[serde(rename = "Comment")]
    _comment: Option<String>,
    output: Option<Json>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct RawFail {
    #[serde(rename = "Comment")]
    _comment: Option<String>,
    #[serde(default)]
    error: String,
    #[serde(default)]
    cause: String,
}

fn read<T: DeserializeOwned>(json: Json) -> Result<T, String> {
    serde_json::from_value(json).map_err(|error| error.to_string())
}

/// The states of a machine (`depth` 0) or of a branch (`depth` 1).
fn scope(raw: RawBranch, depth: usize, sent: &mut Sent) -> Result<Scope, ParseError> {
    let mut states = BTreeMap::new();
    for (name, json) in raw.states {
        let refused = |why: String| ParseError::State { state: name.clone(), why };
        let parsed = match kind_of(json).map_err(refused)? {
            (kind, json) if kind == "Parallel" => {
                if depth > 0 {
                    return Err(refused("a `Parallel` in a branch is not interpreted".into()));
                }
                let raw: RawParallel = read(json).map_err(refused)?;
                State::Parallel(parallel(raw, depth, sent, refused)?)
            }
            (kind, json) => state(&kind, json, sent).map_err(refused)?,
        };
        states.insert(name, parsed);
    }
    let scope = Scope { start_at: raw.start_at, states };
    check_targets(&scope)?;
    Ok(scope)
}

fn kind_of(mut json: Json) -> Result<(String, Json), String> {
    let members = json.as_object_mut().ok_or("it is not an object")?;
    match members.remove("Type") {
        Some(Json::String(kind)) => Ok((kind, json)),
        _ => Err("it has no `Type`".into()),
    }
}

fn state(kind: &str, json: Json, sent: &mut Sent) -> Result<State, String> {
    Ok(match kind {
        "Task" => State::Task(task(read(json)?, sent)?),
        "Choice" => choice(read(json)?)?,
        "Pass" => {
            let raw: RawPass = read(json)?;
            let output = raw.output.as_ref().map(Template::parse).transpose()?;
            if output.is_none() && raw.next.is_none() {
                return Err("a `Pass` that ends without an `Output` is not interpreted".into());
            }
            State::Pass { output, next: next_with_input(&raw.assign, raw.next, raw.end)? }
        }
        "Wait" => {
            let raw: RawWait = read(json)?;
            State::Wait { next: next(&Map::new(), raw.next, raw.end)? }
        }
        "Succeed" => {
            let raw: RawSucceed = read(json)?;
            State::Succeed { output: raw.output.as_ref().map(Template::parse).transpose()? }
        }
        "Fail" => {
            let raw: RawFail = read(json)?;
            let text = |text| Template::parse(&Json::String(text));
            State::Fail { error: text(raw.error)?, cause: text(raw.cause)? }
        }
        other => return Err(format!("its type `{other}` is not interpreted")),
    })
}

fn task(raw: RawTask, sent: &mut Sent) -> Result<Task, String> {
    // In whatever partition of AWS.
    let integration = raw.resource.split_once(":states:::").map(|(_, integration)| integration);
    let resource = match integration.unwrap_or_default() {
        "sqs:sendMessage.waitForTaskToken" => Resource::Send,
        "aws-sdk:dynamodb:putItem.waitForTaskToken" => Resource::Park,
        "sns:publish" => Resource::Publish,
        "dynamodb:putItem" | "aws-sdk:dynamodb:putItem" => Resource::PutItem,
        "dynamodb:updateItem" | "aws-sdk:dynamodb:updateItem" => {
            check_update(&raw.arguments)?;
            Resource::UpdateItem
        }
        "dynamodb:deleteItem" | "aws-sdk:dynamodb:deleteItem" => Resource::DeleteItem,
        _ => return Err(format!("its resource `{}` is not interpreted", raw.resource)),
    };
    let body = &raw.arguments["MessageBody"];
    if resource == Resource::Send {
        sent.queues.extend(raw.arguments["QueueUrl"].as_str().map(str::to_owned));
        let step = body["step"].as_str().filter(|_| body["op"] == "run");
        sent.steps.extend(step.map(str::to_owned));
    }
    if resource == Resource::Publish {
        let message = &raw.arguments["Message"];
        let name = message["type"].as_str().map(str::to_owned);
        sent.notices.extend(name.map(|name| (name, message.get("reason").is_some())));
    }
    Ok(Task {
        resource,
        arguments: Template::parse(&raw.arguments)?,
        times_out: raw.timeout_seconds.is_some(),
        handlers: handlers(raw.retry, raw.catch)?,
        output: raw.output.as_ref().map(Template::parse).transpose()?,
        next: next(&raw.assign, raw.next, raw.end)?,
    })
}

/// An update is understood when it only sets attributes to values.
fn check_update(arguments: &Json) -> Result<(), String> {
    let expression = arguments["UpdateExpression"].as_str().unwrap_or_default();
    let sets = expression.strip_prefix("SET ").unwrap_or_default().split(", ");
    let understood = |set: &str| {
        let Some((name, value)) = set.split_once(" = ") else { return false };
        arguments["ExpressionAttributeNames"][name].is_string()
            && arguments["ExpressionAttributeValues"].get(value).is_some()
    };
    if sets.clone().all(understood) {
        return Ok(());
    }
    Err(format!("its update `{expression}` is not interpreted: use `SET #name = :value, …`"))
}

fn choice(raw: RawChoice) -> Result<State, String> {
    let rule = |rule: RawRule| {
        let next = next(&rule.assign, Some(rule.next), None)?;
        Ok(Rule { condition: Template::parse(&rule.condition)?, next })
    };
    let default = raw.default.map(|state| next(&raw.assign, Some(state), None)).transpose()?;
    Ok(State::Choice { rules: raw.choices.into_iter().map(rule).collect::<Result<_, String>>()?, default })
}

fn parallel(
    raw: RawParallel,
    depth: usize,
    sent: &mut Sent,
    refused: impl Fn(String) -> ParseError,
) -> Result<Parallel, ParseError> {
    let mut branches = Vec::new();
    for branch in raw.branches {
        branches.push(scope(branch, depth + 1, sent)?);
    }
    Ok(Parallel {
        branches,
        handlers: handlers(raw.retry, raw.catch).map_err(&refused)?,
        output: raw.output.as_ref().map(Template::parse).transpose().map_err(&refused)?,
        next: next(&raw.assign, raw.next, raw.end).map_err(&refused)?,
    })
}

fn handlers(retry: Vec<RawRetrier>, catch: Vec<RawCatcher>) -> Result<Handlers, String> {
    let retrier = |raw: RawRetrier| Retrier { errors: raw.error_equals, max_attempts: raw.max_attempts };
    let catcher = |raw: RawCatcher| {
        let next = next(&raw.assign, Some(raw.next), None)?;
        Ok(Catcher { errors: raw.error_equals, next })
    };
    Ok(Handlers {
        retry: retry.into_iter().map(retrier).collect(),
        catch: catch.into_iter().map(catcher).collect::<Result<_, String>>()?,
    })
}

fn next(assign: &Map<String, Json>, state: Option<String>, end: Option<bool>) -> Result<Next, String> {
    next_by(Template::parse, assign, state, end)
}

/// As [`next`], where the input of the state may be read.
fn next_with_input(
    assign: &Map<String, Json>,
    state: Option<String>,
    end: Option<bool>,
) -> Result<Next, String> {
    next_by(Template::parse_with_input, assign, state, end)
}

fn next_by(
    parse: fn(&Json) -> Result<Template, String>,
    assign: &Map<String, Json>,
    state: Option<String>,
    end: Option<bool>,
) -> Result<Next, String> {
    if state.is_some() == (end == Some(true)) {
        return Err("it needs either `Next` or `End`".into());
    }
    let variable = |(name, value): (&String, &Json)| Ok((name.as_str().into(), parse(value)?));
    Ok(Next { assign: assign.iter().map(variable).collect::<Result<_, String>>()?, state })
}

/// Every state that is gone to is there.
fn check_targets(scope: &Scope) -> Result<(), ParseError> {
    let there = |from: &str, to: &str| {
        if scope.states.contains_key(to) {
            return Ok(());
        }
        Err(ParseError::State {
            state: from.to_owned(),
            why: format!("it goes to `{to}`, which is not there"),
        })
    };
    there("StartAt", &scope.start_at)?;
    for (name, state) in &scope.states {
        let nexts: Vec<&Next> = match state {
            State::Task(task) => with_catch(&task.next, &task.handlers),
            State::Parallel(parallel) => with_catch(&parallel.next, &parallel.handlers),
            State::Choice { rules, default } => rules.iter().map(|rule| &rule.next).chain(default).collect(),
            State::Pass { next, .. } | State::Wait { next } => vec![next],
            State::Succeed { .. } | State::Fail { .. } => Vec::new(),
        };
        for target in nexts.into_iter().filter_map(|next| next.state.as_ref()) {
            there(name, target)?;
        }
    }
    Ok(())
}

fn with_catch<'a>(next: &'a Next, handlers: &'a Handlers) -> Vec<&'a Next> {
    handlers.catch.iter().map(|catcher| &catcher.next).chain([next]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn told(state: &Json) -> String {
        let machine = json!({ "QueryLanguage": "JSONata", "StartAt": "a", "States": { "a": state } });
        Machine::parse(&machine.to_string()).unwrap_err().to_string()
    }

    #[test]
    fn what_is_not_interpreted_is_refused_by_name() {
        insta::assert_snapshot!(told(&json!({ "Type": "Map" })), @"the state `a`: its type `Map` is not interpreted");
        insta::assert_snapshot!(told(&json!({ "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Arguments": {}, "End": true })), @"the state `a`: its resource `arn:aws:states:::lambda:invoke` is not interpreted");
        insta::assert_snapshot!(told(
            &json!({ "Type": "Task", "Resource": "r", "Arguments": {}, "HeartbeatSeconds": 3, "End": true })
        ));
        insta::assert_snapshot!(told(&json!({ "Type": "Wait", "Seconds": 3 })), @"the state `a`: it needs either `Next` or `End`");
        insta::assert_snapshot!(told(&json!({ "Type": "Wait", "Seconds": 3, "Next": "b" })), @"the state `a`: it goes to `b`, which is not there");
        insta::assert_snapshot!(told(&json!({ "Type": "Pass", "End": true })), @"the state `a`: a `Pass` that ends without an `Output` is not interpreted");
        insta::assert_snapshot!(told(&json!({ "Type": "Pass", "Output": "{% $states.input %}", "End": true })), @"the state `a`: `$states.input` reads `$states.input`, which is not interpreted: use a variable");
    }

    #[test]
    fn a_machine_in_another_language_is_refused() {
        let machine = json!({ "QueryLanguage": "JSONPath", "StartAt": "a", "States": {} }).to_string();
        let told = Machine::parse(&machine).unwrap_err().to_string();
        insta::assert_snapshot!(told, @"the state machine: its language is `JSONPath`: only JSONata is interpreted");
        let told = Machine::parse("{").unwrap_err().to_string();
        insta::assert_snapshot!(told, @"the state machine is not JSON: EOF while parsing an object at line 1 column 1");
    }
}
