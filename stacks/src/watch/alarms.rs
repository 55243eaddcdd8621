//! The alarms. Each says what it means and what to do.
//!
//! Each is on one metric: what is added up in an expression cannot be told apart when it goes off.

use super::{SERVICE, metrics};
use crate::{draft::Draft, names::pascal, synth::Machine};
use cfn::{
    Handle, Metric,
    cloudwatch::{Alarm, ComparisonOperator, MissingData},
    lambda::Function,
    sns::Topic,
    stepfunctions::StateMachine,
};

/// Adds all alarms.
pub(super) fn all(
    draft: &mut Draft,
    operators: &Handle<Topic>,
    consumers: &[&'static str],
    scheduled: &[&'static str],
    machines: &[Machine],
) -> Vec<Handle<Alarm>> {
    let mut alarms = Vec::new();
    for function in consumers {
        alarms.extend(of_consumer(draft, operators, function));
    }
    for function in scheduled {
        alarms.extend(of_scheduled(draft, operators, function));
    }
    for machine in machines {
        alarms.extend(of_executions(draft, operators, machine.saga));
    }
    alarms.push(unsettled_executions(draft, operators));
    alarms.push(parked(draft, operators));
    alarms.push(held_back(draft, operators));
    alarms.extend(of_charges(draft, operators));
    alarms
}

fn of_consumer(draft: &mut Draft, operators: &Handle<Topic>, function: &str) -> [Handle<Alarm>; 4] {
    let deliveries = draft.timing().max_receive_count();
    let dead_letters = Spec {
        id: format!("{}DeadLettersAlarm", pascal(function)),
        metric: metrics::dead_letters(draft, function),
        threshold: 1.0,
        description: format!(
            "A message to {function} was delivered {deliveries} times without success and is in its dead-letter queue. \
             The log of the function has the reason. Mend it, then send the message back with a redrive; a message that \
             came too late or twice does no harm."
        ),
    };
    // Half of what all deliveries can take, so that there is time to act before steps run into their timeouts.
    let seconds = draft.timing().delivery_window().as_secs() / 2;
    let age = Spec {
        id: format!("{}QueueAgeAlarm", pascal(function)),
        metric: metrics::age(draft, function),
        threshold: f64::from(u32::try_from(seconds).unwrap_or(u32::MAX)),
        description: format!(
            "A message to {function} has waited {seconds} s. Steps that wait too long time out, and their sagas compensate. \
             Look at errors and throttles of the function; if it is merely busy, raise its maximum concurrency."
        ),
    };
    let errors = Spec {
        id: format!("{}ErrorsAlarm", pascal(function)),
        metric: metrics::of_function(draft, function, Function::metric_errors_of),
        threshold: 1.0,
        description: format!(
            "An invocation of {function} crashed or ran out of time. Its messages will be delivered again. The log of the \
             function has the reason."
        ),
    };
    let throttles = Spec {
        id: format!("{}ThrottlesAlarm", pascal(function)),
        metric: metrics::of_function(draft, function, Function::metric_throttles_of),
        threshold: 1.0,
        description: format!(
            "An invocation of {function} was refused because too many functions run in the account. Each refusal uses up a \
             delivery. Raise the account's concurrency, or lower that of other functions."
        ),
    };
    [dead_letters, age, errors, throttles].map(|spec| alarm(draft, operators, spec))
}

fn of_scheduled(draft: &mut Draft, operators: &Handle<Topic>, function: &str) -> [Handle<Alarm>; 3] {
    let failed = Spec {
        id: format!("{}DeadLettersAlarm", pascal(function)),
        metric: metrics::dead_letters(draft, function),
        threshold: 1.0,
        description: format!(
            "A call of {function} failed each time it was tried, and is in its dead-letter queue with the reason. Its next \
             call does the same work, so nothing is lost if that succeeds: look at the log of the function, mend the \
             cause, then delete the message."
        ),
    };
    let errors = Spec {
        id: format!("{}ErrorsAlarm", pascal(function)),
        metric: metrics::of_function(draft, function, Function::metric_errors_of),
        threshold: 1.0,
        description: format!(
            "A call of {function} failed or ran out of time. It is tried again. The log of the function has the reason."
        ),
    };
    let throttles = Spec {
        id: format!("{}ThrottlesAlarm", pascal(function)),
        metric: metrics::of_function(draft, function, Function::metric_throttles_of),
        threshold: 1.0,
        description: format!(
            "A call of {function} was refused because too many functions run in the account. It is tried again. Raise the \
             account's concurrency, or lower that of other functions."
        ),
    };
    [failed, errors, throttles].map(|spec| alarm(draft, operators, spec))
}

/// A saga that commits or compensates succeeds. So an execution that ends otherwise is always an incident.
fn of_executions(draft: &mut Draft, operators: &Handle<Topic>, saga: &str) -> [Handle<Alarm>; 3] {
    let ends: [(_, fn(_) -> _, _); 3] = [
        ("Failed", StateMachine::metric_executions_failed_of, "failed"),
        ("TimedOut", StateMachine::metric_executions_timed_out_of, "timed out"),
        ("Aborted", StateMachine::metric_executions_aborted_of, "was stopped"),
    ];
    ends.map(|(end, metric, words)| {
        let spec = Spec {
            id: format!("{}Executions{end}Alarm", pascal(saga)),
            metric: metrics::of_executions(draft, saga, metric),
            threshold: 1.0,
            description: format!(
                "An execution of saga {saga} {words} instead of committing or compensating, so its steps may be half done. \
                 The rescue function settles it, within a sweep at the latest: an execution named after it finishes the saga \
                 if its pivot was done, and undoes it if not. Its history shows why it died; see to it that this does not go on."
            ),
        };
        alarm(draft, operators, spec)
    })
}

fn unsettled_executions(draft: &mut Draft, operators: &Handle<Topic>) -> Handle<Alarm> {
    let after = draft.timing().unsettled_after().as_secs();
    let spec = Spec {
        id: "UnsettledExecutionsAlarm".to_owned(),
        metric: metrics::unsettled_executions(draft),
        threshold: 1.0,
        description: format!(
            "An execution died at least {after} s ago, and its saga, which may be half done, is still not settled: settling it \
             died too often, its input cannot be read, or somebody started something else under the name of the settling \
             execution. The log of rescue names the execution and the reason. Mend the cause, then settle the saga with \
             `infra-gen ops settle`."
        ),
    };
    alarm(draft, operators, spec)
}

fn parked(draft: &mut Draft, operators: &Handle<Topic>) -> Handle<Alarm> {
    let spec = Spec {
        id: "ParkedSagasAlarm".to_owned(),
        metric: metrics::parked(draft),
        threshold: 1.0,
        description: "A saga is parked: an operation that must be done could not be done, and the saga waits for an \
                      operator. Its record in the table of parked sagas says which and why. Mend the cause, then answer \
                      with `infra-gen ops retry`, or with `infra-gen ops skip` to leave the operation undone."
            .to_owned(),
    };
    alarm(draft, operators, spec)
}

fn held_back(draft: &mut Draft, operators: &Handle<Topic>) -> Handle<Alarm> {
    let spec = Spec {
        id: "HeldBackAlarm".to_owned(),
        metric: metrics::held_back(draft),
        threshold: 1.0,
        description: "Orders are held back before their sagas begin, because a participant has more messages in its queue \
                      than the parameter MaxBacklog allows. They go on by themselves when it has fewer, and none is turned \
                      back for it. If it lasts, look at the errors and throttles of the participants, or raise their \
                      concurrency and the quota of SendTaskSuccess."
            .to_owned(),
    };
    alarm(draft, operators, spec)
}

fn of_charges(draft: &mut Draft, operators: &Handle<Topic>) -> [Handle<Alarm>; 3] {
    let orphaned = Spec {
        id: "OrphanedChargesAlarm".to_owned(),
        metric: metrics::orphaned_charges(draft),
        threshold: 1.0,
        description: "An orphaned charge was refunded: the payment gateway had taken money that no order wanted, after the \
                      saga had undone its payment. The customer has it back, nothing is to be done for them. The log of \
                      reconciliation names the saga and the charge; if it happens often, the gateway answers too slowly \
                      for the timeouts of the payment service."
            .to_owned(),
    };
    let unsettled = Spec {
        id: "UnsettledChargesAlarm".to_owned(),
        metric: metrics::unsettled_charges(draft),
        threshold: 1.0,
        description: "A charge at the payment gateway cannot be judged: its saga should have decided about it long ago, or \
                      its fence is gone, as when its table was restored. It is left as it is, because it may be that of \
                      an order that was sold. The log of reconciliation names the saga and the reason; settle the saga, or \
                      bring the fence back, or refund the charge by hand; docs/operations.md says how to tell."
            .to_owned(),
    };
    let brake = Spec {
        id: "RefundBrakeAlarm".to_owned(),
        metric: metrics::refund_brakes(draft),
        threshold: 1.0,
        description: "Reconciliation found so many charges that no order wants that it refunded none. If they are orphans, \
                      raise MaxRefunds and MaxRefundPercent for one sweep, within a day, and lower them again. The log of \
                      reconciliation says how many they are and names a few; docs/operations.md says how to tell."
            .to_owned(),
    };
    [orphaned, unsettled, brake].map(|spec| alarm(draft, operators, spec))
}

/// What alarms differ in. One goes off as soon as its metric reaches the threshold within a period.
struct Spec {
    id: String,
    metric: Metric,
    threshold: f64,
    description: String,
}

fn alarm(draft: &mut Draft, operators: &Handle<Topic>, spec: Spec) -> Handle<Alarm> {
    let alarm = spec
        .metric
        .alarm(ComparisonOperator::GreaterThanOrEqualToThreshold, spec.threshold, 1)
        .alarm_description(spec.description)
        .treat_missing_data(MissingData::NotBreaching)
        .alarm_actions([operators])
        .tags(draft.tags(SERVICE));
    draft.template.add(spec.id, alarm)
}
