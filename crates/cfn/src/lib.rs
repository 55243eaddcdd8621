//! Typed CloudFormation: resources, grants, alarms and dashboards in; a checked template out. No I/O.
//!
//! A resource is a struct of its properties with a chained setter for each. Adding it to a [`Template`] gives a
//! [`Handle`], whose methods are the attributes of the resource, the permissions one can grant on it, and its
//! metrics. Values have kinds: the ARN of a topic is not accepted where the ARN of a queue is wanted.
//!
//! The resource types are generated from facts of AWS: all of every service whose Cargo feature is enabled, one module
//! per service, and what a type is made of in a module named after it, as in [`lambda::function`]. A setter is named
//! like the property in snake case; three or more required properties are a struct of their own, so that none is
//! mistaken for another. [`Template::load`] reads existing templates as CloudFormation does.
//!
//! ```
//! use std::time::Duration;
//!
//! use cfn::cloudwatch::{ComparisonOperator, MissingData};
//! use cfn::iam::Role;
//! use cfn::lambda::{Architecture, Code, EventSourceMapping, Function, Runtime, ScalingConfig};
//! use cfn::policy::PolicyDocument;
//! use cfn::sns::{Subscription, Topic};
//! use cfn::sqs::{Queue, QueuePolicy, RedrivePolicy, queue_policy};
//! use cfn::{Declare, Output, Parameter, Template, Test};
//!
//! let mut template = Template::new("Takes orders");
//! let code_bucket = template.parameter("CodeBucket", Parameter::string().description("Where the code is"));
//! let tls = template.parameter("Tls", Parameter::string().default("on").allowed_values(["on", "off"]));
//! let tls_only = template.condition("TlsOnly", Test::equals(&tls, "on"));
//!
//! let topic = template.add("OrderPlaced", Topic::new());
//! let dead = template.add("IntakeDead", Queue::new().message_retention_period(Duration::from_secs(14 * 86_400)));
//! let intake = template.add(
//!     "Intake",
//!     Queue::new()
//!         .visibility_timeout(Duration::from_secs(180))
//!         .redrive_policy(RedrivePolicy::new(&dead, 5))
//!         .tags([("service", "order-intake")])
//!         .retain(),
//! );
//! template.add("IntakePolicy", QueuePolicy::new(
//!     PolicyDocument::new([
//!         queue_policy::allow_topic_to_send(&intake, &topic),
//!         queue_policy::deny_insecure_transport(&intake).only_if(&tls_only),
//!     ]),
//!     [&intake],
//! ));
//! template.add("IntakeSubscription", Subscription::to_queue(&topic, &intake).raw_message_delivery(true));
//!
//! let role = template.add("IntakeRole", Role::for_lambda());
//! template.grant(&role, intake.grant_consume_messages());
//! let function = template.add(
//!     "IntakeFunction",
//!     Function::new(Code::s3(&code_bucket, "order-intake.zip"), &role)
//!         .runtime(Runtime::ProvidedAl2023)
//!         .handler("bootstrap")
//!         .architectures([Architecture::Arm64])
//!         .timeout(Duration::from_secs(30))
//!         .environment_variable("TOPIC", topic.arn()),
//! );
//! template.add(
//!     "IntakeSource",
//!     EventSourceMapping::from_queue(&function, &intake)
//!         .batch_size(10)
//!         .scaling_config(ScalingConfig::new().maximum_concurrency(20)),
//! );
//! template.add(
//!     "IntakeDeadAlarm",
//!     dead.metric_approximate_number_of_messages_visible()
//!         .alarm(ComparisonOperator::GreaterThanOrEqualToThreshold, 1.0, 1)
//!         .treat_missing_data(MissingData::NotBreaching)
//!         .alarm_actions([&topic]),
//! );
//! template.output("IntakeUrl", Output::new(intake.url()).description("Where orders wait"));
//!
//! let built = template.build()?;
//! assert!(built.to_yaml().contains("Type: AWS::SQS::Queue"));
//! # Ok::<(), cfn::TemplateError>(())
//! ```
//!
//! [`Template::build`] refuses what CloudFormation would refuse: names given twice, references to what is not in the
//! template, circles, and more than the limits allow.
#![forbid(unsafe_code)]
#![warn(missing_docs)]
// What only some services need is idle while they are not compiled.
#![cfg_attr(not(feature = "default"), allow(dead_code, unused_imports, unused_macros))]

#[cfg(feature = "cloudwatch")]
pub mod cloudwatch;
#[cfg(feature = "dynamodb")]
pub mod dynamodb;
#[cfg(feature = "events")]
pub mod events;
#[cfg(feature = "iam")]
pub mod iam;
#[cfg(feature = "kms")]
pub mod kms;
#[cfg(feature = "lambda")]
pub mod lambda;
#[cfg(feature = "logs")]
pub mod logs;
#[cfg(feature = "s3")]
pub mod s3;
#[cfg(feature = "ses")]
pub mod ses;
#[cfg(feature = "sns")]
pub mod sns;
#[cfg(feature = "sqs")]
pub mod sqs;
#[cfg(feature = "stepfunctions")]
pub mod stepfunctions;

include!(concat!(env!("OUT_DIR"), "/services.rs"));

pub mod authorization;
#[cfg(feature = "cloudwatch")]
pub mod dashboard;
#[cfg(feature = "events")]
pub mod event_pattern;
pub mod facts;
pub mod grants;
pub mod kind;
pub mod load;
#[cfg(feature = "cloudwatch")]
pub mod metric;
pub mod policy;
pub mod pseudo;

mod built;
mod check;
mod circle;
mod condition;
mod custom;
mod declaration;
mod defaults;
mod document;
mod error;
mod fit;
mod functions;
mod gives;
#[cfg(feature = "cloudwatch")]
mod json_text;
mod mapping;
mod number;
mod origin;
mod output;
mod parameter;
mod path;
mod problem;
mod property;
mod read;
mod references;
mod remark;
mod resolve;
mod scalar;
mod sections;
mod shape;
#[cfg(feature = "stepfunctions")]
mod substitutions;
mod suppression;
mod template;
mod typed;
mod value;
mod yaml;

pub use built::BuiltTemplate;
pub use condition::{Condition, Rule, Test};
pub use custom::{Custom, CustomType, ServiceToken};
pub use declaration::{Declaration, Declare, Handle, HasArn, Removal, Resource};
pub use error::{Missing, Section, TemplateError};
pub use kind::{AnyArn, Arn, Bytes, Id, Name, Url};
pub use load::FromTemplate;
pub use mapping::{Mapping, MappingValue};
#[cfg(feature = "cloudwatch")]
pub use metric::{MathExpression, Metric};
pub use output::Output;
pub use parameter::{DeclareParameter, ListParam, ListParameter, Param, Parameter};
pub use policy::{PolicyDocument, Principal, Statement};
pub use problem::{LoadError, LoadProblem};
pub use property::{List, Map, Tag};
pub use remark::LoadRemark;
pub use template::Template;
pub use value::Value;
