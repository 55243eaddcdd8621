//! The rescue path of the stack `app`: an execution that ends without an outcome is settled by another.
//!
//! Its event says so, or if that got lost, a sweep on a schedule finds it. Both go through one queue.

use crate::{
    constructs::{
        consumer::{Consumer, Pace, paced_consumer},
        function::{Program, Variable},
        queue,
        scheduled::rate,
        state_machine::Deployed,
    },
    draft::Draft,
    outputs,
    synth::StackId,
};
use cfn::{
    Arn, Handle, Value,
    dynamodb::Table,
    events::{DeadLetterConfig, Rule, Target},
    sqs::queue_policy,
    stepfunctions::event_patterns::{
        StepFunctionsExecutionStatusChange, step_functions_execution_status_change::Status,
    },
};
use saga::{environment, rescue::SWEEP};
use std::time::Duration;

/// Settles sagas whose execution died.
pub(crate) const RESCUE: &str = "rescue";

/// Adds the rules, the queue and the function.
pub(crate) fn rescue(draft: &mut Draft, program: &Program, machines: &[Deployed]) {
    let description = "Settles sagas whose execution failed, timed out or was aborted";
    // Many executions can die at once, when somebody stops them all: their sagas are settled a few at a time.
    let pace = Pace { batch_size: 1, max_concurrency: 2, delay: draft.timing().rescue_delay() };
    let variables = variables(draft, machines);
    let rescue = paced_consumer(draft, program, RESCUE, description, variables, &pace);

    for Deployed { machine, .. } in machines {
        draft.template.grant(&rescue.role, machine.grant_start_execution());
        draft.template.grant(&rescue.role, machine.grant_list_executions());
        draft.template.grant(&rescue.role, machine.executions().grant_describe());
    }
    let parked: Value<Arn<Table>> = draft.handed(StackId::Data, outputs::PARKED_TABLE_ARN);
    draft.template.grant(&rescue.role, parked.grant_query());
    draft.template.grant(&rescue.role, parked.grant_delete_items());

    let rules = [died(draft, &rescue, machines), sweeps(draft, &rescue)];
    for queue in [&rescue.queue, &rescue.dead_letters] {
        let senders = rules.iter().map(|rule| queue_policy::allow_rule_to_send(queue, rule));
        queue::policy(draft, queue, senders, []);
    }
}

fn variables(draft: &mut Draft, machines: &[Deployed]) -> Vec<Variable> {
    let timing = draft.timing();
    let seconds = |name: &str, duration: Duration| (name.to_owned(), duration.as_secs().to_string().into());
    let parked_name = draft.handed(StackId::Data, outputs::PARKED_TABLE_NAME);
    let mut variables: Vec<Variable> = vec![
        (environment::PARKED_TABLE.to_owned(), parked_name),
        seconds(environment::RESCUE_DELAY_SECONDS, timing.rescue_delay()),
        seconds(environment::SWEEP_WINDOW_SECONDS, timing.sweep_window()),
        seconds(environment::UNSETTLED_AFTER_SECONDS, timing.unsettled_after()),
    ];
    let swept = machines
        .iter()
        .map(|Deployed { saga, machine, .. }| (environment::state_machine(saga), machine.arn().into()));
    variables.extend(swept);
    variables
}

/// The rule for executions that died.
fn died(draft: &mut Draft, rescue: &Consumer, machines: &[Deployed]) -> Handle<Rule> {
    let machines: Vec<_> = machines.iter().map(|deployed| &deployed.machine).collect();
    let died = StepFunctionsExecutionStatusChange::new().state_machine_arn(machines).status([
        Status::Failed,
        Status::TimedOut,
        Status::Aborted,
    ]);
    let rule = Rule::new()
        .description("Executions that ended without an outcome: their sagas may be half done")
        .event_pattern(died)
        .targets([target(rescue)])
        .tags(draft.tags(RESCUE));
    draft.template.add("RescueRule", rule)
}

/// The rule for sweeps. Events of executions are delivered
/// [best effort](https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-states.html).
fn sweeps(draft: &mut Draft, rescue: &Consumer) -> Handle<Rule> {
    let rule = Rule::new()
        .description("Has executions looked for that ended without an outcome, and of which no event came")
        .schedule_expression(rate(draft.timing().sweep_interval()))
        .targets([target(rescue).input(SWEEP)])
        .tags(draft.tags(RESCUE));
    draft.template.add("RescueSchedule", rule)
}

fn target(rescue: &Consumer) -> Target {
    Target::new("Rescue", rescue.queue.arn())
        .dead_letter_config(DeadLetterConfig::new().queue(&rescue.dead_letters))
}
