//! Why a template is refused. Each error says what is wrong, what was given, what is allowed, and how to fix it.

use thiserror::Error;

/// Why [`crate::Template::build`] refused.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TemplateError {
    /// A name that CloudFormation does not accept.
    #[error(
        "{section} has an invalid name {name:?}: allowed are 1 to 255 {}; rename it",
        allowed_in_names(*.section)
    )]
    BadName {
        /// The section of the template.
        section: Section,
        /// The name that was given.
        name: String,
    },
    /// Two things in one section have one name.
    #[error(
        "{section} has {name:?} twice: a name is allowed once per section; give one of them another name"
    )]
    DuplicateName {
        /// The section of the template.
        section: Section,
        /// The name that was given twice.
        name: String,
    },
    /// A resource and a parameter have one name.
    #[error(
        "{name:?} is the name of a parameter and of a resource: `Ref` could mean both; rename one of them"
    )]
    AmbiguousName {
        /// The name that both have.
        name: String,
    },
    /// A duration or size that the unit of its property does not divide.
    #[error(
        "{at} has {given}, which is no whole number of {unit}: allowed are whole {unit}; round it up or down"
    )]
    Fraction {
        /// Where it is, as in `Resources.Orders.Properties.VisibilityTimeout`.
        at: String,
        /// What was given, as in `1.5s`.
        given: String,
        /// The unit of the property.
        unit: String,
    },
    /// A reference to something that is not in the template.
    #[error(
        "{from} refers to {kind} {name:?}, which is not in the template: allowed are things added to this \
         template{}; add it, or use the handle that `add` returned",
        nearest(.near)
    )]
    Unresolved {
        /// Where the reference is, as in `Resources.Orders.Properties.QueueName`.
        from: String,
        /// What is missing.
        kind: Missing,
        /// The name referred to.
        name: String,
        /// A name in the template that is nearly the same.
        near: Option<String>,
    },
    /// A reference to an attribute that the resource does not have: a wrong name, or the handle of a resource of
    /// another type and template.
    #[error(
        "{from} refers to the attribute {attribute:?} of {name:?}, which is of the type {resource_type}: allowed are \
         {known}; correct the name, or use the handle that `add` of this template returned"
    )]
    NoAttribute {
        /// Where the reference is, as in `Resources.Orders.Properties.QueueName`.
        from: String,
        /// The logical id of the resource.
        name: String,
        /// The type that the resource has in this template.
        resource_type: String,
        /// The attribute referred to.
        attribute: String,
        /// The attributes that the type has.
        known: String,
    },
    /// The handle of a resource of another template, where this one has a resource of another type by that name.
    #[error(
        "{from} is for {name:?} of the type {expected}, but in this template it is of the type {given}: use the handle \
         that `add` of this template returned"
    )]
    OtherType {
        /// What uses the handle.
        from: String,
        /// The logical id.
        name: String,
        /// The type of the handle.
        expected: &'static str,
        /// The type of the resource.
        given: String,
    },
    /// Resources that each need another to be created first.
    #[error(
        "resources depend on each other in a circle: {}; CloudFormation must create one of them first; write \
         one of the references as an ARN from pseudo parameters (`Value::of_this_account`) or move it to a \
         resource of its own, such as a policy",
        .path.join(" -> ")
    )]
    Cycle {
        /// The logical ids of the circle; the last is the first again.
        path: Vec<String>,
    },
    /// Conditions that are each made of another.
    #[error(
        "conditions are made of each other in a circle: {}; CloudFormation must decide one of them first; write one of \
         them with parameters only",
        .path.join(" -> ")
    )]
    ConditionCycle {
        /// The names of the circle; the last is the first again.
        path: Vec<String>,
    },
    /// A default that the parameter itself does not allow.
    #[error(
        "parameter {parameter:?} has the default {given:?}: allowed are {allowed}; change the default or the constraint"
    )]
    BadDefault {
        /// The name of the parameter.
        parameter: String,
        /// The default.
        given: String,
        /// What the constraints of the parameter allow.
        allowed: String,
    },
    /// An intrinsic function that does not exist, that has no meaning where it stands, or that takes something else.
    #[error("{at} has {function}: {reason}")]
    BadFunction {
        /// Where the function is, as in `Resources.Orders.Properties.QueueName`.
        at: String,
        /// The function, as in `Fn::Sub`.
        function: String,
        /// What is wrong with it, and what is allowed.
        reason: String,
    },
    /// A section with more entries than CloudFormation accepts.
    #[error(
        "the template has {given} entries in {section}: allowed are {allowed}; split it into several stacks"
    )]
    TooMany {
        /// The section of the template.
        section: Section,
        /// The number of entries given.
        given: usize,
        /// The largest number accepted.
        allowed: usize,
    },
    /// A template body larger than CloudFormation accepts.
    #[error(
        "the template is {given} bytes as {form}: allowed are {allowed}; split it into several stacks, or move large \
         text such as state machine definitions to S3"
    )]
    TooLarge {
        /// `YAML` or `JSON`: either can be deployed, so the limit holds for both.
        form: &'static str,
        /// The size in bytes.
        given: usize,
        /// The largest size accepted, in bytes.
        allowed: usize,
    },
    /// A template description that is too long.
    #[error("the description of the template is {given} bytes: allowed are {allowed}; shorten it")]
    LongDescription {
        /// The size given, in bytes.
        given: usize,
        /// The largest size accepted, in bytes.
        allowed: usize,
    },
    /// A template without a resource.
    #[error("the template has no resource: CloudFormation wants at least 1; add one")]
    Empty,
    /// A `null`, which CloudFormation does not accept anywhere.
    #[error(
        "{at} is null: CloudFormation allows no null in a template; leave the property out, or use \
         `Value::no_value`"
    )]
    Null {
        /// Where it is, as in `Resources.Orders.Properties.Tags`.
        at: String,
    },
    /// A `${Name}` of a state machine's definition for which nothing is substituted.
    #[error(
        "the definition of state machine {machine:?} has ${{{name}}}, for which nothing is substituted: it would be \
         deployed as it stands; say what it becomes with `StateMachine::substitute`"
    )]
    Unsubstituted {
        /// The logical id of the state machine.
        machine: String,
        /// The name between the braces.
        name: String,
    },
    /// A check that is passed over without saying why.
    #[error(
        "{resource} suppresses the check {check:?} without a reason: a sentence is wanted that says why the check does \
         not apply; pass it to `suppress_check`"
    )]
    Unexplained {
        /// The logical id of the resource.
        resource: String,
        /// The check.
        check: String,
    },
    /// Metadata to which the checks that are passed over cannot be added.
    #[error(
        "{at} is not {expected}, so no suppressed check can be added to it: give `metadata` an object, and leave \
         `checkov` to `suppress_check`"
    )]
    BadMetadata {
        /// Where it is, as in `Resources.Orders.Metadata`.
        at: String,
        /// What it must be.
        expected: &'static str,
    },
    /// Something could not be written as JSON or YAML.
    #[error("{at} cannot be written: {reason}; use values that have a JSON form")]
    Serialize {
        /// What could not be written.
        at: String,
        /// What the serialiser said.
        reason: String,
    },
}

fn allowed_in_names(section: Section) -> &'static str {
    match section {
        Section::Conditions => "letters, digits and marks, without blanks (A-Z, a-z, 0-9, and such as _ - &)",
        _ => "letters and digits (A-Z, a-z, 0-9)",
    }
}

fn nearest(near: &Option<String>) -> String {
    near.as_ref().map(|name| format!(" (did you mean {name:?}?)")).unwrap_or_default()
}

/// A section of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// `Parameters`
    Parameters,
    /// `Rules`
    Rules,
    /// `Mappings`
    Mappings,
    /// `Conditions`
    Conditions,
    /// `Resources`
    Resources,
    /// `Outputs`
    Outputs,
}

impl std::fmt::Display for Section {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(self, f)
    }
}

/// What a reference names that is not in the template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// A resource.
    Resource,
    /// A parameter: in conditions and rules there is no resource yet.
    Parameter,
    /// A resource or a parameter.
    ResourceOrParameter,
    /// A condition.
    Condition,
    /// A mapping.
    Mapping,
}

impl std::fmt::Display for Missing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Resource => "resource",
            Self::Parameter => "parameter",
            Self::ResourceOrParameter => "resource or parameter",
            Self::Condition => "condition",
            Self::Mapping => "mapping",
        })
    }
}
