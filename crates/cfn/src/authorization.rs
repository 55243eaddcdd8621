//! On which resources AWS lets an action be allowed.
//!
//! The facts are those of the service authorization reference, for the services that have [grants](crate::grants):
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html>
//!
//! ```
//! use cfn::authorization::check;
//!
//! assert!(check("sqs:SendMessage", "arn:aws:sqs:eu-west-1:123456789012:orders").is_ok());
//! let refused = check("sqs:SendMessage", "*").unwrap_err();
//! assert!(refused.to_string().contains("name the `queue` instead of `*`"));
//! ```

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

/// Says whether it makes sense to allow the action on the resource.
///
/// `resource`: an ARN or a pattern of ARNs with `*`; each `${…}` in it stands for one name that is not known yet.
///
/// # Errors
/// When there is no such action; when it is allowed on everything although it can be confined to a resource; when it
/// acts on nothing of that kind, so that nothing would be allowed.
pub fn check(action: &str, resource: &str) -> Result<(), AuthorizationError> {
    let (service, facts) = service_of(action)?;
    let types = facts.types_of(action)?;
    let named = || types.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" or ");
    if resource == "*" {
        if types.is_empty() {
            return Ok(());
        }
        return Err(AuthorizationError::OnEverything { action: action.to_owned(), types: named() });
    }
    let mut forms: Vec<&str> =
        types.iter().filter_map(|name| Some(facts.resources.get(name)?.as_str())).collect();
    forms.extend(unlisted(action));
    if forms.is_empty() {
        let (action, resource) = (action.to_owned(), resource.to_owned());
        return Err(AuthorizationError::HasNoResource { action, resource, service: service.to_owned() });
    }
    if forms.iter().any(|form| meets(&ours(resource), &theirs(form))) {
        return Ok(());
    }
    let (action, resource) = (action.to_owned(), resource.to_owned());
    Err(AuthorizationError::OtherResource { action, resource, forms: forms.join(" or ") })
}

/// A permission that AWS would take and that is wrong all the same.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthorizationError {
    /// The action is not in the reference.
    #[error(
        "`{0}` is not an action that the service authorization reference knows: write it as there, without `*`, or \
         extract the reference anew (crates/cfn/spec/authorization/extract.py)"
    )]
    UnknownAction(String),
    /// It could be confined.
    #[error("`{action}` is allowed on everything: name the {types} instead of `*`")]
    OnEverything {
        /// The action.
        action: String,
        /// The types of resource it can be confined to.
        types: String,
    },
    /// It cannot be confined.
    #[error(
        "`{action}` acts on no resource of `{service}`, so allowing it on `{resource}` allows nothing: \
         allow it on `*`, confined by conditions"
    )]
    HasNoResource {
        /// The action.
        action: String,
        /// The resource given.
        resource: String,
        /// The prefix of the service.
        service: String,
    },
    /// The resource is of another type.
    #[error("`{action}` does not act on `{resource}`, so nothing is allowed: name {forms}")]
    OtherResource {
        /// The action.
        action: String,
        /// The resource given.
        resource: String,
        /// The ARNs it acts on.
        forms: String,
    },
}

/// What AWS checks although the reference does not list it. Both hold: `*` cannot be forbidden, and is not needed.
const UNLISTED: &[(&str, &str)] = &[
    // AWS's own policy template for readers of a stream confines it so.
    // <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/serverless-policy-template-list.html>
    ("dynamodb:ListStreams", "arn:${Partition}:dynamodb:${Region}:${Account}:table/${TableName}/stream/*"),
    // Step Functions checks the state machine that issued the token.
    // <https://github.com/aws/aws-cdk/pull/8486>
    ("states:SendTaskFailure", STATE_MACHINE),
    ("states:SendTaskHeartbeat", STATE_MACHINE),
    ("states:SendTaskSuccess", STATE_MACHINE),
];

const STATE_MACHINE: &str = "arn:${Partition}:states:${Region}:${Account}:stateMachine:${StateMachineName}";

fn unlisted(action: &str) -> impl Iterator<Item = &'static str> {
    UNLISTED.iter().filter(move |(unlisted, _)| *unlisted == action).map(|(_, form)| *form)
}

#[derive(Debug, Deserialize)]
struct Reference {
    services: BTreeMap<String, Service>,
}

#[derive(Debug, Deserialize)]
struct Service {
    /// The ARN of each resource type.
    resources: BTreeMap<String, String>,
    /// The resource types of each action.
    actions: BTreeMap<String, Vec<String>>,
}

impl Service {
    fn types_of(&self, action: &str) -> Result<&[String], AuthorizationError> {
        let name = action.split_once(':').map_or(action, |(_, name)| name);
        // The newest actions are known in lower case only.
        let types = self.actions.get(name).or_else(|| self.actions.get(&name.to_lowercase()));
        types.map(Vec::as_slice).ok_or_else(|| AuthorizationError::UnknownAction(action.to_owned()))
    }
}

/// Read when it is first asked for. A text that cannot be read knows no action, and the tests ask for some.
static REFERENCE: LazyLock<Option<Reference>> =
    LazyLock::new(|| serde_json::from_str(include_str!("../spec/authorization/actions.json")).ok());

fn service_of(action: &str) -> Result<(&'static str, &'static Service), AuthorizationError> {
    let prefix = action.split_once(':').map_or("", |(service, _)| service);
    let found = REFERENCE.as_ref().and_then(|reference| reference.services.get_key_value(prefix));
    found
        .map(|(name, service)| (name.as_str(), service))
        .ok_or_else(|| AuthorizationError::UnknownAction(action.to_owned()))
}

/// A piece of a pattern.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Piece {
    Char(char),
    /// A name: one character or more, none of them `:` or `/`.
    Name,
    /// Any text, or none: `*`.
    Any,
}

/// A pattern of ours: what is not known yet is a name like any other, so a letter can stand for it.
fn ours(pattern: &str) -> Vec<Piece> {
    let unknown = |piece| if piece == Piece::Name { Piece::Char('x') } else { piece };
    theirs(pattern).into_iter().map(unknown).collect()
}

fn theirs(pattern: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = pattern;
    while let Some(first) = rest.chars().next() {
        if let Some((_, after)) = rest.strip_prefix("${").and_then(|inner| inner.split_once('}')) {
            pieces.push(Piece::Name);
            rest = after;
            continue;
        }
        pieces.push(if first == '*' { Piece::Any } else { Piece::Char(first) });
        rest = &rest[first.len_utf8()..];
    }
    pieces
}

/// Whether some ARN fits both patterns.
fn meets(ours: &[Piece], theirs: &[Piece]) -> bool {
    match (ours, theirs) {
        ([], []) => true,
        ([Piece::Any, rest @ ..], _) if meets(rest, theirs) => true,
        (_, [Piece::Any, rest @ ..]) if meets(ours, rest) => true,
        ([Piece::Any, ..], [_, rest @ ..]) => meets(ours, rest),
        ([_, rest @ ..], [Piece::Any, ..]) => meets(rest, theirs),
        ([Piece::Char(c), after @ ..], [Piece::Name, rest @ ..]) => {
            !matches!(c, ':' | '/') && (meets(after, rest) || meets(after, theirs))
        }
        ([Piece::Char(c), after @ ..], [Piece::Char(other), rest @ ..]) => c == other && meets(after, rest),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "arn:aws:dynamodb:eu-west-1:123456789012:table/orders";

    #[test]
    fn an_action_is_allowed_on_what_it_acts_on() {
        for (action, resource) in [
            ("dynamodb:Query", TABLE.to_owned()),
            ("dynamodb:Query", format!("{TABLE}/index/*")),
            ("dynamodb:GetRecords", format!("{TABLE}/stream/*")),
            ("s3:GetObject", "arn:aws:s3:::orders/*".to_owned()),
            ("s3:ListBucket", "arn:aws:s3:::orders".to_owned()),
            ("logs:PutLogEvents", "arn:${AWS::Partition}:logs:eu-west-1:1:log-group:${Group}:*".to_owned()),
            ("sns:Publish", "arn:${AWS::Partition}:sns:*:*:*".to_owned()),
            ("xray:PutTraceSegments", "*".to_owned()),
            ("states:SendTaskSuccess", STATE_MACHINE.to_owned()),
            ("states:SendTaskSuccess", "*".to_owned()),
        ] {
            assert_eq!(check(action, &resource), Ok(()), "{action} on {resource}");
        }
    }

    #[test]
    fn what_allows_nothing_is_told_from_what_allows_too_much() {
        let wrong = |action: &str, resource: &str| check(action, resource).unwrap_err().to_string();
        assert_eq!(
            wrong("dynamodb:Query", "*"),
            "`dynamodb:Query` is allowed on everything: name the `index` or `table` instead of `*`"
        );
        assert_eq!(
            wrong("s3:GetObject", "arn:aws:s3:::orders"),
            "`s3:GetObject` does not act on `arn:aws:s3:::orders`, so nothing is allowed: name \
             arn:${Partition}:s3:${Region}:${Account}:accesspoint/* or arn:${Partition}:s3:::${BucketName}/${ObjectName}"
        );
        for (action, resource) in [
            ("s3:ListBucket", "arn:aws:s3:::orders/*"),
            ("dynamodb:GetItem", &format!("{TABLE}/index/*")),
            ("dynamodb:GetRecords", TABLE),
            ("logs:PutLogEvents", "arn:aws:logs:eu-west-1:1:log-group:orders"),
            ("states:StopExecution", STATE_MACHINE),
        ] {
            let error = check(action, resource).unwrap_err();
            assert!(matches!(error, AuthorizationError::OtherResource { .. }), "{action}: {error}");
        }
        assert_eq!(
            wrong("xray:PutTraceSegments", "arn:aws:xray:eu-west-1:1:group/a"),
            "`xray:PutTraceSegments` acts on no resource of `xray`, so allowing it on \
             `arn:aws:xray:eu-west-1:1:group/a` allows nothing: allow it on `*`, confined by conditions"
        );
    }

    #[test]
    fn there_is_no_such_action() {
        for action in
            ["dynamodb:TransactWriteItems", "sqs:sendMessage", "sqs:*", "sqs", "", "nothing:Happens", "*"]
        {
            let error = check(action, "*").unwrap_err();
            assert_eq!(error, AuthorizationError::UnknownAction(action.to_owned()));
        }
    }
}
