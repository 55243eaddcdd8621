//! A resource as it is declared in a template, and the handle that stands for it afterwards.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value as Json;

use crate::condition::Condition;
use crate::kind::{AnyArn, Arn};
use crate::typed::allowed_values;
use crate::value::Value;

/// A resource type of CloudFormation; the struct holds its properties.
pub trait Resource: Serialize + Clone + fmt::Debug {
    /// The name of the type, as in `AWS::SQS::Queue`.
    const TYPE: &'static str;

    /// The kind of value that `Ref` gives for this type.
    type Ref;
}

/// A resource type that has an ARN.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no ARN attribute",
    label = "this resource cannot be named by ARN"
)]
pub trait HasArn: Resource + Sized {
    /// The ARN of the resource behind the handle.
    fn arn_of(handle: &Handle<Self>) -> Value<Arn<Self>>;
}

/// What stands for a resource after it was added to a template; cheap to clone.
///
/// Its attributes are methods: `queue.arn()`, `queue.url()`, `table.name()`.
pub struct Handle<R> {
    logical_id: Arc<str>,
    resource: PhantomData<fn() -> R>,
}

impl<R> Handle<R> {
    pub(crate) fn new(logical_id: &str) -> Self {
        Self { logical_id: Arc::from(logical_id), resource: PhantomData }
    }

    /// The name of the resource within its template.
    #[must_use]
    pub fn logical_id(&self) -> &str {
        &self.logical_id
    }
}

impl<R: Resource> Handle<R> {
    /// `Ref`: what it gives depends on the type, the URL of a queue but the ARN of a topic.
    #[must_use]
    pub fn reference(&self) -> Value<R::Ref> {
        Value::reference_to(&self.logical_id)
    }

    /// `Fn::GetAtt` of an attribute that has no method of its own. You vouch for its kind.
    #[must_use]
    pub fn attribute<T>(&self, name: &str) -> Value<T> {
        Value::attribute_of(&self.logical_id, name)
    }
}

impl<R> Clone for Handle<R> {
    fn clone(&self) -> Self {
        Self { logical_id: Arc::clone(&self.logical_id), resource: PhantomData }
    }
}

impl<R> fmt::Debug for Handle<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Handle").field(&self.logical_id).finish()
    }
}

#[diagnostic::do_not_recommend]
impl<R: HasArn> From<&Handle<R>> for Value<Arn<R>> {
    fn from(handle: &Handle<R>) -> Self {
        R::arn_of(handle)
    }
}

#[diagnostic::do_not_recommend]
impl<R: HasArn> From<&Handle<R>> for Value<AnyArn> {
    fn from(handle: &Handle<R>) -> Self {
        R::arn_of(handle).into()
    }
}

allowed_values! {
    /// What becomes of the real resource when it leaves its stack or is replaced.
    pub enum Removal {
        /// It is deleted. The default of most types.
        Delete = "Delete",
        /// It is kept, and no longer managed.
        Retain = "Retain",
        /// It is kept, except when it was just created by an operation that is rolled back.
        RetainExceptOnCreate = "RetainExceptOnCreate",
        /// A snapshot is taken before it is deleted, where the type supports snapshots.
        Snapshot = "Snapshot",
    }
}

impl Removal {
    /// The policy that AWS writes so.
    pub(crate) fn of(name: String) -> Self {
        let known = [Self::Delete, Self::Retain, Self::RetainExceptOnCreate, Self::Snapshot];
        known.into_iter().find(|policy| policy.as_str() == name).unwrap_or(Self::Other(name))
    }
}

/// A resource with its options, before it is added to a template.
#[derive(Debug, Clone)]
pub struct Declaration<R> {
    pub(crate) resource: R,
    pub(crate) condition: Option<String>,
    pub(crate) depends_on: Vec<String>,
    pub(crate) creation_policy: Option<Json>,
    pub(crate) deletion_policy: Option<Removal>,
    pub(crate) update_policy: Option<Json>,
    pub(crate) update_replace_policy: Option<Removal>,
    pub(crate) metadata: Option<Json>,
    pub(crate) suppressed: BTreeMap<String, String>,
}

/// What can be added to a template: a resource, or a resource with options. The options are its methods.
pub trait Declare: Sized {
    /// The resource type.
    type Resource: Resource;

    /// The resource with its options.
    fn declare(self) -> Declaration<Self::Resource>;

    /// What becomes of the real resource when it leaves the stack. Default: [`Removal::Delete`] for most types.
    fn deletion_policy(self, policy: Removal) -> Declaration<Self::Resource> {
        Declaration { deletion_policy: Some(policy), ..self.declare() }
    }

    /// What becomes of the real resource when an update replaces it. Default: [`Removal::Delete`] for most types.
    fn update_replace_policy(self, policy: Removal) -> Declaration<Self::Resource> {
        Declaration { update_replace_policy: Some(policy), ..self.declare() }
    }

    /// Keeps the real resource when it leaves the stack and when an update replaces it.
    fn retain(self) -> Declaration<Self::Resource> {
        self.deletion_policy(Removal::Retain).update_replace_policy(Removal::Retain)
    }

    /// Creates this resource after another that it does not refer to.
    fn depends_on<R>(self, other: &Handle<R>) -> Declaration<Self::Resource> {
        let mut declaration = self.declare();
        declaration.depends_on.push(other.logical_id().to_owned());
        declaration
    }

    /// Creates this resource only while the condition holds.
    fn condition(self, condition: &Condition) -> Declaration<Self::Resource> {
        Declaration { condition: Some(condition.name().to_owned()), ..self.declare() }
    }

    /// When the resource counts as created (`CreationPolicy`), for types that send signals.
    fn creation_policy(self, policy: Json) -> Declaration<Self::Resource> {
        Declaration { creation_policy: Some(policy), ..self.declare() }
    }

    /// How an update is rolled out (`UpdatePolicy`), for types that support it.
    fn update_policy(self, policy: Json) -> Declaration<Self::Resource> {
        Declaration { update_policy: Some(policy), ..self.declare() }
    }

    /// Attaches a JSON object that CloudFormation keeps but does not interpret.
    fn metadata(self, metadata: Json) -> Declaration<Self::Resource> {
        Declaration { metadata: Some(metadata), ..self.declare() }
    }

    /// Has `checkov` pass over one of its checks of this resource, as in `CKV_AWS_117`; the reason is a sentence that
    /// says why the check does not apply. Both become metadata of the resource, beside what [`Declare::metadata`] says.
    /// A template with an empty reason is refused.
    ///
    /// <https://www.checkov.io/2.Basics/Suppressing%20and%20Skipping%20Policies.html>
    fn suppress_check(
        self,
        check_id: impl Into<String>,
        reason: impl Into<String>,
    ) -> Declaration<Self::Resource> {
        let mut declaration = self.declare();
        declaration.suppressed.insert(check_id.into(), reason.into());
        declaration
    }
}

impl<R: Resource> Declare for R {
    type Resource = R;

    fn declare(self) -> Declaration<R> {
        Declaration {
            resource: self,
            condition: None,
            depends_on: Vec::new(),
            creation_policy: None,
            deletion_policy: None,
            update_policy: None,
            update_replace_policy: None,
            metadata: None,
            suppressed: BTreeMap::new(),
        }
    }
}

impl<R: Resource> Declare for Declaration<R> {
    type Resource = R;

    fn declare(self) -> Declaration<R> {
        self
    }
}
