//! A template under construction.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value as Json, json};

use crate::built::BuiltTemplate;
use crate::condition::{Condition, Rule, Test};
use crate::declaration::{Declaration, Declare, Handle, Resource};
use crate::document::{Document, ResourceEntry};
use crate::error::{Section, TemplateError};
#[cfg(feature = "iam")]
use crate::iam::Role;
use crate::mapping::{Mapping, MappingValue};
use crate::output::Output;
use crate::parameter::DeclareParameter;
use crate::policy::{PolicyDocument, Statement};
use crate::remark::LoadRemark;
use crate::suppression::{self, SuppressionError};

/// A template under construction.
///
/// Nothing here fails: what cannot be is remembered, and [`Template::build`] reports it.
#[derive(Debug, Clone)]
pub struct Template {
    document: Document,
    grants: BTreeMap<String, Vec<Statement>>,
    problems: Vec<Problem>,
    pub(crate) remarks: Vec<LoadRemark>,
}

#[derive(Debug, Clone)]
enum Problem {
    Duplicate(Section, String),
    Serialize(String, String),
    Suppression(String, SuppressionError),
}

impl Template {
    /// A template with a description of up to 1,024 bytes.
    #[must_use]
    pub fn new(description: impl Into<String>) -> Self {
        Self::from_document(Document::new(description.into()), Vec::new())
    }

    pub(crate) fn from_document(document: Document, remarks: Vec<LoadRemark>) -> Self {
        Self { document, grants: BTreeMap::new(), problems: Vec::new(), remarks }
    }

    pub(crate) fn entry(&self, logical_id: &str) -> Option<&ResourceEntry> {
        self.document.resources.get(logical_id)
    }

    /// Adds a resource under a logical id of letters and digits, and gives the handle that stands for it.
    ///
    /// Options such as a deletion policy are methods of [`Declare`].
    pub fn add<D: Declare>(&mut self, logical_id: impl AsRef<str>, declaration: D) -> Handle<D::Resource> {
        let id = logical_id.as_ref();
        let Declaration {
            resource,
            condition,
            mut depends_on,
            creation_policy,
            deletion_policy,
            update_policy,
            update_replace_policy,
            metadata,
            suppressed,
        } = declaration.declare();
        depends_on.sort_unstable();
        depends_on.dedup();
        let metadata = suppression::merged(metadata, suppressed).unwrap_or_else(|refused| {
            self.problems.push(Problem::Suppression(id.to_owned(), refused));
            None
        });
        let entry = ResourceEntry {
            r#type: D::Resource::TYPE.to_owned(),
            version: None,
            condition,
            depends_on,
            creation_policy,
            deletion_policy,
            update_policy,
            update_replace_policy,
            metadata,
            properties: self.write(Section::Resources, id, &resource),
        };
        if self.document.resources.insert(id.to_owned(), entry).is_some() {
            self.problems.push(Problem::Duplicate(Section::Resources, id.to_owned()));
        }
        Handle::new(id)
    }

    #[cfg(feature = "iam")]
    /// Lets whoever has the role do what the statements say.
    ///
    /// The grants of a role are merged into one inline policy of the role itself. So it can do all it must be able
    /// to do as soon as it exists, and nothing has to wait for a policy attached later.
    pub fn grant(&mut self, role: &Handle<Role>, statements: impl IntoIterator<Item = Statement>) {
        self.grants.entry(role.logical_id().to_owned()).or_default().extend(statements);
    }

    /// Adds a parameter: [`crate::Parameter`] gives a [`crate::Param`], [`crate::ListParameter`] a [`crate::ListParam`].
    pub fn parameter<P: DeclareParameter>(&mut self, name: impl AsRef<str>, parameter: P) -> P::Param {
        let name = name.as_ref();
        let (parameter, param) = parameter.declare(name);
        let json = self.write(Section::Parameters, name, &parameter);
        let replaced = self.document.parameters.insert(name.to_owned(), json).is_some();
        self.note_duplicate(replaced, Section::Parameters, name);
        param
    }

    /// Adds a condition, for resources, outputs, values and statements that are not always there. Its name may have marks
    /// such as `_`, `-` and `&` beside letters and digits.
    pub fn condition(&mut self, name: impl AsRef<str>, test: impl Into<Test>) -> Condition {
        let name = name.as_ref();
        let json = self.write(Section::Conditions, name, &test.into());
        let replaced = self.document.conditions.insert(name.to_owned(), json).is_some();
        self.note_duplicate(replaced, Section::Conditions, name);
        Condition::new(name)
    }

    /// Adds a mapping from pairs of keys to constants: texts, numbers, or lists of texts.
    pub fn mapping<T, S, V>(
        &mut self,
        name: impl AsRef<str>,
        entries: impl IntoIterator<Item = ((T, S), V)>,
    ) -> Mapping
    where
        T: Into<String>,
        S: Into<String>,
        V: Into<MappingValue>,
    {
        let name = name.as_ref();
        let mut rows: BTreeMap<String, BTreeMap<String, Json>> = BTreeMap::new();
        for ((top, second), value) in entries {
            rows.entry(top.into()).or_default().insert(second.into(), value.into().into_json());
        }
        let replaced = self.document.mappings.insert(name.to_owned(), json!(rows)).is_some();
        self.note_duplicate(replaced, Section::Mappings, name);
        Mapping::new(name)
    }

    /// Adds a rule about parameters.
    pub fn rule(&mut self, name: impl AsRef<str>, rule: impl Into<Rule>) {
        let name = name.as_ref();
        let json = self.write(Section::Rules, name, &rule.into());
        let replaced = self.document.rules.insert(name.to_owned(), json).is_some();
        self.note_duplicate(replaced, Section::Rules, name);
    }

    /// Adds an output.
    pub fn output(&mut self, name: impl AsRef<str>, output: impl Into<Output>) {
        let name = name.as_ref();
        let json = self.write(Section::Outputs, name, &output.into());
        let replaced = self.document.outputs.insert(name.to_owned(), json).is_some();
        self.note_duplicate(replaced, Section::Outputs, name);
    }

    /// Adds an entry to the `Metadata` section of the template.
    pub fn metadata(&mut self, name: impl Into<String>, metadata: Json) {
        self.document.metadata.insert(name.into(), metadata);
    }

    /// Checks the template and writes it.
    ///
    /// # Errors
    ///
    /// When CloudFormation would refuse the template: a duplicate or invalid name, a reference to something that is
    /// not in it, a circle of dependencies, or more than its limits allow.
    pub fn build(self) -> Result<BuiltTemplate, TemplateError> {
        let Self { mut document, grants, problems, .. } = self;
        if let Some(problem) = problems.into_iter().next() {
            return Err(match problem {
                Problem::Duplicate(section, name) => TemplateError::DuplicateName { section, name },
                Problem::Serialize(at, reason) => TemplateError::Serialize { at, reason },
                Problem::Suppression(resource, SuppressionError::NoReason(check)) => {
                    TemplateError::Unexplained { resource, check }
                }
                Problem::Suppression(resource, SuppressionError::Misshapen { path, expected }) => {
                    TemplateError::BadMetadata { at: format!("Resources.{resource}.{path}"), expected }
                }
            });
        }
        for (role, statements) in grants {
            document.add_role_policy(&role, &PolicyDocument::merged(statements))?;
        }
        BuiltTemplate::new(document)
    }

    fn note_duplicate(&mut self, replaced: bool, section: Section, name: &str) {
        if replaced {
            self.problems.push(Problem::Duplicate(section, name.to_owned()));
        }
    }

    fn write(&mut self, section: Section, name: &str, item: &impl Serialize) -> Json {
        serde_json::to_value(item).unwrap_or_else(|error| {
            self.problems.push(Problem::Serialize(format!("{section}.{name}"), error.to_string()));
            Json::Object(serde_json::Map::new())
        })
    }
}
