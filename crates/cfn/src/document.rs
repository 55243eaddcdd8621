//! The parts of a template in the order in which they are written.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value as Json, json};

use crate::declaration::Removal;
use crate::error::{Missing, TemplateError};
use crate::origin;
use crate::policy::PolicyDocument;

/// The name of the inline policy that holds the grants of a role.
const GRANTS_POLICY: &str = "grants";
/// What an inline policy can be added to.
const ROLE: &str = "AWS::IAM::Role";

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Document {
    #[serde(rename = "AWSTemplateFormatVersion")]
    format_version: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) description: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) metadata: BTreeMap<String, Json>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) parameters: BTreeMap<String, Json>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) rules: BTreeMap<String, Json>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) mappings: BTreeMap<String, Json>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) conditions: BTreeMap<String, Json>,
    pub(crate) resources: BTreeMap<String, ResourceEntry>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) outputs: BTreeMap<String, Json>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ResourceEntry {
    pub(crate) r#type: String,
    /// Of a custom resource.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) condition: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) depends_on: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) creation_policy: Option<Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) deletion_policy: Option<Removal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) update_policy: Option<Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) update_replace_policy: Option<Removal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) metadata: Option<Json>,
    #[serde(skip_serializing_if = "is_empty_object")]
    pub(crate) properties: Json,
}

impl Document {
    pub(crate) fn new(description: String) -> Self {
        Self {
            format_version: "2010-09-09",
            description,
            metadata: BTreeMap::new(),
            parameters: BTreeMap::new(),
            rules: BTreeMap::new(),
            mappings: BTreeMap::new(),
            conditions: BTreeMap::new(),
            resources: BTreeMap::new(),
            outputs: BTreeMap::new(),
        }
    }

    /// The logical id of the resource that a name stands for: its own, or that of the module which it is in.
    ///
    /// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/module-ref-resources.html>
    pub(crate) fn resource_of<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        if self.resources.contains_key(name) {
            return Some(name);
        }
        let modules = self.resources.iter().filter(|(_, entry)| origin::is_module(&entry.r#type));
        let within = modules.map(|(id, _)| id.as_str()).filter(|id| name.starts_with(id));
        within.max_by_key(|id| id.len())
    }

    /// Adds an inline policy to a role of this document.
    pub(crate) fn add_role_policy(
        &mut self,
        role: &str,
        policy: &PolicyDocument,
    ) -> Result<(), TemplateError> {
        if policy.statements().is_empty() {
            return Ok(());
        }
        let entry = self.resources.get_mut(role).ok_or_else(|| TemplateError::Unresolved {
            from: "a grant".to_owned(),
            kind: Missing::Resource,
            name: role.to_owned(),
            near: None,
        })?;
        if entry.r#type != ROLE {
            let (name, given) = (role.to_owned(), entry.r#type.clone());
            return Err(TemplateError::OtherType { from: "a grant".to_owned(), name, expected: ROLE, given });
        }
        let policy = json!({ "PolicyName": GRANTS_POLICY, "PolicyDocument": policy });
        if let Json::Object(properties) = &mut entry.properties {
            match properties.get_mut("Policies") {
                Some(Json::Array(policies)) => policies.push(policy),
                _ => {
                    properties.insert("Policies".to_owned(), Json::Array(vec![policy]));
                }
            }
        }
        Ok(())
    }

    /// Orders the keys of every object, so that the text depends on the content only: not on how `serde_json` was
    /// built, nor on the order of calls.
    pub(crate) fn sort_keys(&mut self) {
        let sections = [
            &mut self.metadata,
            &mut self.parameters,
            &mut self.rules,
            &mut self.mappings,
            &mut self.conditions,
            &mut self.outputs,
        ];
        sections.into_iter().flat_map(|section| section.values_mut()).for_each(sort_keys);
        for entry in self.resources.values_mut() {
            sort_keys(&mut entry.properties);
            let options = [&mut entry.metadata, &mut entry.creation_policy, &mut entry.update_policy];
            options.into_iter().flatten().for_each(sort_keys);
        }
    }
}

fn sort_keys(json: &mut Json) {
    match json {
        Json::Array(items) => items.iter_mut().for_each(sort_keys),
        Json::Object(fields) => {
            if !fields.keys().is_sorted() {
                let sorted: BTreeMap<String, Json> = std::mem::take(fields).into_iter().collect();
                *fields = Map::from_iter(sorted);
            }
            fields.values_mut().for_each(sort_keys);
        }
        _ => {}
    }
}

fn is_empty_object(json: &Json) -> bool {
    json.as_object().is_some_and(Map::is_empty)
}
