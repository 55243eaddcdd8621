//! The dashboard: how many sagas end how, how long they take, what waits, what fails.

use super::metrics;
use crate::{draft::Draft, outputs, synth::Machine};
use cfn::{
    Handle, Metric,
    cloudwatch::{Alarm, Dashboard, Statistic},
    dashboard::{DashboardBody, Widget},
};

/// Adds the dashboard.
pub(super) fn dashboard(
    draft: &mut Draft,
    functions: &[&'static str],
    machines: &[Machine],
    alarms: &[Handle<Alarm>],
) {
    let mut body = DashboardBody::new().row_of_height(4, [Widget::alarms("Alarms", alarms)]);
    for machine in machines {
        body = body.row(executions(draft, machine.saga));
    }
    let each = |metric: &dyn Fn(&'static str) -> Metric| {
        functions.iter().map(|name| metric(name)).collect::<Vec<_>>()
    };
    let body = body
        .row([
            Widget::graph("Messages waiting", each(&|name| metrics::waiting(draft, name))),
            Widget::graph("Oldest message (s)", each(&|name| metrics::age(draft, name))),
            Widget::graph("Dead letters", each(&|name| metrics::dead_letters(draft, name))),
        ])
        .row([
            Widget::graph("Function errors", each(&|name| metrics::of_function(draft, name, "Errors"))),
            Widget::graph("Function throttles", each(&|name| metrics::of_function(draft, name, "Throttles"))),
            Widget::graph(
                "Function duration p99 (ms)",
                each(&|name| metrics::of_function(draft, name, "Duration").statistic(Statistic::P99)),
            ),
            Widget::graph("Refused and parked", [metrics::refused_orders(draft), metrics::parked(draft)]),
        ]);
    let name = draft.physical_name("", "sagas");
    let dashboard = draft.template.add("Dashboard", Dashboard::new(body).dashboard_name(name));
    draft.output(outputs::DASHBOARD_NAME, dashboard.reference(), "The name of the dashboard");
}

fn executions(draft: &Draft, saga: &str) -> [Widget; 2] {
    let metric = |name: &str, label: &str| metrics::of_executions(draft, saga, name).label(label);
    let ends = [
        metric("ExecutionsStarted", "started"),
        metric("ExecutionsSucceeded", "committed or compensated"),
        metric("ExecutionsFailed", "failed"),
        metric("ExecutionsTimedOut", "timed out"),
        metric("ExecutionsAborted", "stopped"),
    ];
    let times = [
        metric("ExecutionTime", "p50").statistic(Statistic::P50),
        metric("ExecutionTime", "p99").statistic(Statistic::P99),
    ];
    [
        Widget::graph(format!("Saga {saga}: executions"), ends),
        Widget::graph(format!("Saga {saga}: time from start to end (ms)"), times),
    ]
}
