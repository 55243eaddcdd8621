//! A required property that is not given.

use cfn::logs::{MetricTransformation, MetricTransformationRequired};

fn main() {
    let _ = MetricTransformation::new(MetricTransformationRequired {
        metric_name: "Orders".into(),
        metric_value: "1".into(),
    });
}
