//! The dashboard: how many sagas end how, how long they take, what waits, what fails.

use super::metrics;
use crate::{draft::Draft, outputs, synth::Machine};
use cfn::{
    Handle, Metric,
    cloudwatch::{Alarm, Dashboard, Statistic},
    dashboard::{DashboardBody, Widget},
    lambda::Function,
    stepfunctions::StateMachine,
};

/// Adds the dashboard.
pub(super) fn dashboard(
    draft: &mut Draft,
    consumers: &[&'static str],
    scheduled: &[&'static str],
    machines: &[Machine],
    alarms: &[Handle<Alarm>],
) {
    let mut body = DashboardBody::new().row_of_height(4, [Widget::alarms("Alarms", alarms)]);
    for machine in machines {
        body = body.row(executions(draft, machine.saga));
    }
    let functions = [consumers, scheduled].concat();
    let of = |names: &[&'static str], metric: &mut dyn FnMut(&'static str) -> Metric| {
        names.iter().map(|name| metric(name)).collect::<Vec<_>>()
    };
    let body = body
        .row([
            Widget::graph("Messages waiting", of(consumers, &mut |name| metrics::waiting(draft, name))),
            Widget::graph("Oldest message (s)", of(consumers, &mut |name| metrics::age(draft, name))),
            Widget::graph("Dead letters", of(&functions, &mut |name| metrics::dead_letters(draft, name))),
        ])
        .row([
            Widget::graph(
                "Function errors",
                of(&functions, &mut |name| metrics::of_function(draft, name, Function::metric_errors_of)),
            ),
            Widget::graph(
                "Function throttles",
                of(&functions, &mut |name| metrics::of_function(draft, name, Function::metric_throttles_of)),
            ),
            Widget::graph(
                "Function duration p99 (ms)",
                of(&functions, &mut |name| {
                    metrics::of_function(draft, name, Function::metric_duration_of).statistic(Statistic::P99)
                }),
            ),
            Widget::graph(
                "Refused, parked, orphaned and unsettled",
                [
                    metrics::refused_orders(draft),
                    metrics::parked(draft),
                    metrics::orphaned_charges(draft),
                    metrics::unsettled_charges(draft),
                    metrics::unsettled_executions(draft),
                    metrics::refund_brakes(draft),
                ],
            ),
        ]);
    let name = draft.physical_name("", "sagas");
    let dashboard = draft.template.add("Dashboard", Dashboard::new(body).dashboard_name(name));
    draft.output(outputs::DASHBOARD_NAME, dashboard.reference(), "The name of the dashboard");
}

fn executions(draft: &mut Draft, saga: &str) -> [Widget; 2] {
    let mut metric =
        |metric: fn(_) -> _, label: &str| metrics::of_executions(draft, saga, metric).label(label);
    let ends = [
        metric(StateMachine::metric_executions_started_of, "started"),
        metric(StateMachine::metric_executions_succeeded_of, "committed or compensated"),
        metric(StateMachine::metric_executions_failed_of, "failed"),
        metric(StateMachine::metric_executions_timed_out_of, "timed out"),
        metric(StateMachine::metric_executions_aborted_of, "stopped"),
    ];
    let times = [
        metric(StateMachine::metric_execution_time_of, "p50").statistic(Statistic::P50),
        metric(StateMachine::metric_execution_time_of, "p99").statistic(Statistic::P99),
    ];
    [
        Widget::graph(format!("Saga {saga}: executions"), ends),
        Widget::graph(format!("Saga {saga}: time from start to end (ms)"), times),
    ]
}
