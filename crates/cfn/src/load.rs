//! Reads existing templates, YAML or JSON, into the typed form, or says at which paths they do not fit.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use crate::check::{self, Found};
use crate::declaration::{Handle, Removal, Resource};
use crate::document::{Document, ResourceEntry};
use crate::error::TemplateError;
use crate::path::At;
use crate::problem::{LoadError, LoadProblem};
use crate::property::Properties;
use crate::read::{self, Read};
use crate::remark::LoadRemark;
use crate::template::Template;
use crate::{fit, sections};

/// Properties that were checked against the facts of their resource type.
#[derive(Debug)]
pub struct Checked(Properties);

impl Checked {
    pub(crate) fn into_properties(self) -> Properties {
        self.0
    }
}

/// A resource type that can be read from a template.
pub trait FromTemplate: Resource + Sized {
    /// The resource with these properties.
    fn from_checked(properties: Checked) -> Self;

    /// The resource with the properties of this JSON object.
    ///
    /// # Errors
    ///
    /// When properties are unknown, of the wrong type, or missing; the error says at which paths.
    fn from_json(properties: Json) -> Result<Self, LoadError> {
        check(Self::TYPE, "Properties", &properties)?;
        Ok(Self::from_checked(Checked(Properties::from_json(properties))))
    }
}

/// Checks the properties of a resource; `at` is the path that errors start with.
///
/// # Errors
///
/// When properties are unknown, of the wrong type, or missing, or when the resource type is not known.
pub fn check(resource_type: &str, at: &str, properties: &Json) -> Result<(), LoadError> {
    let mut problems = Vec::new();
    fit::properties(resource_type, &At::root(at), properties, None, &mut problems)
        .ok_or_else(|| LoadProblem::UnknownType { at: at.to_owned(), name: resource_type.to_owned() })?;
    LoadError::of(problems)
}

impl Template {
    /// Reads a template, YAML or JSON, and checks all of it: the properties of each resource against the facts of its
    /// type, the sections, the intrinsic functions, and everything that [`Template::build`] checks except the size.
    ///
    /// # Errors
    ///
    /// When the text cannot be read, or when anything in it does not fit: the error has all problems of the template,
    /// each with its path. A template that needs a macro (`Transform`, `Fn::ForEach`) is refused.
    ///
    /// Plain scalars of YAML are read as CloudFormation reads them; [`Template::remarks`] tells where that may not be
    /// what was meant.
    pub fn load(text: &str) -> Result<Self, LoadError> {
        let Read { json, mut problems, mut remarks } = read::parse(text)?;
        let Json::Object(template) = json else {
            return Err(fit::wrong(&At::root("the template"), "an object", &json).into());
        };
        sections::check(&template, &mut problems);
        remarks.retain(|remark| remark.concerns(&template));
        let document = document(template);
        let (_, findings) = check::find(&document);
        let known = |found: &Found| {
            matches!(found.error, TemplateError::Null { .. })
                && problems.iter().any(|problem| problem.at() == found.at)
        };
        let found: Vec<Found> = findings.into_vec().into_iter().filter(|found| !known(found)).collect();
        problems.extend(found.into_iter().map(LoadProblem::from));
        LoadError::of(problems)?;
        Ok(Self::from_document(document, remarks))
    }

    /// What was read otherwise than it may have been meant, as `1.30` without quotes, in the order of the text: for who
    /// loads a template to show. No command of this project loads one.
    ///
    /// Nothing is said of JSON: what has no quotes there is a number or a word of the language, never text. So `1.30` is
    /// the number 1.3, of which no digits are kept, by CloudFormation as here: it
    /// [was seen](https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/1735) to make 4 of 4.0.
    /// Nor is anything said of a template that was not loaded.
    #[must_use]
    pub fn remarks(&self) -> &[LoadRemark] {
        &self.remarks
    }

    /// The handle of a resource of this type that is in the template, if there is one of this name.
    #[must_use]
    pub fn handle<R: Resource>(&self, logical_id: &str) -> Option<Handle<R>> {
        let entry = self.entry(logical_id)?;
        (entry.r#type == R::TYPE).then(|| Handle::new(logical_id))
    }

    /// The properties of a resource that is in the template, typed.
    ///
    /// # Errors
    ///
    /// When there is no resource of this name and type, or when its properties do not fit.
    pub fn read<R: FromTemplate>(&self, logical_id: &str) -> Result<R, LoadError> {
        let resources = At::root("Resources");
        let Some(entry) = self.entry(logical_id) else {
            return Err(fit::missing(&resources, logical_id).into());
        };
        if entry.r#type != R::TYPE {
            let at = resources.name(logical_id);
            return Err(fit::wrong(&at.name("Type"), R::TYPE, &json!(entry.r#type)).into());
        }
        R::from_json(entry.properties.clone())
    }
}

/// The document that these sections are. What is not of the right type is left out: it was found before.
fn document(mut sections: Map<String, Json>) -> Document {
    let description = match sections.remove("Description") {
        Some(Json::String(text)) => text,
        _ => String::new(),
    };
    let mut document = Document::new(description);
    let mut section = |name: &str| -> BTreeMap<String, Json> {
        match sections.remove(name) {
            Some(Json::Object(fields)) => fields.into_iter().collect(),
            _ => BTreeMap::new(),
        }
    };
    document.metadata = section("Metadata");
    document.parameters = section("Parameters");
    document.rules = section("Rules");
    document.mappings = section("Mappings");
    document.conditions = section("Conditions");
    document.outputs = section("Outputs");
    document.resources = section("Resources").into_iter().map(|(id, json)| (id, resource(json))).collect();
    document
}

fn resource(json: Json) -> ResourceEntry {
    let mut fields = match json {
        Json::Object(fields) => fields,
        _ => Map::new(),
    };
    let mut text = |name: &str| match fields.remove(name) {
        Some(Json::String(text)) => Some(text),
        _ => None,
    };
    let r#type = text("Type").unwrap_or_default();
    let condition = text("Condition");
    let deletion_policy = text("DeletionPolicy").map(Removal::of);
    let update_replace_policy = text("UpdateReplacePolicy").map(Removal::of);
    let depends_on = match fields.remove("DependsOn") {
        Some(Json::String(one)) => vec![one],
        Some(Json::Array(names)) => {
            names.into_iter().filter_map(|name| name.as_str().map(str::to_owned)).collect()
        }
        _ => Vec::new(),
    };
    ResourceEntry {
        r#type,
        condition,
        depends_on,
        creation_policy: fields.remove("CreationPolicy"),
        deletion_policy,
        update_policy: fields.remove("UpdatePolicy"),
        update_replace_policy,
        version: fields.remove("Version"),
        metadata: fields.remove("Metadata"),
        properties: fields.remove("Properties").unwrap_or_else(|| json!({})),
    }
}
