//! The facts of `spec/services`, as the build script reads them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, Serializer};

/// The resource types of a service.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Service {
    /// As in `AWS::SQS`.
    pub(crate) service: String,
    pub(crate) resources: BTreeMap<String, Resource>,
    /// The events that it publishes, by a name that is unique within the service.
    #[serde(default, skip_serializing)]
    pub(crate) events: BTreeMap<String, Event>,
}

/// An event that EventBridge carries.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Event {
    /// As in `aws.states`.
    pub(crate) source: String,
    #[serde(rename = "detail-type")]
    pub(crate) detail_type: String,
    /// The fields of its detail.
    pub(crate) properties: BTreeMap<String, Property>,
    pub(crate) types: BTreeMap<String, Type>,
}

#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Resource {
    #[serde(default, skip_serializing)]
    pub(crate) doc: Option<String>,
    /// The properties or attributes that `Ref` gives.
    #[serde(rename = "ref", skip_serializing)]
    pub(crate) reference: Vec<String>,
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) stateful: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) arn: Option<String>,
    /// The property that holds the tags.
    #[serde(default, skip_serializing)]
    pub(crate) tags: Option<String>,
    /// Their names are all that is known of them at run time.
    #[serde(serialize_with = "names")]
    pub(crate) attributes: BTreeMap<String, Attribute>,
    pub(crate) properties: BTreeMap<String, Property>,
    pub(crate) types: BTreeMap<String, Type>,
    #[serde(default, skip_serializing)]
    pub(crate) metrics: BTreeMap<String, Metric>,
    /// The arguments of the constructor, when they are not the required properties.
    #[serde(default, skip)]
    pub(crate) constructor: Option<Vec<String>>,
}

#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Type {
    #[serde(default, skip_serializing)]
    pub(crate) doc: Option<String>,
    pub(crate) properties: BTreeMap<String, Property>,
    #[serde(default, skip)]
    pub(crate) constructor: Option<Vec<String>>,
}

#[derive(Debug, Clone, Default, Deserialize, Serialize)]
pub(crate) struct Property {
    /// As in `string`, `list(tag)`, `#KeySchema`, `any(json|string)`.
    #[serde(rename = "type")]
    pub(crate) notation: String,
    #[serde(default, skip_serializing)]
    pub(crate) values: Vec<serde_json::Value>,
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) required: bool,
    /// `yes` or `maybe`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) replace: Option<String>,
    /// The attributes of resource types that it takes, as in `AWS::SQS::Queue.Arn`.
    #[serde(default, skip_serializing)]
    pub(crate) refs: Vec<String>,
    #[serde(default, skip_serializing)]
    pub(crate) unit: Option<String>,
    #[serde(default, skip_serializing)]
    pub(crate) default: Option<String>,
    #[serde(default, skip_serializing)]
    pub(crate) deprecated: bool,
    #[serde(default, skip_serializing)]
    pub(crate) doc: Option<String>,
    /// The name of the setter, when it is not made of the AWS name.
    #[serde(skip)]
    pub(crate) setter: Option<String>,
    /// A hand-written Rust type.
    #[serde(skip)]
    pub(crate) rust: Option<String>,
    /// The names of variants, by value, that are not made of the value.
    #[serde(skip)]
    pub(crate) variants: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Attribute {
    #[serde(rename = "type")]
    pub(crate) notation: String,
    /// Whether some property of some resource type takes it.
    #[serde(default)]
    pub(crate) referred: bool,
    #[serde(default)]
    pub(crate) doc: Option<String>,
}

#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Metric {
    pub(crate) namespace: String,
    /// The name, where several metrics of the resource type share it.
    #[serde(default)]
    pub(crate) name: Option<String>,
    /// The dimension that is the resource.
    pub(crate) dimension: String,
    /// What of the resource that is: an attribute, a property, or `Ref`.
    pub(crate) of: String,
    /// Other dimensions, with their values where AWS lists them, as in `Operation=GetItem|PutItem`.
    #[serde(default)]
    pub(crate) others: Vec<String>,
    pub(crate) statistic: String,
    #[serde(default)]
    pub(crate) doc: Option<String>,
}

impl Metric {
    /// The other dimensions, each with the values that AWS lists.
    pub(crate) fn others(&self) -> impl Iterator<Item = (&str, Vec<&str>)> {
        self.others.iter().map(|other| match other.split_once('=') {
            Some((name, values)) => (name, values.split('|').collect()),
            None => (other.as_str(), Vec::new()),
        })
    }
}

fn names<S: Serializer>(attributes: &BTreeMap<String, Attribute>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(attributes.keys())
}

fn is_false(value: &bool) -> bool {
    !value
}
