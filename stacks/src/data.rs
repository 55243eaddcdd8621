//! The stack `data`: the tables. It is the one that must outlive everything else, so nothing else is in it.

use crate::{
    checks::SynthError,
    constructs::table::{TableSpec, table},
    draft::Draft,
    names::pascal,
    outputs,
    stage::Stage,
    synth::{Stack, StackId},
};
use saga::{ParticipantSpec, fence_table, parked_table};
use sagas::{claims_table, environment::NOTIFICATION};

pub(crate) fn stack(stage: Stage, participants: &[ParticipantSpec]) -> Result<Stack, SynthError> {
    let mut draft = tables(stage, participants);
    claims(&mut draft);
    draft.build()
}

/// The stack of a deployment that has nothing but sagas.
pub(crate) fn stack_of_sagas(stage: Stage, participants: &[ParticipantSpec]) -> Result<Stack, SynthError> {
    tables(stage, participants).build()
}

fn tables(stage: Stage, participants: &[ParticipantSpec]) -> Draft {
    let mut draft = Draft::new(stage, StackId::Data, "the tables");
    for participant in participants {
        for entity in participant.entities {
            let spec = TableSpec { service: participant.name, key: entity.key, sort: None, ttl: None };
            let table = table(&mut draft, &format!("{}Table", pascal(entity.name)), &spec);
            let what = format!("the table of {}, owned by {}", entity.name, participant.name);
            draft.output(outputs::table_name(entity.name), table.name(), format!("The name of {what}"));
            draft.output(outputs::table_arn(entity.name), table.arn(), format!("The ARN of {what}"));
        }
        fences(&mut draft, participant.name);
    }
    parked(&mut draft);
    draft
}

/// The fences of a participant stand beside its entities, because both are written in one transaction.
fn fences(draft: &mut Draft, participant: &'static str) {
    let spec = TableSpec {
        service: participant,
        key: fence_table::SAGA_ID,
        sort: Some(fence_table::STEP),
        ttl: Some(fence_table::EXPIRES_AT),
    };
    let table = table(draft, &format!("{}FenceTable", pascal(participant)), &spec);
    let what = format!("the fence table of {participant}");
    draft.output(outputs::fence_table_name(participant), table.name(), format!("The name of {what}"));
    draft.output(outputs::fence_table_arn(participant), table.arn(), format!("The ARN of {what}"));
}

/// The sagas that wait for an operator.
fn parked(draft: &mut Draft) {
    let (key, sort) = (parked_table::SAGA_ID, Some(parked_table::WHAT));
    let spec = TableSpec { service: "sagas", key, sort, ttl: None };
    let table = table(draft, "ParkedTable", &spec);
    draft.output(outputs::PARKED_TABLE_NAME, table.name(), "The name of the table of parked sagas");
    draft.output(outputs::PARKED_TABLE_ARN, table.arn(), "The ARN of the table of parked sagas");
}

/// How often a letter to a customer may have been sent.
fn claims(draft: &mut Draft) {
    let (key, ttl) = (claims_table::LETTER, Some(claims_table::EXPIRES_AT));
    let spec = TableSpec { service: NOTIFICATION, key, sort: None, ttl };
    let table = table(draft, "ClaimsTable", &spec);
    let what = "the table of claims to send letters";
    draft.output(outputs::CLAIMS_TABLE_NAME, table.name(), format!("The name of {what}"));
    draft.output(outputs::CLAIMS_TABLE_ARN, table.arn(), format!("The ARN of {what}"));
}
