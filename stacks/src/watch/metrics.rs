//! The metrics of what the other stacks hold.

use crate::{draft::Draft, outputs, rescue::RESCUE, synth::StackId};
use cfn::{
    Arn, Metric, Name, Value,
    cloudwatch::Statistic,
    dynamodb::{Table, table::OperationDimension},
    lambda::Function,
    logs::{
        LogGroup, MetricFilter, MetricFilterRequired, MetricTransformation, MetricTransformationRequired,
        MetricTransformationUnit,
    },
    sqs::Queue,
    stepfunctions::StateMachine,
};
use saga::{HELD_BACK_EVENT, rescue::UNSETTLED_EXECUTION_EVENT};
use sagas::environment::{
    ORDER_REFUSED_EVENT, ORPHANED_CHARGE_REFUNDED_EVENT, REFUND_BRAKE_EVENT, UNSETTLED_CHARGE_EVENT,
};

/// Messages that wait in the queue of a function.
pub(super) fn waiting(draft: &mut Draft, function: &str) -> Metric {
    let queue: Value<Name<Queue>> = draft.handed(StackId::App, outputs::queue_name(function));
    Queue::metric_approximate_number_of_messages_visible_of(queue).label(function)
}

/// The age of the oldest message in the queue of a function, in seconds.
pub(super) fn age(draft: &mut Draft, function: &str) -> Metric {
    let queue: Value<Name<Queue>> = draft.handed(StackId::App, outputs::queue_name(function));
    Queue::metric_approximate_age_of_oldest_message_of(queue).label(function)
}

/// Messages in the dead-letter queue of a function.
pub(super) fn dead_letters(draft: &mut Draft, function: &str) -> Metric {
    let queue: Value<Name<Queue>> = draft.handed(StackId::App, outputs::dead_letter_queue_name(function));
    Queue::metric_approximate_number_of_messages_visible_of(queue).label(function)
}

/// A metric of a function, as in `Function::metric_errors_of`.
pub(super) fn of_function(
    draft: &mut Draft,
    function: &str,
    metric: fn(Value<Name<Function>>) -> Metric,
) -> Metric {
    metric(draft.handed(StackId::App, outputs::function_name(function))).label(function)
}

/// A metric of the executions of a saga, as in `StateMachine::metric_executions_failed_of`.
pub(super) fn of_executions(
    draft: &mut Draft,
    saga: &str,
    metric: fn(Value<Arn<StateMachine>>) -> Metric,
) -> Metric {
    metric(draft.handed(StackId::App, outputs::state_machine_arn(saga)))
}

/// Sagas parked: the successful writes to the table of parked sagas, which nothing else writes.
pub(super) fn parked(draft: &mut Draft) -> Metric {
    let table: Value<Name<Table>> = draft.handed(StackId::Data, outputs::PARKED_TABLE_NAME);
    Table::metric_successful_request_latency_of(table, OperationDimension::PutItem)
        .statistic(Statistic::SampleCount)
        .label("parked")
}

/// Orders refused at intake.
pub(super) fn refused_orders(draft: &Draft) -> Metric {
    REFUSED_ORDERS.metric(draft).label("refused")
}

/// Events held back at intake.
pub(super) fn held_back(draft: &Draft) -> Metric {
    HELD_BACK.metric(draft).label("held back")
}

/// Orphaned charges that were refunded.
pub(super) fn orphaned_charges(draft: &Draft) -> Metric {
    ORPHANED_CHARGES.metric(draft).label("orphaned charges refunded")
}

/// Charges that only people can judge, counted each time they are seen.
pub(super) fn unsettled_charges(draft: &Draft) -> Metric {
    UNSETTLED_CHARGES.metric(draft).label("unsettled charges")
}

/// Dead executions whose sagas are still not settled, counted by each sweep.
pub(super) fn unsettled_executions(draft: &Draft) -> Metric {
    UNSETTLED_EXECUTIONS.metric(draft).label("unsettled executions")
}

/// Sweeps of reconciliation that refunded nothing, because it would have been too much.
pub(super) fn refund_brakes(draft: &Draft) -> Metric {
    REFUND_BRAKES.metric(draft).label("refunds withheld")
}

/// Makes metrics of log lines.
pub(super) fn count_log_lines(draft: &mut Draft) {
    let counted =
        [REFUSED_ORDERS, HELD_BACK, ORPHANED_CHARGES, UNSETTLED_CHARGES, REFUND_BRAKES, UNSETTLED_EXECUTIONS];
    for counted in counted {
        counted.count(draft);
    }
}

/// Log lines that are counted.
struct Counted {
    /// The name of the metric.
    metric: &'static str,
    /// The function that writes them.
    function: &'static str,
    /// Their `event`.
    event: &'static str,
}

const REFUSED_ORDERS: Counted =
    Counted { metric: "RefusedOrders", function: "order-intake", event: ORDER_REFUSED_EVENT };

const HELD_BACK: Counted = Counted { metric: "HeldBack", function: "order-intake", event: HELD_BACK_EVENT };

const ORPHANED_CHARGES: Counted = Counted {
    metric: "OrphanedChargesRefunded",
    function: "reconciliation",
    event: ORPHANED_CHARGE_REFUNDED_EVENT,
};

const UNSETTLED_CHARGES: Counted =
    Counted { metric: "UnsettledCharges", function: "reconciliation", event: UNSETTLED_CHARGE_EVENT };

const UNSETTLED_EXECUTIONS: Counted =
    Counted { metric: "UnsettledExecutions", function: RESCUE, event: UNSETTLED_EXECUTION_EVENT };

const REFUND_BRAKES: Counted =
    Counted { metric: "RefundBrakes", function: "reconciliation", event: REFUND_BRAKE_EVENT };

impl Counted {
    fn metric(&self, draft: &Draft) -> Metric {
        Metric::new(namespace(draft), self.metric)
    }

    fn count(&self, draft: &mut Draft) {
        let log: Value<Name<LogGroup>> = draft.handed(StackId::App, outputs::log_group_name(self.function));
        let count = MetricTransformation::new(MetricTransformationRequired {
            metric_name: self.metric.into(),
            metric_namespace: namespace(draft).into(),
            metric_value: "1".into(),
        });
        let pattern = format!("{{ $.event = \"{}\" }}", self.event);
        let filter = MetricFilter::new(MetricFilterRequired {
            filter_pattern: pattern.into(),
            log_group_name: log,
            metric_transformations: [count.default_value(0.0).unit(MetricTransformationUnit::Count)].into(),
        });
        draft.template.add(format!("{}MetricFilter", self.metric), filter);
    }
}

/// The deployments of a stage in one account share it: a filter can take dimensions from the line only.
fn namespace(draft: &Draft) -> String {
    format!("Flyover/{}", draft.stage)
}
