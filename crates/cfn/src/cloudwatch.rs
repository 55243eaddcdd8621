//! Amazon CloudWatch: alarms and dashboards.

use crate::typed::allowed_values;

include!(concat!(env!("OUT_DIR"), "/cloudwatch.rs"));

pub use alarm::{
    ComparisonOperator, Dimension, Metric as MetricIdentity, MetricDataQuery, MetricStat, MetricStatRequired,
    TreatMissingData as MissingData,
};

allowed_values! {
    /// How a metric is summed up over a period.
    pub enum Statistic {
        /// The mean of the data.
        Average = "Average",
        /// The sum of the data.
        Sum = "Sum",
        /// The smallest of the data.
        Minimum = "Minimum",
        /// The largest of the data.
        Maximum = "Maximum",
        /// The number of the data.
        SampleCount = "SampleCount",
        /// What half of the data do not exceed.
        P50 = "p50",
        /// What 90 of 100 do not exceed.
        P90 = "p90",
        /// What 95 of 100 do not exceed.
        P95 = "p95",
        /// What 99 of 100 do not exceed.
        P99 = "p99",
    }
}

impl Statistic {
    /// The statistic that AWS writes so.
    pub(crate) fn of(name: &str) -> Self {
        let known = [Self::Average, Self::Sum, Self::Minimum, Self::Maximum, Self::SampleCount];
        known
            .into_iter()
            .find(|statistic| statistic.as_str() == name)
            .unwrap_or_else(|| Self::Other(name.to_owned()))
    }
}
