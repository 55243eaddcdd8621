//! Metrics of resources, expressions over them, and the alarms made of either.

use std::time::Duration;

use crate::cloudwatch::{
    Alarm, ComparisonOperator, Dimension, MetricDataQuery, MetricIdentity, MetricStat, MetricStatRequired,
    Statistic,
};
use crate::value::Value;

/// A metric: what is measured, of what, and how it is summed up. A period is a minute unless said otherwise.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) dimensions: Vec<(String, Value<String>)>,
    pub(crate) statistic: Statistic,
    pub(crate) period: Duration,
    pub(crate) label: Option<String>,
}

impl Metric {
    /// A metric, as in `AWS/SQS` and `NumberOfMessagesSent`, summed up as a sum over a minute.
    #[must_use]
    pub fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            namespace: namespace.into(),
            name: name.into(),
            dimensions: Vec::new(),
            statistic: Statistic::Sum,
            period: Duration::from_secs(60),
            label: None,
        }
    }

    /// Adds a dimension. Metrics with other dimensions are other metrics.
    #[must_use]
    pub fn dimension(mut self, name: impl Into<String>, value: impl Into<Value<String>>) -> Self {
        self.dimensions.push((name.into(), value.into()));
        self
    }

    /// How it is summed up over a period.
    #[must_use]
    pub fn statistic(mut self, statistic: Statistic) -> Self {
        self.statistic = statistic;
        self
    }

    /// The length of a period. Allowed: 10, 20, 30 and multiples of 60 seconds.
    #[must_use]
    pub fn period(mut self, period: Duration) -> Self {
        self.period = period;
        self
    }

    /// What graphs show it as. Default: its name and dimensions.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// An alarm that goes off when the metric compares so with the threshold for so many periods in a row.
    #[must_use]
    pub fn alarm(&self, comparison: ComparisonOperator, threshold: f64, evaluation_periods: u32) -> Alarm {
        let alarm = Alarm::new(comparison, evaluation_periods)
            .namespace(self.namespace.as_str())
            .metric_name(self.name.as_str())
            .threshold(threshold)
            .period(self.period);
        let alarm =
            if self.dimensions.is_empty() { alarm } else { alarm.dimensions(self.alarm_dimensions()) };
        if self.is_percentile() {
            alarm.extended_statistic(self.statistic.clone())
        } else {
            alarm.statistic(self.statistic.clone())
        }
    }

    fn alarm_dimensions(&self) -> Vec<Dimension> {
        self.dimensions.iter().map(|(name, value)| Dimension::new(name, value)).collect()
    }

    fn is_percentile(&self) -> bool {
        use Statistic::{Average, Maximum, Minimum, SampleCount, Sum};
        !matches!(self.statistic, Average | Sum | Minimum | Maximum | SampleCount)
    }

    fn query(&self, id: &str) -> MetricDataQuery {
        let identity = MetricIdentity::new(self.namespace.as_str(), self.name.as_str());
        let identity =
            if self.dimensions.is_empty() { identity } else { identity.dimensions(self.alarm_dimensions()) };
        MetricDataQuery::new(id)
            .metric_stat(MetricStat::new(MetricStatRequired {
                metric: identity,
                period: self.period.into(),
                stat: self.statistic.clone().into(),
            }))
            .return_data(false)
    }
}

/// An expression over metrics, as in `errors / invocations * 100`.
///
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html>
#[derive(Debug, Clone, PartialEq)]
pub struct MathExpression {
    pub(crate) expression: String,
    pub(crate) metrics: Vec<(String, Metric)>,
    pub(crate) label: String,
}

impl MathExpression {
    /// An expression, and what it is shown as.
    #[must_use]
    pub fn new(expression: impl Into<String>, label: impl Into<String>) -> Self {
        Self { expression: expression.into(), metrics: Vec::new(), label: label.into() }
    }

    /// A metric that the expression uses, under an id: a lower-case letter, then letters, digits and underscores.
    #[must_use]
    pub fn using(mut self, id: impl Into<String>, metric: Metric) -> Self {
        self.metrics.push((id.into(), metric));
        self
    }

    /// An alarm that goes off when the result compares so with the threshold for so many periods in a row.
    #[must_use]
    pub fn alarm(&self, comparison: ComparisonOperator, threshold: f64, evaluation_periods: u32) -> Alarm {
        let result = MetricDataQuery::new("result")
            .expression(self.expression.as_str())
            .label(self.label.as_str())
            .return_data(true);
        let metrics = self.metrics.iter().map(|(id, metric)| metric.query(id));
        Alarm::new(comparison, evaluation_periods)
            .threshold(threshold)
            .metrics(std::iter::once(result).chain(metrics))
    }
}

#[cfg(all(test, feature = "default"))]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::declaration::Handle;
    use crate::dynamodb::Table;
    use crate::dynamodb::table::OperationDimension;
    use crate::kind::Name;
    use crate::lambda::Function;
    use crate::s3::Bucket;

    #[test]
    fn an_alarm_has_the_metric_of_its_resource() {
        let function: Handle<Function> = Handle::new("Orders");
        let alarm = function.metric_errors().alarm(ComparisonOperator::GreaterThanOrEqualToThreshold, 1.0, 1);
        assert_eq!(
            json!(alarm),
            json!({
                "ComparisonOperator": "GreaterThanOrEqualToThreshold",
                "EvaluationPeriods": 1,
                "Namespace": "AWS/Lambda",
                "MetricName": "Errors",
                "Dimensions": [{ "Name": "FunctionName", "Value": { "Ref": "Orders" } }],
                "Statistic": "Sum",
                "Period": 60,
                "Threshold": 1,
            })
        );
    }

    #[test]
    fn a_percentile_is_an_extended_statistic() {
        let function: Handle<Function> = Handle::new("Orders");
        let alarm = json!(function.metric_duration().statistic(Statistic::P99).alarm(
            ComparisonOperator::GreaterThanThreshold,
            1_000.0,
            3
        ));
        assert_eq!((&alarm["ExtendedStatistic"], alarm.get("Statistic")), (&json!("p99"), None));
    }

    #[test]
    fn a_metric_of_a_resource_elsewhere_is_the_same_as_of_a_handle() {
        let table: Handle<Table> = Handle::new("Orders");
        let name: Value<Name<Table>> = table.name();
        let of_name = Table::metric_successful_request_latency_of(name, OperationDimension::PutItem);
        assert_eq!(of_name, table.metric_successful_request_latency(OperationDimension::PutItem));
        let dimensions: Vec<&str> = of_name.dimensions.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(dimensions, ["TableName", "Operation"]);
    }

    #[test]
    fn a_dimension_with_one_value_is_given_unasked() {
        let bucket: Handle<Bucket> = Handle::new("Orders");
        let expected = Metric::new("AWS/S3", "NumberOfObjects")
            .dimension("BucketName", bucket.name())
            .dimension("StorageType", "AllStorageTypes")
            .statistic(Statistic::Average);
        assert_eq!(bucket.metric_number_of_objects(), expected);
    }

    #[test]
    fn only_the_result_of_an_expression_is_compared() {
        let function: Handle<Function> = Handle::new("Orders");
        let rate = MathExpression::new("errors / invocations", "error rate")
            .using("errors", function.metric_errors())
            .using("invocations", function.metric_invocations());
        let alarm = json!(rate.alarm(ComparisonOperator::GreaterThanThreshold, 0.05, 3));
        let returned: Vec<bool> = alarm["Metrics"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|query| query["ReturnData"] == true)
            .collect();
        assert_eq!(returned, [true, false, false]);
        assert_eq!(alarm.get("MetricName"), None);
    }
}
