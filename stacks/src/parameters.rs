//! The names of the parameters of the stacks. Which stack takes which: [`cfn::BuiltTemplate::parameters`]. Beside these
//! a stack takes outputs of earlier ones, under the names of [`crate::outputs`]: [`crate::Stack::handed`].

use crate::{names::pascal, synth::StackId};
use cfn::Parameter;

/// `app` and `watch`: the name of the deployment, 1 to 20 lower-case letters, digits and hyphens. Default: `flyover`.
///
/// It must be the one in the stacks' names: physical names begin with it.
pub const DEPLOYMENT: &str = "Deployment";

/// `app`: the bucket with the functions' archives, in the region of the stack. Required.
pub const CODE_BUCKET: &str = "CodeBucket";

/// `app`: the processor of all functions, `arm64` or `x86_64`. Default: `arm64`.
pub const ARCHITECTURE: &str = "Architecture";

/// `app` and `watch`: `true` when the stacks go to an emulator. Default: `false`, which is right for AWS.
///
/// An emulator speaks plain HTTP, sends on behalf of state machines as the account's root, sees no identities of SES and
/// does not know whose task token it is given. So `true` leaves out what it would refuse: TLS-only statements,
/// sender-only statements, and the confinement of mail to identities of the account and of answers to a participant's
/// own state machines.
pub const LOCAL_EMULATOR: &str = "LocalEmulator";

/// `app`: the base URL of the payment gateway; over HTTPS, or over HTTP to this very machine. Required.
///
/// Deployments and stages can share an account there: each charges under keys that begin with its name and stage, and
/// looks at no others. Two deployments of the same name and stage, in two regions or AWS accounts, cannot: each would
/// take the other's charges for its own, and refund them.
pub const GATEWAY_URL: &str = "GatewayUrl";

/// `app`: how many charges one sweep of reconciliation refunds at most, 0 to 100,000; would it be more, it refunds none
/// and an alarm goes off. Default: 50. 0 holds every refund.
///
/// More orphans than that within a day come from an outage of the gateway, after which somebody looks anyway, or from a
/// mistake of ours.
pub const MAX_REFUNDS: &str = "MaxRefunds";

/// `app`: what share of this deployment's charges of the last day one sweep of reconciliation refunds at most, in
/// percent, 0 to 100; would it be more, it refunds none and an alarm goes off. Default: 10. Up to five refunds are made
/// whatever their share.
///
/// It is for the deployment that sells so little that a day of it is less than [`MAX_REFUNDS`].
pub const MAX_REFUND_PERCENT: &str = "MaxRefundPercent";

/// `app`: how many messages a participant may have in its queue before order intake holds orders back, 1 to 1,000,000.
/// Default: what it does, at five a second, while an undo behind all of that is waited for; 4,500 in production.
pub const MAX_BACKLOG: &str = "MaxBacklog";

/// `app`: the address that customers get e-mails from. Required.
pub const EMAIL_FROM: &str = "EmailFrom";

/// `app`: `create` to have the sender's address become an identity of SES, `existing` when it or its domain is one
/// already. Default: `create`; its owner then gets a mail from AWS to confirm it. `infra-gen` asks SES which it is. What was
/// created stays when the stack goes: another may send with it.
pub const SENDER_IDENTITY: &str = "SenderIdentity";

/// `app`: the role that may send dead letters back to participants' queues, beside the state machines. Default: none.
pub const OPERATOR_ROLE_ARN: &str = "OperatorRoleArn";

/// `watch`: who is told by e-mail when an alarm goes off. Default: nobody.
pub const OPERATOR_EMAIL: &str = "OperatorEmail";

/// `app`: the key of the archive of a function in the bucket, for example `OrderIntakeCodeKey`. Required.
pub fn code_key(function: &str) -> String {
    format!("{}CodeKey", pascal(function))
}

pub(crate) fn deployment() -> Parameter {
    Parameter::string()
        .description("The name of the deployment, as in the names of its stacks")
        .default("flyover")
        .allowed_pattern("[a-z][a-z0-9-]{0,19}")
        .constraint_description("1 to 20 lower-case letters, digits and hyphens, starting with a letter")
}

pub(crate) fn handed(from: StackId, output: &str) -> Parameter {
    // The longest that CloudFormation takes for a parameter; an ARN has half of it at most.
    // <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html>
    Parameter::string()
        .description(format!("The output {output} of the stack {}", from.name()))
        .length(1, 4096)
}

pub(crate) fn code_bucket() -> Parameter {
    Parameter::string().description("The bucket with the functions' archives").length(3, 63)
}

pub(crate) fn function_code_key(function: &str) -> Parameter {
    Parameter::string().description(format!("The key of the archive of {function}")).length(1, 1024)
}

pub(crate) fn architecture() -> Parameter {
    Parameter::string()
        .description("The processor of all functions")
        .default("arm64")
        .allowed_values(["arm64", "x86_64"])
}

pub(crate) fn local_emulator() -> Parameter {
    Parameter::string()
        .description("true for an emulator: leaves out the statements that demand TLS and a known sender")
        .default("false")
        .allowed_values(["true", "false"])
}

pub(crate) fn gateway_url() -> Parameter {
    Parameter::string()
        .description("The base URL of the payment gateway")
        .allowed_pattern(r"https://\S+|http://(127\.0\.0\.1|localhost)(:[0-9]+)?(/\S*)?")
        .constraint_description("https://..., or http://127.0.0.1... for an emulator")
}

pub(crate) fn max_refunds() -> Parameter {
    // The default is text, as what a user gives is: it becomes an environment variable, which is text.
    Parameter::number()
        .description("How many charges one sweep of reconciliation refunds at most; for more it refunds none")
        .default("50")
        .range(0, 100_000)
        .constraint_description("a whole number from 0 to 100000")
}

pub(crate) fn max_refund_percent() -> Parameter {
    Parameter::number()
        .description(
            "What share of the charges of a day one sweep of reconciliation refunds at most, in percent",
        )
        .default("10")
        .range(0, 100)
        .constraint_description("a whole number from 0 to 100")
}

pub(crate) fn max_backlog(default: u64) -> Parameter {
    Parameter::number()
        .description("How many messages a participant may have in its queue before orders are held back")
        .default(default.to_string())
        .range(1, 1_000_000)
        .constraint_description("a whole number from 1 to 1000000")
}

pub(crate) fn email_from() -> Parameter {
    Parameter::string()
        .description("The address that customers get e-mails from")
        .allowed_pattern(r"[^@\s]+@[^@\s]+")
        .constraint_description("one e-mail address")
}

pub(crate) fn sender_identity() -> Parameter {
    Parameter::string()
        .description(
            "create: the sender's address becomes an identity of SES; existing: it or its domain is one",
        )
        .default("create")
        .allowed_values(["create", "existing"])
}

pub(crate) fn operator_role_arn() -> Parameter {
    Parameter::string()
        .description("The role that may send dead letters back to participants' queues; empty for none")
        .default("")
        .allowed_pattern(r"(arn:[a-z-]+:iam::[0-9]{12}:role/\S+)?")
        .constraint_description("the ARN of a role, or nothing")
}

pub(crate) fn operator_email() -> Parameter {
    Parameter::string()
        .description("Who is told by e-mail when an alarm goes off; empty for nobody")
        .default("")
        .allowed_pattern(r"([^@\s]+@[^@\s]+)?")
        .constraint_description("one e-mail address, or nothing")
}
