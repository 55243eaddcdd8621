//! Who may send: what a queue orders to be done, or a topic announces, comes from these roles and from nobody else.

use cfn::{AnyArn, Principal, Statement, Value};

/// A statement that denies the action to everyone but these roles, whatever else allows it. For the policy of the
/// resource.
pub(crate) fn only_from(
    action: &str,
    resource: impl Into<Value<AnyArn>>,
    roles: impl IntoIterator<Item = Value<String>>,
) -> Statement {
    let deny = Statement::deny([action]).sid("DenyOtherSenders").principal(Principal::Everyone).on(resource);
    // Of an assumed role the key has the ARN of the role, not that of the session.
    // <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalarn>
    roles.into_iter().fold(deny, |deny, role| deny.when("ArnNotEquals", "aws:PrincipalArn", role))
}
