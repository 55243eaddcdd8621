//! Checks of linters that are passed over, each with its reason, as metadata of the resource.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

/// Why a suppression cannot be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SuppressionError {
    /// The check of this id has no reason.
    NoReason(String),
    /// The metadata has something else where the suppressions go.
    Misshapen { path: &'static str, expected: &'static str },
}

/// The metadata with the suppressed checks (id to reason) added as `checkov` reads them.
pub(crate) fn merged(
    metadata: Option<Json>,
    suppressed: BTreeMap<String, String>,
) -> Result<Option<Json>, SuppressionError> {
    if suppressed.is_empty() {
        return Ok(metadata);
    }
    if let Some((id, _)) = suppressed.iter().find(|(_, reason)| reason.trim().is_empty()) {
        return Err(SuppressionError::NoReason(id.clone()));
    }
    let mut metadata = metadata.unwrap_or_else(|| Json::Object(Map::new()));
    let fields = metadata
        .as_object_mut()
        .ok_or(SuppressionError::Misshapen { path: "Metadata", expected: "an object" })?;
    let checkov = fields.entry("checkov").or_insert_with(|| json!({}));
    let checkov = checkov
        .as_object_mut()
        .ok_or(SuppressionError::Misshapen { path: "Metadata.checkov", expected: "an object" })?;
    let skip = checkov.entry("skip").or_insert_with(|| json!([]));
    let skip = skip
        .as_array_mut()
        .ok_or(SuppressionError::Misshapen { path: "Metadata.checkov.skip", expected: "a list" })?;
    skip.extend(suppressed.into_iter().map(|(id, reason)| json!({ "id": id, "comment": reason })));
    Ok(Some(metadata))
}
