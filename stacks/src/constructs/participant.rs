//! A participant of the sagas: a function with a queue, on its own tables and no others.

use super::{
    consumer::{Consumer, consumer},
    function::{Program, Variable},
    queue,
    senders::only_from,
};
use crate::{draft::Draft, outputs, synth::StackId};
use cfn::{Arn, Statement, Value, dynamodb::Table};
use saga::environment;
use sagas::ParticipantSpec;

/// Adds a participant. `extra`: environment variables of its own.
pub(crate) fn participant(
    draft: &mut Draft,
    program: &Program,
    spec: &ParticipantSpec,
    extra: impl IntoIterator<Item = Variable>,
) -> Consumer {
    let name = spec.name;
    let fence_ttl = draft.timing().fence_ttl().as_secs().to_string();
    let fences = draft.import(StackId::Data, outputs::fence_table_name(name));
    let mut variables: Vec<Variable> = vec![
        (environment::FENCE_TABLE.to_owned(), fences),
        (environment::FENCE_TTL_SECONDS.to_owned(), fence_ttl.into()),
    ];
    for entity in spec.entities {
        let table = draft.import(StackId::Data, outputs::table_name(entity.name));
        variables.push((environment::table(entity.name), table));
    }
    variables.extend(extra);
    let consumer = consumer(draft, program, name, &format!("Serves the steps of {name}"), variables);

    let entities = spec.entities.iter().map(|entity| outputs::table_arn(entity.name));
    for table in entities.chain([outputs::fence_table_arn(name)]) {
        let table: Value<Arn<Table>> = draft.import(StackId::Data, table);
        draft.template.grant(&consumer.role, table.grant_write_transactions());
    }
    draft.template.grant(&consumer.role, answer_tasks());
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

/// Answer a task of a state machine.
///
/// On everything, because Step Functions knows no resource for these actions: the token that only the asked participant
/// was given is what confines them.
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsstepfunctions.html>
fn answer_tasks() -> Vec<Statement> {
    vec![Statement::allow(["states:SendTaskFailure", "states:SendTaskSuccess"]).on_everything()]
}
