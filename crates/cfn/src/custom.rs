//! Custom resources: what a function of your own makes when CloudFormation asks it to.
//!
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-custom-resources.html>

use std::fmt;
use std::time::Duration;

use serde::{Serialize, Serializer};
use serde_json::{Map, Value as Json};

use crate::declaration::Resource;
use crate::kind::{AnyArn, Arn, Seconds, TypedText};
use crate::property::Property;
use crate::value::Value;

/// The type of custom resources without a name of their own.
const PLAIN: &str = "AWS::CloudFormation::CustomResource";
/// The longest name of a type, `Custom::` included.
const MAX_TYPE_CHARS: usize = 60;

/// The properties that a provider of custom resources takes besides its token: a struct whose members are written as
/// the provider wants them, usually in Pascal case.
///
/// ```
/// use cfn::{Custom, CustomType, Output, Template, Value, lambda::{Code, Function}};
/// use serde::Serialize;
///
/// #[derive(Debug, Clone, Serialize)]
/// #[serde(rename_all = "PascalCase")]
/// struct Seed {
///     table: Value<String>,
///     rows: u32,
/// }
///
/// impl CustomType for Seed {
///     const TYPE: &'static str = "Custom::Seed";
/// }
///
/// let mut template = Template::new("Seeds a table");
/// let provider = template.add("Provider", Function::new(Code::new().zip_file("…"), "arn:aws:iam::1:role/seeder"));
/// let seed = template.add("Seed", Custom::new(&provider, Seed { table: "stock".into(), rows: 10 }));
/// template.output("Checksum", Output::new(seed.attribute::<String>("Checksum")));
/// assert!(template.build()?.to_yaml().contains("Type: Custom::Seed"));
/// # Ok::<(), cfn::TemplateError>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the properties of a custom resource",
    label = "implement `cfn::CustomType` for it, and `serde::Serialize` for its members"
)]
pub trait CustomType: Serialize + Clone + fmt::Debug {
    /// The name of the type: `Custom::` and up to 52 letters, digits and `_@-`. A name that is not such does not compile.
    const TYPE: &'static str = PLAIN;
}

/// Properties that are not known before the program runs.
impl CustomType for Map<String, Json> {}

/// What makes a custom resource: the ARN of a function or of a topic.
#[derive(Debug)]
pub enum ServiceToken {}

impl TypedText for ServiceToken {}

crate::typed::references_to!(ServiceToken: [AnyArn]);
#[cfg(feature = "lambda")]
crate::typed::references_to!(ServiceToken: [Arn<crate::lambda::Function>]);
#[cfg(feature = "lambda")]
crate::typed::handles_of!(ServiceToken: crate::lambda::Function = "Arn");
#[cfg(feature = "sns")]
crate::typed::references_to!(ServiceToken: [Arn<crate::sns::Topic>]);
#[cfg(feature = "sns")]
crate::typed::handles_of!(ServiceToken: crate::sns::Topic = "TopicArn");

/// A custom resource with the properties `P`. Its attributes are what the provider answers: [`crate::Handle::attribute`].
#[derive(Debug, Clone, PartialEq)]
pub struct Custom<P> {
    token: Value<ServiceToken>,
    timeout: Option<Json>,
    properties: P,
}

impl<P: CustomType> Custom<P> {
    /// A custom resource that this function or topic makes.
    #[must_use]
    pub fn new(provider: impl Into<Value<ServiceToken>>, properties: P) -> Self {
        const { assert!(is_type_name(P::TYPE), "a custom type is `Custom::` and up to 52 of A-Z a-z 0-9 _ @ -") };
        Self { token: provider.into(), timeout: None, properties }
    }

    /// How long CloudFormation waits for an answer, from 1 second to 1 hour. Default: 1 hour.
    #[must_use]
    pub fn service_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(Value::<Seconds>::from(timeout).into_json());
        self
    }
}

impl<P: CustomType> Resource for Custom<P> {
    const TYPE: &'static str = P::TYPE;
    type Ref = String;
}

impl<P: CustomType> Serialize for Custom<P> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let not_object =
            || serde::ser::Error::custom("the properties of a custom resource are not an object");
        let mut fields = match serde_json::to_value(&self.properties).map_err(serde::ser::Error::custom)? {
            Json::Object(fields) => fields,
            _ => return Err(not_object()),
        };
        fields.insert("ServiceToken".to_owned(), self.token.as_json().clone());
        if let Some(timeout) = &self.timeout {
            fields.insert("ServiceTimeout".to_owned(), timeout.clone());
        }
        fields.serialize(serializer)
    }
}

/// Whether resources of this type are made by a provider of the author of the template.
pub(crate) fn is_custom(resource_type: &str) -> bool {
    resource_type == PLAIN || resource_type.starts_with("Custom::")
}

const fn is_type_name(name: &str) -> bool {
    let (name, plain, custom) = (name.as_bytes(), PLAIN.as_bytes(), b"Custom::");
    if starts_with(name, plain) {
        return name.len() == plain.len();
    }
    if !starts_with(name, custom) || name.len() == custom.len() || name.len() > MAX_TYPE_CHARS {
        return false;
    }
    let mut index = custom.len();
    while index < name.len() {
        if !matches!(name[index], b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'_' | b'@' | b'-') {
            return false;
        }
        index += 1;
    }
    true
}

const fn starts_with(text: &[u8], start: &[u8]) -> bool {
    let mut index = 0;
    while index < start.len() {
        if index >= text.len() || text[index] != start[index] {
            return false;
        }
        index += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_types_are_checked() {
        let long = format!("Custom::{}", "x".repeat(52));
        for name in [PLAIN, "Custom::Seed", "Custom::a_b@c-1", &long] {
            assert!(is_type_name(name), "{name}");
        }
        let longer = format!("{long}x");
        for name in ["", "Seed", "Custom::", "Custom::a b", "AWS::SQS::Queue", "Custom::A::B", &longer] {
            assert!(!is_type_name(name), "{name}");
        }
    }
}
