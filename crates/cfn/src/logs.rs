//! Amazon CloudWatch Logs: log groups and metric filters.

include!(concat!(env!("OUT_DIR"), "/logs.rs"));

pub use log_group::{LogGroupClass, RetentionInDays};
pub use metric_filter::{
    Dimension as FilterDimension, MetricTransformation, MetricTransformationRequired,
    MetricTransformationUnit,
};
