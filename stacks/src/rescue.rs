//! The rescue path of the stack `app`: an execution that ends without an outcome is settled by another.

use crate::{
    constructs::{
        consumer::{Pace, paced_consumer},
        function::{Program, Variable},
        queue,
        state_machine::Deployed,
    },
    draft::Draft,
    outputs,
    synth::StackId,
};
use cfn::{
    Arn, Value,
    dynamodb::Table,
    events::{DeadLetterConfig, Rule, Target},
    sqs::queue_policy,
    stepfunctions::event_patterns::{
        StepFunctionsExecutionStatusChange, step_functions_execution_status_change::Status,
    },
};
use saga::environment;

/// Settles sagas whose execution died.
pub(crate) const RESCUE: &str = "rescue";

/// Adds the rule, the queue and the function.
pub(crate) fn rescue(draft: &mut Draft, program: &Program, machines: &[Deployed]) {
    let parked_name = draft.import(StackId::Data, outputs::PARKED_TABLE_NAME);
    let variables: [Variable; 1] = [(environment::PARKED_TABLE.to_owned(), parked_name)];
    let description = "Settles sagas whose execution failed, timed out or was aborted";
    // Many executions can die at once, when somebody stops them all: their sagas are settled a few at a time.
    let pace = Pace { batch_size: 1, max_concurrency: 2, delay: draft.timing().rescue_delay() };
    let rescue = paced_consumer(draft, program, RESCUE, description, variables, &pace);

    for Deployed { machine, .. } in machines {
        draft.template.grant(&rescue.role, machine.grant_start_execution());
        draft.template.grant(&rescue.role, machine.executions().grant_describe());
    }
    let parked: Value<Arn<Table>> = draft.import(StackId::Data, outputs::PARKED_TABLE_ARN);
    draft.template.grant(&rescue.role, parked.grant_query());
    draft.template.grant(&rescue.role, parked.grant_delete_items());

    let machines: Vec<_> = machines.iter().map(|deployed| &deployed.machine).collect();
    let died = StepFunctionsExecutionStatusChange::new().state_machine_arn(machines).status([
        Status::Failed,
        Status::TimedOut,
        Status::Aborted,
    ]);
    let target = Target::new("Rescue", rescue.queue.arn())
        .dead_letter_config(DeadLetterConfig::new().queue(&rescue.dead_letters));
    let rule = Rule::new()
        .description("Executions that ended without an outcome: their sagas may be half done")
        .event_pattern(died)
        .targets([target])
        .tags(draft.tags(RESCUE));
    let rule = draft.template.add("RescueRule", rule);
    for queue in [&rescue.queue, &rescue.dead_letters] {
        queue::policy(draft, queue, [queue_policy::allow_rule_to_send(queue, &rule)], []);
    }
}
