//! AWS Lambda: functions, what invokes them, and who may.

use crate::kind::{AnyArn, Arn, Name};
use crate::property::{Property, Value};

#[cfg(not(feature = "s3"))]
use crate::absent::s3::Bucket;
#[cfg(feature = "s3")]
use crate::s3::Bucket;

include!(concat!(env!("OUT_DIR"), "/lambda.rs"));

pub use event_source_mapping::{Filter, FilterCriteria, FunctionResponseType, ScalingConfig};
pub use function::{
    Architecture, Code, Environment, EphemeralStorage, LogFormat, LoggingConfig as Logging, Runtime,
    TracingConfig as Tracing, TracingConfigMode as TracingMode, VpcConfig,
};

impl Function {
    /// Sets one environment variable; the others stay.
    #[must_use]
    pub fn environment_variable(mut self, name: impl Into<String>, value: impl Into<Value<String>>) -> Self {
        let variables = self
            .0
            .object("Environment")
            .entry("Variables")
            .or_insert_with(|| p::Json::Object(Default::default()));
        variables[name.into()] = value.into().into_json();
        self
    }

    /// The ARN of the function of this name in this account and region.
    #[must_use]
    pub fn arn_of_name(name: impl Into<Value<Name<Function>>>) -> Value<Arn<Function>> {
        Value::of_this_account("lambda", "function:", name.into())
    }
}

impl Code {
    /// An archive in a bucket, by the name of the bucket, in the same region.
    #[must_use]
    pub fn s3(bucket: impl Into<Value<Name<Bucket>>>, key: impl Into<Value<String>>) -> Self {
        Self::new().s3_bucket(bucket).s3_key(key)
    }
}

impl EventSourceMapping {
    #[cfg(feature = "sqs")]
    /// Invokes the function with messages of the queue, and lets it report which of a batch failed.
    ///
    /// The role of the function must have been granted to consume messages.
    #[must_use]
    pub fn from_queue(
        function: impl Into<Value<Name<Function>>>,
        queue: impl Into<Value<Arn<crate::sqs::Queue>>>,
    ) -> Self {
        Self::new(function.into())
            .event_source(queue.into())
            .function_response_types([FunctionResponseType::ReportBatchItemFailures])
    }
}

impl Permission {
    /// Lets a service invoke the function on behalf of one resource.
    #[must_use]
    pub fn invoke(
        function: impl Into<Value<Name<Function>>>,
        service: impl Into<Value<String>>,
        source: impl Into<Value<AnyArn>>,
    ) -> Self {
        let permission = Self::new(PermissionRequired {
            action: "lambda:InvokeFunction".into(),
            function_name: function.into().into(),
            principal: service.into().retype(),
        });
        // More services call functions than the facts name as sources.
        Self(permission.0.with("SourceArn", source.into()))
    }
}
