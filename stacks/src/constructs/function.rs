//! A function with a role and a log group of its own.

use crate::{draft::Draft, names::pascal, outputs, parameters, synth::Trigger};
use cfn::{
    Bytes, Declaration, Declare, Handle, Param, Value, grants,
    iam::Role,
    lambda::{Code, Function, Logging, Runtime, Tracing, TracingMode},
    logs::LogGroup,
};
use std::time::Duration;

/// The memory of a function: a seventh of a processor, with which it starts quickly and then mostly waits.
const MEMORY: Bytes = Bytes::mebibytes(256);

/// Where the code of all functions is, and what runs it.
pub(crate) struct Program {
    bucket: Param,
    architecture: Param,
}

impl Program {
    pub(crate) fn new(draft: &mut Draft) -> Self {
        Self {
            bucket: draft.template.parameter(parameters::CODE_BUCKET, parameters::code_bucket()),
            architecture: draft.template.parameter(parameters::ARCHITECTURE, parameters::architecture()),
        }
    }
}

/// A function in its stack.
pub(crate) struct Deployed {
    pub(crate) function: Handle<Function>,
    pub(crate) role: Handle<Role>,
}

/// An environment variable.
pub(crate) type Variable = (String, Value<String>);

/// Adds a function, and the outputs that tell where it is. Its role may write its own log and send traces; what else
/// it may is granted by the caller.
pub(crate) fn function(
    draft: &mut Draft,
    program: &Program,
    name: &'static str,
    description: &str,
    timeout: Duration,
    trigger: Trigger,
    environment: impl IntoIterator<Item = Variable>,
) -> Deployed {
    let id = pascal(name);
    let code_key = draft.template.parameter(parameters::code_key(name), parameters::function_code_key(name));
    let log_group = LogGroup::new().retention_in_days(draft.stage.log_retention()).tags(draft.tags(name));
    let log_group = log_group.suppress_check(
        "CKV_AWS_158",
        "Encrypted with the key of CloudWatch Logs; functions log no personal data and no task tokens, so a key of our \
         own would protect nothing more",
    );
    let log_group = draft.add_dropped(format!("{id}LogGroup"), log_group);
    let role = Role::for_lambda().description(format!("What {name} may do")).tags(draft.tags(name));
    let role = draft.template.add(format!("{id}Role"), role);
    draft.template.grant(&role, log_group.grant_write());
    draft.template.grant(&role, grants::trace());
    let function = Function::new(Code::s3(&program.bucket, &code_key), &role)
        .description(description)
        .runtime(Runtime::ProvidedAl2023)
        // An OS-only runtime starts the program `bootstrap` whatever stands here; the property is required all the same.
        .handler("bootstrap")
        .architectures([&program.architecture])
        .memory_size(MEMORY)
        .timeout(timeout)
        .tracing_config(Tracing::new(TracingMode::Active))
        .logging_config(Logging::new().log_group(&log_group))
        .tags(draft.tags(name));
    let function = environment
        .into_iter()
        .fold(function, |function, (variable, value)| function.environment_variable(variable, value));
    let function = draft.template.add(format!("{id}Function"), explained(function, trigger));
    draft.output(outputs::function_name(name), function.name(), format!("The name of {name}"));
    let log = format!("The name of the log group of {name}");
    draft.output(outputs::log_group_name(name), log_group.name(), log);
    draft.output(outputs::role_arn(name), role.arn(), format!("The ARN of the role of {name}"));
    Deployed { function, role }
}

/// What a linter asks of functions and these do without.
fn explained(function: Function, trigger: Trigger) -> Declaration<Function> {
    let (concurrency, failures) = match trigger {
        Trigger::Queue => (
            "Its event source mapping limits its concurrency",
            "Only a queue invokes it, and what it cannot work off goes to the dead-letter queue of that queue; a \
             dead-letter queue of the function takes asynchronous invocations only",
        ),
        Trigger::Schedule => (
            "Only its schedule calls it, once in each interval",
            "Calls that failed go to a queue by the function's on-failure destination, at which this check does not look",
        ),
    };
    let others = "a reservation would take from what the account's other functions share";
    function
        .suppress_check(
            "CKV_AWS_115",
            format!("{concurrency}; {others}"),
        )
        .suppress_check(
            "CKV_AWS_116",
            failures,
        )
        .suppress_check(
            "CKV_AWS_117",
            "It calls AWS and public addresses over TLS and nothing in a VPC; inside one it would need a NAT gateway",
        )
        .suppress_check(
            "CKV_AWS_173",
            "Its variables are names and addresses of resources and settings, no secrets; Lambda encrypts them with the \
             account's key aws/lambda",
        )
}
