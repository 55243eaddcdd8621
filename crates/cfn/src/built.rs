//! A template that was checked, as text.

use serde_json::Value as Json;

use crate::check::{self, MAX_TEMPLATE_BYTES};
use crate::circle::Needs;
use crate::document::Document;
use crate::error::TemplateError;

/// A template that was checked. Its text depends on its content only.
#[derive(Debug, Clone)]
pub struct BuiltTemplate {
    document: Document,
    dependencies: Needs,
    yaml: String,
    json: String,
}

impl BuiltTemplate {
    pub(crate) fn new(mut document: Document) -> Result<Self, TemplateError> {
        let dependencies = check::check(&document)?;
        document.sort_keys();
        let yaml = write_yaml(&document)?;
        let json = write_json(&document)?;
        for (form, text) in [("YAML", &yaml), ("JSON", &json)] {
            if text.len() > MAX_TEMPLATE_BYTES {
                let (given, allowed) = (text.len(), MAX_TEMPLATE_BYTES);
                return Err(TemplateError::TooLarge { form, given, allowed });
            }
        }
        Ok(Self { document, dependencies, yaml, json })
    }

    /// The template as YAML, ending with a line feed.
    #[must_use]
    pub fn to_yaml(&self) -> &str {
        &self.yaml
    }

    /// The template as JSON, ending with a line feed.
    #[must_use]
    pub fn to_json(&self) -> &str {
        &self.json
    }

    /// The resources, by logical id: id, type, properties.
    pub fn resources(&self) -> impl Iterator<Item = (&str, &str, &Json)> {
        self.document
            .resources
            .iter()
            .map(|(id, entry)| (id.as_str(), entry.r#type.as_str(), &entry.properties))
    }

    /// The names of the parameters and their declarations.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, &Json)> {
        self.document.parameters.iter().map(|(name, json)| (name.as_str(), json))
    }

    /// The names of the outputs and their declarations.
    pub fn outputs(&self) -> impl Iterator<Item = (&str, &Json)> {
        self.document.outputs.iter().map(|(name, json)| (name.as_str(), json))
    }

    /// Which resource needs which other to exist first: pairs of logical ids, ordered.
    pub fn dependencies(&self) -> impl Iterator<Item = (&str, &str)> {
        self.dependencies
            .iter()
            .flat_map(|(id, needs)| needs.iter().map(move |need| (id.as_str(), need.as_str())))
    }
}

fn write_yaml(document: &Document) -> Result<String, TemplateError> {
    // A line is never folded: a long ARN stays on one line, and only text with line feeds becomes a block.
    let options = serde_saphyr::ser_options! { folded_wrap_chars: MAX_TEMPLATE_BYTES };
    serde_saphyr::to_string_with_options(document, options).map_err(|error| TemplateError::Serialize {
        at: "the template".to_owned(),
        reason: error.to_string(),
    })
}

fn write_json(document: &Document) -> Result<String, TemplateError> {
    serde_json::to_string_pretty(document).map(|text| text + "\n").map_err(|error| TemplateError::Serialize {
        at: "the template".to_owned(),
        reason: error.to_string(),
    })
}
