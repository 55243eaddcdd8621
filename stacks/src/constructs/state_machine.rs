//! The state machine of a saga, with a role and a log group of its own.

use crate::{
    checks::SynthError,
    draft::Draft,
    names::pascal,
    outputs,
    synth::{Machine, StackId},
};
use cfn::{
    Arn, Declare, Handle, PolicyDocument, Principal, Statement, Value,
    dynamodb::Table,
    grants,
    iam::Role,
    logs::LogGroup,
    pseudo,
    sns::Topic,
    sqs::Queue,
    stepfunctions::{LogLevel, LoggingConfiguration, StateMachine, TracingConfiguration},
};
use saga::asl::Placeholder;
use std::collections::BTreeMap;

/// What the state machines of all sagas use.
pub(crate) struct Surroundings {
    /// The queues of the participants, by name.
    pub(crate) queues: BTreeMap<&'static str, Handle<Queue>>,
    /// The topic for notices.
    pub(crate) notices: Handle<Topic>,
}

/// A state machine in its stack.
pub(crate) struct Deployed {
    pub(crate) saga: &'static str,
    pub(crate) machine: Handle<StateMachine>,
    pub(crate) role: Handle<Role>,
}

/// Adds the state machine of a saga.
pub(crate) fn state_machine(
    draft: &mut Draft,
    surroundings: &Surroundings,
    Machine { saga, definition, machine }: &Machine,
) -> Result<Deployed, SynthError> {
    let json = serde_json::to_value(machine).map_err(|source| SynthError::Write { saga, source })?;
    let name: Value<cfn::Name<StateMachine>> = draft.physical_name("", saga);
    let role = role(draft, saga, &name);
    let log_group = log_group(draft, saga);
    let placeholders = saga::asl::StateMachine::placeholders(definition);
    grant(draft, &role, surroundings, &placeholders);

    let resource = StateMachine::new(&role)
        .state_machine_name(name)
        .definition(json)
        // Only errors, and never what the states are given: orders carry names and addresses of people.
        .logging_configuration(
            LoggingConfiguration::to_log_group(LogLevel::Error, &log_group).include_execution_data(false),
        )
        .tracing_configuration(TracingConfiguration::new(true))
        .tags(draft.tags(saga));
    let resource = placeholders.iter().fold(resource, |resource, placeholder| {
        match value_of(draft, surroundings, placeholder) {
            Some(value) => resource.substitute(placeholder.key(), value),
            None => resource,
        }
    });
    let machine = draft.template.add(format!("{}StateMachine", pascal(saga)), resource);
    let what = format!("The ARN of the state machine of saga {saga}");
    draft.output(outputs::state_machine_arn(saga), machine.arn(), what);
    Ok(Deployed { saga, machine, role })
}

/// The role trusts Step Functions on behalf of this one state machine, which is named, not referred to: it refers to
/// the role, and both ways would be a circle.
fn role(draft: &mut Draft, saga: &str, machine: &Value<cfn::Name<StateMachine>>) -> Handle<Role> {
    let trust = Statement::allow(["sts:AssumeRole"])
        .principal(Principal::service("states.amazonaws.com"))
        .when("ArnEquals", "aws:SourceArn", StateMachine::arn_of_name(machine))
        .when_source_is_this_account();
    let role = Role::new(PolicyDocument::new([trust]))
        .description(format!("What the state machine of saga {saga} may do"))
        .tags(draft.tags(saga));
    draft.template.add(format!("{}StateMachineRole", pascal(saga)), role)
}

/// The name begins with `/aws/vendedlogs/`, which keeps the account's log resource policy from growing with every group.
/// <https://docs.aws.amazon.com/step-functions/latest/dg/bp-cwl.html>
fn log_group(draft: &mut Draft, saga: &str) -> Handle<LogGroup> {
    let group = LogGroup::new()
        .log_group_name(draft.physical_name("/aws/vendedlogs/states/", saga))
        .retention_in_days(draft.stage.log_retention())
        .tags(draft.tags(saga))
        .suppress_check(
            "CKV_AWS_158",
            "Encrypted with the key of CloudWatch Logs; only errors are logged, without what the states are given, so a \
             key of our own would protect nothing more",
        );
    draft.add_dropped(format!("{}StateMachineLogGroup", pascal(saga)), group)
}

fn grant(draft: &mut Draft, role: &Handle<Role>, surroundings: &Surroundings, placeholders: &[Placeholder]) {
    for placeholder in placeholders {
        let statements = match placeholder {
            Placeholder::Queue(participant) => {
                surroundings.queues.get(participant).map(Handle::<Queue>::grant_send_messages)
            }
            Placeholder::NoticeTopic => Some(surroundings.notices.grant_publish()),
            Placeholder::ParkedTable => Some(park(&draft.handed(StackId::Data, outputs::PARKED_TABLE_ARN))),
            Placeholder::Partition => None,
        };
        draft.template.grant(role, statements.into_iter().flatten());
    }
    draft.template.grant(role, grants::deliver_vended_logs());
    draft.template.grant(role, grants::trace());
}

/// Park a saga, record what an operator decides, and take it back.
fn park(table: &Value<Arn<Table>>) -> Vec<Statement> {
    [table.grant_put_items(), table.grant_update_items(), table.grant_delete_items()].concat()
}

/// `None` for a participant that is not there, which `checks` has refused before.
fn value_of(
    draft: &mut Draft,
    surroundings: &Surroundings,
    placeholder: &Placeholder,
) -> Option<Value<String>> {
    match placeholder {
        Placeholder::Queue(participant) => {
            surroundings.queues.get(participant).map(|queue| queue.url().into())
        }
        Placeholder::NoticeTopic => Some(surroundings.notices.arn().into()),
        Placeholder::ParkedTable => Some(draft.handed(StackId::Data, outputs::PARKED_TABLE_NAME)),
        Placeholder::Partition => Some(pseudo::partition()),
    }
}
