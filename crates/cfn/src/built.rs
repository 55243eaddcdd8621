//! A template that was checked, as text.

use std::io::Write;
use std::sync::OnceLock;

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
    /// Written when it is asked for.
    json: OnceLock<String>,
}

impl BuiltTemplate {
    pub(crate) fn new(mut document: Document) -> Result<Self, TemplateError> {
        let dependencies = check::check(&document)?;
        document.sort_keys();
        let yaml = write_yaml(&document)?;
        for (form, given) in [("YAML", yaml.len()), ("JSON", json_bytes(&document)?)] {
            if given > MAX_TEMPLATE_BYTES {
                return Err(TemplateError::TooLarge { form, given, allowed: MAX_TEMPLATE_BYTES });
            }
        }
        Ok(Self { document, dependencies, yaml, json: OnceLock::new() })
    }

    /// The template as YAML, ending with a line feed.
    #[must_use]
    pub fn to_yaml(&self) -> &str {
        &self.yaml
    }

    /// The template as JSON, ending with a line feed.
    #[must_use]
    pub fn to_json(&self) -> &str {
        self.json.get_or_init(|| {
            let mut text = Vec::with_capacity(self.yaml.len() * 2);
            // It was written once before, to nowhere: see `json_bytes`.
            let written = write_json(&self.document, &mut text);
            debug_assert!(written.is_ok(), "{written:?}");
            String::from_utf8(text).unwrap_or_default()
        })
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

/// The length of the template as JSON.
fn json_bytes(document: &Document) -> Result<usize, TemplateError> {
    let mut counted = Count(0);
    write_json(document, &mut counted)?;
    Ok(counted.0)
}

fn write_json(document: &Document, mut into: impl Write) -> Result<(), TemplateError> {
    let written = serde_json::to_writer_pretty(&mut into, document);
    written.and_then(|()| into.write_all(b"\n").map_err(serde_json::Error::io)).map_err(|error| {
        TemplateError::Serialize { at: "the template".to_owned(), reason: error.to_string() }
    })
}

/// Counts what is written to it.
struct Count(usize);

impl Write for Count {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
