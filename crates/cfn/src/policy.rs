//! Policy documents: statements, principals, conditions.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html>

use std::collections::{BTreeMap, BTreeSet};

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Value as Json, json};

use crate::condition::Condition;
use crate::kind::AnyArn;
use crate::property::Property;
use crate::pseudo;
use crate::value::Value;

/// A policy: statements in the order they are given.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PolicyDocument {
    statements: Vec<Statement>,
}

impl PolicyDocument {
    /// A policy of these statements.
    #[must_use]
    pub fn new(statements: impl IntoIterator<Item = Statement>) -> Self {
        Self { statements: statements.into_iter().collect() }
    }

    /// A policy of these statements with what they have in common written once; see [`merge`].
    #[must_use]
    pub fn merged(statements: impl IntoIterator<Item = Statement>) -> Self {
        Self { statements: merge(statements) }
    }

    /// The statements.
    #[must_use]
    pub fn statements(&self) -> &[Statement] {
        &self.statements
    }
}

impl From<Statement> for PolicyDocument {
    fn from(statement: Statement) -> Self {
        Self::new([statement])
    }
}

impl Property for PolicyDocument {
    fn into_json(self) -> Json {
        json!(self)
    }
}

impl Serialize for PolicyDocument {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        // The version of the policy language; the older one has no variables.
        map.serialize_entry("Version", "2012-10-17")?;
        map.serialize_entry("Statement", &self.statements)?;
        map.end()
    }
}

/// Whether a statement allows or denies. A deny wins over every allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// `Allow`
    Allow,
    /// `Deny`
    Deny,
}

/// Whom a statement of a resource policy or a trust policy is about.
#[derive(Debug, Clone, PartialEq)]
pub enum Principal {
    /// Everyone, without an account too (`*`). Only together with conditions, or to deny.
    Everyone,
    /// A service of AWS, as in `sns.amazonaws.com`.
    Service(String),
    /// An account, a role or a user, by ARN or by account id.
    Aws(Value<String>),
}

impl Principal {
    /// A service of AWS, as in `sns.amazonaws.com`.
    #[must_use]
    pub fn service(name: impl Into<String>) -> Self {
        Self::Service(name.into())
    }

    fn to_json(&self) -> Json {
        match self {
            Self::Everyone => json!("*"),
            Self::Service(name) => json!({ "Service": name }),
            Self::Aws(arn) => json!({ "AWS": arn }),
        }
    }
}

/// A statement of a policy. Actions and resources are sets: their order does not matter and none is written twice.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    effect: Effect,
    sid: Option<String>,
    principal: Option<Principal>,
    actions: BTreeSet<String>,
    resources: Vec<Value<AnyArn>>,
    conditions: BTreeMap<String, BTreeMap<String, Vec<Value<String>>>>,
    only_if: Option<String>,
}

impl Statement {
    /// Allows these actions, as in `sqs:SendMessage`.
    #[must_use]
    pub fn allow(actions: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self::new(Effect::Allow, actions)
    }

    /// Denies these actions.
    #[must_use]
    pub fn deny(actions: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self::new(Effect::Deny, actions)
    }

    fn new(effect: Effect, actions: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            effect,
            sid: None,
            principal: None,
            actions: actions.into_iter().map(Into::into).collect(),
            resources: Vec::new(),
            conditions: BTreeMap::new(),
            only_if: None,
        }
    }

    /// Names the statement: letters and digits, unique in its policy.
    #[must_use]
    pub fn sid(mut self, sid: impl Into<String>) -> Self {
        self.sid = Some(sid.into());
        self
    }

    /// Says on what the actions act. Called again, it adds one more.
    #[must_use]
    pub fn on(mut self, resource: impl Into<Value<AnyArn>>) -> Self {
        self.resources.push(resource.into());
        sort_set(&mut self.resources);
        self
    }

    /// Acts on everything (`*`). Only for actions that AWS does not let you confine to a resource.
    #[must_use]
    pub fn on_everything(self) -> Self {
        self.on("*")
    }

    /// Says whom the statement is about. Not in policies of a role: there it is the role itself.
    #[must_use]
    pub fn principal(mut self, principal: Principal) -> Self {
        self.principal = Some(principal);
        self
    }

    /// Adds a condition: an operator as in `ArnEquals`, a key as in `aws:SourceArn`, and a value it may have.
    ///
    /// Called again with the same operator and key, it allows one more value.
    #[must_use]
    pub fn when(mut self, operator: &str, key: &str, value: impl Into<Value<String>>) -> Self {
        let keys = self.conditions.entry(operator.to_owned()).or_default();
        let values = keys.entry(key.to_owned()).or_default();
        values.push(value.into());
        sort_set(values);
        self
    }

    /// Only for requests made on behalf of this resource (`aws:SourceArn`).
    #[must_use]
    pub fn when_source_is(self, source: impl Into<Value<AnyArn>>) -> Self {
        self.when("ArnEquals", "aws:SourceArn", source.into())
    }

    /// Only for requests made on behalf of resources of this account (`aws:SourceAccount`).
    #[must_use]
    pub fn when_source_is_this_account(self) -> Self {
        self.when("StringEquals", "aws:SourceAccount", pseudo::account_id())
    }

    /// Has the statement in the policy only while the template's condition holds.
    ///
    /// A policy needs at least one statement: keep another that is always there.
    #[must_use]
    pub fn only_if(mut self, condition: &Condition) -> Self {
        self.only_if = Some(condition.name().to_owned());
        self
    }

    /// The actions, in alphabetical order.
    pub fn actions(&self) -> impl Iterator<Item = &str> {
        self.actions.iter().map(String::as_str)
    }

    /// The resources.
    #[must_use]
    pub fn resources(&self) -> &[Value<AnyArn>] {
        &self.resources
    }

    fn to_json(&self) -> Json {
        let mut json = serde_json::Map::new();
        if let Some(sid) = &self.sid {
            json.insert("Sid".into(), json!(sid));
        }
        json.insert("Effect".into(), json!(if self.effect == Effect::Allow { "Allow" } else { "Deny" }));
        if let Some(principal) = &self.principal {
            json.insert("Principal".into(), principal.to_json());
        }
        json.insert("Action".into(), one_or_many(self.actions.iter().map(|action| json!(action))));
        if !self.resources.is_empty() {
            json.insert("Resource".into(), one_or_many(self.resources.iter().map(|arn| json!(arn))));
        }
        if !self.conditions.is_empty() {
            let conditions: serde_json::Map<String, Json> = self
                .conditions
                .iter()
                .map(|(operator, keys)| {
                    let keys: serde_json::Map<String, Json> = keys
                        .iter()
                        .map(|(key, values)| (key.clone(), one_or_many(values.iter().map(|v| json!(v)))))
                        .collect();
                    (operator.clone(), Json::Object(keys))
                })
                .collect();
            json.insert("Condition".into(), Json::Object(conditions));
        }
        Json::Object(json)
    }
}

impl Serialize for Statement {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let statement = self.to_json();
        match &self.only_if {
            None => statement.serialize(serializer),
            Some(name) => {
                json!({ "Fn::If": [name, statement, { "Ref": pseudo::NO_VALUE }] }).serialize(serializer)
            }
        }
    }
}

/// The same permissions in fewer statements, in an order that does not depend on the order given.
///
/// Statements on the same resources become one with all their actions, then statements of the same actions one
/// with all their resources. Statements that differ in effect, principal, conditions or `Sid` stay apart.
#[must_use]
pub fn merge(statements: impl IntoIterator<Item = Statement>) -> Vec<Statement> {
    let by_resource = group(
        statements,
        |statement| json!(statement.resources).to_string(),
        |into, from| into.actions.extend(from.actions),
    );
    let by_action = group(
        by_resource,
        |statement| json!(statement.actions).to_string(),
        |into, from| {
            into.resources.extend(from.resources);
            sort_set(&mut into.resources);
        },
    );
    let mut merged = by_action;
    merged.sort_by_cached_key(|statement| {
        (json!(statement.actions).to_string(), statement.to_json().to_string())
    });
    merged
}

fn group(
    statements: impl IntoIterator<Item = Statement>,
    key: impl Fn(&Statement) -> String,
    join: impl Fn(&mut Statement, Statement),
) -> Vec<Statement> {
    let mut groups: BTreeMap<String, Statement> = BTreeMap::new();
    for statement in statements {
        let rest = json!([
            statement.effect == Effect::Allow,
            statement.sid,
            statement.principal.as_ref().map(Principal::to_json),
            statement.conditions,
            statement.only_if
        ]);
        let group = format!("{rest} {}", key(&statement));
        match groups.get_mut(&group) {
            Some(first) => join(first, statement),
            None => {
                groups.insert(group, statement);
            }
        }
    }
    groups.into_values().collect()
}

fn sort_set<T>(values: &mut Vec<Value<T>>) {
    values.sort_by_cached_key(|value| value.as_json().to_string());
    values.dedup();
}

fn one_or_many(items: impl Iterator<Item = Json>) -> Json {
    let mut items: Vec<Json> = items.collect();
    if items.len() == 1 { items.remove(0) } else { Json::Array(items) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allow(action: &str, resource: &str) -> Statement {
        Statement::allow([action]).on(resource)
    }

    #[test]
    fn merging_joins_actions_of_one_resource_and_resources_of_the_same_actions() {
        let merged = merge([
            allow("sqs:SendMessage", "arn:b"),
            allow("sqs:GetQueueUrl", "arn:a"),
            allow("sqs:SendMessage", "arn:a"),
            allow("sqs:GetQueueUrl", "arn:b"),
            allow("sqs:SendMessage", "arn:a"),
        ]);
        assert_eq!(
            json!(merged),
            json!([{
                "Effect": "Allow",
                "Action": ["sqs:GetQueueUrl", "sqs:SendMessage"],
                "Resource": ["arn:a", "arn:b"],
            }])
        );
    }

    #[test]
    fn merging_does_not_depend_on_the_order_given() {
        let mut statements = vec![
            allow("dynamodb:GetItem", "arn:orders"),
            allow("sqs:SendMessage", "arn:queue"),
            allow("dynamodb:PutItem", "arn:orders"),
            Statement::deny(["sqs:*"]).on("arn:queue"),
        ];
        let forward = merge(statements.clone());
        statements.reverse();
        assert_eq!(forward, merge(statements));
        assert_eq!(forward.len(), 3);
    }

    #[test]
    fn merging_never_widens() {
        let confined = allow("sqs:SendMessage", "arn:a").when_source_is("arn:topic");
        let merged = merge([confined.clone(), allow("sqs:ReceiveMessage", "arn:a"), confined.clone()]);
        assert_eq!(merged.len(), 2);
        assert!(merged.contains(&confined));
    }

    #[test]
    fn a_conditional_statement_is_there_or_not_at_all() {
        let statement = allow("sqs:SendMessage", "arn:a").only_if(&Condition::new("Tls"));
        assert_eq!(
            json!(statement),
            json!({ "Fn::If": [
                "Tls",
                { "Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "arn:a" },
                { "Ref": "AWS::NoValue" },
            ]})
        );
    }

    #[test]
    fn a_document_states_its_version() {
        let document = PolicyDocument::new([allow("sqs:SendMessage", "arn:a")]);
        assert_eq!(json!(document)["Version"], "2012-10-17");
    }
}
