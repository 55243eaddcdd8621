//! A participant of the sagas: a function with a queue, on its own tables and no others.

use super::{
    consumer::{Consumer, consumer},
    function::{Program, Variable},
    queue,
    senders::only_from,
};
use crate::{draft::Draft, outputs, synth::StackId};
use cfn::{Arn, Name, Statement, Value, dynamodb::Table, stepfunctions::StateMachine};
use saga::{ParticipantSpec, environment};

/// Adds a participant. `asking`: the sagas that ask it. `extra`: environment variables of its own.
pub(crate) fn participant(
    draft: &mut Draft,
    program: &Program,
    spec: &ParticipantSpec,
    asking: impl IntoIterator<Item = &'static str>,
    extra: impl IntoIterator<Item = Variable>,
) -> Consumer {
    let name = spec.name;
    let fence_ttl = draft.timing().fence_ttl().as_secs().to_string();
    let fences = draft.handed(StackId::Data, outputs::fence_table_name(name));
    let mut variables: Vec<Variable> = vec![
        (environment::FENCE_TABLE.to_owned(), fences),
        (environment::FENCE_TTL_SECONDS.to_owned(), fence_ttl.into()),
    ];
    for entity in spec.entities {
        let table = draft.handed(StackId::Data, outputs::table_name(entity.name));
        variables.push((environment::table(entity.name), table));
    }
    variables.extend(draft.deployment_variables());
    variables.extend(extra);
    let consumer = consumer(draft, program, name, &format!("Serves the steps of {name}"), variables);

    for entity in spec.entities {
        let table: Value<Arn<Table>> = draft.handed(StackId::Data, outputs::table_arn(entity.name));
        draft.template.grant(&consumer.role, table.grant_write_transactions());
    }
    // A fence is read and put. It is never deleted, and each move of it replaces it whole.
    let fences: Value<Arn<Table>> = draft.handed(StackId::Data, outputs::fence_table_arn(name));
    draft.template.grant(&consumer.role, fences.grant_get_items());
    draft.template.grant(&consumer.role, fences.grant_put_items());
    let answers = answer_tasks(draft, asking);
    draft.template.grant(&consumer.role, answers);
    consumer
}

/// Adds the policies of a participant's queues: only these roles send to it.
pub(crate) fn queue_policies(draft: &mut Draft, participant: &Consumer, senders: &[Value<String>]) {
    queue::policy(
        draft,
        &participant.queue,
        [],
        [only_from("sqs:SendMessage", &participant.queue, senders.iter().cloned())],
    );
    queue::policy(draft, &participant.dead_letters, [], []);
}

/// Answer tasks of the state machines of these sagas, and of no others.
///
/// The service authorization reference lists no resource for these actions, but Step Functions checks them against the
/// state machine that issued the token. An emulator does not know whose token it is, so there they are on everything.
/// The state machines are named, not referred to: they refer to the queue of the participant.
/// <https://github.com/aws/aws-cdk/pull/8486>
fn answer_tasks(draft: &mut Draft, sagas: impl IntoIterator<Item = &'static str>) -> Vec<Statement> {
    let (on_aws, on_emulator) = (draft.on_aws(), draft.on_emulator());
    let of_sagas = sagas.into_iter().flat_map(|saga| {
        let name = draft.physical_name::<Name<StateMachine>>("", saga);
        StateMachine::arn_of_name(name).grant_send_task_response()
    });
    let of_sagas = of_sagas.map(|statement| statement.only_if(&on_aws));
    let of_any = Value::<Arn<StateMachine>>::from("*").grant_send_task_response();
    of_sagas.chain(of_any.into_iter().map(|statement| statement.only_if(&on_emulator))).collect()
}
