//! Amazon DynamoDB: tables.

#[cfg(feature = "cloudwatch")]
use crate::declaration::Handle;
use crate::kind::{Arn, Name};
use crate::property::Value;

include!(concat!(env!("OUT_DIR"), "/dynamodb.rs"));

pub use table::{
    AttributeDefinition, AttributeType, BillingMode, GlobalSecondaryIndex, GlobalSecondaryIndexRequired,
    KeySchema, KeyType, OnDemandThroughput, PointInTimeRecoverySpecification as PointInTimeRecovery,
    Projection, ProjectionType, ProvisionedThroughput, SSESpecification as Sse, StreamSpecification,
    StreamViewType, TableClass, TimeToLiveSpecification as TimeToLive,
};

impl Table {
    /// The ARN of the table of this name in this account and region.
    #[must_use]
    pub fn arn_of_name(name: impl Into<Value<Name<Table>>>) -> Value<Arn<Table>> {
        Value::of_this_account("dynamodb", "table/", name.into())
    }
}

impl KeySchema {
    /// The partition key.
    #[must_use]
    pub fn hash(attribute_name: impl Into<Value<String>>) -> Self {
        Self::new(attribute_name, KeyType::Hash)
    }

    /// The sort key.
    #[must_use]
    pub fn range(attribute_name: impl Into<Value<String>>) -> Self {
        Self::new(attribute_name, KeyType::Range)
    }
}

impl TimeToLive {
    /// Deletes an item, within a few days, after the time in this attribute (seconds since 1970).
    #[must_use]
    pub fn on(attribute_name: impl Into<Value<String>>) -> Self {
        Self::new(true).attribute_name(attribute_name)
    }
}

#[cfg(feature = "cloudwatch")]
impl Handle<Table> {
    /// A metric of one operation, as in `ThrottledRequests` of `TransactWriteItems`.
    #[must_use]
    pub fn metric_of_operation(&self, name: &str, operation: &str) -> crate::metric::Metric {
        self.metric(name).dimension("Operation", operation)
    }
}
