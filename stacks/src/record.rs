//! The record of a release: the schemas of its messages, and its entities, kept in the metadata of the stack `app`. It is
//! deployed in one update with the code that it describes, and read back before the next release is deployed.
//!
//! Each saga's is compact JSON text: CloudFormation keeps it as it is, and a template has at most 1 MB. An update that
//! changes nothing but metadata is no update for
//! [CloudFormation](https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/metadata-section-structure.html);
//! then the code, which the schemas describe, has not changed either.

use crate::{checks::SynthError, draft::Draft};
use saga::schema::{SagaSchemas, Schemas};
use serde_json::{Map, Value as Json};
use std::collections::BTreeMap;

/// The entry of the metadata.
const ENTRY: &str = "MessageSchemas";

const ENVELOPE: &str = "Envelope";
const SAGAS: &str = "Sagas";
const ENTITIES: &str = "Entities";

/// Keeps the schemas in the metadata of a stack.
pub(crate) fn keep(draft: &mut Draft, schemas: &Schemas) -> Result<(), SynthError> {
    let Schemas { envelope, sagas, entities } = schemas.clone().without_annotations();
    let written = |name: &str| {
        let name = name.to_owned();
        move |source| SynthError::Schemas { name, source }
    };
    let mut texts = Map::new();
    for (name, schemas) in sagas {
        let text = serde_json::to_string(&schemas).map_err(written(&name))?;
        texts.insert(name, text.into());
    }
    let envelope = serde_json::to_string(&envelope).map_err(written(ENVELOPE))?;
    let entities = serde_json::to_string(&entities).map_err(written(ENTITIES))?;
    let parts = [(ENVELOPE, envelope.into()), (SAGAS, texts.into()), (ENTITIES, entities.into())];
    let entry: Map<_, Json> = parts.into_iter().map(|(name, part)| (name.to_owned(), part)).collect();
    draft.template.metadata(ENTRY, entry.into());
    Ok(())
}

/// The schemas that are kept in a template of the stack `app`; none when it is of a release that kept none.
///
/// # Errors
/// When there is a record that this release cannot read.
pub fn recorded(template: &Json) -> Result<Option<Schemas>, UnreadableRecord> {
    let Some(entry) = template.get("Metadata").and_then(|metadata| metadata.get(ENTRY)) else {
        return Ok(None);
    };
    let text = |json: &Json, name: &str| {
        let why = || "it is not text".to_owned();
        json.as_str().map(ToOwned::to_owned).ok_or_else(|| UnreadableRecord { name: name.into(), why: why() })
    };
    let unreadable = |name: &str| {
        let name = name.to_owned();
        move |error: serde_json::Error| UnreadableRecord { name, why: error.to_string() }
    };
    let envelope = text(&entry[ENVELOPE], ENVELOPE)?;
    let envelope = serde_json::from_str(&envelope).map_err(unreadable(ENVELOPE))?;
    let mut sagas: BTreeMap<String, SagaSchemas> = BTreeMap::new();
    for (name, json) in entry[SAGAS].as_object().into_iter().flatten() {
        let schemas = serde_json::from_str(&text(json, name)?).map_err(unreadable(name))?;
        sagas.insert(name.clone(), schemas);
    }
    let entities = match entry.get(ENTITIES) {
        // Of a release before entities were kept.
        None => BTreeMap::new(),
        Some(json) => serde_json::from_str(&text(json, ENTITIES)?).map_err(unreadable(ENTITIES))?,
    };
    Ok(Some(Schemas { envelope, sagas, entities }))
}

/// A template with the texts of its record taken apart, so that what differs in them can be named.
#[must_use]
pub fn with_record_taken_apart(mut template: Json) -> Json {
    let Some(entry) = template.get_mut("Metadata").and_then(|metadata| metadata.get_mut(ENTRY)) else {
        return template;
    };
    for part in [ENVELOPE, ENTITIES] {
        if let Some(json) = entry.get_mut(part) {
            take_apart(json);
        }
    }
    if let Some(sagas) = entry[SAGAS].as_object_mut() {
        sagas.values_mut().for_each(take_apart);
    }
    template
}

fn take_apart(json: &mut Json) {
    if let Some(inside) = json.as_str().and_then(|text| serde_json::from_str(text).ok()) {
        *json = inside;
    }
}

/// The record of a deployed release cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the schemas of `{name}` in the metadata cannot be read: {why}")]
pub struct UnreadableRecord {
    name: String,
    why: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Stage, synth};
    use serde_json::json;

    fn template() -> Json {
        let app = synth(Stage::Prod).expect("the stacks fit together");
        let stack = app.stacks.iter().find(|stack| stack.id == "app").expect("there is a stack `app`");
        serde_json::from_str(stack.template.to_json()).expect("a template is JSON")
    }

    #[test]
    fn what_is_kept_can_be_read_back() {
        let kept = recorded(&template()).expect("it can be read").expect("it is there");
        assert_eq!(kept, synth(Stage::Prod).expect("the stacks fit together").schemas.without_annotations());
        assert_eq!(kept.sagas.len(), sagas::all().len());
        assert_eq!(kept.entities["stock"].participant, "inventory");
    }

    #[test]
    fn a_release_that_kept_no_entities_is_read() {
        let mut before = template();
        before["Metadata"][ENTRY].as_object_mut().expect("an object").remove(ENTITIES).expect("it is there");
        let kept = recorded(&before).expect("it can be read").expect("it is there");
        assert!(kept.entities.is_empty() && !kept.sagas.is_empty(), "{kept:?}");
    }

    #[test]
    fn a_release_that_kept_none_has_none() {
        assert_eq!(recorded(&json!({})), Ok(None));
        assert_eq!(recorded(&json!({ "Metadata": { "Other": 1 } })), Ok(None));
    }

    #[test]
    fn a_record_that_cannot_be_read_is_told() {
        let mut broken = template();
        broken["Metadata"][ENTRY][SAGAS]["order"] = "{".into();
        let told = recorded(&broken).expect_err("it is broken").to_string();
        assert!(told.starts_with("the schemas of `order` in the metadata cannot be read: EOF"), "{told}");
        broken["Metadata"][ENTRY] = json!({});
        let told = recorded(&broken).expect_err("it is empty").to_string();
        assert_eq!(told, "the schemas of `Envelope` in the metadata cannot be read: it is not text");
    }

    #[test]
    fn what_differs_inside_can_be_named() {
        let apart = with_record_taken_apart(template());
        let step = &apart["Metadata"][ENTRY][SAGAS]["order"]["steps"]["reserve-stock"];
        assert_eq!(step["participant"], "inventory");
        assert_eq!(apart["Metadata"][ENTRY][ENTITIES]["orders"]["key"], "order_id");
    }
}
